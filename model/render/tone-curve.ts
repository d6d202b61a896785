import { percentile } from '../percentile.js';
import type { Picture } from '../picture.js';
import { type Plane, reducedLuminance } from './reduced-luminance.js';

/**
 * A curve from scene to display in log₂ luminance that closes gaps: where few pixels lie, between a window and the
 * room before it, it is flat; where many lie it is steep. Even knots, straight between and beyond them.
 */
export interface GapCurve {
  /** log₂ luminance of the first knot and distance of the knots, in stops. */
  readonly from: number;
  readonly step: number;
  /** log₂ of what is shown, before the film curve; at least two. */
  readonly values: Float64Array;
  /** Slopes before the first and after the last knot. */
  readonly below: number;
  readonly above: number;
  /** The range in which the picture lies, log₂ luminance. */
  readonly low: number;
  readonly high: number;
  /** Luminance, above 0, below which nothing is told apart. */
  readonly floor: number;
}

/** Long side of the picture that is looked at. */
const THUMBNAIL = 512;
/** The range of a picture lies between these shares of it, by weight. */
const LOW_SHARE = 0.002;
const HIGH_SHARE = 0.9995;
/** Stops that a display holds as they are; of a picture that has more, `RANGE_LOSS` less for each, down to the least. */
const DISPLAY_RANGE = 6.6;
const RANGE_LOSS = 0.5;
const LEAST_DISPLAY_RANGE = 5.2;
const BINS = 96;
/** Slopes are `histogram ^ GAMMA`, at least this, at most 1: contrast is never raised. */
const GAMMA = 0.5;
const LEAST_SLOPE = 0.22;
/** Blur of histogram and slopes, in stops. */
const HISTOGRAM_BLUR = 0.4;
const SLOPE_BLUR = 0.3;
/** The mean is shown as this: mid-grey, and up to `RANGE_KEY` more for pictures of 9 stops and over. */
const KEY = 0.18;
const RANGE_KEY = 0.07;
/** … but for this share of the picture shown no brighter than `HIGHEST`, and never with a mean below `LEAST_KEY`. */
const HIGH_LIGHTS = 0.995;
const HIGHEST = 1.8;
const LEAST_KEY = 0.07;

/** What the curve gives for log₂ luminance. */
export function curveAt(curve: GapCurve, v: number): number {
  const { values, step } = curve;
  const x = (v - curve.from) / step;
  const last = values.length - 1;
  if (x <= 0) return values[0] + curve.below * x * step;
  if (x >= last) return values[last] + curve.above * (x - last) * step;
  const i = x | 0;
  return values[i] + (values[i + 1] - values[i]) * (x - i);
}

/**
 * The curve that suits a picture: linear RGB of any scale. Scaled radiance gives the same curve, moved.
 *
 * @param noise luminance below which the photographs show noise, where it is known: no range is spent there
 */
export function gapCurve(light: Picture, noise?: number): GapCurve {
  const thumbnail = reducedLuminance(light, THUMBNAIL);
  const positive = thumbnail.data.filter((y) => y > 0);
  const floor = Math.max(1e-30, positive.length > 0 ? percentile(positive, 0.5) / 2 : 1);
  const v = Float64Array.from(thumbnail.data, (y) => Math.log2(y > floor ? y : floor));
  const weights = centreWeights(thumbnail);
  const [lowest, high] = quantiles(v, weights, [LOW_SHARE, HIGH_SHARE]);
  const knownNoise = noise !== undefined && noise > 0 && Number.isFinite(noise);
  // Below the noise nothing is told apart: no range is spent there.
  const low = knownNoise ? Math.max(lowest, Math.min(Math.log2(noise), high - 2)) : lowest;
  const range = Math.max(high - low, 1e-3);
  const step = range / BINS;
  const slopes = slopesOf(histogram(v, weights, low, low + range, BINS), range);
  const values = new Float64Array(BINS + 1);
  for (let i = 0; i < BINS; i++) values[i + 1] = values[i] + slopes[i] * step;
  const curve = {
    from: low,
    step,
    values,
    below: knownNoise ? 1 : Math.min(slopes[0], 0.6),
    above: Math.min(slopes[BINS - 1], 0.4),
    low,
    high: low + range,
    floor,
  };
  const exposure = exposureOf(curve, v, weights);
  return { ...curve, values: values.map((t) => t + exposure) };
}

/** The middle of a picture counts more than its border. */
function centreWeights({ width, height }: Plane): Float64Array {
  const weights = new Float64Array(width * height);
  const offset = (at: number, side: number) => ((at / side - 0.5) / 0.35) ** 2;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      weights[i] = 0.4 + 0.6 * Math.exp(-(offset(x, width) + offset(y, height)) / 2);
    }
  }
  return weights;
}

/** Slope of each bin of `range` stops: the more pixels lie there, the steeper; together no more than a display holds. */
function slopesOf(counts: Float64Array, range: number): Float64Array {
  const shown = DISPLAY_RANGE - RANGE_LOSS * (range - DISPLAY_RANGE);
  const target = Math.min(DISPLAY_RANGE, Math.max(LEAST_DISPLAY_RANGE, shown));
  const step = range / BINS;
  if (range <= target) return new Float64Array(BINS).fill(1);
  const blurred = blurLine(counts, Math.max(HISTOGRAM_BLUR / step, 0.5));
  const sum = blurred.reduce((a, b) => a + b, 0);
  const wish = blurred.map((h) => (h / sum) ** GAMMA);
  const least = Math.min(LEAST_SLOPE, (0.6 * target) / range);
  const slopes = (c: number) => wish.map((h) => Math.min(1, Math.max(least, c * h)));
  let [small, large] = [1e-6, 1e4];
  for (let i = 0; i < 60; i++) {
    const c = Math.sqrt(small * large);
    if (slopes(c).reduce((a, b) => a + b, 0) * step > target) large = c;
    else small = c;
  }
  return blurLine(slopes(small), Math.max(SLOPE_BLUR / step, 0.5));
}

/**
 * How far the curve is moved: the mean to its key, less where most of the picture lies far below the middle of its range
 * (a night is no day), and no further than lights allow.
 */
function exposureOf(curve: GapCurve, v: Float64Array, weights: Float64Array): number {
  const { low, high } = curve;
  const range = high - low;
  const shown = v.map((x) => curveAt(curve, x));
  const [top] = quantiles(shown, weights, [HIGH_LIGHTS]);
  let [sum, mean, middle] = [0, 0, 0];
  for (let i = 0; i < v.length; i++) {
    sum += weights[i];
    mean += weights[i] * shown[i];
    middle += weights[i] * Math.min(high, Math.max(low, v[i]));
  }
  mean /= sum;
  const skew = Math.min(0, Math.max(-0.5, ((2 * middle) / sum - low - high) / Math.max(range, 4)));
  const key = (KEY + RANGE_KEY * Math.min(1, Math.max(0, (range - 6) / 3))) * 4 ** skew;
  return Math.max(Math.min(Math.log2(key) - mean, Math.log2(HIGHEST) - top), Math.log2(LEAST_KEY) - mean);
}

/** Weights of values in even bins from `low` to `high`; what lies beyond is in the outermost. */
function histogram(v: Float64Array, weights: Float64Array, low: number, high: number, bins: number) {
  const counts = new Float64Array(bins);
  const scale = bins / (high - low);
  for (let i = 0; i < v.length; i++) {
    counts[Math.min(bins - 1, Math.max(0, Math.floor((v[i] - low) * scale)))] += weights[i];
  }
  return counts;
}

/** The values below which given shares of the weight lie. */
function quantiles(v: Float64Array, weights: Float64Array, shares: readonly number[]): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of v) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (!(high > low)) return shares.map(() => low);
  const bins = 512;
  const counts = histogram(v, weights, low, high, bins);
  const total = counts.reduce((a, b) => a + b, 0);
  return shares.map((share) => {
    let below = 0;
    let bin = 0;
    while (bin < bins - 1 && below + counts[bin] < share * total) below += counts[bin++];
    const within = counts[bin] > 0 ? (share * total - below) / counts[bin] : 0;
    return low + ((high - low) * (bin + Math.min(1, within))) / bins;
  });
}

/** A Gaussian along a line whose ends go on. */
function blurLine(line: Float64Array, sigma: number): Float64Array {
  const radius = Math.ceil(4 * sigma);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-(((k - radius) / sigma) ** 2) / 2),
  );
  const sum = kernel.reduce((a, b) => a + b, 0);
  return line.map((_, i) => {
    let value = 0;
    for (let k = 0; k < kernel.length; k++) {
      value += kernel[k] * line[Math.min(line.length - 1, Math.max(0, i + k - radius))];
    }
    return value / sum;
  });
}
