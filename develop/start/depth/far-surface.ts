/**
 * The smooth surface behind everything else in a defocus map: asymmetric least squares (Eilers and Boelens, 2005) in
 * two dimensions, minimising Σ w (s − z)² + λ (|∂²z/∂x²|² + |∂²z/∂y²|²) with w small where s lies in front of z.
 */
import { areaResize, bilinearResize } from '../pixels/resize.js';

/** Cells along the longer side; what is bent more sharply than over some eight cells lies in front. */
const CELLS = 64;
const STIFFNESS = 2000;
/** Weight of what lies in front of the surface, and by how much it must, as a share of the range of depths. */
const IN_FRONT = 0.02;
const TOLERANCE = 0.025;
const ROUNDS = 8;
/** Conjugate gradients stop at this residual relative to the start, or after this many steps. */
const RESIDUAL = 1e-3;
const MOST_STEPS = 120;

/**
 * The far surface under depths `s` (larger is nearer), at every pixel. It may pass above `s` a little.
 *
 * @param range of the depths, by which closeness is judged
 */
export function farSurface(s: Float32Array, width: number, height: number, range: number): Float32Array {
  const scale = Math.min(1, CELLS / Math.max(width, height));
  const w = Math.max(4, Math.round(width * scale));
  const h = Math.max(4, Math.round(height * scale));
  if (w > width || h > height) return s.slice();
  const cells = areaResize(s, width, height, w, h);
  const z = cells.slice();
  const weights = new Float32Array(cells.length).fill(1);
  for (let round = 0; round < ROUNDS; round++) {
    solve(cells, weights, w, h, z);
    for (let p = 0; p < cells.length; p++) weights[p] = cells[p] > z[p] + TOLERANCE * range ? IN_FRONT : 1;
  }
  return bilinearResize(z, w, h, width, height);
}

/** Conjugate gradients with a diagonal preconditioner on (W + λ D) z = W s, from the z given. */
function solve(s: Float32Array, weights: Float32Array, w: number, h: number, z: Float32Array): void {
  const count = s.length;
  const image = new Float64Array(count);
  const residual = new Float64Array(count);
  const direction = new Float64Array(count);
  const inverse = new Float64Array(count);
  const bent = new Float64Array(count);
  applyBending(z, w, h, bent);
  let start = 0;
  let product = 0;
  for (let p = 0; p < count; p++) {
    // 12 is the diagonal of the bending of an inner cell: 6 a direction.
    inverse[p] = 1 / (weights[p] + 12 * STIFFNESS);
    residual[p] = weights[p] * (s[p] - z[p]) - STIFFNESS * bent[p];
    direction[p] = inverse[p] * residual[p];
    product += residual[p] * direction[p];
    start += (weights[p] * s[p]) ** 2;
  }
  for (let step = 0; step < MOST_STEPS; step++) {
    applyBending(direction, w, h, bent);
    let curvature = 0;
    for (let p = 0; p < count; p++) {
      image[p] = weights[p] * direction[p] + STIFFNESS * bent[p];
      curvature += direction[p] * image[p];
    }
    if (!(curvature > 0)) return;
    const length = product / curvature;
    let next = 0;
    let square = 0;
    for (let p = 0; p < count; p++) {
      z[p] += length * direction[p];
      residual[p] -= length * image[p];
      square += residual[p] * residual[p];
      next += residual[p] * residual[p] * inverse[p];
    }
    if (square < RESIDUAL * RESIDUAL * start) return;
    const turn = next / product;
    product = next;
    for (let p = 0; p < count; p++) direction[p] = inverse[p] * residual[p] + turn * direction[p];
  }
}

/** Dᵀ D of the second differences along rows and columns. */
function applyBending(z: Float32Array | Float64Array, w: number, h: number, out: Float64Array): void {
  out.fill(0);
  for (let y = 0; y < h; y++)
    for (let p = y * w + 1; p < (y + 1) * w - 1; p++) {
      const bend = z[p - 1] - 2 * z[p] + z[p + 1];
      out[p - 1] += bend;
      out[p] -= 2 * bend;
      out[p + 1] += bend;
    }
  for (let p = w; p < (h - 1) * w; p++) {
    const bend = z[p - w] - 2 * z[p] + z[p + w];
    out[p - w] += bend;
    out[p] -= 2 * bend;
    out[p + w] += bend;
  }
}
