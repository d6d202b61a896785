import { onHostDeadline, onHosted } from './hosting.js';
import { join, releaseDrained, update } from './membership.js';
import type { SchedulerOptions } from './options.js';
import { onProbationOver } from './placement/observing.js';
import { placeWaiting } from './queue.js';
import { end, loseRunner, onBlame, onFailed, onPeerFailed, readmit } from './recovery.js';
import { createState, epoch, memberOf, type State, type Training, type Turn } from './state.js';
import {
  onCommitFailed,
  onCommitted,
  onDamaged,
  onStoreBackoffOver,
  onStoreDeadline,
  onStored,
} from './storing.js';
import { submit } from './submission.js';
import { takeTimer } from './timers.js';
import type { Command, Event, RunnerReport, TrainingId } from './types.js';
import { cancel, consider, onAllHosted, onProgressed, onSnapshotTaken, onWatchdog } from './windows.js';

/**
 * The coordinator's decisions as a state machine: events in, commands out. No clock, no socket, no randomness, so the same
 * events give the same commands, and the state is plain data that JSON holds.
 *
 * ```ts
 * const state = createScheduler();
 * for (const command of step(state, { type: 'trainingSubmitted', spec })) await carryOut(command);
 * ```
 */
export function createScheduler(options: Partial<SchedulerOptions> = {}): State {
  return createState(options);
}

/** Applies one event to the state, which it changes, and returns the commands to carry out, in order. */
export function step(state: State, event: Event): Command[] {
  const turn: Turn = { state, options: state.options, commands: [] };
  onEvent(turn, event);
  if (state.dirty) placeWaiting(turn);
  releaseDrained(turn);
  return turn.commands;
}

function onEvent(turn: Turn, event: Event): void {
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
    case 'trainingSubmitted':
      submit(turn, event.spec);
      break;
    case 'timeout':
      onTimeout(turn, event.id);
      break;
    default: {
      const training = turn.state.trainings[event.training];
      if (training !== undefined) onTrainingEvent(turn, training, event);
    }
  }
}

type TrainingEvent = Extract<Event, { training: TrainingId }>;

function onTrainingEvent(turn: Turn, training: Training, event: TrainingEvent): void {
  switch (event.type) {
    case 'trainingCancelled':
      cancel(turn, training);
      break;
    case 'leaseLost':
      if (event.lease < training.spec.lease) break;
      end(turn, training, { type: 'dropped', training: event.training });
      break;
    case 'committed':
      onCommitted(turn, training, event.epoch, event.step);
      reconsider(turn, training);
      break;
    case 'commitFailed':
      onCommitFailed(turn, training, event.epoch, event.message);
      break;
    default:
      onReport(turn, training, event);
  }
}

/** A runner's report. Those of other epochs, and of runners that are no members of this one, are ignored. */
function onReport(turn: Turn, training: Training, event: RunnerReport): void {
  const member = memberOf(training, event.runner);
  if (event.epoch !== epoch(training) || member === undefined) return;
  member.lastReport = turn.state.nextReport++;
  switch (event.type) {
    case 'hosted':
      if (onHosted(turn, training, member)) onAllHosted(turn, training);
      break;
    case 'progressed':
      onProgressed(turn, training, member, event);
      break;
    case 'previewed':
      turn.commands.push({ type: 'preview', training: training.spec.id, picture: event.picture });
      break;
    case 'snapshotTaken':
      onSnapshotTaken(turn, training, member, event);
      break;
    case 'stored':
      onStored(turn, training, member, event.step, event.pieces);
      break;
    case 'storeFailed':
      onStored(turn, training, member, event.step, null);
      break;
    case 'damaged':
      onDamaged(turn, training, event.step, event.message);
      break;
    case 'peerFailed':
      onPeerFailed(turn, training, member, event.peer);
      break;
    case 'failed':
      onFailed(turn, training, member, event.code, event.message);
      break;
  }
}

function onTimeout(turn: Turn, id: string): void {
  const timer = takeTimer(turn, id);
  if (timer?.kind === 'probation') onProbationOver(turn, timer.runner!);
  const training = timer?.training ? turn.state.trainings[timer.training] : undefined;
  if (timer === undefined || training === undefined) return;
  switch (timer.kind) {
    case 'host':
      onHostDeadline(turn, training);
      break;
    case 'watchdog':
      onWatchdog(turn, training);
      break;
    case 'blame':
      onBlame(turn, training);
      break;
    case 'store':
      onStoreDeadline(turn, training);
      break;
    case 'storeBackoff':
      onStoreBackoffOver(turn, training);
      reconsider(turn, training);
      break;
    case 'retry':
      training.backingOff = false;
      turn.state.dirty = true;
      break;
    case 'exclude':
      readmit(turn, training, timer.runner);
      break;
    case 'readmit':
      readmit(turn, training, null);
      break;
  }
}

function reconsider(turn: Turn, training: Training): void {
  if (turn.state.trainings[training.spec.id] === training) consider(turn, training, false);
}
