import { durableStep, type Holding, type Training, type Turn } from '../state.js';
import type { Piece, RunnerId, ShardRange, Source } from '../types.js';

/**
 * Which runner has which pieces of which snapshot in its memory. Pieces of one step have the same bits whichever runner made
 * them in whichever epoch, so the step alone identifies them (and the engine of the runner that holds them).
 */

export function addHolding(training: Training, runner: RunnerId, step: number, shards: ShardRange): void {
  const same = (held: Holding) =>
    held.runner === runner &&
    held.step === step &&
    held.shards.first === shards.first &&
    held.shards.count === shards.count;
  if (!training.holdings.some(same)) training.holdings.push({ runner, step, shards });
}

/** Forgets what a runner held: it is lost, or was sent `release`. */
export function dropHoldings(training: Training, runner: RunnerId): void {
  training.holdings = training.holdings.filter((held) => held.runner !== runner);
}

/** Holdings on connected runners of one engine. */
function usable(turn: Turn, training: Training, engine: string): Holding[] {
  return training.holdings.filter((held) => turn.state.runners[held.runner]?.info.engine === engine);
}

/** The holder of each shard at a step: the preferred runner if it has the shard, null if no runner has it. */
function holdersByShard(
  held: readonly Holding[],
  count: number,
  step: number,
  preferred: (shard: number) => RunnerId | null,
): (RunnerId | null)[] {
  const holders = new Array<RunnerId | null>(count).fill(null);
  for (const { runner, step: at, shards } of held) {
    if (at !== step) continue;
    for (let shard = shards.first; shard < shards.first + shards.count; shard++) {
      if (holders[shard] === null || preferred(shard) === runner) holders[shard] = runner;
    }
  }
  return holders;
}

/**
 * The newest step that every shard can be restored at with runners of `engine`: from their memories, or else the durable
 * snapshot.
 */
export function newestRestorable(turn: Turn, training: Training, engine: string): number {
  const held = usable(turn, training, engine);
  const steps = [...new Set(held.map(({ step }) => step))]
    .filter((step) => step > durableStep(training) && step <= training.spec.steps)
    .sort((a, b) => b - a);
  for (const step of steps) {
    if (!holdersByShard(held, training.spec.shards.length, step, () => null).includes(null)) return step;
  }
  return durableStep(training);
}

/** Where to fetch the shards of a range at a step: from the runner's own memory first, then a peer's, then the store. */
export function sourcesOf(
  turn: Turn,
  training: Training,
  engine: string,
  step: number,
  runner: RunnerId,
  range: ShardRange,
): Source[] {
  const held = usable(turn, training, engine);
  const holders = holdersByShard(held, training.spec.shards.length, step, () => runner);
  const sources: {
    shards: { first: number; count: number };
    holder: RunnerId | null;
    address: string | null;
    pieces: Piece[];
  }[] = [];
  for (let shard = range.first; shard < range.first + range.count; shard++) {
    const holder = holders[shard]!;
    const last = sources.at(-1);
    if (last !== undefined && last.holder === holder) last.shards.count++;
    else {
      const address = holder === null ? null : turn.state.runners[holder].info.address;
      sources.push({ shards: { first: shard, count: 1 }, holder, address, pieces: [] });
    }
  }
  const stored = training.stored.find((snapshot) => snapshot.step === step)?.pieces ?? [];
  for (const { shards, pieces } of sources.filter(({ holder }) => holder === null)) {
    const { first, count } = shards;
    // What all shards share is with shard 0.
    pieces.push(...stored.filter(({ shard: of }) => of === 0 || (of >= first && of < first + count)));
  }
  return sources;
}

/** Sends `discard` to all holders of snapshots that will not be restored any more. */
export function discardBelow(turn: Turn, training: Training, epoch: number, below: number): void {
  const holders = new Set(training.holdings.filter((held) => held.step < below).map((held) => held.runner));
  training.holdings = training.holdings.filter((held) => held.step >= below);
  for (const runner of holders) {
    turn.commands.push({ type: 'discard', runner, training: training.spec.id, epoch, below });
  }
}
