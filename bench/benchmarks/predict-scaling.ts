import { createPlan } from '../../model/plan.js';
import { presetConfig } from '../../model/presets.js';
import { lanesFor } from '../../model/reduction.js';
import type { ReduceRow } from './reduce.js';

/** Cost of one hop of the reduction tree: a message of `bytes` from one runner to another takes `ms + bytes · msPerByte`. */
export interface ExchangeCost {
  readonly ms: number;
  readonly msPerByte: number;
}

export interface Predicted {
  readonly session: 'small' | '12 megapixels' | '1 gigapixel';
  readonly shards: number;
  readonly runners: number;
  readonly stepMs: number;
  readonly stepsPerSecond: number;
  /** Against one runner with memory enough, a runner. */
  readonly efficiency: number;
}

/** Messages one after the other in an exchange: up and down a binary tree of runners, in each of its lanes. */
export function hops(runners: number): number {
  return runners <= 1 ? 0 : 2 * Math.ceil(Math.log2(runners));
}

/**
 * Fits the cost of a hop to measured exchanges by least squares of relative errors: ms = hops · (a + b · bytes), so that
 * small values count as much as large ones. A value that is taken in lanes is as long as one of them: they travel beside
 * each other. Neither is ever negative.
 */
export function fitExchange(rows: readonly ReduceRow[]): ExchangeCost {
  let [aa, ab, bb, a1, b1] = [0, 0, 0, 0, 0];
  for (const { runners, bytes, ms } of rows) {
    const a = hops(runners) / ms;
    const b = (a * bytes) / lanesFor(bytes / 4, runners);
    aa += a * a;
    ab += a * b;
    bb += b * b;
    a1 += a;
    b1 += b;
  }
  const determinant = aa * bb - ab * ab;
  const ms = (a1 * bb - b1 * ab) / determinant;
  const msPerByte = (b1 * aa - a1 * ab) / determinant;
  if (!(ms > 0)) return { ms: 0, msPerByte: b1 / bb };
  if (!(msPerByte > 0)) return { ms: a1 / aa, msPerByte: 0 };
  return { ms, msPerByte };
}

export interface Measured {
  /** Processor seconds of one core for one patch with its frames: gradient and update. */
  readonly patchSeconds: number;
  readonly exchange: ExchangeCost;
}

/** What one GPU does beside one core of this machine: 16.7 ms for step W on two cores against 0.6 ms, an estimate. */
const CORES_PER_GPU = 56;
const RUNNERS = [8, 64, 512];
const SESSIONS = [
  ['small', 450, 300],
  ['12 megapixels', 4000, 3000],
  ['1 gigapixel', 40_000, 25_000],
] as const;
const SETTINGS = 3;

/**
 * Step rates on more and faster runners than there are here: slowest runner's share of the computation, plus the exchange.
 * A prediction: nothing of it was measured at that size.
 */
export function predict(measured: Measured): { predicted: Predicted[]; assumptions: string[] } {
  const predicted = SESSIONS.flatMap(([session, width, height]) => {
    const { shards, draws, bytes } = sessionOf(width, height);
    const stepMs = (runners: number) => {
      const used = Math.min(runners, shards);
      const most = Math.ceil(shards / used);
      const compute = (1000 * measured.patchSeconds * (draws / shards) * most) / CORES_PER_GPU;
      const { ms, msPerByte } = measured.exchange;
      return compute + hops(used) * (ms + (bytes / lanesFor(bytes / 4, used)) * msPerByte);
    };
    return RUNNERS.map((runners) => ({
      session,
      shards,
      runners,
      stepMs: stepMs(runners),
      stepsPerSecond: 1000 / stepMs(runners),
      efficiency: stepMs(1) / stepMs(runners) / runners,
    }));
  });
  const { ms, msPerByte } = measured.exchange;
  return {
    predicted,
    assumptions: [
      'a prediction, not a measurement: a step is the slowest runner’s computation, then the exchange, not overlapped',
      `a patch of 9 frames costs one core of this machine ${(1e3 * measured.patchSeconds).toFixed(3)} ms, measured; a GPU does the work of ${CORES_PER_GPU} such cores, estimated`,
      `a hop costs ${ms.toFixed(3)} ms and ${(msPerByte * 2 ** 20).toFixed(2)} ms a megabyte, fitted to this machine’s loopback; 2·⌈log2 runners⌉ hops a step`,
      'the preset’s batch',
      'runners beyond the number of shards do nothing; no allowance for stragglers, snapshots or placement',
    ],
  };
}

/** Shards, patches a step and bytes of a message of a session of that size with three focus and three exposure settings. */
function sessionOf(width: number, height: number) {
  // How long to train is not asked here; the shortest suits the largest picture's limits.
  const config = presetConfig('focus-exposure', 'draft', {
    pixels: width * height,
    focusSettings: SETTINGS,
    exposureSettings: SETTINGS,
    widestCircle: 7,
    moved: false,
    kept: 0,
    exposuresKnown: true,
  });
  const frames = Array.from({ length: SETTINGS * SETTINGS }, (_, i) => ({
    focus: i % SETTINGS,
    exposure: Math.floor(i / SETTINGS),
    ev: Math.floor(i / SETTINGS),
    aperture: 1,
  }));
  const plan = createPlan({ width, height, frames, focus: [1, 0, -1], kappa: 1.5 }, config, 1);
  const shared = plan.layout.groups.filter((g) => g.scope === 'shared');
  return {
    shards: plan.shards.length,
    draws: plan.shards.reduce((sum, { draws }) => sum + draws, 0),
    bytes: 4 * shared.reduce((sum, g) => sum + g.size, 0),
  };
}
