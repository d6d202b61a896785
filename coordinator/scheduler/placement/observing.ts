import { memberOf, type Training, type Turn } from '../state.js';
import { cancelTimer, startTimer } from '../timers.js';
import type { RunnerId } from '../types.js';
import { loadsOf, speedOf } from './planning.js';

/**
 * Observed speeds of runners. What a runner measured when it started may be far off, and the load of a machine changes. With
 * every window the members report how long their own part of a step took. Only the ratios between members count: the cost
 * of a step comes from a model, which may be off for a training as a whole.
 */

/** Deviations below this factor are noise: windows differ that much by themselves. */
const TOLERANCE = 1.15;

/** So many consecutive windows must agree … */
const EVIDENCE = 2;

/** … of at least so many steps each: a shorter one counts proportionally less. */
const WINDOW_STEPS = 4;

/** Observed over assumed speed of a member: somewhere in this interval. */
interface Factor {
  readonly low: number;
  readonly high: number;
}

/** A window of so many steps is over: compares the observed speeds of its members, relative to each other, with the assumed ones. */
export function observeWindow(turn: Turn, training: Training, steps: number): void {
  training.windowsSinceMove++;
  const factors = speedFactors(turn, training);
  if (factors === null) return;
  // If low ≤ high, one factor in between explains all members.
  const low = Math.max(...factors.map((factor) => factor.low));
  const high = Math.min(...factors.map((factor) => factor.high));
  // If all members changed alike, the cost of the steps did: the scale moves, but no further than necessary.
  const scale = training.scale ?? firstScale(turn, training, factors);
  training.scale = clamp(scale, Math.min(low, high), Math.max(low, high));
  if (low / high < TOLERANCE) {
    training.evidence = 0;
    return;
  }
  for (const [i, member] of training.placement.entries()) {
    const factor = clamp(training.scale, factors[i].low, factors[i].high) / training.scale;
    member.speedRatio = training.evidence === 0 ? factor : smallerChange(member.speedRatio, factor);
  }
  training.evidence += Math.min(1, steps / WINDOW_STEPS);
  if (training.evidence >= EVIDENCE) learn(turn, training);
}

/**
 * Observed over assumed speed of every member; null if it is not known of some member. A member that also hosts other
 * trainings had between its full speed (while those waited for peers) and its share of it.
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
 * The scale for a training's first window: the median over the members that were observed before, or else over all. Of two
 * the faster one: then no member seems faster than it measured, and runners that were not tried yet get their chance.
 */
function firstScale(turn: Turn, training: Training, factors: readonly Factor[]): number {
  const known = factors.filter((_, i) => turn.state.runners[training.placement[i].runner].observed !== null);
  const all = (known.length > 0 ? known : factors).map(({ low, high }) => Math.sqrt(low * high));
  return all.sort((a, b) => a - b)[all.length >> 1];
}

/** What two windows agree on: the smaller change, or none if one shows faster and the other slower. */
function smallerChange(a: number, b: number): number {
  if (a < 1 !== b < 1) return 1;
  return a < 1 ? Math.max(a, b) : Math.min(a, b);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** There is enough evidence: every placement uses the observed speeds from now on. */
function learn(turn: Turn, training: Training): void {
  training.evidence = 0;
  const ratios = training.placement.map(({ speedRatio }) => speedRatio);
  if (Math.max(...ratios) / Math.min(...ratios) < TOLERANCE) return;
  for (const { runner, speedRatio } of training.placement) {
    const speed = speedOf(turn.state, runner) * speedRatio;
    const state = turn.state.runners[runner];
    state.observed = speed;
    if (speed < state.info.stepRate) startProbation(turn, runner);
    else cancelTimer(turn, 'probation', null, runner);
  }
  turn.state.speeds++;
}

/** Puts a slow runner on probation: without work it could never show that it has recovered. */
function startProbation(turn: Turn, runner: RunnerId): void {
  const { probationMs, maxProbationMs } = turn.options;
  const ms = Math.min(probationMs * 2 ** turn.state.runners[runner].probations, maxProbationMs);
  startTimer(turn, 'probation', null, ms, runner);
}

/** Ends a probation. If the runner is idle while others train, it is assumed to be as fast as it measured itself again. */
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
 * Whether a training should look for a better placement because observed speeds changed since it last did. Every move for
 * that reason doubles the number of windows until the next one. So most of the time is spent training, however the
 * runners behave and however much the observations depend on the placement.
 */
export function mayRebalanceForSpeed(turn: Turn, training: Training): boolean {
  return (
    training.evaluatedSpeeds !== turn.state.speeds && training.windowsSinceMove >= 2 ** training.speedMoves
  );
}
