/**
 * Depth from defocus by plane sweep: at depth s, view v shows the all-in-focus picture blurred by a circle of
 * confusion of radius κ·a_v·|s − f_v| pixels. Every depth compares a ladder of blurred pictures with the views.
 *
 * The all-in-focus picture is itself only as sharp as the view it was taken from, whose circle at the depth tried
 * is c_k; so what is added is √(c_v² − c_k²), not c_v. Without this, depths between two focus settings are drawn to
 * one of them (mean error of s on three scenes 0.13, 0.18 and 0.16 instead of 0.06, 0.08 and 0.09).
 */
import { type BlurLadder, rungOf } from './blur-ladder.js';
import { boxMean } from './filters.js';
import { type FocusStack, LOG_STEPS, MIXES, type MixPlanes } from './focus-stack.js';
import { halve } from './resize.js';
import { MAXIMUM_COST } from './semi-global.js';

/** Differences of ln radiance count up to here: beyond, the model does not apply. */
export const TRUNCATION = 0.6;

/** Most that the differences of both mixes can sum to, in steps of 1/{@link LOG_STEPS}. */
export const LIMIT = MIXES * TRUNCATION * LOG_STEPS;

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
  const wanted = kappa * stack.aperture[v]! * (s - stack.focus[v]!);
  const present = kappa * stack.aperture[source]! * (s - stack.focus[source]!);
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
  const circle = kappa * stack.aperture[source]! * Math.abs(s - stack.focus[source]!);
  const outside = kappa * Math.max(...stack.aperture) * Math.max(0, low - s, s - high);
  return MIXES * LOG_STEPS * (UNSHARP * Math.min(circle, UNSHARP_UP_TO) + OUTSIDE * outside);
}

/** Consecutive pixels that came from the same view (and have data in the view they will be compared with). */
interface Runs {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly source: Uint8Array;
}

function runsOf(source: Uint8Array, valid: Uint8Array | undefined): Runs {
  const start: number[] = [];
  const end: number[] = [];
  const from: number[] = [];
  for (let p = 0; p < source.length; ) {
    const first = p;
    const k = source[p]!;
    const usable = valid === undefined || valid[p]! !== 0;
    while (p < source.length && source[p]! === k && (valid === undefined || (valid[p]! !== 0) === usable))
      p++;
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
  const rungs = new Int32Array(views);
  const fractions = new Int32Array(views);
  const priors = new Int32Array(views);
  for (let k = 0; k < views; k++) {
    const place = Math.min(rungOf(addedCircle(stack, kappa, s, v, k)), count - 1);
    rungs[k] = Math.min(Math.floor(place), count - 2);
    fractions[k] = Math.round((place - rungs[k]!) * 64);
    priors[k] = Math.round(priorCost(stack, kappa, s, k));
  }
  const [warm, cool] = stack.logs[v]!;
  for (let i = 0; i < runs.start.length; i++) {
    const k = runs.source[i]!;
    const low = logs[rungs[k]!]!;
    const high = logs[rungs[k]! + 1]!;
    addRun(
      low[0],
      low[1],
      high[0],
      high[1],
      fractions[k]!,
      warm,
      cool,
      runs.start[i]!,
      runs.end[i]!,
      priors[k]!,
      sum,
    );
  }
}

function addRun(
  warmLow: Int16Array,
  coolLow: Int16Array,
  warmHigh: Int16Array,
  coolHigh: Int16Array,
  fraction: number,
  warm: Int16Array,
  cool: Int16Array,
  start: number,
  end: number,
  prior: number,
  sum: Int32Array,
): void {
  const limit = LIMIT | 0;
  for (let p = start; p < end; p++) {
    const a = warmLow[p]!;
    const b = coolLow[p]!;
    const d = a + (((warmHigh[p]! - a) * fraction) >> 6) - warm[p]!;
    const e = b + (((coolHigh[p]! - b) * fraction) >> 6) - cool[p]!;
    const total = (d < 0 ? -d : d) + (e < 0 ? -e : e);
    sum[p]! += (total < limit ? total : limit) + prior;
  }
}

export interface CostVolume {
  readonly width: number;
  readonly height: number;
  /** `cost[p · depths.length + l]`, 0 … {@link MAXIMUM_COST}. */
  readonly cost: Uint16Array;
}

/**
 * Cost of every depth, averaged over the views, on a grid of half the stack's size: the mean of each 2 × 2 pixels,
 * then of (2·window+1)² of those.
 */
export function costVolume(
  stack: FocusStack,
  ladder: BlurLadder,
  source: Uint8Array,
  kappa: number,
  depths: readonly number[],
  window: number,
): CostVolume {
  const width = (stack.width + 1) >> 1;
  const height = (stack.height + 1) >> 1;
  const views = stack.logs.length;
  const labels = depths.length;
  const cost = new Uint16Array(width * height * labels);
  const sum = new Int32Array(stack.width * stack.height);
  const scale = MAXIMUM_COST / (LIMIT * views);
  const everywhere = runsOf(source, undefined);
  const runs = stack.valid.map((mask) => (mask === undefined ? everywhere : runsOf(source, mask)));
  for (let l = 0; l < labels; l++) {
    sum.fill(0);
    for (let v = 0; v < views; v++) addDifferences(stack, ladder, runs[v]!, kappa, depths[l]!, v, sum);
    const grid = halve(sum, stack.width, stack.height);
    boxMean(grid, width, height, window, grid);
    for (let p = 0, i = l; p < grid.length; p++, i += labels)
      cost[i] = Math.min(MAXIMUM_COST, grid[p]! * scale + 0.5);
  }
  return { width, height, cost };
}
