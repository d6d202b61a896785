import type { TimerKind, TimerState, Turn } from './state.js';
import type { RunnerId, TrainingId } from './types.js';

/**
 * Timers by purpose. There is at most one for each purpose, so their number is bounded by trainings and runners. Every start
 * gets an id of its own, so that the late timeout of a cancelled timer is not mistaken for that of its successor.
 */

function find(
  turn: Turn,
  kind: TimerKind,
  training: TrainingId | null,
  runner: RunnerId | null,
): string | undefined {
  const { timers } = turn.state;
  for (const id in timers) {
    const timer = timers[id];
    if (timer.kind === kind && timer.training === training && timer.runner === runner) return id;
  }
  return undefined;
}

export function hasTimer(turn: Turn, kind: TimerKind, training: TrainingId): boolean {
  return find(turn, kind, training, null) !== undefined;
}

/** Starts the timer of that purpose, or restarts it. */
export function startTimer(
  turn: Turn,
  kind: TimerKind,
  training: TrainingId | null,
  ms: number,
  runner: RunnerId | null = null,
): void {
  cancelTimer(turn, kind, training, runner);
  const id = `${kind}-${turn.state.nextTimer++}`;
  turn.state.timers[id] = { kind, training, runner };
  turn.commands.push({ type: 'timer', id, ms: Math.ceil(ms) });
}

export function cancelTimer(
  turn: Turn,
  kind: TimerKind,
  training: TrainingId | null,
  runner: RunnerId | null = null,
): void {
  const id = find(turn, kind, training, runner);
  if (id === undefined) return;
  delete turn.state.timers[id];
  turn.commands.push({ type: 'cancelTimer', id });
}

export function cancelAllTimers(turn: Turn, training: TrainingId): void {
  for (const [id, timer] of Object.entries(turn.state.timers)) {
    if (timer.training !== training) continue;
    delete turn.state.timers[id];
    turn.commands.push({ type: 'cancelTimer', id });
  }
}

/** Takes a timer that fired; undefined if it had been cancelled. */
export function takeTimer(turn: Turn, id: string): TimerState | undefined {
  const timer = turn.state.timers[id];
  delete turn.state.timers[id];
  return timer;
}
