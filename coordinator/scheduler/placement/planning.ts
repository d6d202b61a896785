import {
  durableStep,
  memberOf,
  type SessionState,
  type State,
  sessionsInOrder,
  type Turn,
} from '../state.js';
import type { RunnerId, SessionSpec, ShardRange, WaitingReason } from '../types.js';
import { newestRestorable } from './holdings.js';
import { type Candidate, type Placement, place, predictStepMs } from './placement.js';

/** Where a session could run next: on what, from which step. */
export interface Plan {
  readonly engine: string;
  readonly step: number;
  readonly placement: Placement;
}

/** What sessions take of a runner. */
export interface Load {
  readonly sessions: number;
  readonly memoryBytes: number;
}

export type Loads = ReadonlyMap<RunnerId, Load>;

const IDLE: Load = { sessions: 0, memoryBytes: 0 };

/** Bytes that a runner needs for its part of a session. */
export function demandOf(spec: SessionSpec, shards: ShardRange): number {
  return spec.shards
    .slice(shards.first, shards.first + shards.count)
    .reduce((sum, shard) => sum + shard.memoryBytes, spec.sharedMemoryBytes);
}

/** What the placements of all sessions but one take of each runner. */
export function loadsOf(state: State, except: SessionState | null): Loads {
  const loads = new Map<RunnerId, Load>();
  for (const session of sessionsInOrder(state)) {
    if (session === except) continue;
    for (const { runner, shards } of session.placement) {
      const load = loads.get(runner) ?? IDLE;
      const memoryBytes = load.memoryBytes + demandOf(session.spec, shards);
      loads.set(runner, { sessions: load.sessions + 1, memoryBytes });
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

/** Runners that may take shards of a session. Those who share a runner share its speed evenly. */
function candidatesFor(turn: Turn, session: SessionState, loads: Loads, rules: Rules): Candidate[] {
  const candidates: Candidate[] = [];
  for (const { info, refusedBytes } of Object.values(turn.state.runners)) {
    const load = loads.get(info.id) ?? IDLE;
    if (info.engine !== rules.engine || (info.draining && !rules.draining)) continue;
    if (session.exclusions[info.id]?.active && !rules.excluded) continue;
    if (load.sessions >= turn.options.sessionsPerRunner) continue;
    const free = info.memoryBytes - load.memoryBytes;
    candidates.push({
      runner: info.id,
      speed: speedOf(turn.state, info.id) / (1 + load.sessions),
      memoryBytes: refusedBytes === null ? free : Math.min(free, refusedBytes - 1),
      order: firstHeld(session, info.id, rules.step),
    });
  }
  return candidates;
}

/** Measured rates of equal devices that differ by less than this are one rate, disturbed. */
const DISTURBED = 1.5;

/**
 * Reference steps a second, as far as known: what its sessions showed, or else what it measured. Of equal devices that is the
 * best that one of them measured: the others shared theirs with something while they measured (each other's start, on one
 * machine), and would get half of the shards for it.
 */
export function speedOf(state: State, runner: RunnerId): number {
  const { info, observed } = state.runners[runner]!;
  if (observed !== null) return observed;
  const { engine, device, stepRate } = info;
  return Object.values(state.runners)
    .filter(({ info }) => info.engine === engine && info.device === device)
    .map(({ info }) => info.stepRate)
    .filter((rate) => rate < DISTURBED * stepRate)
    .reduce((best, rate) => Math.max(best, rate), stepRate);
}

/** First shard that a runner has at a step (its own before copies): whoever has state keeps its place in the row. */
function firstHeld(session: SessionState, runner: RunnerId, step: number): number {
  const member = memberOf(session, runner);
  const shards =
    member?.shards ?? session.holdings.find((held) => held.runner === runner && held.step === step)?.shards;
  return shards === undefined ? session.spec.shards.length : shards.first;
}

function planOn(turn: Turn, session: SessionState, loads: Loads, rules: Rules): Plan | null {
  const placement = place(session.spec, candidatesFor(turn, session, loads, rules));
  return placement === null ? null : { engine: rules.engine, step: rules.step, placement };
}

/** Engines that may continue the session: the one that it began on, or any as long as nothing would be lost. */
function enginesFor(turn: Turn, session: SessionState): string[] {
  const present = [...new Set(Object.values(turn.state.runners).map(({ info }) => info.engine))].sort();
  const fixed = session.commit?.engine ?? session.durableEngine;
  if (fixed !== null) return present.filter((engine) => engine === fixed);
  const steps = present.map((engine) => newestRestorable(turn, session, engine));
  const furthest = Math.max(...steps);
  return present.filter((_, i) => steps[i] === furthest);
}

/**
 * The best way to run a session now, given what others take: as far on as can be restored, then as fast as possible. Null
 * where no runners can. Draining runners are taken only to bring a state to safety that is nowhere else.
 */
export function planFor(turn: Turn, session: SessionState, loads: Loads): Plan | null {
  let best: Plan | null = null;
  for (const engine of enginesFor(turn, session)) {
    const rules = { engine, step: newestRestorable(turn, session, engine), draining: false, excluded: false };
    let plan = planOn(turn, session, loads, rules);
    if (plan === null && rules.step > durableStep(session)) {
      plan = planOn(turn, session, loads, { ...rules, draining: true });
    }
    if (plan === null) continue;
    if (best === null || plan.placement.stepMs < best.placement.stepMs) best = plan;
  }
  return best;
}

/** A placement for a running session without draining runners, from its newest safe snapshot or one that was stored meanwhile. */
export function planMove(turn: Turn, session: SessionState): Plan | null {
  if (session.engine === null) return null;
  const step = Math.max(session.base, durableStep(session));
  const rules = { engine: session.engine, step, draining: false, excluded: false };
  return planOn(turn, session, loadsOf(turn.state, session), rules);
}

/** Milliseconds that a step of the present placement is predicted to take at the present load. */
export function presentStepMs(turn: Turn, session: SessionState): number {
  const loads = loadsOf(turn.state, session);
  const rules = { engine: session.engine ?? '', step: session.base, draining: true, excluded: true };
  return predictStepMs(session.spec, session.placement, candidatesFor(turn, session, loads, rules));
}

/** Why no runners can take a session even if they had nothing else to do; `queue` if they then could. */
export function whyNot(
  turn: Turn,
  session: SessionState,
): { reason: Exclude<WaitingReason, 'retry'>; message: string } {
  const idle: Loads = new Map();
  const runners = Object.values(turn.state.runners).filter(({ info }) => !info.draining);
  if (planFor(turn, session, idle) !== null) return { reason: 'queue', message: 'all runners are busy' };
  if (runners.length === 0) return { reason: 'no-runners', message: 'no runner is connected: start one' };
  const engines = enginesFor(turn, session).filter((engine) =>
    runners.some(({ info }) => info.engine === engine),
  );
  if (engines.length === 0) {
    const message = `it began on engine ${session.durableEngine}, of which no runner is connected: start one`;
    return { reason: 'engine', message };
  }
  for (const engine of engines) {
    if (
      planOn(turn, session, idle, { engine, step: durableStep(session), draining: false, excluded: true })
    ) {
      return { reason: 'excluded', message: 'its runners failed it; they are tried again after a while' };
    }
  }
  const need = demandOf(session.spec, { first: 0, count: session.spec.shards.length });
  const largest = runners.reduce((most, { info }) => Math.max(most, info.memoryBytes), 0);
  const message =
    `it needs ${mib(need)} in all and ${mib(demandOf(session.spec, { first: 0, count: 1 }))} on a runner at least; ` +
    `the largest of ${runners.length} runners offers ${mib(largest)}: add runners, or runners with more memory`;
  return { reason: 'memory', message };
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
