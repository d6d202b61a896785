import { luminance } from '../model/metrics.js';
import { percentile } from '../model/percentile.js';
import type { Picture } from '../model/picture.js';
import type { RenderQuery } from '../model/render-query.js';

/** How the all-in-focus picture is shown to a person. */
export interface DisplayChoice {
  readonly tone: RenderQuery['tone'];
  /** Stops on top of the reference exposure. */
  readonly ev: number;
  /** Why, for the report. */
  readonly reason: string;
}

/** Frames whose exposures differ by less than this count as one exposure. */
const ONE_EXPOSURE = 0.5;
/** Mid-grey: where the log-average luminance goes. */
const KEY = 0.18;
/** Linear light that the filmic curve shows as white. */
const FILMIC_WHITE = 10;
/** At most this share of the picture may be lost to white, in per cent, … */
const BURNT = 1;
/** … but the picture is darkened by no more stops than this to save it. */
const MOST_DARKENING = 1.5;

/**
 * Frames of one exposure: the camera's own response at that exposure, so that the picture looks as its photographs.
 * A bracket: a film-like curve over an automatic exposure that brings the log-average luminance to mid-grey
 * (Reinhard et al., "Photographic tone reproduction", 2002), darker where too much of it would burn out.
 *
 * @param evs exposures of the frames in stops, in the unit of the learned response.
 */
export function chooseDisplay(radiance: Picture, evs: readonly number[]): DisplayChoice {
  const sorted = [...evs].sort((a, b) => a - b);
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  if (high - low < ONE_EXPOSURE) {
    return {
      tone: 'learned',
      ev: sorted[sorted.length >> 1] ?? 0,
      reason: 'the response of the camera at the exposure of its photographs',
    };
  }
  const ev = automaticExposure(radiance);
  return { tone: 'filmic', ev, reason: 'a film-like curve over an automatic exposure' };
}

/** The exposure in stops that shows a picture of linear light well through the filmic curve. */
export function automaticExposure(radiance: Picture): number {
  const { data } = luminance(radiance);
  let sum = 0;
  let lit = 0;
  for (const y of data) {
    if (!(y > 0 && y < Number.POSITIVE_INFINITY)) continue;
    sum += Math.log2(y);
    lit++;
  }
  if (lit === 0) return 0;
  const middle = Math.log2(KEY) - sum / lit;
  const brightest = percentile(data, 100 - BURNT);
  const unburnt = Math.log2(FILMIC_WHITE / Math.max(brightest, 1e-12));
  return Math.max(Math.min(middle, unburnt), middle - MOST_DARKENING);
}
