import { memberOf, type Training, type Turn } from '../state.js';
import { cancelTimer, startTimer } from '../timers.js';
import type { RunnerId } from '../types.js';
import { loadsOf, speedOf } from './planning.js';

/**
 * How fast runners are, as their trainings show it. What a runner measured of itself in the moment of its start may be far
 * off, and a machine that other programs use changes. Of every window the members say how long their own part of a step took
 * them. Only the ratios between members count: what a step costs is a model that may be off for a training as a whole.
 */

/** Ratios that are off by less than this contradict nothing: windows differ that much by themselves. */
const TOLERANCE = 1.15;

/** So many windows in a row must agree … */
const EVIDENCE = 2;

/** … of so many steps at least: a shorter one counts for as much less. */
const WINDOW_STEPS = 4;

/** By what factor a member is faster than believed: somewhere in between. */
interface Factor {
  readonly low: number;
  readonly high: number;
}

/** A window of so many steps is over: looks whether its members were as fast, beside each other, as they are believed to be. */
export function observeWindow(turn: Turn, training: Training, steps: number): void {
  training.windowsSinceMove++;
  const factors = speedFactors(turn, training);
  if (factors === null) return;
  // Some factor that they all may have, if it is not the other way round.
  const low = Math.max(...factors.map((factor) => factor.low));
  const high = Math.min(...factors.map((factor) => factor.high));
  // If all members have changed, it is the steps that have: the scale moves, but no further than it must.
  const scale = training.scale ?? firstScale(turn, training, factors);
  training.scale = clamp(scale, Math.min(low, high), Math.max(low, high));
  if (low / high < TOLERANCE) {
    training.evidence = 0;
    return;
  }
  for (const [i, member] of training.placement.entries()) {
    const factor = clamp(training.scale, factors[i]!.low, factors[i]!.high) / training.scale;
    member.speedRatio = training.evidence === 0 ? factor : lesser(member.speedRatio, factor);
  }
  training.evidence += Math.min(1, steps / WINDOW_STEPS);
  if (training.evidence >= EVIDENCE) learn(turn, training);
}

/**
 * Of all members, by how much they are faster than they are believed to be; null where that is not known of somebody. Who
 * hosts other trainings, too, had its whole speed for this one while those waited for others, or only a part of it.
 */
function speedFactors(turn: Turn, training: Training): Factor[] | null {
  const loads = loadsOf(turn.state, training);
  const factors = training.placement.map(({ runner, shards, computeMs }) => {
    const { first, count } = shards;
    const cost = training.spec.shards.slice(first, first + count).reduce((sum, shard) => sum + shard.cost, 0);
    const low = (1000 * cost) / computeMs / speedOf(turn.state, runner);
    return { low, high: low * (1 + (loads.get(runner)?.trainings ?? 0)) };
  });
  return factors.every(({ low }) => Number.isFinite(low) && low > 0) ? factors : null;
}

/**
 * What to hold a training's first window against: the members of whom something was observed before, or else all; of them
 * the one in the middle. Of two the one that looks faster: nobody then seems faster than it said, in comparison with
 * runners that nobody has tried yet, so they will be.
 */
function firstScale(turn: Turn, training: Training, factors: readonly Factor[]): number {
  const known = factors.filter(
    (_, i) => turn.state.runners[training.placement[i]!.runner]!.observed !== null,
  );
  const all = (known.length > 0 ? known : factors).map(({ low, high }) => Math.sqrt(low * high));
  return all.sort((a, b) => a - b)[all.length >> 1]!;
}

/** What two windows have in common: the smaller change, and none if one says faster and the other slower. */
function lesser(a: number, b: number): number {
  if (a < 1 !== b < 1) return 1;
  return a < 1 ? Math.max(a, b) : Math.min(a, b);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** The evidence is enough: from now on every placement goes by it. */
function learn(turn: Turn, training: Training): void {
  training.evidence = 0;
  const ratios = training.placement.map(({ speedRatio }) => speedRatio);
  if (Math.max(...ratios) / Math.min(...ratios) < TOLERANCE) return;
  for (const { runner, speedRatio } of training.placement) {
    const speed = speedOf(turn.state, runner) * speedRatio;
    const state = turn.state.runners[runner]!;
    state.observed = speed;
    if (speed < state.info.stepRate) startProbation(turn, runner);
    else cancelTimer(turn, 'probation', null, runner);
  }
  turn.state.speeds++;
}

/** A runner that gets no work for being slow cannot show that it is so no longer. */
function startProbation(turn: Turn, runner: RunnerId): void {
  const { probationMs, maxProbationMs } = turn.options;
  const ms = Math.min(probationMs * 2 ** turn.state.runners[runner]!.probations, maxProbationMs);
  startTimer(turn, 'probation', null, ms, runner);
}

/** It is tried again, if others train while it has nothing to do: as fast as it measured itself. */
export function onProbationOver(turn: Turn, runner: RunnerId): void {
  const state = turn.state.runners[runner];
  if (state === undefined || state.observed === null) return;
  const trainings = Object.values(turn.state.trainings);
  const idle = !trainings.some((training) => memberOf(training, runner));
  if (idle && trainings.some(({ phase, engine }) => phase === 'training' && engine === state.info.engine)) {
    state.observed = null;
    state.probations++;
    turn.state.topology++;
  } else startProbation(turn, runner);
}

/**
 * Whether a training should look for a better placement by what was learned since it last did. Every move for that reason
 * doubles the windows until the next: whatever runners do, and however what they show depends on the placement, most of the
 * time is spent training.
 */
export function mayRebalanceForSpeed(turn: Turn, training: Training): boolean {
  return (
    training.evaluatedSpeeds !== turn.state.speeds && training.windowsSinceMove >= 2 ** training.speedMoves
  );
}
