/**
 * Blur by the lens's disk (model/camera/lens-kernel.ts). Here the radius is the same for the whole plane and the discrete weights
 * are scaled to sum to exactly 1, so c = 0 leaves a plane unchanged.
 */
import { kernelRadius } from '../../../model/camera/lens-kernel.js';
import { areaResize, bilinearResize } from '../pixels/resize.js';

/** One row of the kernel: weight `full` for |x| ≤ run, and `weights[i]` at |x| = run + 1 + i. */
interface KernelRow {
  readonly run: number;
  readonly full: number;
  readonly weights: Float64Array;
}

export interface DiskKernel {
  /** Rows 0 … reach; row −j is row j. */
  readonly reach: number;
  readonly rows: readonly KernelRow[];
}

/** The normalised kernel of a circle of confusion of radius `circle` ≥ 0 pixels, as runs and rims. */
export function diskKernel(circle: number): DiskKernel {
  const rho = kernelRadius(circle);
  const reach = Math.max(0, Math.ceil(rho + 0.5) - 1);
  const weight = (x: number, y: number): number =>
    Math.min(1, Math.max(0, rho + 0.5 - Math.sqrt(x * x + y * y)));
  let total = 0;
  for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) total += weight(x, y);
  const rows: KernelRow[] = [];
  for (let y = 0; y <= reach; y++) {
    let run = -1;
    while (run < reach && weight(run + 1, y) >= 1) run++;
    // A run of one pixel is no cheaper than a tap, but the layout stays uniform.
    const weights: number[] = [];
    for (let x = run + 1; x <= reach && weight(x, y) > 0; x++) weights.push(weight(x, y) / total);
    rows.push({ run, full: 1 / total, weights: Float64Array.from(weights) });
  }
  return { reach, rows };
}

/** Variance along one axis, in pixels², of the discrete kernel of a circle of confusion of radius `circle`. */
export function kernelVariance(circle: number): number {
  const { rows } = diskKernel(circle);
  let variance = 0;
  rows.forEach((row, y) => {
    let weight = 0;
    for (let x = -row.run; x <= row.run; x++) weight += row.full;
    row.weights.forEach((w, i) => {
      weight += row.run + 1 + i === 0 ? w : 2 * w;
    });
    variance += (y === 0 ? 1 : 2) * weight * y * y;
  });
  return variance;
}

/** The circle of confusion whose kernel has the given variance: the inverse of {@link kernelVariance}. */
export function circleOfVariance(variance: number): number {
  let low = 0;
  let high = 2 * Math.sqrt(Math.max(variance, 0)) + 0.1;
  for (let i = 0; i < 24; i++) {
    const middle = 0.5 * (low + high);
    if (kernelVariance(middle) < variance) low = middle;
    else high = middle;
  }
  return low;
}

/** Variance that a 2 × 2 mean and linear interpolation back to full size add along one axis, in pixels². */
export const HALVING_VARIANCE = 1;

/**
 * Blurs one plane by a circle of confusion of radius `circle` pixels; beyond the border the nearest pixel repeats.
 * Radii above `exactUpTo` are blurred at half (and quarter, …) size, which the blur hides. `out` must not be `source`.
 */
export function diskBlurPlane(
  source: Float32Array,
  width: number,
  height: number,
  circle: number,
  out: Float32Array = new Float32Array(source.length),
  exactUpTo = 16,
): Float32Array {
  const kernel = diskKernel(circle);
  if (kernel.reach === 0) {
    out.set(source);
    return out;
  }
  if (circle > exactUpTo && Math.min(width, height) >= 8) {
    const w = (width + 1) >> 1;
    const h = (height + 1) >> 1;
    const small = areaResize(source, width, height, w, h);
    const rest = circleOfVariance((kernelVariance(circle) - HALVING_VARIANCE) / 4);
    const blurred = diskBlurPlane(small, w, h, rest, undefined, exactUpTo);
    out.set(bilinearResize(blurred, w, h, width, height));
    return out;
  }
  if (kernel.reach <= 2) blurSmall(source, width, height, kernel, out);
  else spreadRows(source, width, height, kernel, out);
  return out;
}

/** Kernels of at most 5 × 5: sums of the rows above and below first, then one pass along the row. */
function blurSmall(
  source: Float32Array,
  width: number,
  height: number,
  kernel: DiskKernel,
  out: Float32Array,
): void {
  const weight = (j: number, i: number): number => {
    const row = kernel.rows[j];
    if (row === undefined) return 0;
    return i <= row.run ? row.full : (row.weights[i - row.run - 1] ?? 0);
  };
  const [w00, w01, w02] = [weight(0, 0), weight(0, 1), weight(0, 2)];
  const [w10, w11, w12] = [weight(1, 0), weight(1, 1), weight(1, 2)];
  const [w20, w21, w22] = [weight(2, 0), weight(2, 1), weight(2, 2)];
  const wide = kernel.reach === 2;
  // One row, and the sums of the rows one and two away, each with two more pixels at both ends.
  const centre = new Float64Array(width + 4);
  const near = new Float64Array(width + 4);
  const far = new Float64Array(width + 4);
  for (let y = 0; y < height; y++) {
    const r0 = y * width;
    const up1 = Math.max(y - 1, 0) * width;
    const down1 = Math.min(y + 1, height - 1) * width;
    const up2 = Math.max(y - 2, 0) * width;
    const down2 = Math.min(y + 2, height - 1) * width;
    for (let x = 0; x < width; x++) {
      centre[x + 2] = source[r0 + x];
      near[x + 2] = source[up1 + x] + source[down1 + x];
    }
    repeatEnds(centre, width);
    repeatEnds(near, width);
    if (!wide) {
      for (let x = 0; x < width; x++)
        out[r0 + x] =
          w00 * centre[x + 2] +
          w01 * (centre[x + 1] + centre[x + 3]) +
          w10 * near[x + 2] +
          w11 * (near[x + 1] + near[x + 3]);
      continue;
    }
    for (let x = 0; x < width; x++) far[x + 2] = source[up2 + x] + source[down2 + x];
    repeatEnds(far, width);
    for (let x = 0; x < width; x++)
      out[r0 + x] =
        w00 * centre[x + 2] +
        w01 * (centre[x + 1] + centre[x + 3]) +
        w02 * (centre[x] + centre[x + 4]) +
        w10 * near[x + 2] +
        w11 * (near[x + 1] + near[x + 3]) +
        w12 * (near[x] + near[x + 4]) +
        w20 * far[x + 2] +
        w21 * (far[x + 1] + far[x + 3]) +
        w22 * (far[x] + far[x + 4]);
  }
}

function repeatEnds(line: Float64Array, width: number): void {
  line[0] = line[1] = line[2];
  line[width + 2] = line[width + 3] = line[width + 1];
}

/** Convolves each source row with every kernel row once and adds the result to the two rows it reaches. */
function spreadRows(
  source: Float32Array,
  width: number,
  height: number,
  kernel: DiskKernel,
  out: Float32Array,
): void {
  const { reach, rows } = kernel;
  const padded = new Float64Array(width + 2 * reach);
  const prefix = new Float64Array(width + 2 * reach + 1);
  const line = new Float32Array(width);
  out.fill(0);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    padded.fill(source[start], 0, reach);
    for (let x = 0; x < width; x++) padded[reach + x] = source[start + x];
    padded.fill(source[start + width - 1], reach + width);
    let sum = 0;
    for (let i = 0; i < padded.length; i++) {
      prefix[i] = sum;
      sum += padded[i];
    }
    prefix[padded.length] = sum;
    for (let j = 0; j <= reach; j++) {
      convolveRow(padded, prefix, reach, rows[j], line);
      // The first and last rows repeat beyond the border.
      const down = y + j;
      if (down < height) addRow(line, out, down * width);
      if (y === 0) for (let t = 0; t < Math.min(j, height); t++) addRow(line, out, t * width);
      if (j === 0) continue;
      const up = y - j;
      if (up >= 0) addRow(line, out, up * width);
      if (y === height - 1)
        for (let t = Math.max(0, height - j); t < height; t++) addRow(line, out, t * width);
    }
  }
}

function addRow(line: Float32Array, out: Float32Array, at: number): void {
  for (let x = 0; x < line.length; x++) out[at + x] += line[x];
}

function convolveRow(
  padded: Float64Array,
  prefix: Float64Array,
  reach: number,
  row: KernelRow,
  line: Float32Array,
): void {
  const { run, full, weights } = row;
  const width = line.length;
  const taps = weights.length;
  let i = 0;
  if (run >= 0) {
    const hi = reach + run + 1;
    const lo = reach - run;
    if (taps > 0) {
      const w = weights[0];
      const a = reach - run - 1;
      const b = reach + run + 1;
      for (let x = 0; x < width; x++)
        line[x] = full * (prefix[x + hi] - prefix[x + lo]) + w * (padded[x + a] + padded[x + b]);
      i = 1;
    } else for (let x = 0; x < width; x++) line[x] = full * (prefix[x + hi] - prefix[x + lo]);
  } else {
    const w = weights[0];
    for (let x = 0; x < width; x++) line[x] = w * padded[x + reach];
    i = 1;
  }
  for (; i + 1 < taps; i += 2) {
    const w = weights[i];
    const v = weights[i + 1];
    const a = reach - run - 1 - i;
    const b = reach + run + 1 + i;
    for (let x = 0; x < width; x++)
      line[x] += w * (padded[x + a] + padded[x + b]) + v * (padded[x + a - 1] + padded[x + b + 1]);
  }
  if (i < taps) {
    const w = weights[i];
    const a = reach - run - 1 - i;
    const b = reach + run + 1 + i;
    for (let x = 0; x < width; x++) line[x] += w * (padded[x + a] + padded[x + b]);
  }
}
