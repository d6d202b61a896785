import { onHostDeadline, onHosted } from './hosting.js';
import { join, letGo, update } from './membership.js';
import type { SchedulerOptions } from './options.js';
import { onDoubt } from './placement/observing.js';
import { pump } from './queue.js';
import { end, loseRunner, onBlame, onFailed, onPeerFailed, readmit } from './recovery.js';
import { createState, epoch, memberOf, type SessionState, type State, type Turn } from './state.js';
import { onCommitFailed, onCommitted, onDamaged, onHoldOver, onStoreDeadline, onStored } from './storing.js';
import { submit } from './submission.js';
import { takeTimer } from './timers.js';
import { consider, onAllHosted, onProgressed, onSnapshotTaken, onWatch, stop } from './training.js';
import type { Command, Event, RunnerReport, SessionId } from './types.js';

/**
 * The coordinator's decisions as a state machine: events in, commands out. No clock, no socket, no randomness, so the same
 * events give the same commands, and the state is plain data that JSON holds.
 *
 * ```ts
 * const state = createScheduler();
 * for (const command of step(state, { type: 'sessionSubmitted', spec })) await carryOut(command);
 * ```
 */
export function createScheduler(options: Partial<SchedulerOptions> = {}): State {
  return createState(options);
}

/** Takes one event into the state, which it changes, and returns what is to be done, in this order. */
export function step(state: State, event: Event): Command[] {
  const turn: Turn = { state, options: state.options, commands: [] };
  take(turn, event);
  if (state.dirty) pump(turn);
  letGo(turn);
  return turn.commands;
}

function take(turn: Turn, event: Event): void {
  switch (event.type) {
    case 'runnerJoined':
      join(turn, event.runner, event.snapshots);
      break;
    case 'runnerUpdated':
      update(turn, event.runner, event.stepRate, event.draining);
      break;
    case 'runnerLost':
      loseRunner(turn, event.runner, event.reason);
      break;
    case 'sessionSubmitted':
      submit(turn, event.spec);
      break;
    case 'timeout':
      onTimeout(turn, event.id);
      break;
    default: {
      const session = turn.state.sessions[event.session];
      if (session !== undefined) takeOf(turn, session, event);
    }
  }
}

type SessionEvent = Extract<Event, { session: SessionId }>;

function takeOf(turn: Turn, session: SessionState, event: SessionEvent): void {
  switch (event.type) {
    case 'sessionCancelled':
      stop(turn, session);
      break;
    case 'leaseLost':
      if (event.lease < session.spec.lease) break;
      end(turn, session, { type: 'dropped', session: event.session });
      break;
    case 'committed':
      onCommitted(turn, session, event.epoch, event.step);
      reconsider(turn, session);
      break;
    case 'commitFailed':
      onCommitFailed(turn, session, event.epoch, event.message);
      break;
    default:
      takeReport(turn, session, event);
  }
}

/** A runner's report. Those of other epochs, and of runners without a part in this one, change nothing. */
function takeReport(turn: Turn, session: SessionState, event: RunnerReport): void {
  const member = memberOf(session, event.runner);
  if (event.epoch !== epoch(session) || member === undefined) return;
  member.heard = turn.state.nextReport++;
  switch (event.type) {
    case 'hosted':
      if (onHosted(turn, session, member)) onAllHosted(turn, session);
      break;
    case 'progressed':
      onProgressed(turn, session, member, event);
      break;
    case 'previewed':
      turn.commands.push({ type: 'preview', session: session.spec.id, picture: event.picture });
      break;
    case 'snapshotTaken':
      onSnapshotTaken(turn, session, member, event);
      break;
    case 'stored':
      onStored(turn, session, member, event.step, event.pieces);
      break;
    case 'storeFailed':
      onStored(turn, session, member, event.step, null);
      break;
    case 'damaged':
      onDamaged(turn, session, event.step, event.message);
      break;
    case 'peerFailed':
      onPeerFailed(turn, session, member, event.peer);
      break;
    case 'failed':
      onFailed(turn, session, member, event.code, event.message);
      break;
  }
}

function onTimeout(turn: Turn, id: string): void {
  const timer = takeTimer(turn, id);
  if (timer?.kind === 'doubt') onDoubt(turn, timer.runner!);
  const session = timer?.session ? turn.state.sessions[timer.session] : undefined;
  if (timer === undefined || session === undefined) return;
  switch (timer.kind) {
    case 'host':
      onHostDeadline(turn, session);
      break;
    case 'watch':
      onWatch(turn, session);
      break;
    case 'blame':
      onBlame(turn, session);
      break;
    case 'store':
      onStoreDeadline(turn, session);
      break;
    case 'hold':
      onHoldOver(turn, session);
      reconsider(turn, session);
      break;
    case 'retry':
      session.retrying = false;
      turn.state.dirty = true;
      break;
    case 'exclude':
      readmit(turn, session, timer.runner);
      break;
    case 'pardon':
      readmit(turn, session, null);
      break;
  }
}

function reconsider(turn: Turn, session: SessionState): void {
  if (turn.state.sessions[session.spec.id] === session) consider(turn, session, false);
}
