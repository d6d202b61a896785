import type { FramePair, PairHistogram } from './joint-histogram.js';

/** Which pixels of a comparagram to believe, before and after a response is known. */

/** Two frames of one stack whose exposures differ. */
export interface ExposurePair extends FramePair {
  readonly firstGroup: number;
  readonly secondGroup: number;
}

export type ExposureHistogram = PairHistogram<ExposurePair>;

const LN2 = Math.LN2;
const CODES = 256;
/** Codes over which confidence fades in above black and out below white (clipping biases pairs that touch it). */
const FADE = 25;
const LAST_TRUSTED = 252;
/** Slope of ln exposure over code of a usual response: noise of a code matters the more the darker it is. */
const USUAL_SLOPE = Float64Array.from({ length: CODES }, (_, z) => 2.2 / (z + 5));

/**
 * Weight of each entry before any residual is seen: its pixels, faded out towards black and white, over the variance
 * that code noise gives g(z) − g(z') under a usual response. (The slope of the response being estimated must not be
 * used here: shrinking g would then be rewarded.)
 */
export function codeWeights(
  histograms: readonly ExposureHistogram[],
  ev: readonly number[],
): { trusted: Float64Array[]; shares: number[] } {
  const floors = [0, 1, 2].map((channel) => blackFloor(histograms, channel, ev));
  const trust = floors.map((floor) =>
    Float64Array.from({ length: CODES }, (_, z) =>
      Math.max(0, Math.min(1, (z - floor) / FADE, (LAST_TRUSTED - z) / FADE)),
    ),
  );
  const shares: number[] = [];
  const trusted = histograms.map(({ channel, first, second, count }) => {
    let exposed = 0;
    const weights = count.map((n, i) => {
      const a = first[i];
      const b = second[i];
      const well = n * trust[channel][a] * trust[channel][b];
      exposed += well;
      return well / (USUAL_SLOPE[a] ** 2 + USUAL_SLOPE[b] ** 2);
    });
    shares.push(exposed / Math.max(1, sum(count)));
    return weights;
  });
  return { trusted, shares };
}

/** Codes up to here say "black" even where the sensor's own noise is 0. */
const LEAST_FLOOR = 2;

/**
 * The last code that stands for black. Scanned film and noisy shadows have black at 5 … 20, where a pair of codes says
 * nothing about exposures. Black is what stays when the exposure changes: a lower quantile that is the same in the
 * two darkest frames, plus the noise below it.
 */
function blackFloor(
  histograms: readonly ExposureHistogram[],
  channel: number,
  ev: readonly number[],
): number {
  let darkest: ExposureHistogram | undefined;
  for (const h of histograms) {
    const [a, b] = [ev[h.pair.firstGroup], ev[h.pair.secondGroup]];
    if (h.channel !== channel || b - a < 0.5) continue;
    if (!darkest || a + b < ev[darkest.pair.firstGroup] + ev[darkest.pair.secondGroup]) darkest = h;
  }
  if (!darkest) return LEAST_FLOOR;
  const first = marginal(darkest.first, darkest.count);
  const second = marginal(darkest.second, darkest.count);
  for (const share of [0.5, 0.25]) {
    const level = quantile(first, share);
    if (Math.abs(quantile(second, share) - level) > 1) continue;
    return Math.max(LEAST_FLOOR, level + 3 * (level - quantile(first, 0.05)) + 2);
  }
  return LEAST_FLOOR;
}

function marginal(codes: Uint8Array, count: Float64Array): Float64Array {
  const sums = new Float64Array(CODES);
  for (let i = 0; i < codes.length; i++) sums[codes[i]] += count[i];
  return sums;
}

function quantile(counts: Float64Array, share: number): number {
  let left = sum(counts) * share;
  for (let z = 0; z < CODES; z++) {
    left -= counts[z];
    if (left <= 0) return z;
  }
  return CODES - 1;
}

/** Codes beyond which a residual counts as foreign, in units of the typical one. */
const FOREIGN = 3;

/**
 * Weights for the next round: Cauchy's weight of the residual in codes, r / √(g'(z)² + g'(z')²), so that what moved
 * between the frames, or lies on an edge that is not quite aligned, hardly counts.
 */
export function robustWeights(
  histograms: readonly ExposureHistogram[],
  trusted: readonly Float64Array[],
  g: readonly Float64Array[],
  ev: readonly number[],
): { weights: Float64Array[]; residual: number; residuals: Float64Array[] } {
  const slopes = g.map((codes) =>
    codes.map((_, z) => {
      const [low, high] = [Math.max(z - 2, 0), Math.min(z + 2, CODES - 1)];
      return Math.max((codes[high] - codes[low]) / (high - low), 1e-3);
    }),
  );
  const residuals = histograms.map(({ pair, channel, first, second, count }) => {
    const shift = LN2 * (ev[pair.firstGroup] - ev[pair.secondGroup]);
    return count.map((_, i) => {
      const r = g[channel][first[i]] - g[channel][second[i]] - shift;
      return Math.abs(r) / Math.hypot(slopes[channel][first[i]], slopes[channel][second[i]]);
    });
  });
  // A difference of two rounded codes is never better than this.
  const residual = Math.max(weightedMedian(residuals, trusted), 0.5);
  const weights = trusted.map((list, index) =>
    list.map((w, i) => w / (1 + (residuals[index][i] / (FOREIGN * residual)) ** 2)),
  );
  return { weights, residual, residuals };
}

/** Weighted mean of ln(1 + (r / scale)²): Cauchy's measure of misfit, which what moved raises little. */
export function meanMisfit(
  residuals: readonly Float64Array[],
  weights: readonly Float64Array[],
  scale: number,
): number {
  let [misfit, total] = [0, 0];
  weights.forEach((list, k) => {
    list.forEach((w, i) => {
      misfit += w * Math.log1p((residuals[k][i] / scale) ** 2);
      total += w;
    });
  });
  return total > 0 ? misfit / total : 0;
}

/** Weighted median of non-negative values, to 1/16 of a unit, by counting. */
function weightedMedian(values: readonly Float64Array[], weights: readonly Float64Array[]): number {
  const bins = new Float64Array(4096);
  let total = 0;
  values.forEach((list, k) => {
    list.forEach((value, i) => {
      bins[Math.min(bins.length - 1, Math.floor(value * 16))] += weights[k][i];
      total += weights[k][i];
    });
  });
  let sum = 0;
  for (let b = 0; b < bins.length; b++) {
    sum += bins[b];
    if (sum >= total / 2) return (b + 0.5) / 16;
  }
  return 0;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
