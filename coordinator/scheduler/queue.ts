import { startPlacement } from './hosting.js';
import { loadsOf, planFor, whyNot } from './placement/planning.js';
import { release, scheduleReadmission } from './recovery.js';
import { epoch, type Training, type Turn, trainingsInOrder } from './state.js';
import { cancelTimer } from './timers.js';
import type { WaitingReason } from './types.js';

/**
 * Places waiting trainings, the oldest first. One that only has to wait for others to finish holds back those behind it, or
 * small trainings would starve a large one. One that fits nowhere at all holds back nobody.
 */
export function placeWaiting(turn: Turn): void {
  turn.state.dirty = false;
  let position = 0;
  for (const training of trainingsInOrder(turn.state)) {
    if (training.phase !== 'waiting') continue;
    if (training.backingOff) {
      wait(turn, training, 'retry', null, `retrying after a failure: ${training.why}`);
      continue;
    }
    const plan = position === 0 ? planFor(turn, training, loadsOf(turn.state, training)) : null;
    if (plan !== null) {
      startPlacement(turn, training, plan, training.why);
      continue;
    }
    const { reason, message } = whyNot(turn, training);
    if (reason === 'queue') position++;
    if (reason === 'excluded') scheduleReadmission(turn, training);
    else cancelTimer(turn, 'readmit', training.spec.id);
    wait(turn, training, reason, reason === 'queue' ? position : null, message);
  }
}

function wait(
  turn: Turn,
  training: Training,
  reason: WaitingReason,
  position: number | null,
  message: string,
): void {
  park(turn, training);
  const waiting = JSON.stringify([reason, position, message]);
  if (waiting === training.lastWaiting) return;
  training.lastWaiting = waiting;
  turn.commands.push({ type: 'waiting', training: training.spec.id, reason, position, message });
}

/** While a training waits, runners keep its snapshots but nobody trains; draining runners are released. */
function park(turn: Turn, training: Training): void {
  for (const runner of training.participants) {
    if (!training.backingOff && turn.state.runners[runner]?.info.draining) release(turn, training, runner);
    else if (training.parkPending) {
      turn.commands.push({ type: 'park', runner, training: training.spec.id, epoch: epoch(training) });
    }
  }
  training.parkPending = false;
}
