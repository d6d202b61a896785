import { createPicture, type Picture } from '../../../model/picture.js';
import type { CameraResponse } from '../response/response.js';
import type { SensorNoise } from './noise.js';
import { NoiseScale } from './noise-scale.js';
import { shrinkDetail } from './shrink.js';

export interface DenoiseOptions {
  /** The inner loop. @default the one in TypeScript */
  readonly shrinkDetail?: typeof shrinkDetail;
}

/** No pixel moves by more standard deviations of its own noise. */
const FURTHEST = 3;

/** Orthonormal sums of the three channels: what they share, and their differences. */
const MIX = [
  [1, 1, 1],
  [1, 0, -1],
  [1, -2, 1],
].map((row) => row.map((v) => v / Math.hypot(...row)));

/**
 * Takes noise out of merged radiance and leaves what stands out of it: on a scale where noise has the same variance in
 * every pixel (`noise-scale.ts`), by shrinking what the channels share and their differences (`shrink.ts`). A pixel
 * that is well determined hardly changes, one that is white in every frame not at all.
 * @param radiance three channels of ln radiance, as `mergeFrames` gives them
 * @param ev exposures of the merged frames, in stops
 * @returns a new picture. Linear in pixels.
 */
export function denoise(
  radiance: Picture,
  response: CameraResponse,
  ev: readonly number[],
  noise: SensorNoise,
  options: DenoiseOptions = {},
): Picture {
  const { width, height, data } = radiance;
  const shrink = options.shrinkDetail ?? shrinkDetail;
  const scales = [0, 1, 2].map((c) => new NoiseScale(response, c, ev, noise));
  // Holds the levels until the end: large pictures are many.
  const out = createPicture(width, height, 3);
  scales.forEach((scale, c) => {
    for (let i = c; i < data.length; i += 3) out.data[i] = scale.of(data[i]);
  });
  const moves = new Float32Array(data.length);
  let classes: Uint8Array | undefined;
  for (const weights of MIX) {
    const mixed = mix(out.data, weights);
    classes ??= brightnessClasses(mixed);
    const smooth = shrink(mixed, width, height, visibleVariance(mixed, classes, width, height));
    addMoves(mixed, smooth, weights, moves);
  }
  scales.forEach((scale, c) => {
    moveChannel(data, c, scale, moves, out.data);
  });
  return out;
}

/** A plane of weighted sums of the three channels. */
function mix(levels: Float32Array, [a, b, c]: readonly number[]): Float32Array {
  const out = new Float32Array(levels.length / 3);
  for (let p = 0, i = 0; p < out.length; p++, i += 3) {
    out[p] = a * levels[i] + b * levels[i + 1] + c * levels[i + 2];
  }
  return out;
}

/** What the change of a plane of sums means for its channels. */
function addMoves(
  before: Float32Array,
  after: Float32Array,
  [a, b, c]: readonly number[],
  moves: Float32Array,
): void {
  for (let p = 0, i = 0; p < before.length; p++, i += 3) {
    const change = after[p] - before[p];
    moves[i] += a * change;
    moves[i + 1] += b * change;
    moves[i + 2] += c * change;
  }
}

/** Puts one channel's radiance in the place of its levels. */
function moveChannel(
  data: Float32Array,
  channel: number,
  scale: NoiseScale,
  moves: Float32Array,
  out: Float32Array,
): void {
  for (let i = channel; i < data.length; i += 3) {
    const u = data[i];
    const level = out[i];
    const to = level + Math.min(Math.max(moves[i], -FURTHEST), FURTHEST);
    // Only the difference is taken from the tables: what does not move keeps its bits.
    out[i] = u >= scale.white ? u : u + (scale.radiance(to) - scale.radiance(level));
  }
}

/** Classes of brightness, equally many pixels each. */
const CLASSES = 32;
/** Steps of the histogram of finest detail, and how far it reaches, in standard deviations of the noise. */
const DETAIL_STEPS = 256;
const MOST_DETAIL = 2;
/** Median of the size of a normal variable, in standard deviations. */
const NORMAL_MEDIAN = 0.6745;

/**
 * The variance of noise that a plane itself shows, at most 1, at every pixel: the median of its finest (diagonal)
 * detail among pixels of like brightness. Cameras that take noise out themselves, formats that store colour coarsely,
 * and frames that were scaled or warped leave less at this scale than frames differ by.
 */
function visibleVariance(
  plane: Float32Array,
  classes: Uint8Array,
  width: number,
  height: number,
): Float32Array {
  const variances = detailVariances(plane, classes, width, height);
  const out = new Float32Array(plane.length);
  for (let p = 0; p < out.length; p++) out[p] = variances[classes[p]];
  return out;
}

/** Of each class. */
function detailVariances(
  plane: Float32Array,
  classes: Uint8Array,
  width: number,
  height: number,
): Float32Array {
  const scale = DETAIL_STEPS / MOST_DETAIL;
  const last = DETAIL_STEPS - 1;
  const counts = new Int32Array(CLASSES * DETAIL_STEPS);
  for (let y = 0; y + 1 < height; y++) {
    const end = (y + 1) * width - 1;
    for (let p = y * width; p < end; p++) {
      const detail = plane[p] - plane[p + 1] - plane[p + width] + plane[p + width + 1];
      const step = (detail < 0 ? -detail : detail) * (0.5 * scale);
      counts[classes[p] * DETAIL_STEPS + (step < last ? step | 0 : last)]++;
    }
  }
  return Float32Array.from({ length: CLASSES }, (_, k) => {
    const row = counts.subarray(k * DETAIL_STEPS, (k + 1) * DETAIL_STEPS);
    const total = row.reduce((a, b) => a + b, 0);
    let step = 0;
    for (let below = row[0]; 2 * below < total; below += row[step]) step++;
    // In the first step lies also what shows no noise at all: shadows of a single code.
    return step === 0 ? 0 : Math.min(1, ((step + 0.5) / (scale * NORMAL_MEDIAN)) ** 2);
  });
}

/** Steps of the histogram of brightness. */
const BRIGHTNESS_STEPS = 4096;

/** For each sample its class 0 … CLASSES − 1, the darkest first. */
function brightnessClasses(plane: Float32Array): Uint8Array {
  let low = plane[0];
  let high = plane[0];
  for (let p = 1; p < plane.length; p++) {
    const v = plane[p];
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const scale = (BRIGHTNESS_STEPS - 1) / Math.max(high - low, 1e-9);
  const counts = new Int32Array(BRIGHTNESS_STEPS);
  for (let p = 0; p < plane.length; p++) counts[((plane[p] - low) * scale) | 0]++;
  const classOf = new Uint8Array(BRIGHTNESS_STEPS);
  for (let k = 0, below = 0; k < BRIGHTNESS_STEPS; below += counts[k++]) {
    classOf[k] = Math.min(CLASSES - 1, Math.floor((CLASSES * below) / plane.length));
  }
  const out = new Uint8Array(plane.length);
  for (let p = 0; p < out.length; p++) out[p] = classOf[((plane[p] - low) * scale) | 0];
  return out;
}
