/**
 * Depth from defocus by plane sweep: at depth s, view v shows the all-in-focus picture blurred by a circle of
 * confusion of radius κ·a_v·|s − f_v| pixels. Every depth compares a ladder of blurred pictures with the views.
 *
 * Twice: {@link relativeCosts} blurs the view that is sharpest at the depth tried, and so owes nothing to an earlier
 * guess, which thin things in front of detail never recover from (hall: 30.2 dB instead of 28.0). {@link costVolume}
 * blurs the all-in-focus picture of the depth so found, which averages out what one view alone does not show (study: 38.7
 * dB instead of 37.6).
 *
 * The all-in-focus picture is itself only as sharp as the view it was taken from, whose circle at the depth tried
 * is c_k; so what is added is √(c_v² − c_k²), not c_v. Without this, depths between two focus settings are drawn to
 * one of them (mean error of s on three scenes 0.13, 0.18 and 0.16 instead of 0.06, 0.08 and 0.09).
 */

import { LOG_STEPS, MIXES } from '../pixels/log-steps.js';
import { type BlurLadder, blurLadder, rungOf } from './blur-ladder.js';
import type { FocusStack, MixPlanes } from './focus-stack.js';
import { MAXIMUM_COST } from './semi-global.js';
import { LIMIT, type Runs, type SweepPlanes } from './sweep-loops.js';

/**
 * Cost (ln units per pixel of blur) of a depth at which the picture was not sharp where it was taken from: up to one
 * pixel of blur anywhere, and without end outside the range of focus. There, a farther depth and a smaller κ explain
 * nearly the same blur; with two views, so do all depths between them. Weak: decides only what the views leave open.
 */
const UNSHARP = 0.001;
const UNSHARP_UP_TO = 1;
const OUTSIDE = 0.0015;

/** An all-in-focus picture (linear light) with the view that each pixel came from. */
export interface SharpPicture {
  readonly light: MixPlanes;
  readonly source: Uint8Array;
}

/** Circle of confusion to add to a picture taken from view `source` to get view `v` at depth `s`. */
export function addedCircle(stack: FocusStack, kappa: number, s: number, v: number, source: number): number {
  const wanted = kappa * stack.aperture[v] * (s - stack.focus[v]);
  const present = kappa * stack.aperture[source] * (s - stack.focus[source]);
  const square = wanted * wanted - present * present;
  return square > 0 ? Math.sqrt(square) : 0;
}

/**
 * What depth `s` costs where the picture came from view `source`, whatever the views show; in steps of
 * 1/{@link LOG_STEPS}, comparable to the difference of both mixes in one view.
 */
export function priorCost(stack: FocusStack, kappa: number, s: number, source: number): number {
  const low = Math.min(...stack.focus);
  const high = Math.max(...stack.focus);
  const circle = kappa * stack.aperture[source] * Math.abs(s - stack.focus[source]);
  const outside = kappa * Math.max(...stack.aperture) * Math.max(0, low - s, s - high);
  return MIXES * LOG_STEPS * (UNSHARP * Math.min(circle, UNSHARP_UP_TO) + OUTSIDE * outside);
}

function runsOf(source: Uint8Array, valid: Uint8Array | undefined): Runs {
  const start: number[] = [];
  const end: number[] = [];
  const from: number[] = [];
  for (let p = 0; p < source.length; ) {
    const first = p;
    const k = source[p];
    const usable = valid === undefined || valid[p] !== 0;
    while (p < source.length && source[p] === k && (valid === undefined || (valid[p] !== 0) === usable)) p++;
    if (!usable) continue;
    start.push(first);
    end.push(p);
    from.push(k);
  }
  return { start: Int32Array.from(start), end: Int32Array.from(end), source: Uint8Array.from(from) };
}

/**
 * Adds to `sum` |ln difference| of both mixes, truncated, between view `v` and the picture blurred for depth `s`,
 * and the prior cost of that depth.
 * In steps of 1/{@link LOG_STEPS}.
 */
function addDifferences(
  stack: FocusStack,
  ladder: BlurLadder,
  runs: Runs,
  kappa: number,
  s: number,
  v: number,
  sum: Int32Array,
): void {
  const { logs, count } = ladder;
  const views = stack.logs.length;
  const planes: SweepPlanes[] = [];
  const fractions = new Int32Array(views);
  const priors = new Int32Array(views);
  for (let k = 0; k < views; k++) {
    const place = Math.min(rungOf(addedCircle(stack, kappa, s, v, k)), count - 1);
    const rung = Math.min(Math.floor(place), count - 2);
    planes.push([...logs[rung], ...logs[rung + 1]]);
    fractions[k] = Math.round((place - rung) * 64);
    priors[k] = Math.round(priorCost(stack, kappa, s, k));
  }
  stack.kernels.addDifferences(stack.logs[v], planes, fractions, priors, runs, sum);
}

export interface CostVolume {
  readonly width: number;
  readonly height: number;
  /** `cost[p · depths.length + l]`, 0 … {@link MAXIMUM_COST}. */
  readonly cost: Uint16Array;
}

/**
 * Cost of every depth, averaged over the views and over (2·window+1)² pixels.
 *
 * @param ladder of the all-in-focus picture; `source`: the view that each of its pixels came from
 */
export function costVolume(
  stack: FocusStack,
  ladder: BlurLadder,
  source: Uint8Array,
  kappa: number,
  depths: readonly number[],
  window: number,
): CostVolume {
  const { width, height } = stack;
  const views = stack.logs.length;
  const cost = new Uint16Array(width * height * depths.length);
  const sum = new Int32Array(width * height);
  const everywhere = runsOf(source, undefined);
  const runs = stack.valid.map((mask) => (mask === undefined ? everywhere : runsOf(source, mask)));
  const trust = borderTrust(stack, kappa, MAXIMUM_COST / (LIMIT * views));
  for (let l = 0; l < depths.length; l++) {
    sum.fill(0);
    for (let v = 0; v < views; v++) addDifferences(stack, ladder, runs[v], kappa, depths[l], v, sum);
    stack.kernels.storeCosts(sum, trust, width, height, window, cost, l, depths.length);
  }
  return { width, height, cost };
}

/** What a depth costs, as a share of the most, where the view that is sharpest at it has no data. */
const UNKNOWN = 0.25;

/**
 * Cost of every depth, averaged over (2·window+1)² pixels: of each view against the blurred view that is sharpest at that
 * depth.
 */
export function relativeCosts(
  stack: FocusStack,
  kappa: number,
  depths: readonly number[],
  window: number,
): CostVolume {
  const { width, height } = stack;
  const views = stack.logs.length;
  const cost = new Uint16Array(width * height * depths.length);
  const sum = new Int32Array(width * height);
  const trust = borderTrust(stack, kappa, MAXIMUM_COST / (LIMIT * Math.max(1, views - 1)));
  const sharpest = depths.map((s) => sharpestView(stack, s));
  for (let k = 0; k < views; k++) {
    const mine = depths.flatMap((_, l) => (sharpest[l] === k ? [l] : []));
    if (mine.length === 0) continue;
    const widest = Math.max(
      ...mine.map((l) => Math.max(...stack.logs.map((_, v) => addedCircle(stack, kappa, depths[l], v, k)))),
    );
    const ladder = blurLadder(stack, stack.light[k], widest);
    for (const l of mine) {
      sum.fill(0);
      for (let v = 0; v < views; v++) if (v !== k) addRelative(stack, ladder, kappa, depths[l], v, k, sum);
      stack.kernels.storeCosts(sum, trust, width, height, window, cost, l, depths.length);
    }
  }
  return { width, height, cost };
}

function sharpestView(stack: FocusStack, s: number): number {
  let best = 0;
  const circle = (v: number): number => stack.aperture[v] * Math.abs(s - stack.focus[v]);
  for (let v = 1; v < stack.focus.length; v++) if (circle(v) < circle(best)) best = v;
  return best;
}

/** Adds to `sum` the differences between view `v` and view `k` blurred for depth `s`. */
function addRelative(
  stack: FocusStack,
  ladder: BlurLadder,
  kappa: number,
  s: number,
  v: number,
  k: number,
  sum: Int32Array,
): void {
  const place = Math.min(rungOf(addedCircle(stack, kappa, s, v, k)), ladder.count - 1);
  const rung = Math.min(Math.floor(place), ladder.count - 2);
  const fraction = Math.round((place - rung) * 64);
  const prior = Math.round(priorCost(stack, kappa, s, k));
  const planes: SweepPlanes = [...ladder.logs[rung], ...ladder.logs[rung + 1]];
  const everywhere = { start: Int32Array.of(0), end: Int32Array.of(sum.length), source: Uint8Array.of(0) };
  stack.kernels.addDifferences(
    stack.logs[v],
    [planes],
    Int32Array.of(fraction),
    Int32Array.of(prior),
    everywhere,
    sum,
  );
  for (const mask of [stack.valid[v], stack.valid[k]]) {
    if (mask === undefined) continue;
    for (let p = 0; p < sum.length; p++) if (mask[p] === 0) sum[p] = UNKNOWN * LIMIT;
  }
}

/**
 * What blurs into the picture from beyond its border is not known. Weight of each pixel's differences, with `scale`: from
 * the border up to half of the widest circle inside it, the square of the distance.
 */
function borderTrust(stack: FocusStack, kappa: number, scale: number): Float32Array {
  const { width, height, focus, aperture } = stack;
  const span = Math.max(...focus) - Math.min(...focus);
  const reach = Math.max(1, 0.5 * kappa * span * Math.max(...aperture));
  const out = new Float32Array(width * height).fill(scale);
  const near = Math.min(Math.ceil(reach), width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const distance = Math.min(x, y, width - 1 - x, height - 1 - y) + 0.5;
      if (distance < reach) out[y * width + x] = scale * (distance / reach) ** 2;
      else if (y >= near && y < height - near && x === near) x = width - near - 1;
    }
  return out;
}
