import { durableStep, memberOf, type State, type Training, type Turn, trainingsInOrder } from '../state.js';
import type { RunnerId, ShardRange, TrainingSpec, WaitingReason } from '../types.js';
import { newestRestorable } from './holdings.js';
import { type Candidate, type Placement, place, predictStepMs } from './placement.js';

/** Where a training could run next: on what, from which step. */
export interface Plan {
  readonly engine: string;
  readonly step: number;
  readonly placement: Placement;
}

/** What trainings take of a runner. */
export interface Load {
  readonly trainings: number;
  readonly memoryBytes: number;
}

export type Loads = ReadonlyMap<RunnerId, Load>;

const IDLE: Load = { trainings: 0, memoryBytes: 0 };

/** Bytes that a runner needs for its part of a training. */
export function demandOf(spec: TrainingSpec, shards: ShardRange): number {
  return spec.shards
    .slice(shards.first, shards.first + shards.count)
    .reduce((sum, shard) => sum + shard.memoryBytes, spec.sharedMemoryBytes);
}

/** What the placements of all trainings but one take of each runner. */
export function loadsOf(state: State, except: Training | null): Loads {
  const loads = new Map<RunnerId, Load>();
  for (const training of trainingsInOrder(state)) {
    if (training === except) continue;
    for (const { runner, shards } of training.placement) {
      const load = loads.get(runner) ?? IDLE;
      const memoryBytes = load.memoryBytes + demandOf(training.spec, shards);
      loads.set(runner, { trainings: load.trainings + 1, memoryBytes });
    }
  }
  return loads;
}

interface Rules {
  readonly engine: string;
  readonly step: number;
  readonly draining: boolean;
  readonly excluded: boolean;
}

/** Runners that may take shards of a training. Those who share a runner share its speed evenly. */
function candidatesFor(turn: Turn, training: Training, loads: Loads, rules: Rules): Candidate[] {
  const candidates: Candidate[] = [];
  for (const { info, refusedBytes } of Object.values(turn.state.runners)) {
    const load = loads.get(info.id) ?? IDLE;
    if (info.engine !== rules.engine || (info.draining && !rules.draining)) continue;
    if (training.exclusions[info.id]?.active && !rules.excluded) continue;
    if (load.trainings >= turn.options.trainingsPerRunner) continue;
    const free = info.memoryBytes - load.memoryBytes;
    candidates.push({
      runner: info.id,
      speed: speedOf(turn.state, info.id) / (1 + load.trainings),
      memoryBytes: refusedBytes === null ? free : Math.min(free, refusedBytes - 1),
      order: firstHeld(training, info.id, rules.step),
    });
  }
  return candidates;
}

/** Measured rates of equal devices that differ by less than this are one rate, disturbed. */
const DISTURBED = 1.5;

/**
 * Reference steps a second, as far as known: what its trainings showed, or else what it measured. Of equal devices that is the
 * best that one of them measured: the others shared theirs with something while they measured (each other's start, on one
 * machine), and would get half of the shards for it.
 */
export function speedOf(state: State, runner: RunnerId): number {
  const { info, observed } = state.runners[runner];
  if (observed !== null) return observed;
  const { engine, device, stepRate } = info;
  return Object.values(state.runners)
    .filter(({ info }) => info.engine === engine && info.device === device)
    .map(({ info }) => info.stepRate)
    .filter((rate) => rate < DISTURBED * stepRate)
    .reduce((best, rate) => Math.max(best, rate), stepRate);
}

/** First shard that a runner has at a step (its own before copies): whoever has state keeps its place in the row. */
function firstHeld(training: Training, runner: RunnerId, step: number): number {
  const member = memberOf(training, runner);
  const shards =
    member?.shards ?? training.holdings.find((held) => held.runner === runner && held.step === step)?.shards;
  return shards === undefined ? training.spec.shards.length : shards.first;
}

function planOn(turn: Turn, training: Training, loads: Loads, rules: Rules): Plan | null {
  const placement = place(training.spec, candidatesFor(turn, training, loads, rules));
  return placement === null ? null : { engine: rules.engine, step: rules.step, placement };
}

/** Engines that may continue the training: the one that it began on, or any as long as nothing would be lost. */
function enginesFor(turn: Turn, training: Training): string[] {
  const present = [...new Set(Object.values(turn.state.runners).map(({ info }) => info.engine))].sort();
  const fixed = training.commit?.engine ?? training.durableEngine;
  if (fixed !== null) return present.filter((engine) => engine === fixed);
  const steps = present.map((engine) => newestRestorable(turn, training, engine));
  const furthest = Math.max(...steps);
  return present.filter((_, i) => steps[i] === furthest);
}

/**
 * The best way to run a training now, given what others take: as far on as can be restored, then as fast as possible. Null
 * where no runners can. Draining runners are used only to save a state that is held nowhere else.
 */
export function planFor(turn: Turn, training: Training, loads: Loads): Plan | null {
  let best: Plan | null = null;
  for (const engine of enginesFor(turn, training)) {
    const rules = {
      engine,
      step: newestRestorable(turn, training, engine),
      draining: false,
      excluded: false,
    };
    let plan = planOn(turn, training, loads, rules);
    if (plan === null && rules.step > durableStep(training)) {
      plan = planOn(turn, training, loads, { ...rules, draining: true });
    }
    if (plan === null) continue;
    if (best === null || plan.placement.stepMs < best.placement.stepMs) best = plan;
  }
  return best;
}

/** A placement for a running training without draining runners, from its newest safe snapshot or one that was stored meanwhile. */
export function planMove(turn: Turn, training: Training): Plan | null {
  if (training.engine === null) return null;
  const step = Math.max(training.base, durableStep(training));
  const rules = { engine: training.engine, step, draining: false, excluded: false };
  return planOn(turn, training, loadsOf(turn.state, training), rules);
}

/** Milliseconds that a step of the present placement is predicted to take at the present load. */
export function presentStepMs(turn: Turn, training: Training): number {
  const loads = loadsOf(turn.state, training);
  const rules = { engine: training.engine ?? '', step: training.base, draining: true, excluded: true };
  return predictStepMs(training.spec, training.placement, candidatesFor(turn, training, loads, rules));
}

/** Why no runners can take a training even if they had nothing else to do; `queue` if they then could. */
export function whyNot(
  turn: Turn,
  training: Training,
): { reason: Exclude<WaitingReason, 'retry'>; message: string } {
  const idle: Loads = new Map();
  const runners = Object.values(turn.state.runners).filter(({ info }) => !info.draining);
  if (planFor(turn, training, idle) !== null) return { reason: 'queue', message: 'all runners are busy' };
  if (runners.length === 0) return { reason: 'no-runners', message: 'no runner is connected: start one' };
  const engines = enginesFor(turn, training).filter((engine) =>
    runners.some(({ info }) => info.engine === engine),
  );
  if (engines.length === 0) {
    const message = `it began on engine ${training.durableEngine}, of which no runner is connected: start one`;
    return { reason: 'engine', message };
  }
  for (const engine of engines) {
    if (
      planOn(turn, training, idle, { engine, step: durableStep(training), draining: false, excluded: true })
    ) {
      return { reason: 'excluded', message: 'its runners failed it; they are tried again after a while' };
    }
  }
  const need = demandOf(training.spec, { first: 0, count: training.spec.shards.length });
  const largest = runners.reduce((most, { info }) => Math.max(most, info.memoryBytes), 0);
  const message =
    `it needs ${mib(need)} in all and ${mib(demandOf(training.spec, { first: 0, count: 1 }))} on a runner at least; ` +
    `the largest of ${runners.length} runners offers ${mib(largest)}: add runners, or runners with more memory`;
  return { reason: 'memory', message };
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
