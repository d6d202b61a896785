import { percentile } from '../model/percentile.js';
import type { Picture } from '../model/picture.js';
import type { Light } from './light.js';
import { type FocusResult, sweepFocus } from './start/depth/focus.js';
import { edgePicture } from './start/edges/edge-picture.js';
import { blendShare, meanOf } from './start/fusion/blend-share.js';
import { blended } from './start/fusion/detail-guard.js';
import { type Fusion, fuseViews } from './start/fusion/fusion.js';
import type { Grouping } from './start/grouping/frames.js';
import type { StartKernels } from './start/kernels.js';

/** What a focus stack shows before training. */
export interface StackStart extends FocusResult {
  /** The share of the frames' blend at every pixel, 0 … 1: where the lens's depth loses detail that the frames show. */
  readonly blend: Float32Array;
}

/** Circles up to this percentile of the picture are modelled; wider ones are left to the views that are sharper. */
const WIDEST_PERCENTILE = 99;
/** A share of the picture below this is not worth a sentence. */
const WORTH_TELLING = 0.001;
/** Evidence, as a multiple of the least, from which the blend knows where a pixel is in focus. */
const CONFIDENT = 5;

/**
 * Depth, blur scale and the picture of a focus stack: what one surface behind a lens makes of the views, and where that
 * loses what the views show (hair, glass, wings, a wrong depth) their soft blend instead.
 *
 * @param quick leaves out the network beside depth edges, which takes as long as all the rest
 */
export function startStack(
  { views, shown: valid, ev }: Light,
  grouping: Grouping,
  quick: boolean,
  note: (sentence: string) => void,
  kernels: StartKernels,
): StackStart {
  const { focus } = grouping;
  const white = -Math.LN2 * percentile(Float32Array.from(ev), 50);
  const sweep = sweepFocus(views, focus, aperturesOf(grouping), { valid, kernels });
  const fusion = fuseViews({ views, focus, valid, white }, kernels);
  const input = { views, focus, aperture: aperturesOf(grouping), gains: sweep.gains, valid };
  const { blend, doubted } = blendShare(input, sweep, fusion, white, kernels);
  tell(blend, doubted, note);
  // A network that was taught what a lens does helps where there is one.
  const edges =
    doubted || quick ? undefined : edgePicture(input, sweep.s, sweep.kappa, sweep.allInFocus, kernels);
  if (edges) {
    const share = meanOf(edges.taken.data);
    note(`beside depth edges a network's picture: ${(100 * share).toFixed(0)} % of the whole`);
  }
  return {
    ...sweep,
    blend,
    allInFocus: blended(edges?.picture ?? sweep.allInFocus, fusion.picture, blend),
    s: { ...sweep.s, data: mendedDepth(sweep.s, fusion, blend, kernels) },
  };
}

function tell(blend: Float32Array, doubted: boolean, note: (sentence: string) => void): void {
  const percent = (100 * meanOf(blend)).toFixed(1);
  if (doubted) {
    note(
      'no depth behind a lens explains these frames: they are blended by what is sharp, and training leaves that as it is',
    );
  } else if (meanOf(blend) > WORTH_TELLING) {
    note(
      `in ${percent} % of the picture no single depth shows all that the frames do: blended from them there, and left as it ` +
        'is by training',
    );
  }
}

/** The defocus map, with the blend's own where that was taken and is sure of it. */
function mendedDepth(
  s: Picture,
  fusion: Fusion,
  blend: Float32Array,
  { medianFilter }: StartKernels,
): Float32Array {
  const smooth = medianFilter(fusion.focus, s.width, s.height, 5);
  return s.data.map((v, p) => (fusion.confidence[p] > CONFIDENT ? v + blend[p] * (smooth[p] - v) : v));
}

export function aperturesOf(grouping: Grouping): number[] {
  return grouping.focus.map((_, focus) => grouping.frames.find((f) => f.focus === focus)!.aperture);
}

/** The widest circle of confusion of most pixels over all focus settings, in pixels. */
export function widestCircle({ s, kappa }: FocusResult, { focus }: Grouping): number {
  const near = Math.max(...focus);
  const far = Math.min(...focus);
  const circles = s.data.map((v) => kappa * Math.max(Math.abs(v - near), Math.abs(v - far)));
  return percentile(circles, WIDEST_PERCENTILE);
}
