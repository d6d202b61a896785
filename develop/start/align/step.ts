import { choleskyFactor, choleskySolve, eliminate } from '../pixels/dense.js';
import { type Comparison, type Extent, FIELDS, TILE_COUNT } from './compare.js';
import { type Homography, invert, multiply, project } from './homography.js';

/** Number of fields of motion (see align-compare.ts) of each model, and its name. */
export const MODELS = [
  { fields: 2, name: 'shifts' },
  { fields: 4, name: 'similarities' },
  { fields: 6, name: 'affine maps' },
  { fields: 8, name: 'homographies' },
] as const;

/** A small motion of the template that would make it agree better with the other frame. */
export interface Step {
  /** Amount of each field. */
  readonly motion: Float64Array;
  /** The farthest that a corner of the picture goes, in pixels of the photograph. */
  readonly corner: number;
  /** One standard error of where each corner goes, in the same pixels. */
  readonly errors: readonly number[];
}

/** Tiles without texture still hold a motion, weakly: this share of the mean of the diagonal. */
const RIDGE = 1e-7;

/**
 * The Gauss–Newton step among the first `fields` fields of motion. Its error is that of a sum of independent tiles
 * ("cluster-robust": H⁻¹ (Σ gₜ gₜᵀ) H⁻¹ with the gradients gₜ that are left in the tiles after the step), which sees
 * parallax, moving things and defocus at depth edges as well as noise. Undefined where the frames show nothing.
 */
export function solveStep(comparison: Comparison, fields: number, extent: Extent): Step | undefined {
  const factor = factorOf(wholeHessian(comparison), fields);
  if (!factor) return undefined;
  const motion = new Float64Array(FIELDS);
  const { gradients } = comparison;
  for (let t = 0; t < TILE_COUNT; t++) {
    for (let k = 0; k < fields; k++) motion[k] += gradients[t * FIELDS + k];
  }
  choleskySolve(factor, fields, motion);
  return {
    motion,
    corner: Math.max(...cornerLengths(motion, extent)),
    errors: cornerErrors(comparison, motion, factor, fields, extent),
  };
}

/** Sum of the tiles' Hessians. */
export function wholeHessian({ hessians }: Comparison): Float64Array {
  const whole = new Float64Array(FIELDS * FIELDS);
  for (let k = 0; k < hessians.length; k++) whole[k % whole.length] += hessians[k];
  return whole;
}

function factorOf(hessian: Float64Array, fields: number): Float64Array | undefined {
  const factor = new Float64Array(fields * fields);
  let trace = 0;
  for (let a = 0; a < fields; a++) {
    trace += hessian[a * FIELDS + a];
    for (let b = 0; b < fields; b++) factor[a * fields + b] = hessian[a * FIELDS + b];
  }
  if (!(trace > 1e-9)) return undefined;
  for (let a = 0; a < fields; a++) factor[a * fields + a] += (RIDGE * trace) / fields;
  choleskyFactor(factor, fields);
  return factor;
}

/** Positions moved by the amounts of the fields, as a homography (to first order; exact up to affine maps). */
export function motionHomography(m: Float64Array): Homography {
  return [1 + m[2] + m[4], -m[3] + m[5], m[0], m[3] + m[5], 1 + m[2] - m[4], m[1], -m[6], -m[7], 1];
}

/** `toOther` after the step (inverse compositional: Baker & Matthews 2004). */
export function applyStep(toOther: Homography, step: Step): Homography {
  return multiply(toOther, invert(motionHomography(step.motion)));
}

/** Amounts of the fields by which the inverse of `toOther` moves positions, fitted to the corners of the picture. */
export function motionOf(toOther: Homography, extent: Extent): Float64Array {
  const inverse = invert(toOther);
  const matrix = new Float64Array(FIELDS * FIELDS);
  const amounts = new Float64Array(FIELDS);
  corners(extent).forEach(([u, v], c) => {
    const to = project(inverse, u, v);
    matrix.set(fieldsAt(u, v).flat(), 2 * c * FIELDS);
    amounts[2 * c] = to[0] - u;
    amounts[2 * c + 1] = to[1] - v;
  });
  eliminate(matrix, FIELDS, amounts);
  return amounts;
}

/** The cheapest motion among the first `fields` fields, where `amounts` is the cheapest of all. */
export function restrictMotion(
  hessian: Float64Array,
  amounts: Float64Array,
  fields: number,
): Float64Array | undefined {
  const factor = factorOf(hessian, fields);
  if (!factor) return undefined;
  const out = new Float64Array(FIELDS);
  for (let a = 0; a < fields; a++) {
    for (let b = fields; b < FIELDS; b++) out[a] += hessian[a * FIELDS + b] * amounts[b];
  }
  choleskySolve(factor, fields, out);
  for (let a = 0; a < fields; a++) out[a] += amounts[a];
  return out;
}

/** How two motions differ at the corners of the picture, the worst of them: in pixels, and in standard errors. */
export function cornerDifference(
  a: Float64Array,
  b: Float64Array,
  errors: readonly number[],
  extent: Extent,
): { pixels: number; sigmas: number } {
  const lengths = cornerLengths(
    a.map((v, k) => v - b[k]),
    extent,
  );
  return {
    pixels: Math.max(...lengths),
    sigmas: Math.max(...lengths.map((length, c) => (length > 0 ? length / errors[c] : 0))),
  };
}

function corners({ width, height }: Extent): [number, number][] {
  const half = Math.max(width, height) / 2;
  const [u, v] = [width / 2 / half, height / 2 / half];
  return [
    [-u, -v],
    [u, -v],
    [-u, v],
    [u, v],
  ];
}

/** Motion of every field at (u, v): horizontal, then vertical. */
function fieldsAt(u: number, v: number): [number[], number[]] {
  return [
    [1, 0, u, -v, u, v, u * u, u * v],
    [0, 1, v, u, -v, u, u * v, v * v],
  ];
}

/** How far each corner goes, in pixels. */
function cornerLengths(motion: Float64Array, extent: Extent): number[] {
  const half = Math.max(extent.width, extent.height) / 2;
  return corners(extent).map(([u, v]) => {
    const [du, dv] = fieldsAt(u, v).map((field) => field.reduce((sum, f, k) => sum + f * motion[k], 0));
    return half * Math.hypot(du, dv);
  });
}

function cornerErrors(
  { hessians, gradients }: Comparison,
  motion: Float64Array,
  factor: Float64Array,
  fields: number,
  extent: Extent,
): number[] {
  const places = corners(extent).map(([u, v]) => fieldsAt(u, v));
  const variance = new Float64Array(places.length);
  const left = new Float64Array(fields);
  for (let t = 0; t < TILE_COUNT; t++) {
    for (let a = 0; a < fields; a++) {
      const row = (t * FIELDS + a) * FIELDS;
      let sum = gradients[t * FIELDS + a];
      for (let b = 0; b < fields; b++) sum -= hessians[row + b] * motion[b];
      left[a] = sum;
    }
    choleskySolve(factor, fields, left);
    places.forEach((place, c) => {
      for (const field of place) {
        let moved = 0;
        for (let k = 0; k < fields; k++) moved += field[k] * left[k];
        variance[c] += moved * moved;
      }
    });
  }
  // Few tiles, fitted with many fields, look better than they are.
  const tiles = effectiveTiles(hessians);
  const spare = tiles > fields + 1 ? tiles / (tiles - fields) : Number.POSITIVE_INFINITY;
  const half = Math.max(extent.width, extent.height) / 2;
  return Array.from(variance, (v) => half * Math.sqrt(spare * v));
}

/** How many equally telling tiles tell as much about shifts. */
function effectiveTiles(hessians: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (let t = 0; t < TILE_COUNT; t++) {
    const at = t * FIELDS * FIELDS;
    const telling = hessians[at] + hessians[at + FIELDS + 1];
    sum += telling;
    squares += telling * telling;
  }
  return squares > 0 ? (sum * sum) / squares : 0;
}
