import { type FeatureLevel, localContrast, localMean } from './features.js';
import { type Homography, invert, multiply } from './homography.js';

/**
 * One comparison of two frames under a homography: how well they agree, and the normal equations of the small motion
 * that would make them agree better. Positions are normalised: the middle of the picture is (0, 0), half its longer
 * side is 1. The eight fields of motion (u̇, v̇), ordered so that the first 2, 4, 6 and 8 are the translations,
 * similarities, affine maps and homographies near the identity (the Lie algebra of each group):
 *
 *     (1, 0) (0, 1) | (u, v) (−v, u) | (u, −v) (v, u) | (u², uv) (uv, v²)
 */
export const FIELDS = 8;

/** Tiles of the picture, along each side; what they say apart tells how far the whole can be trusted. */
export const TILES = 8;
/** Number of tiles. */
export const TILE_COUNT = TILES * TILES;

export interface Comparison {
  /** Σ ψ′ J Jᵀ of each tile, FIELDS × FIELDS, one after the other; ψ′ is the robust cost's second derivative. */
  readonly hessians: Float64Array;
  /** Σ w J r of each tile, FIELDS. */
  readonly gradients: Float64Array;
  readonly agreement: {
    /** Correlation of the features where both can be trusted, −1 … 1. */
    readonly correlation: number;
    /** Share of the template's pixels that can be trusted in both, 0 … 1. */
    readonly trusted: number;
  };
}

/** Where a picture's pixels lie in normalised positions. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/**
 * Compares a template with another frame, whose position `toOther(p)` is claimed to show what the template shows at p.
 * Weights are Cauchy's with the scale of the residuals' median, times the trust of both. The gradient is the
 * mean of both frames' (Malis 2004, "efficient second-order minimisation").
 */
export function compare(
  template: FeatureLevel,
  other: FeatureLevel,
  toOther: Homography,
  extent: Extent,
): Comparison {
  const { width, height } = template;
  const geometry = geometryOf(template, toOther, extent);
  const { value, trust } = warpOnto(template, other, geometry.homography);
  const share = localMean(trust, width, height);
  const first = template.value.slice();
  const joint = trust.slice();
  localContrast(template, first, joint, share, trust);
  localContrast(template, value, joint, share, trust);
  const median = medianResidual(first, value, trust);
  return accumulate(template, first, value, trust, 1 / (median * median), geometry);
}

interface Warped {
  readonly value: Float32Array;
  /** Joint trust of both frames. */
  readonly trust: Float32Array;
}

/** Level pixel indices to normalised positions. */
function levelToNormalised(scale: number, { width, height }: Extent): Homography {
  const half = Math.max(width, height) / 2;
  const step = scale / half;
  return [step, 0, (0.5 * scale - width / 2) / half, 0, step, (0.5 * scale - height / 2) / half, 0, 0, 1];
}

/** How a comparison lies: between the levels' pixel indices, and the normalised position step · index + left or top. */
export function geometryOf(
  { scale }: FeatureLevel,
  toOther: Homography,
  extent: Extent,
): { homography: Homography; step: number; left: number; top: number } {
  const normalise = levelToNormalised(scale, extent);
  return {
    homography: multiply(multiply(invert(normalise), toOther), normalise),
    step: normalise[0],
    left: normalise[2],
    top: normalise[5],
  };
}

function warpOnto(template: FeatureLevel, other: FeatureLevel, m: Homography): Warped {
  const { width, height } = template;
  const value = new Float32Array(width * height);
  const trust = new Float32Array(width * height);
  const { value: source, trust: otherTrust } = other;
  const right = width - 2;
  const bottom = height - 2;
  for (let y = 0; y < height; y++) {
    let nx = m[1] * y + m[2];
    let ny = m[4] * y + m[5];
    let nw = m[7] * y + m[8];
    for (let p = y * width; p < (y + 1) * width; p++) {
      const inverse = 1 / nw;
      let x = nx * inverse;
      let v = ny * inverse;
      nx += m[0];
      ny += m[3];
      nw += m[6];
      const inside = x >= 1 && v >= 1 && x <= right && v <= bottom;
      if (!inside) {
        // Outside the border repeats, so that gradients beside it stay small.
        x = x > 0 ? (x < right ? x : right) : 0;
        v = v > 0 ? (v < bottom ? v : bottom) : 0;
      }
      const ix = x | 0;
      const iy = v | 0;
      const fx = x - ix;
      const fy = v - iy;
      const q = iy * width + ix;
      const top = source[q] + fx * (source[q + 1] - source[q]);
      const low = source[q + width] + fx * (source[q + width + 1] - source[q + width]);
      value[p] = top + fy * (low - top);
      if (inside) trust[p] = template.trust[p] * otherTrust[fy < 0.5 ? q : q + width];
    }
  }
  return { value, trust };
}

export const BINS = 512;
export const BIN = 1 / 128;
/** Scale of Cauchy's weights in medians of the residual: 2.5 standard deviations of a normal distribution. */
export const SCALE = 2.5 * 1.4826;
/** Outliers may make the mean of ψ′ / w small or negative; steps are never lengthened more than this allows. */
export const LEAST_CURVATURE = 0.4;
/** Residuals this small are interpolation and rounding. */
export const LEAST_MEDIAN = 0.02;

function medianResidual(a: Float32Array, b: Float32Array, trust: Float32Array): number {
  const counts = new Float64Array(BINS);
  let total = 0;
  for (let p = 0; p < a.length; p += 3) {
    if (trust[p] <= 0) continue;
    const r = Math.abs(b[p] - a[p]);
    const bin = (r / BIN) | 0;
    counts[bin < BINS ? bin : BINS - 1] += trust[p];
    total += trust[p];
  }
  let below = 0;
  let k = 0;
  while (k < BINS && below + counts[k] < total / 2) below += counts[k++];
  return SCALE * Math.max(LEAST_MEDIAN, (k + 0.5) * BIN);
}

/**
 * The sums. With v fixed along a row, every field's share of the gradient is a polynomial of u, so a row needs only
 * the moments Σ w gx² uⁿ, Σ w gx gy uⁿ, Σ w gy² uⁿ (n ≤ 4) and Σ w r gx uⁿ, Σ w r gy uⁿ (n ≤ 2).
 */
function accumulate(
  { width, height }: FeatureLevel,
  feature: Float32Array,
  value: Float32Array,
  trust: Float32Array,
  inverseScale2: number,
  { step, left, top }: Omit<ReturnType<typeof geometryOf>, 'homography'>,
): Comparison {
  const hessians = new Float64Array(TILE_COUNT * FIELDS * FIELDS);
  const gradients = new Float64Array(TILE_COUNT * FIELDS);
  const moments = new Float64Array(15);
  const products = new Float64Array(6);
  const sums = new Float64Array(6);
  for (let y = 1; y < height - 1; y++) {
    const v = y * step + top;
    const tileRow = Math.floor((y * TILES) / height) * TILES;
    const polynomials = fieldPolynomials(v);
    for (let tile = 0; tile < TILES; tile++) {
      const from = Math.max(1, Math.floor((tile * width) / TILES));
      const to = Math.min(width - 1, Math.floor(((tile + 1) * width) / TILES));
      let [xx0, xx1, xx2, xx3, xx4] = [0, 0, 0, 0, 0];
      let [xy0, xy1, xy2, xy3, xy4] = [0, 0, 0, 0, 0];
      let [yy0, yy1, yy2, yy3, yy4] = [0, 0, 0, 0, 0];
      let [rx0, rx1, rx2, ry0, ry1, ry2] = [0, 0, 0, 0, 0, 0];
      let [tt, oo, to2, seen, total, bent] = [0, 0, 0, 0, 0, 0];
      let p = y * width + from;
      let u = from * step + left;
      for (let x = from; x < to; x++, p++, u += step) {
        const w0 = trust[p];
        if (w0 <= 0) continue;
        const a = feature[p];
        const b = value[p];
        const r = b - a;
        const k = 1 / (1 + r * r * inverseScale2);
        const w = w0 * k;
        const gx = feature[p + 1] - feature[p - 1] + value[p + 1] - value[p - 1];
        const gy = feature[p + width] - feature[p - width] + value[p + width] - value[p - width];
        seen += w0;
        tt += w0 * a * a;
        oo += w0 * b * b;
        to2 += w0 * a * b;
        const wx = w * gx;
        const wy = w * gy;
        const energy = wx * gx + wy * gy;
        total += energy;
        bent += energy * (2 * k - 1) * k;
        let m = wx * gx;
        xx0 += m;
        xx1 += m *= u;
        xx2 += m *= u;
        xx3 += m *= u;
        xx4 += m * u;
        m = wx * gy;
        xy0 += m;
        xy1 += m *= u;
        xy2 += m *= u;
        xy3 += m *= u;
        xy4 += m * u;
        m = wy * gy;
        yy0 += m;
        yy1 += m *= u;
        yy2 += m *= u;
        yy3 += m *= u;
        yy4 += m * u;
        m = wx * r;
        rx0 += m;
        rx1 += m *= u;
        rx2 += m * u;
        m = wy * r;
        ry0 += m;
        ry1 += m *= u;
        ry2 += m * u;
      }
      if (seen === 0) continue;
      moments.set([xx0, xx1, xx2, xx3, xx4, xy0, xy1, xy2, xy3, xy4, yy0, yy1, yy2, yy3, yy4]);
      products.set([rx0, rx1, rx2, ry0, ry1, ry2]);
      addHessian(hessians, (tileRow + tile) * FIELDS * FIELDS, moments, polynomials);
      addGradient(gradients, (tileRow + tile) * FIELDS, products, polynomials);
      sums[0] += seen;
      sums[1] += tt;
      sums[2] += oo;
      sums[3] += to2;
      sums[4] += total;
      sums[5] += bent;
    }
  }
  // The gradient above is the mean of both frames' central differences times 4 level pixels.
  const slope = 1 / (4 * step);
  const [seen, tt, oo, to, total, bent] = sums as unknown as [number, number, number, number, number, number];
  // Weights alone overstate how fast the gradient falls: ψ′ = w² (1 − r²/s²), here as its mean over the picture.
  const curvature = total > 0 ? Math.max(LEAST_CURVATURE, bent / total) : 1;
  for (let k = 0; k < hessians.length; k++) hessians[k] *= slope * slope * curvature;
  for (let k = 0; k < gradients.length; k++) gradients[k] *= slope;
  return {
    hessians,
    gradients,
    agreement: {
      correlation: tt > 0 && oo > 0 ? to / Math.sqrt(tt * oo) : 0,
      trusted: seen / (width * height),
    },
  };
}

/**
 * Coefficients of each field's share of the gradient on gx, gx u, gx u², gy, gy u, gy u²: FIELDS × 6, of which most are
 * zero.
 */
function fieldPolynomials(v: number): Float64Array {
  return Float64Array.of(
    ...[1, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 1, 0, 0],
    ...[0, 1, 0, v, 0, 0],
    ...[-v, 0, 0, 0, 1, 0],
    ...[0, 1, 0, -v, 0, 0],
    ...[v, 0, 0, 0, 1, 0],
    ...[0, 0, 1, 0, v, 0],
    ...[0, v, 0, v * v, 0, 0],
  );
}

function addGradient(
  gradients: Float64Array,
  at: number,
  products: Float64Array,
  polynomials: Float64Array,
): void {
  for (let k = 0; k < FIELDS; k++) {
    let sum = 0;
    for (let j = 0; j < 6; j++) sum += polynomials[6 * k + j] * products[j];
    gradients[at + k] += sum;
  }
}

function addHessian(
  hessians: Float64Array,
  at: number,
  moments: Float64Array,
  polynomials: Float64Array,
): void {
  for (let a = 0; a < FIELDS; a++) {
    for (let b = a; b < FIELDS; b++) {
      let sum = 0;
      for (let i = 0; i < 6; i++) {
        const left = polynomials[6 * a + i];
        if (left === 0) continue;
        for (let j = 0; j < 6; j++) {
          const right = polynomials[6 * b + j];
          if (right === 0) continue;
          // Block xx, xy or yy, and the power of u.
          const block = (i < 3 ? 0 : 1) + (j < 3 ? 0 : 1);
          sum += left * right * moments[5 * block + (i % 3) + (j % 3)];
        }
      }
      hessians[at + a * FIELDS + b] += sum;
      if (a !== b) hessians[at + b * FIELDS + a] += sum;
    }
  }
}
