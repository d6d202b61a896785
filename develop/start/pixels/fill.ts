/**
 * Filling in what is not known of a plane from around it: averages of the known pixels at ever smaller sizes, brought back
 * up wherever the larger size knows nothing ("pull–push", Gortler et al., "The Lumigraph", 1996). Smooth far inside a hole,
 * where copies of the nearest pixel would make a star.
 */
import { bilinearResize } from './resize.js';

/**
 * The plane with every pixel where `known` is 0 replaced.
 *
 * @param known 0 where the plane is to be filled; when it is 0 everywhere, the plane is returned as it is
 */
export function fillUnknown(
  plane: Float32Array,
  known: Uint8Array,
  width: number,
  height: number,
): Float32Array {
  const weight = Float32Array.from(known, (v) => (v === 0 ? 0 : 1));
  return filled(plane, weight, width, height) ?? plane;
}

/** `undefined` when nothing is known. */
function filled(
  plane: Float32Array,
  weight: Float32Array,
  width: number,
  height: number,
): Float32Array | undefined {
  if (width === 1 && height === 1) return weight[0] > 0 ? plane : undefined;
  const w = (width + 1) >> 1;
  const h = (height + 1) >> 1;
  const sums = new Float32Array(w * h);
  const weights = new Float32Array(w * h);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const q = (y >> 1) * w + (x >> 1);
      sums[q] += weight[p] * plane[p];
      weights[q] += weight[p];
    }
  for (let q = 0; q < sums.length; q++) {
    if (weights[q] > 0) sums[q] /= weights[q];
    weights[q] = Math.min(1, weights[q]);
  }
  const coarse = filled(sums, weights, w, h);
  if (coarse === undefined) return undefined;
  const up = bilinearResize(coarse, w, h, 2 * w, 2 * h);
  const out = new Float32Array(plane.length);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) out[p] = weight[p] * plane[p] + (1 - weight[p]) * up[y * 2 * w + x];
  return out;
}
