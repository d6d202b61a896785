/**
 * The inner loops that most of the classical start's time goes to. They are written here in TypeScript, which defines
 * them, and may be had from elsewhere compiled: to the same bits.
 */
import { spreadSources } from '../../model/camera/spread.js';
import { compare } from './align/compare.js';
import { scoreShifts } from './align/search.js';
import { diskBlurPlane } from './depth/disk-blur.js';
import { aggregatePaths } from './depth/semi-global.js';
import { addDifferences, blockDifferences, storeCosts, sumLowest } from './depth/sweep-loops.js';
import { edgePart } from './edges/levels.js';
import { bandEnergy } from './fusion/bands.js';
import { addToFusion, fusedCodes } from './fusion/sums.js';
import { mergeChannel } from './merge/merge.js';
import { shrinkDetail } from './merge/shrink.js';
import { channelLight } from './pixels/channel-light.js';
import { boxMean, gaussian } from './pixels/filters.js';
import { quantisedLog } from './pixels/log-steps.js';
import { medianFilter } from './pixels/rank-filters.js';

export interface StartKernels {
  readonly boxMean: typeof boxMean;
  readonly gaussian: typeof gaussian;
  readonly channelLight: typeof channelLight;
  readonly mergeChannel: typeof mergeChannel;
  readonly medianFilter: typeof medianFilter;
  readonly shrinkDetail: typeof shrinkDetail;
  readonly scoreShifts: typeof scoreShifts;
  readonly compare: typeof compare;
  readonly diskBlur: typeof diskBlurPlane;
  readonly quantisedLog: typeof quantisedLog;
  readonly addDifferences: typeof addDifferences;
  readonly storeCosts: typeof storeCosts;
  readonly blockDifferences: typeof blockDifferences;
  readonly sumLowest: typeof sumLowest;
  readonly aggregatePaths: typeof aggregatePaths;
  readonly spreadSources: typeof spreadSources;
  readonly bandEnergy: typeof bandEnergy;
  readonly addToFusion: typeof addToFusion;
  readonly fusedCodes: typeof fusedCodes;
  readonly edgePart: typeof edgePart;
}

/** The definition, which runs everywhere. */
export const portableKernels: StartKernels = {
  boxMean,
  gaussian,
  channelLight,
  mergeChannel,
  medianFilter,
  shrinkDetail,
  scoreShifts,
  compare,
  diskBlur: diskBlurPlane,
  quantisedLog,
  addDifferences,
  storeCosts,
  blockDifferences,
  sumLowest,
  aggregatePaths,
  spreadSources,
  bandEnergy,
  addToFusion,
  fusedCodes,
  edgePart,
};
