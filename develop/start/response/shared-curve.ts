import type { Frame } from '../../../model/picture.js';
import { BLACK, clippedAndAgreed, WHITE } from '../merge/pixel-radiance.js';
import { fitKnots, followPixels } from './fit-knots.js';
import { plausibleCurves, responsePrior } from './prior.js';
import {
  inverseTable,
  KNOT_STEP,
  knotPosition,
  RESPONSE_KNOTS,
  RESPONSE_MIN,
  sharedResponse,
  srgbResponse,
} from './response.js';
import { type PixelSamples, poolSamples, samplePixels } from './sample-pixels.js';

type Masks = readonly (readonly (Uint8Array | undefined)[])[] | undefined;

/** Pixels a channel by which the plausible curves are tried. */
const TRIED_ON = 600;
/** Weight of the prior against the pixels, in units of the merge's weights: 0.001 … 0.1 differ by 0.1 dB. */
const PRIOR_WEIGHT = 0.01;

/**
 * The one curve that explains all channels best: of the plausible ones that under which the pixels of all channels
 * agree most, then fitted to them together.
 *
 * One curve for all, because a curve a channel has a gauge of its own: a shift of F together with all u changes nothing
 * but at the ends, and there noise and JPEG scatter whites over codes 240 to 251. Fitted channel by channel from a
 * comparagram, brackets with noise of 1.5 codes came out bright red (18 % of the red light, 19.0 dB instead of 50.5).
 * Where the search begins matters, too: from sRGB always, 28 of 84 cases ended 1.5 to 7 dB lower.
 *
 * @param most pixels a channel to fit to
 * @returns RESPONSE_KNOTS values, or undefined where no two frames show the same pixel
 */
export function sharedCurve(
  stacks: readonly (readonly Frame[])[],
  ev: readonly (readonly number[])[],
  masks: Masks,
  most: number,
  rounds: number,
): Float64Array | undefined {
  const drawn = (knots: Float64Array, count: number) =>
    poolSamples(
      [0, 1, 2].map((channel) => samplePixels(stacks, ev, sharedResponse(knots), channel, masks, count)),
    );
  const few = drawn(srgbResponse().knots.subarray(0, RESPONSE_KNOTS), TRIED_ON);
  if (few.count === 0) return undefined;
  const knots = mostPlausible(few).slice();
  const pixels = drawn(knots, most);
  guessRadiance(knots, pixels);
  fitKnots(knots, pixels, responsePrior(), PRIOR_WEIGHT, rounds);
  return knots;
}

/** The plausible curve under which the frames agree best about these pixels. */
function mostPlausible(pixels: PixelSamples): Float64Array {
  let best: Float64Array | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const curve of plausibleCurves()) {
    guessRadiance(curve, pixels);
    followPixels(curve, pixels);
    const cost = disagreement(curve, pixels);
    if (best && cost >= least) continue;
    best = curve;
    least = cost;
  }
  return best!;
}

/** First guesses of the pixels' radiance under a curve: values in the middle count most, clipped ones bound it. */
function guessRadiance(knots: Float64Array, pixels: PixelSamples): void {
  const table = inverseTable(sharedResponse(knots), 0);
  const { first, values, shifts, u } = pixels;
  for (let p = 0; p < pixels.count; p++) {
    let [sum, weight, least, most] = [0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let e = first[p]; e < first[p + 1]; e++) {
      const value = values[e];
      const told = table[Math.round(255 * value)] - shifts[e];
      if (value >= WHITE) least = Math.max(least, told);
      else if (value <= BLACK) most = Math.min(most, told);
      else {
        const trust = Math.min(value, 1 - value);
        sum += trust * told;
        weight += trust;
      }
    }
    if (weight > 0) u[p] = sum / weight;
    else if (least === Number.NEGATIVE_INFINITY) u[p] = most;
    else u[p] = most === Number.POSITIVE_INFINITY ? least : (least + most) / 2;
  }
}

/** Electrons at saturation, and the deviation of a pixel value, of a camera whose noise no curve should explain. */
const ELECTRONS = 16_000;
const CODE = 1 / 255;
/** Misfits beyond so many variances count by their logarithm: something moved, or an edge slipped. */
const FOREIGN = 9;

/** Σ over pixels of ln(1 + q / 9), q = Σ_e (t_e − F)² / variance over the frames that tell something. */
function disagreement(knots: Float64Array, pixels: PixelSamples): number {
  const { first, values, shifts, u } = pixels;
  const last = RESPONSE_KNOTS - 2;
  const weights = Float64Array.from({ length: last + 1 }, (_, k) => {
    const slope = (knots[k + 1] - knots[k]) / KNOT_STEP;
    return 1 / ((slope * slope * Math.exp(-knotPosition(k + 0.5))) / ELECTRONS + CODE * CODE);
  });
  let sum = 0;
  for (let p = 0; p < pixels.count; p++) {
    let misfit = 0;
    for (let e = first[p]; e < first[p + 1]; e++) {
      const position = (u[p] + shifts[e] - RESPONSE_MIN) / KNOT_STEP;
      const k = Math.min(last, Math.max(0, Math.floor(position)));
      const model = Math.min(1, Math.max(0, knots[k] + (knots[k + 1] - knots[k]) * (position - k)));
      if (!clippedAndAgreed(values[e], model)) misfit += weights[k] * (values[e] - model) ** 2;
    }
    sum += Math.log1p(misfit / FOREIGN);
  }
  return sum;
}
