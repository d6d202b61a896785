/**
 * Depth from a coarse grid to the full picture along the picture's edges. Where the coarse depths around a pixel
 * agree, they are interpolated; where they do not, the pixel belongs to the near or to the far ones, whichever look
 * more like it (joint bilateral weights), and takes their mean. So no depths appear that lie between two surfaces.
 */

import { fastExp } from '../pixels/fast-math.js';
import type { FocusViews } from './all-in-focus.js';

/** Coarse pixels looked at on either side. */
const REACH = 2;
/** Standard deviations of the weights: coarse pixels of distance, ln units of colour. */
const SPACE = 1.2;
const COLOUR = 0.25;
/** A coarse pixel that looks nothing like the pixel still counts this much. */
const LEAST_WEIGHT = 1e-6;

/** exp(−x) for x = 0, 1/32, … 8. */
const BILATERAL = Float64Array.from({ length: 257 }, (_, i) => Math.exp(-i / 32));

/** Depth on a coarse grid, and what the all-in-focus picture looks like there. */
export interface CoarseDepth {
  readonly width: number;
  readonly height: number;
  readonly depth: Float32Array;
  /** ln(light + floor) of the warm and the cool mix; see focus-stack.ts. */
  readonly colour: readonly [Float32Array, Float32Array];
  readonly floor: number;
}

/**
 * Depth at every pixel of the full-size views.
 *
 * @param jump depths that differ by more than this belong to different surfaces
 */
export function upsampleDepth(coarse: CoarseDepth, input: FocusViews, jump: number): Float32Array {
  const { width, height, depth } = coarse;
  const { width: toWidth, height: toHeight } = input.views[0];
  const out = new Float32Array(toWidth * toHeight);
  const scaleX = width / toWidth;
  const scaleY = height / toHeight;
  const look = new Float64Array(2);
  for (let y = 0; y < toHeight; y++) {
    const v = (y + 0.5) * scaleY - 0.5;
    const j0 = Math.min(Math.max(Math.floor(v), 0), Math.max(height - 2, 0));
    const j1 = Math.min(j0 + 1, height - 1);
    const fy = Math.min(Math.max(v - j0, 0), 1);
    for (let x = 0; x < toWidth; x++) {
      const u = (x + 0.5) * scaleX - 0.5;
      const i0 = Math.min(Math.max(Math.floor(u), 0), Math.max(width - 2, 0));
      const i1 = Math.min(i0 + 1, width - 1);
      const fx = Math.min(Math.max(u - i0, 0), 1);
      const a = depth[j0 * width + i0];
      const b = depth[j0 * width + i1];
      const c = depth[j1 * width + i0];
      const d = depth[j1 * width + i1];
      const low = Math.min(a, b, c, d);
      const high = Math.max(a, b, c, d);
      const p = y * toWidth + x;
      const mean = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy;
      if (high - low <= jump) out[p] = mean;
      else {
        lookOf(input, p, mean, coarse.floor, look);
        out[p] = sideOfEdge(coarse, u, v, (low + high) / 2, look);
      }
    }
  }
  return out;
}

/** ln of both mixes at full-size pixel `p`, in the view that is sharpest at depth `s`. */
function lookOf(input: FocusViews, p: number, s: number, floor: number, out: Float64Array): void {
  const { views, focus, aperture, gains } = input;
  let sharpest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let v = 0; v < focus.length; v++) {
    const mask = input.valid[v];
    const circle = aperture[v] * Math.abs(s - focus[v]) + (mask !== undefined && mask[p] === 0 ? 1e6 : 0);
    if (circle < least) {
      least = circle;
      sharpest = v;
    }
  }
  const { data } = views[sharpest];
  const gain = gains[sharpest];
  const green = fastExp(data[3 * p + 1] + gain[1]);
  out[0] = Math.log((2 * fastExp(data[3 * p] + gain[0]) + green) / 3 + floor);
  out[1] = Math.log((2 * fastExp(data[3 * p + 2] + gain[2]) + green) / 3 + floor);
}

function sideOfEdge(coarse: CoarseDepth, u: number, v: number, middle: number, look: Float64Array): number {
  const { width, height, depth } = coarse;
  const [warm, cool] = coarse.colour;
  const i = Math.round(u);
  const j = Math.round(v);
  const space = 0.5 / (SPACE * SPACE);
  const colour = 0.5 / (2 * COLOUR * COLOUR);
  let near = 0;
  let far = 0;
  let nearSum = 0;
  let farSum = 0;
  for (let y = Math.max(0, j - REACH); y <= Math.min(height - 1, j + REACH); y++)
    for (let x = Math.max(0, i - REACH); x <= Math.min(width - 1, i + REACH); x++) {
      const q = y * width + x;
      const d = warm[q] - look[0];
      const e = cool[q] - look[1];
      const exponent = space * ((x - u) * (x - u) + (y - v) * (y - v)) + colour * (d * d + e * e);
      const weight = exponent < 8 ? BILATERAL[(32 * exponent) | 0] : LEAST_WEIGHT;
      const s = depth[q];
      if (s > middle) {
        near += weight;
        nearSum += weight * s;
      } else {
        far += weight;
        farSum += weight * s;
      }
    }
  return near > far ? nearSum / near : farSum / far;
}
