/** The inner loops of the plane sweep and of the search for the blur scale, on 16-bit logarithms. */
import { boxMean } from '../pixels/filters.js';
import { LOG_STEPS, MIXES } from '../pixels/log-steps.js';
import { MAXIMUM_COST } from './semi-global.js';

/**
 * Differences of ln radiance count up to here. At 0.6, thin dark bars before detail cost no more than the detail does: hall
 * lost 1.5 dB, night 0.4.
 */
export const TRUNCATION = 2;

/** Most that the differences of both mixes can sum to, in steps of 1/LOG_STEPS. */
export const LIMIT = MIXES * TRUNCATION * LOG_STEPS;

/** Consecutive pixels that came from the same view (and have data in the view they will be compared with). */
export interface Runs {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly source: Uint8Array;
}

/** Warm and cool plane of two neighbouring rungs of a ladder: warm, cool, the next warm, the next cool. */
export type SweepPlanes = readonly [Int16Array, Int16Array, Int16Array, Int16Array];

/**
 * Adds to `sum` |ln difference| of both mixes, truncated, between a view and the picture between two rungs, and a prior
 * cost. In steps of 1/LOG_STEPS.
 *
 * @param planes rungs for the pixels of each source, `fractions` 64ths of the way between them, `priors` their cost
 */
export function addDifferences(
  [warm, cool]: readonly [Int16Array, Int16Array],
  planes: readonly SweepPlanes[],
  fractions: Int32Array,
  priors: Int32Array,
  runs: Runs,
  sum: Int32Array,
): void {
  for (let i = 0; i < runs.start.length; i++) {
    const k = runs.source[i];
    const [warmLow, coolLow, warmHigh, coolHigh] = planes[k];
    const [start, end] = [runs.start[i], runs.end[i]];
    addRun(warmLow, coolLow, warmHigh, coolHigh, fractions[k], warm, cool, start, end, priors[k], sum);
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
    const a = warmLow[p];
    const b = coolLow[p];
    const d = a + (((warmHigh[p] - a) * fraction) >> 6) - warm[p];
    const e = b + (((coolHigh[p] - b) * fraction) >> 6) - cool[p];
    const total = (d < 0 ? -d : d) + (e < 0 ? -e : e);
    sum[p] += (total < limit ? total : limit) + prior;
  }
}

/** Costs of one depth from the sums of its differences: weighted by `trust`, averaged over (2·window+1)² pixels. */
export function storeCosts(
  sum: Int32Array,
  trust: Float32Array,
  width: number,
  height: number,
  window: number,
  cost: Uint16Array,
  label: number,
  labels: number,
): void {
  const plane = new Float32Array(sum.length);
  for (let p = 0; p < plane.length; p++) plane[p] = sum[p] * trust[p];
  boxMean(plane, width, height, window, plane);
  for (let p = 0, i = label; p < plane.length; p++, i += labels)
    cost[i] = Math.min(MAXIMUM_COST, plane[p] + 0.5);
}

/** Side in pixels of the blocks that vote for a blur scale. */
export const BLOCK = 4;
/** Radii tried per rung of the ladder. */
export const STEPS = 4;

/**
 * Sum over each block of its pixels' difference from a view, for each place on the ladder: place-major.
 *
 * @param ladder warm and cool plane of each rung; `pixels`: those of each block, block by block
 */
export function blockDifferences(
  [warm, cool]: readonly [Int16Array, Int16Array],
  valid: Uint8Array | undefined,
  ladder: readonly (readonly [Int16Array, Int16Array])[],
  pixels: Int32Array,
  places: number,
): Float32Array {
  const per = BLOCK * BLOCK;
  const count = pixels.length / per;
  const out = new Float32Array(places * count);
  const limit = LIMIT | 0;
  for (let place = 0; place < places; place++) {
    const rung = Math.min(Math.floor(place / STEPS), ladder.length - 2);
    const t = Math.round((place / STEPS - rung) * 64);
    const [warmLow, coolLow] = ladder[rung];
    const [warmHigh, coolHigh] = ladder[rung + 1];
    for (let block = 0, n = 0; block < count; block++) {
      let sum = 0;
      for (let k = 0; k < per; k++, n++) {
        const p = pixels[n];
        if (valid !== undefined && valid[p] === 0) continue;
        const a = warmLow[p];
        const b = coolLow[p];
        const d = a + (((warmHigh[p] - a) * t) >> 6) - warm[p];
        const e = b + (((coolHigh[p] - b) * t) >> 6) - cool[p];
        const total = (d < 0 ? -d : d) + (e < 0 ? -e : e);
        sum += total < limit ? total : limit;
      }
      out[place * count + block] = sum;
    }
  }
  return out;
}

/**
 * Sum over the blocks of the lowest that their differences from all views sum to at any depth.
 *
 * @param differences of each view, from `blockDifferences`; `sources`: the view that each block came from
 * @param priors cost by depth and source; `offsets`: of the block differences' place, by depth, view and source
 */
export function sumLowest(
  differences: readonly Float32Array[],
  sources: Uint8Array,
  priors: Float64Array,
  offsets: Int32Array,
): number {
  const views = differences.length;
  const count = sources.length;
  const depths = priors.length / views;
  const lowest = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const sum = new Float32Array(count);
  for (let l = 0; l < depths; l++) {
    for (let block = 0; block < count; block++) sum[block] = priors[l * views + sources[block]];
    for (let v = 0; v < views; v++) {
      const table = differences[v];
      const at = (l * views + v) * views;
      for (let block = 0; block < count; block++) sum[block] += table[offsets[at + sources[block]] + block];
    }
    for (let block = 0; block < count; block++) if (sum[block] < lowest[block]) lowest[block] = sum[block];
  }
  let total = 0;
  for (let block = 0; block < count; block++) total += lowest[block];
  return total;
}
