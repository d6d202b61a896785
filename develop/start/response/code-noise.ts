import { followPixels } from './fit-knots.js';
import { KNOT_STEP, RESPONSE_KNOTS, RESPONSE_MIN } from './response.js';
import type { PixelSamples } from './sample-pixels.js';

/** Pixel values between these are surely not clipped, whatever noise did to them. */
const LOWEST = 0.02;
const HIGHEST = 0.97;
/** Fewest pixels for a median that means something. */
const FEWEST_PIXELS = 50;
/** Median of χ² of one degree of freedom. */
const MEDIAN = 0.455;
/** Rounding to 8 bits. */
const ROUNDING = 1 / 12 / 255 ** 2;

/**
 * How far pixel values are from what a curve says, as a variance: sensor noise, rounding and compression together. The
 * median over pixels of Σ (t − F)² / (n − 1), so that what moved does not count.
 *
 * @param knots RESPONSE_KNOTS values of the channel's curve
 * @param pixels of the channel; their radiance is moved to its optimum
 * @returns variance of values in [0, 1], at least that of rounding to 8 bits
 */
export function codeNoise(knots: Float64Array, pixels: PixelSamples): number {
  followPixels(knots, pixels);
  const { first, values, shifts, u } = pixels;
  const last = RESPONSE_KNOTS - 2;
  const variances: number[] = [];
  for (let p = 0; p < pixels.count; p++) {
    let [sum, count] = [0, 0];
    for (let e = first[p]; e < first[p + 1]; e++) {
      const value = values[e];
      if (value <= LOWEST || value >= HIGHEST) continue;
      const position = (u[p] + shifts[e] - RESPONSE_MIN) / KNOT_STEP;
      const k = Math.min(last, Math.max(0, Math.floor(position)));
      sum += (value - knots[k] - (knots[k + 1] - knots[k]) * (position - k)) ** 2;
      count++;
    }
    if (count >= 2) variances.push(sum / (count - 1));
  }
  if (variances.length < FEWEST_PIXELS) return ROUNDING;
  variances.sort((a, b) => a - b);
  return Math.max(ROUNDING, variances[variances.length >> 1] / MEDIAN);
}
