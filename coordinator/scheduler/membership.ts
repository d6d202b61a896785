import { assert, ImplicamError } from '../../model/errors.js';
import { addHolding } from './placement/holdings.js';
import { loseRunner, release } from './recovery.js';
import { durableStep, memberOf, type Training, type Turn } from './state.js';
import type { HeldSnapshot, RunnerId, RunnerInfo } from './types.js';

/** Runners register, change and drain. */

/** Snapshots of unknown trainings that are remembered for a runner, at most. */
const MAX_UNCLAIMED = 256;

export function join(turn: Turn, info: RunnerInfo, snapshots: readonly HeldSnapshot[]): void {
  const valid =
    info.id !== '' && Number.isFinite(info.stepRate) && info.stepRate > 0 && info.memoryBytes >= 0;
  if (!valid) {
    throw new ImplicamError(
      'bad-runner',
      `runner ${info.id}: a runner must register with an id, its memory and a positive step rate`,
    );
  }
  // It connected again before its old stream timed out: commands may have been lost on that one.
  loseRunner(turn, info.id, 'silent');
  turn.state.runners[info.id] = {
    info,
    refusedBytes: null,
    observed: null,
    probations: 0,
    unclaimed: [],
    released: false,
  };
  for (const training of Object.values(turn.state.trainings)) {
    // The process is alive: its lost stream was no death.
    training.deaths = training.deaths.filter((runner) => runner !== info.id);
  }
  const newest = [...snapshots].sort((a, b) => b.step - a.step).slice(0, MAX_UNCLAIMED);
  turn.state.runners[info.id].unclaimed = newest.filter((snapshot) => {
    const training = turn.state.trainings[snapshot.training];
    if (training !== undefined) adoptSnapshot(turn, training, info.id, snapshot);
    return training === undefined;
  });
  turn.state.topology++;
  turn.state.dirty = true;
}

/** Records a snapshot that a runner reported when it registered. A training that makes progress does not need it. */
export function adoptSnapshot(
  turn: Turn,
  training: Training,
  runner: RunnerId,
  { step: at, shards }: HeldSnapshot,
): void {
  if (training.phase === 'training' && training.settled && !training.participants.includes(runner)) {
    release(turn, training, runner);
    return;
  }
  const { first, count } = shards;
  const fits = first >= 0 && count > 0 && first + count <= training.spec.shards.length;
  if (fits && at >= durableStep(training) && at <= training.spec.steps) {
    addHolding(training, runner, at, shards);
  }
  if (!training.participants.includes(runner)) training.participants.push(runner);
}

export function update(
  turn: Turn,
  id: RunnerId,
  stepRate: number | undefined,
  draining: boolean | undefined,
): void {
  const runner = turn.state.runners[id];
  if (runner === undefined) return;
  const rate = stepRate !== undefined && stepRate > 0 ? stepRate : runner.info.stepRate;
  const changed = Math.abs(rate / runner.info.stepRate - 1) > 0.1;
  const leaving = draining === true && !runner.info.draining;
  runner.info = {
    ...runner.info,
    stepRate: changed ? rate : runner.info.stepRate,
    draining: draining ?? runner.info.draining,
  };
  // What was observed no longer applies.
  if (changed) runner.observed = null;
  if (changed || leaving) {
    turn.state.topology++;
    turn.state.dirty = true;
  }
}

/** Sends `released` to draining runners that no training needs any more. */
export function releaseDrained(turn: Turn): void {
  const { runners } = turn.state;
  for (const id in runners) {
    const runner = runners[id];
    if (!runner.info.draining || runner.released) continue;
    const trainings = Object.values(turn.state.trainings);
    if (trainings.some(({ participants }) => participants.includes(id))) continue;
    assert(!trainings.some((training) => memberOf(training, id)), `runner ${id} is released while it hosts`);
    runner.released = true;
    turn.commands.push({ type: 'released', runner: id });
  }
}
