/** Differences of predicted and seen views in the logarithm, at a reduced size. */
import type { Picture } from '../../../model/picture.js';
import type { StartKernels } from '../kernels.js';
import { fastExp, logInPlace } from '../pixels/fast-math.js';

/** Light that counts as dark: a share of the picture's geometric mean. */
export const DARK = 0.01;

/** ln radiance with gains added, [channel][pixel], averaged in linear light to a smaller size. */
export function planesOf(
  picture: Picture,
  gains: readonly number[],
  width: number,
  height: number,
  { channelLight }: StartKernels,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) {
    const plane = channelLight(picture, c, gains[c], width, height);
    for (let p = 0; p < plane.length; p++) plane[p] = Math.max(plane[p], 1e-30);
    out.set(logInPlace(plane), c * plane.length);
  }
  return out;
}

export function geometricMean(ln: Float32Array): number {
  let sum = 0;
  for (const v of ln) sum += v;
  return Math.exp(sum / ln.length);
}

/** Mean over the channels of |ln(a + floor) − ln(b + floor)|; `a` interleaved light, `b` planes of ln light. */
export function meanDifference(a: Float32Array, b: Float32Array, floor: number): Float32Array {
  const count = a.length / 3;
  const out = new Float32Array(count);
  const first = new Float32Array(count);
  const second = new Float32Array(count);
  for (let c = 0; c < 3; c++) {
    for (let p = 0; p < count; p++) {
      first[p] = Math.max(a[3 * p + c], 0) + floor;
      second[p] = fastExp(b[c * count + p]) + floor;
    }
    logInPlace(first);
    logInPlace(second);
    for (let p = 0; p < count; p++) out[p] += Math.abs(first[p] - second[p]) / 3;
  }
  return out;
}
