import type { RunnerId, ShardRange, ShardSpec } from '../types.js';

/** A runner that could take shards. */
export interface Candidate {
  readonly runner: RunnerId;
  /** Reference steps a second that are left for this training. */
  readonly speed: number;
  /** Bytes that are left for this training. */
  readonly memoryBytes: number;
  /** Its place in the row of runners; shards are dealt out along the row. */
  readonly order: number;
}

/** What is to be placed. */
export interface Work {
  readonly shards: readonly ShardSpec[];
  readonly sharedMemoryBytes: number;
  readonly hopMs: number;
}

export interface Share {
  readonly runner: RunnerId;
  readonly shards: ShardRange;
}

export interface Placement {
  readonly shares: readonly Share[];
  /** Predicted milliseconds of a step. */
  readonly stepMs: number;
}

/** Running sums, so that a range's cost and memory are two look-ups. */
interface Sums {
  readonly cost: Float64Array;
  readonly memory: Float64Array;
}

function runningSums(shards: readonly ShardSpec[]): Sums {
  const cost = new Float64Array(shards.length + 1);
  const memory = new Float64Array(shards.length + 1);
  for (const [i, shard] of shards.entries()) {
    cost[i + 1] = cost[i] + shard.cost;
    memory[i + 1] = memory[i] + shard.memoryBytes;
  }
  return { cost, memory };
}

/** Milliseconds that the exchange of gradients adds to a step: up and down a binary tree over `runners`. */
export function exchangeMs(runners: number, hopMs: number): number {
  return runners <= 1 ? 0 : 2 * Math.ceil(Math.log2(runners)) * hopMs;
}

/** Predicted milliseconds of a step of a given placement; Infinity if one of its runners is no candidate. */
export function predictStepMs(
  work: Work,
  shares: readonly Share[],
  candidates: readonly Candidate[],
): number {
  const sums = runningSums(work.shards);
  const speeds = new Map(candidates.map((candidate) => [candidate.runner, candidate.speed]));
  let slowest = 0;
  for (const { runner, shards } of shares) {
    const speed = speeds.get(runner);
    if (speed === undefined) return Number.POSITIVE_INFINITY;
    const cost = sums.cost[shards.first + shards.count] - sums.cost[shards.first];
    slowest = Math.max(slowest, (1000 * cost) / speed);
  }
  return slowest + exchangeMs(shares.length, work.hopMs);
}

/** Last index `end` in [first, length] with sums[end] − sums[first] ≤ budget. The sums grow. */
function reach(sums: Float64Array, first: number, budget: number): number {
  const limit = sums[first] + budget;
  let low = first;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sums[middle] <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Deals shards out along the row, to everyone as many as fit in `budgetMs` and its memory; null if some are left. */
function deal(work: Work, sums: Sums, row: readonly Candidate[], budgetMs: number): Share[] | null {
  const shares: Share[] = [];
  let first = 0;
  for (const { runner, speed, memoryBytes } of row) {
    const memory = memoryBytes - work.sharedMemoryBytes;
    if (first === work.shards.length || memory < 0) continue;
    const end = Math.min(
      reach(sums.cost, first, (budgetMs * speed) / 1000),
      reach(sums.memory, first, memory),
    );
    if (end > first) shares.push({ runner, shards: { first, count: end - first } });
    first = end;
  }
  return first === work.shards.length ? shares : null;
}

/** Halvings of the search for the shortest step: to a millionth of the first guess. */
const HALVINGS = 20;

/** The shortest step that this row of runners can do, as shares; null if the work does not fit in their memory. */
function dealEvenly(work: Work, sums: Sums, row: readonly Candidate[]): Share[] | null {
  const total = sums.cost[work.shards.length];
  const slowest = row.reduce((least, { speed }) => Math.min(least, speed), Number.POSITIVE_INFINITY);
  let high = ((1000 * total) / slowest) * (1 + 1e-9);
  let best = deal(work, sums, row, high);
  if (best === null) return null;
  let low = 0;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const shares = deal(work, sums, row, middle);
    if (shares === null) low = middle;
    else {
      high = middle;
      best = shares;
    }
  }
  return best;
}

/**
 * Places shards on runners so that a step is predicted to be shortest: contiguous runs of shards (few messages in the
 * reduction's tree), sized by speed within memory. More runners shorten the computation and lengthen the exchange, so
 * every number of runners is tried, fastest first; a training that gains nothing from a second runner stays on one.
 * Null if the candidates' memory does not hold it.
 */
export function place(work: Work, candidates: readonly Candidate[]): Placement | null {
  const sums = runningSums(work.shards);
  const byId = (a: Candidate, b: Candidate) => (a.runner < b.runner ? -1 : 1);
  const fastestFirst = candidates
    .filter(({ speed, memoryBytes }) => speed > 0 && memoryBytes >= work.sharedMemoryBytes)
    .sort((a, b) => b.speed - a.speed || b.memoryBytes - a.memoryBytes || byId(a, b));
  let best: Placement | null = null;
  for (let n = 1; n <= Math.min(fastestFirst.length, candidates.length); n++) {
    if (best !== null && (n > work.shards.length || exchangeMs(n, work.hopMs) >= best.stepMs)) break;
    const row = fastestFirst.slice(0, n).sort((a, b) => a.order - b.order || byId(a, b));
    const shares = dealEvenly(work, sums, row);
    if (shares === null) continue;
    const stepMs = predictStepMs(work, shares, row);
    // A runner more must be worth a hundredth: fewer runners are fewer that can fail.
    if (best === null || stepMs < best.stepMs * 0.99) best = { shares, stepMs };
  }
  return best;
}
