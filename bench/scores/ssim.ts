import { ImplicamError } from '../../model/errors.js';
import type { Picture } from '../../model/picture.js';

/**
 * Structural similarity (Wang et al. 2004) of two one-channel pictures with peak 1: Gaussian window 11×11, σ 1.5,
 * K₁ 0.01, K₂ 0.03, edges replicated, mean over all pixels. At most 1.
 */
export function ssim(a: Picture, b: Picture): number {
  if (a.channels !== 1 || b.channels !== 1 || a.width !== b.width || a.height !== b.height) {
    throw new ImplicamError(
      'shape-mismatch',
      'SSIM compares two pictures of one size and one channel (take luminance() first), not ' +
        `${a.width}x${a.height}x${a.channels} with ${b.width}x${b.height}x${b.channels}`,
    );
  }
  const { width, height } = a;
  const n = a.data.length;
  const moment = (f: (i: number) => number): Float32Array => {
    const product = new Float32Array(n);
    for (let i = 0; i < n; i++) product[i] = f(i);
    return gaussianWindow(product, width, height);
  };
  const ma = moment((i) => a.data[i]);
  const mb = moment((i) => b.data[i]);
  const aa = moment((i) => a.data[i] * a.data[i]);
  const bb = moment((i) => b.data[i] * b.data[i]);
  const ab = moment((i) => a.data[i] * b.data[i]);
  const c1 = 0.01 ** 2;
  const c2 = 0.03 ** 2;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = ma[i];
    const y = mb[i];
    const cov = ab[i] - x * y;
    const variances = aa[i] - x * x + (bb[i] - y * y);
    sum += ((2 * x * y + c1) * (2 * cov + c2)) / ((x * x + y * y + c1) * (variances + c2));
  }
  return sum / n;
}

const WINDOW_REACH = 5;

function gaussianWindow(data: Float32Array, width: number, height: number): Float32Array {
  const kernel = new Float64Array(2 * WINDOW_REACH + 1);
  let total = 0;
  for (let i = -WINDOW_REACH; i <= WINDOW_REACH; i++) {
    kernel[i + WINDOW_REACH] = Math.exp(-(i * i) / (2 * 1.5 * 1.5));
    total += kernel[i + WINDOW_REACH];
  }
  for (let i = 0; i < kernel.length; i++) kernel[i] /= total;
  const rows = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = -WINDOW_REACH; k <= WINDOW_REACH; k++) {
        const xx = Math.min(Math.max(x + k, 0), width - 1);
        sum += kernel[k + WINDOW_REACH] * data[y * width + xx];
      }
      rows[y * width + x] = sum;
    }
  }
  const out = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let k = -WINDOW_REACH; k <= WINDOW_REACH; k++) {
      const from = Math.min(Math.max(y + k, 0), height - 1) * width;
      const w = kernel[k + WINDOW_REACH];
      for (let x = 0; x < width; x++) out[y * width + x] += w * rows[from + x];
    }
  }
  return out;
}
