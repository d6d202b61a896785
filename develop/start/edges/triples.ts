/**
 * Which three views the network sees where a stack has more: those around the sharpest one. Every view but the outer ones
 * is the middle of a triple; pixels whose sharpest view is an outer one go with its neighbour.
 */
import type { StartKernels } from '../kernels.js';

/** Three views near to far, and the circles that the middle one's plane has in the outer ones; see `EdgeViews.spans`. */
export interface Triple {
  readonly views: readonly [number, number, number];
  readonly spans: readonly [number, number];
}

/** Outer views of a triple are this many pixels of circle from the middle one, where the stack reaches so far. */
const LEAST_SPAN = 1.5;

/** The triples of a stack, near to far. Of two views the farther one comes twice. */
export function triplesOf(
  focus: readonly number[],
  aperture: readonly number[],
  kappa: number,
): readonly Triple[] {
  const order = nearToFar(focus);
  const last = order.length - 1;
  const circle = (v: number, middle: number) => kappa * aperture[v] * (focus[v] - focus[middle]);
  if (last === 1) {
    const [near, far] = order;
    return [{ views: [near, far, far], spans: [circle(near, far), 0] }];
  }
  return order.slice(1, last).map((middle, k): Triple => {
    let [i, j] = [k, k + 2];
    while (i > 0 && circle(order[i], middle) < LEAST_SPAN) i--;
    while (j < last && circle(order[j], middle) > -LEAST_SPAN) j++;
    const [near, far] = [order[i], order[j]];
    return { views: [near, middle, far], spans: [circle(near, middle), circle(far, middle)] };
  });
}

export function nearToFar(focus: readonly number[]): number[] {
  return focus.map((_, v) => v).sort((a, b) => focus[b] - focus[a]);
}

/** The shares of triples blend over this many pixels of the map. */
const BLEND = 2.5;
/** A triple with less than this share of a pixel is left out there. */
const LEAST_SHARE = 0.02;

/** How much each triple counts where: planes of the map's size that add up to one at every pixel. */
export interface Shares {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Float32Array[];
}

/** @param source the sharpest view at every pixel */
export function sharesOf(
  source: Uint8Array,
  width: number,
  height: number,
  focus: readonly number[],
  kernels: StartKernels,
): Shares {
  const order = nearToFar(focus);
  const count = Math.max(1, order.length - 2);
  const mine = new Uint8Array(order.length);
  order.forEach((v, rank) => {
    mine[v] = Math.min(count - 1, Math.max(0, rank - 1));
  });
  const planes = Array.from({ length: count }, (_, t) => {
    const plane = Float32Array.from(source, (v) => (mine[v] === t ? 1 : 0));
    return count === 1 ? plane : kernels.gaussian(plane, width, height, BLEND, plane);
  });
  for (let p = 0; p < source.length; p++) {
    let sum = 0;
    for (const plane of planes) {
      plane[p] = Math.max(0, plane[p] - LEAST_SHARE);
      sum += plane[p];
    }
    for (const plane of planes) plane[p] /= sum;
  }
  return { width, height, planes };
}
