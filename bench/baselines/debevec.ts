import { choleskyFactor, choleskySolve } from '../../develop/start/pixels/dense.js';
import { srgbSampleTable } from '../../model/render/display-curves.js';
import { hash2 } from '../samples/hash.js';
import type { Bracket, LogResponse, PhotoStack } from './stack.js';

/**
 * The camera response and the radiance of an exposure bracket after Debevec & Malik, "Recovering high dynamic range
 * radiance maps from photographs", SIGGRAPH 1997. The baseline that most photographic software still is.
 */

const LEVELS = 256;
/** Sampled pixels per channel. The paper takes a hundred; more is better, and cheap once radiance is eliminated. */
const SAMPLES = 4000;
/** The samples are spread over this many classes of brightness, so that rare tones count too. */
const CLASSES = 16;
/**
 * λ² of the paper for every sample: as in OpenCV's CalibrateDebevec, whose default is λ = 10 for 70 samples. (A
 * quarter of it costs 4 dB on the sample scenes, four times as much gains 1–3 dB.)
 */
const SMOOTHNESS = 100 / 70;
/** Values this near to black or white say nothing about radiance. */
const BLACK = 3;
const WHITE = 252;

/** The hat function, 1 to 128: the middle of the range is trusted most. */
function hat(z: number): number {
  return Math.min(z, LEVELS - 1 - z) + 1;
}

/**
 * g(z) = ln radiance + ln exposure for every channel, by least squares over sampled pixels of all brackets:
 * Σ [w(z)(g(z) − ln E − ln t)]² + λ Σ [w(z) g″(z)]², g(128) = 0. The radiances E are eliminated exactly, which
 * leaves 256 unknowns. Where no bracket has two exposures there is nothing to solve, and sRGB is assumed.
 */
export function debevecResponse(stack: PhotoStack): LogResponse {
  if (!stack.brackets.some((b) => new Set(b.evs).size > 1)) return srgbResponse();
  return [0, 1, 2].map((c) => solveChannel(stack, c)) as unknown as LogResponse;
}

/** ln of the inverse sRGB curve: what one assumes of a camera that one knows nothing about. */
export function srgbResponse(): LogResponse {
  const linear = srgbSampleTable(255);
  const curve = () => Float64Array.from(linear, (v, z) => Math.log(z === 0 ? linear[1] / 2 : v));
  return [curve(), curve(), curve()];
}

function solveChannel(stack: PhotoStack, channel: number): Float64Array {
  const a = new Float64Array(LEVELS * LEVELS);
  const b = new Float64Array(LEVELS);
  let used = 0;
  for (const bracket of stack.brackets) {
    const pixels = samplePixels(bracket, channel, Math.ceil(SAMPLES / stack.brackets.length));
    for (const p of pixels) addPixel(a, b, bracket, 3 * p + channel);
    used += pixels.length;
  }
  const lambda = SMOOTHNESS * used;
  for (let z = 1; z < LEVELS - 1; z++) {
    const w = lambda * hat(z) ** 2;
    addProduct(a, [z - 1, z, z + 1], [1, -2, 1], w);
  }
  a[128 * LEVELS + 128] += 1e6 * used;
  // Rounding leaves the system barely definite where no sample fell.
  for (let z = 0; z < LEVELS; z++) a[z * LEVELS + z] += 1e-6 * used;
  choleskyFactor(a, LEVELS);
  choleskySolve(a, LEVELS, b);
  return b;
}

/** Adds one pixel's equations, its radiance eliminated (the Schur complement of a diagonal block). */
function addPixel(a: Float64Array, b: Float64Array, { pixels, evs }: Bracket, at: number): void {
  let total = 0;
  let exposure = 0;
  for (let j = 0; j < pixels.length; j++) {
    const w = hat(pixels[j][at]) ** 2;
    total += w;
    exposure += w * evs[j] * Math.LN2;
  }
  for (let j = 0; j < pixels.length; j++) {
    const z = pixels[j][at];
    const w = hat(z) ** 2;
    a[z * LEVELS + z] += w;
    b[z] += w * (evs[j] * Math.LN2 - exposure / total);
    for (let k = 0; k < pixels.length; k++) {
      const y = pixels[k][at];
      a[z * LEVELS + y] -= (w * hat(y) ** 2) / total;
    }
  }
}

function addProduct(
  a: Float64Array,
  index: readonly number[],
  value: readonly number[],
  weight: number,
): void {
  for (let i = 0; i < index.length; i++) {
    for (let j = 0; j < index.length; j++) {
      a[index[i] * LEVELS + index[j]] += weight * value[i] * value[j];
    }
  }
}

/** Pixels of one bracket, spread over the brightness of its middle exposure; the same for the same pictures. */
function samplePixels({ pixels, evs }: Bracket, channel: number, count: number): number[] {
  const middle = evs.map((_, i) => i).sort((i, j) => evs[i] - evs[j])[Math.floor(evs.length / 2)];
  const values = pixels[middle];
  const n = values.length / 3;
  const perClass = Math.ceil(count / CLASSES);
  const classes: number[][] = Array.from({ length: CLASSES }, () => []);
  // A fixed pseudo-random walk over the picture: four times as many draws as wanted reach the rarer classes.
  const draws = Math.min(n, 40 * count);
  for (let i = 0; i < draws; i++) {
    const p = hash2(i, channel, 1997) % n;
    const list = classes[Math.floor((values[3 * p + channel] * CLASSES) / LEVELS)];
    if (list.length < perClass) list.push(p);
  }
  return classes.flat();
}

/**
 * ln radiance of a bracket, interleaved RGB: the weighted mean of g(z) − ln t. A pixel that is white everywhere takes
 * the darkest photograph, one that is black everywhere the brightest.
 */
export function debevecMerge(bracket: Bracket, response: LogResponse): Float32Array {
  const { pixels, evs } = bracket;
  const out = new Float32Array(pixels[0].length);
  const darkest = evs.indexOf(Math.min(...evs));
  const brightest = evs.indexOf(Math.max(...evs));
  for (let j = 0; j < pixels.length; j++) {
    if (pixels[j].length !== out.length) throw new RangeError('the photographs of a bracket differ in size');
  }
  const weights = evs.map((_, j) => weightTable(j === darkest, j === brightest));
  for (let c = 0; c < 3; c++) {
    const g = response[c];
    for (let i = c; i < out.length; i += 3) {
      let sum = 0;
      let total = 0;
      for (let j = 0; j < pixels.length; j++) {
        const z = pixels[j][i];
        const w = weights[j][z];
        sum += w * (g[z] - evs[j] * Math.LN2);
        total += w;
      }
      out[i] = sum / total;
    }
  }
  return out;
}

function weightTable(isDarkest: boolean, isBrightest: boolean): Float64Array {
  return Float64Array.from({ length: LEVELS }, (_, z) => {
    if (z >= WHITE) return isDarkest ? 1e-3 : 1e-4;
    if (z <= BLACK) return isBrightest ? 1e-3 : 1e-4;
    return hat(z);
  });
}
