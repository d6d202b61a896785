import { dropHoldings } from './placement/holdings.js';
import { demandOf } from './placement/planning.js';
import {
  durableStep,
  epoch,
  type MemberState,
  memberOf,
  nextRound,
  type Training,
  type Turn,
} from './state.js';
import { cancelAllTimers, cancelTimer, hasTimer, startTimer } from './timers.js';
import type { Command, FailureCode, RunnerId } from './types.js';

/** How a training ends or is interrupted, and which runner is evicted. An interrupted training waits in the queue. */

/** Ends a training: all runners release it, and the scheduler forgets it. */
export function end(turn: Turn, training: Training, last: Command): void {
  cancelAllTimers(turn, training.spec.id);
  nextRound(training);
  for (const runner of training.participants) release(turn, training, runner);
  delete turn.state.trainings[training.spec.id];
  turn.commands.push(last);
  turn.state.topology++;
  turn.state.dirty = true;
}

export function fail(turn: Turn, training: Training, code: string, message: string): void {
  end(turn, training, { type: 'failed', training: training.spec.id, code, message });
}

/** Has a runner drop everything it holds of a training. */
export function release(turn: Turn, training: Training, runner: RunnerId): void {
  dropHoldings(training, runner);
  training.participants = training.participants.filter((participant) => participant !== runner);
  if (turn.state.runners[runner] === undefined) return;
  turn.commands.push({ type: 'release', runner, training: training.spec.id, epoch: epoch(training) });
}

/** Ends the present placement; the queue finds the next. A training that was only being stopped ends here. */
export function interrupt(turn: Turn, training: Training, why: string): void {
  if (training.cancelling) {
    end(turn, training, { type: 'cancelled', training: training.spec.id, step: durableStep(training) });
    return;
  }
  for (const kind of ['host', 'watchdog', 'blame'] as const) cancelTimer(turn, kind, training.spec.id);
  if (training.store !== null) cancelTimer(turn, 'store', training.spec.id);
  nextRound(training);
  training.phase = 'waiting';
  training.placement = [];
  training.sources = [];
  training.pending = [];
  training.store = null;
  training.accusations = [];
  training.parkPending = true;
  training.why = why;
  turn.state.dirty = true;
}

/** Waits before the next placement after repeated failures, longer each time. */
function backOff(turn: Turn, training: Training): void {
  const failures = training.deaths.length + training.failures.reduce((sum, { count }) => sum + count, 0);
  if (failures < 2) return;
  const ms = Math.min(turn.options.retryMs * 2 ** (failures - 2), turn.options.maxRetryMs);
  training.backingOff = true;
  startTimer(turn, 'retry', training.spec.id, ms);
}

/** Excludes a runner from a training for a while, longer each time. */
function exclude(turn: Turn, training: Training, runner: RunnerId): void {
  const count = (training.exclusions[runner]?.count ?? 0) + 1;
  training.exclusions[runner] = { count, active: true };
  const ms = Math.min(turn.options.exclusionMs * 2 ** (count - 1), turn.options.maxExclusionMs);
  startTimer(turn, 'exclude', training.spec.id, ms, runner);
}

/**
 * Only excluded runners could take the training. Exclusion lets other runners go first; if there are none, it is of no use,
 * so all are readmitted after the usual backoff.
 */
export function scheduleReadmission(turn: Turn, training: Training): void {
  if (hasTimer(turn, 'readmit', training.spec.id)) return;
  const { retryMs, maxRetryMs } = turn.options;
  const ms = Math.min(retryMs * 2 ** Math.max(training.evictions - 1, 0), maxRetryMs);
  startTimer(turn, 'readmit', training.spec.id, ms);
}

/** Readmits excluded runners: the one named, or all. */
export function readmit(turn: Turn, training: Training, runner: RunnerId | null): void {
  for (const [id, exclusion] of Object.entries(training.exclusions)) {
    if (runner !== null && id !== runner) continue;
    exclusion.active = false;
    cancelTimer(turn, 'exclude', training.spec.id, id);
  }
  turn.state.topology++;
  turn.state.dirty = true;
}

/** Evicts runners from a training and interrupts it. What they hold is not used any more. */
export function evict(turn: Turn, training: Training, runners: readonly RunnerId[], why: string): void {
  training.evictions += runners.length;
  if (training.evictions >= turn.options.evictionLimit) {
    const message = `${training.evictions} runners in a row were taken off it without a step done: last because ${why}`;
    fail(turn, training, 'stalled', message);
    return;
  }
  interrupt(turn, training, why);
  if (turn.state.trainings[training.spec.id] !== training) return;
  for (const runner of runners) {
    release(turn, training, runner);
    exclude(turn, training, runner);
  }
}

/** A runner is lost: every training that needs it is interrupted. */
export function loseRunner(turn: Turn, runner: RunnerId, reason: 'ended' | 'silent'): void {
  if (turn.state.runners[runner] === undefined) return;
  delete turn.state.runners[runner];
  cancelTimer(turn, 'probation', null, runner);
  for (const training of Object.values(turn.state.trainings)) loseFrom(turn, training, runner, reason);
}

function loseFrom(turn: Turn, training: Training, runner: RunnerId, reason: 'ended' | 'silent'): void {
  dropHoldings(training, runner);
  training.participants = training.participants.filter((participant) => participant !== runner);
  const member = memberOf(training, runner) !== undefined;
  const buddy = training.placement.some((one) => one.buddy === runner);
  const source = training.phase === 'hosting' && training.sources.includes(runner);
  if (!member && !buddy && !source) return;
  if (member && reason === 'ended') training.deaths.push(runner);
  if (training.deaths.length >= turn.options.deathLimit) {
    const message = `${training.deaths.length} runners died one after the other while they trained it`;
    fail(turn, training, 'deadly', message);
    return;
  }
  interrupt(turn, training, `runner ${runner} was lost (${reason})`);
  if (turn.state.trainings[training.spec.id] === training && member) backOff(turn, training);
}

/** A member failed. */
export function onFailed(
  turn: Turn,
  training: Training,
  member: MemberState,
  code: FailureCode,
  message: string,
): void {
  if (code === 'data') {
    fail(turn, training, code, message);
    return;
  }
  if (code === 'memory') {
    // The next placement gives it fewer shards; so it can refuse no more often than there are shards.
    const runner = turn.state.runners[member.runner];
    const demand = demandOf(training.spec, member.shards);
    runner.refusedBytes = Math.min(runner.refusedBytes ?? demand, demand);
    interrupt(turn, training, `runner ${member.runner} ran out of memory`);
    return;
  }
  const reason = `${code}: ${message}`;
  const known = training.failures.find((failure) => failure.reason === reason);
  if (known === undefined) training.failures.push({ reason, count: 1 });
  else known.count++;
  const count = known?.count ?? 1;
  const total = training.failures.reduce((sum, failure) => sum + failure.count, 0);
  if (count >= turn.options.failureLimit || total >= 3 * turn.options.failureLimit) {
    fail(turn, training, code, message);
    return;
  }
  interrupt(turn, training, `runner ${member.runner} failed: ${message}`);
  if (turn.state.trainings[training.spec.id] !== training) return;
  // A second failure may be the runner's own fault: others go first. A store that is down is down for all.
  if (code === 'engine' && total >= 2) {
    release(turn, training, member.runner);
    exclude(turn, training, member.runner);
  }
  backOff(turn, training);
}

/** Collects accusations for a moment before one member is evicted: a member that is cut off accuses its peers, too. */
export function onPeerFailed(turn: Turn, training: Training, accuser: MemberState, peer: RunnerId): void {
  if (turn.state.runners[peer] === undefined || peer === accuser.runner) return;
  if (memberOf(training, peer) === undefined) {
    const source = training.phase === 'hosting' && training.sources.includes(peer);
    if (accuser.buddy === peer || source)
      evict(turn, training, [peer], `runner ${peer} did not answer its peers`);
    return;
  }
  const same = training.accusations.some(
    (accusation) => accusation.accuser === accuser.runner && accusation.accused === peer,
  );
  if (!same) training.accusations.push({ accuser: accuser.runner, accused: peer });
  if (!hasTimer(turn, 'blame', training.spec.id)) {
    startTimer(turn, 'blame', training.spec.id, turn.options.blameMs);
  }
}

/**
 * Evicts one of the members that cannot reach each other: the one accused by most; among equals the one that accuses most
 * (to a member that is cut off, all others seem dead), then the slowest, then the last by name.
 */
export function onBlame(turn: Turn, training: Training): void {
  const accused = new Map<RunnerId, number>();
  const accusing = new Map<RunnerId, number>();
  for (const { accuser, accused: runner } of training.accusations) {
    accused.set(runner, (accused.get(runner) ?? 0) + 1);
    accusing.set(accuser, (accusing.get(accuser) ?? 0) + 1);
    // Either end of a broken link may be at fault.
    accused.set(accuser, accused.get(accuser) ?? 0);
  }
  const rate = (runner: RunnerId) => turn.state.runners[runner]?.info.stepRate ?? 0;
  const worst = [...accused.keys()].sort(
    (a, b) =>
      accused.get(b)! - accused.get(a)! ||
      (accusing.get(b) ?? 0) - (accusing.get(a) ?? 0) ||
      rate(a) - rate(b) ||
      (a < b ? 1 : -1),
  )[0];
  if (worst !== undefined) evict(turn, training, [worst], `runner ${worst} did not answer its peers`);
}
