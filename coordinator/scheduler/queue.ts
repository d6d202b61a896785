import { begin } from './hosting.js';
import { loadsOf, planFor, whyNot } from './placement/planning.js';
import { awaitPardon, release } from './recovery.js';
import { epoch, type SessionState, sessionsInOrder, type Turn } from './state.js';
import { cancelTimer } from './timers.js';
import type { WaitingReason } from './types.js';

/**
 * Gives waiting sessions a place, the oldest first. One that only has to wait for others to finish holds back those behind it,
 * or small sessions would starve a large one; one that fits nowhere at all holds back nobody.
 */
export function pump(turn: Turn): void {
  turn.state.dirty = false;
  let position = 0;
  for (const session of sessionsInOrder(turn.state)) {
    if (session.phase !== 'waiting') continue;
    if (session.retrying) {
      wait(turn, session, 'retry', null, `trying again after trouble: ${session.why}`);
      continue;
    }
    const plan = position === 0 ? planFor(turn, session, loadsOf(turn.state, session)) : null;
    if (plan !== null) {
      begin(turn, session, plan, session.why);
      continue;
    }
    const { reason, message } = whyNot(turn, session);
    if (reason === 'queue') position++;
    if (reason === 'excluded') awaitPardon(turn, session);
    else cancelTimer(turn, 'pardon', session.spec.id);
    wait(turn, session, reason, reason === 'queue' ? position : null, message);
  }
}

function wait(
  turn: Turn,
  session: SessionState,
  reason: WaitingReason,
  position: number | null,
  message: string,
): void {
  park(turn, session);
  const shown = JSON.stringify([reason, position, message]);
  if (shown === session.shown) return;
  session.shown = shown;
  turn.commands.push({ type: 'waiting', session: session.spec.id, reason, position, message });
}

/** Whoever has state keeps it while the session waits, but nobody trains; who wants to leave is let go. */
function park(turn: Turn, session: SessionState): void {
  for (const runner of session.participants) {
    if (!session.retrying && turn.state.runners[runner]?.info.draining) release(turn, session, runner);
    else if (session.unparked) {
      turn.commands.push({ type: 'park', runner, session: session.spec.id, epoch: epoch(session) });
    }
  }
  session.unparked = false;
}
