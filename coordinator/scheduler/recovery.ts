import { dropHoldings } from './placement/holdings.js';
import { demandOf } from './placement/planning.js';
import {
  durableStep,
  epoch,
  type MemberState,
  memberOf,
  nextRound,
  type SessionState,
  type Turn,
} from './state.js';
import { cancelAllTimers, cancelTimer, hasTimer, startTimer } from './timers.js';
import type { Command, FailureCode, RunnerId } from './types.js';

/** How a session ends, is interrupted, and who is to blame. Whatever is interrupted waits in the queue for a place. */

/** Ends a session: everybody drops it, it is forgotten. */
export function end(turn: Turn, session: SessionState, last: Command): void {
  cancelAllTimers(turn, session.spec.id);
  nextRound(session);
  for (const runner of session.participants) release(turn, session, runner);
  delete turn.state.sessions[session.spec.id];
  turn.commands.push(last);
  turn.state.topology++;
  turn.state.dirty = true;
}

export function fail(turn: Turn, session: SessionState, code: string, message: string): void {
  end(turn, session, { type: 'failed', session: session.spec.id, code, message });
}

/** Lets a runner drop all that it has of a session. */
export function release(turn: Turn, session: SessionState, runner: RunnerId): void {
  dropHoldings(session, runner);
  session.participants = session.participants.filter((participant) => participant !== runner);
  if (turn.state.runners[runner] === undefined) return;
  turn.commands.push({ type: 'release', runner, session: session.spec.id, epoch: epoch(session) });
}

/** Ends the present placement; the queue finds the next. A session that was only being stopped ends here. */
export function interrupt(turn: Turn, session: SessionState, why: string): void {
  if (session.stopping) {
    end(turn, session, { type: 'cancelled', session: session.spec.id, step: durableStep(session) });
    return;
  }
  for (const kind of ['host', 'watch', 'blame'] as const) cancelTimer(turn, kind, session.spec.id);
  if (session.store !== null) cancelTimer(turn, 'store', session.spec.id);
  nextRound(session);
  session.phase = 'waiting';
  session.placement = [];
  session.sources = [];
  session.pending = [];
  session.store = null;
  session.accusations = [];
  session.unparked = true;
  session.why = why;
  turn.state.dirty = true;
}

/** Waits before the next placement if there was trouble repeatedly: longer each time. */
function backOff(turn: Turn, session: SessionState): void {
  const troubles = session.deaths.length + session.failures.reduce((sum, { count }) => sum + count, 0);
  if (troubles < 2) return;
  const ms = Math.min(turn.options.retryMs * 2 ** (troubles - 2), turn.options.maxRetryMs);
  session.retrying = true;
  startTimer(turn, 'retry', session.spec.id, ms);
}

/** Keeps a runner out of a session for a while, longer each time. */
function exclude(turn: Turn, session: SessionState, runner: RunnerId): void {
  const strikes = (session.exclusions[runner]?.strikes ?? 0) + 1;
  session.exclusions[runner] = { strikes, active: true };
  const ms = Math.min(turn.options.exclusionMs * 2 ** (strikes - 1), turn.options.maxExclusionMs);
  startTimer(turn, 'exclude', session.spec.id, ms, runner);
}

/**
 * Only excluded runners could take the session. A runner is kept out for others to go first; where there are none, that
 * helps nobody, and all are let in again after as short a wait as after any other trouble.
 */
export function awaitPardon(turn: Turn, session: SessionState): void {
  if (hasTimer(turn, 'pardon', session.spec.id)) return;
  const { retryMs, maxRetryMs } = turn.options;
  const ms = Math.min(retryMs * 2 ** Math.max(session.evictions - 1, 0), maxRetryMs);
  startTimer(turn, 'pardon', session.spec.id, ms);
}

/** Lets excluded runners take part again: the one named, or all. */
export function readmit(turn: Turn, session: SessionState, runner: RunnerId | null): void {
  for (const [id, exclusion] of Object.entries(session.exclusions)) {
    if (runner !== null && id !== runner) continue;
    exclusion.active = false;
    cancelTimer(turn, 'exclude', session.spec.id, id);
  }
  turn.state.topology++;
  turn.state.dirty = true;
}

/** Throws runners out of a session and interrupts it. What they hold is not trusted any more. */
export function evict(turn: Turn, session: SessionState, runners: readonly RunnerId[], why: string): void {
  session.evictions += runners.length;
  if (session.evictions >= turn.options.evictionLimit) {
    const message = `${session.evictions} runners in a row were taken off it without a step done: last because ${why}`;
    fail(turn, session, 'stalled', message);
    return;
  }
  interrupt(turn, session, why);
  if (turn.state.sessions[session.spec.id] !== session) return;
  for (const runner of runners) {
    release(turn, session, runner);
    exclude(turn, session, runner);
  }
}

/** A runner is gone: every session that needs it is interrupted. */
export function loseRunner(turn: Turn, runner: RunnerId, reason: 'ended' | 'silent'): void {
  if (turn.state.runners[runner] === undefined) return;
  delete turn.state.runners[runner];
  cancelTimer(turn, 'doubt', null, runner);
  for (const session of Object.values(turn.state.sessions)) loseFrom(turn, session, runner, reason);
}

function loseFrom(turn: Turn, session: SessionState, runner: RunnerId, reason: 'ended' | 'silent'): void {
  dropHoldings(session, runner);
  session.participants = session.participants.filter((participant) => participant !== runner);
  const member = memberOf(session, runner) !== undefined;
  const buddy = session.placement.some((one) => one.buddy === runner);
  const source = session.phase === 'hosting' && session.sources.includes(runner);
  if (!member && !buddy && !source) return;
  if (member && reason === 'ended') session.deaths.push(runner);
  if (session.deaths.length >= turn.options.deathLimit) {
    const message = `${session.deaths.length} runners died one after the other while they trained it`;
    fail(turn, session, 'deadly', message);
    return;
  }
  interrupt(turn, session, `runner ${runner} was lost (${reason})`);
  if (turn.state.sessions[session.spec.id] === session && member) backOff(turn, session);
}

/** A member could not go on. */
export function onFailed(
  turn: Turn,
  session: SessionState,
  member: MemberState,
  code: FailureCode,
  message: string,
): void {
  if (code === 'data') {
    fail(turn, session, code, message);
    return;
  }
  if (code === 'memory') {
    // The next placement gives it less; it can refuse no more often than there are shards.
    const runner = turn.state.runners[member.runner]!;
    const demand = demandOf(session.spec, member.shards);
    runner.refusedBytes = Math.min(runner.refusedBytes ?? demand, demand);
    interrupt(turn, session, `runner ${member.runner} ran out of memory`);
    return;
  }
  const reason = `${code}: ${message}`;
  const known = session.failures.find((failure) => failure.reason === reason);
  if (known === undefined) session.failures.push({ reason, count: 1 });
  else known.count++;
  const count = known?.count ?? 1;
  const total = session.failures.reduce((sum, failure) => sum + failure.count, 0);
  if (count >= turn.options.failureLimit || total >= 3 * turn.options.failureLimit) {
    fail(turn, session, code, message);
    return;
  }
  interrupt(turn, session, `runner ${member.runner} failed: ${message}`);
  if (turn.state.sessions[session.spec.id] !== session) return;
  // A second failure may be the runner's own fault: others go first. A store that is away is away for all.
  if (code === 'engine' && total >= 2) {
    release(turn, session, member.runner);
    exclude(turn, session, member.runner);
  }
  backOff(turn, session);
}

/** Members accuse each other for a moment before one of them is judged: who is cut off hears of it first, too. */
export function onPeerFailed(turn: Turn, session: SessionState, accuser: MemberState, peer: RunnerId): void {
  if (turn.state.runners[peer] === undefined || peer === accuser.runner) return;
  if (memberOf(session, peer) === undefined) {
    const source = session.phase === 'hosting' && session.sources.includes(peer);
    if (accuser.buddy === peer || source)
      evict(turn, session, [peer], `runner ${peer} did not answer its peers`);
    return;
  }
  const same = session.accusations.some(
    (accusation) => accusation.accuser === accuser.runner && accusation.accused === peer,
  );
  if (!same) session.accusations.push({ accuser: accuser.runner, accused: peer });
  if (!hasTimer(turn, 'blame', session.spec.id)) {
    startTimer(turn, 'blame', session.spec.id, turn.options.blameMs);
  }
}

/**
 * Evicts one of those who cannot talk to each other: whoever most others accuse; among equals who accuses most
 * (everybody seems dead to one who is cut off), then the slowest, then the last by name.
 */
export function onBlame(turn: Turn, session: SessionState): void {
  const accused = new Map<RunnerId, number>();
  const accusing = new Map<RunnerId, number>();
  for (const { accuser, accused: runner } of session.accusations) {
    accused.set(runner, (accused.get(runner) ?? 0) + 1);
    accusing.set(accuser, (accusing.get(accuser) ?? 0) + 1);
    // Either end of a broken link will do.
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
  if (worst !== undefined) evict(turn, session, [worst], `runner ${worst} did not answer its peers`);
}
