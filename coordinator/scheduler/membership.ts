import { assert, ImplicamError } from '../../model/errors.js';
import { addHolding } from './placement/holdings.js';
import { loseRunner, release } from './recovery.js';
import { durableStep, memberOf, type Training, type Turn } from './state.js';
import type { HeldSnapshot, RunnerId, RunnerInfo } from './types.js';

/** Runners come, change and go. */

/** Snapshots of unknown trainings that a runner may bring along. */
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
  // Connected again before its old connection was given up: commands may have been lost on the way.
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
    // The process lives: it was not the training that killed it.
    training.deaths = training.deaths.filter((runner) => runner !== info.id);
  }
  const newest = [...snapshots].sort((a, b) => b.step - a.step).slice(0, MAX_UNCLAIMED);
  turn.state.runners[info.id]!.unclaimed = newest.filter((snapshot) => {
    const training = turn.state.trainings[snapshot.training];
    if (training !== undefined) adoptSnapshot(turn, training, info.id, snapshot);
    return training === undefined;
  });
  turn.state.topology++;
  turn.state.dirty = true;
}

/** Takes a snapshot into account that a runner brought along; a training that trains on well needs none. */
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
  // What was observed is of the past.
  if (changed) runner.observed = null;
  if (changed || leaving) {
    turn.state.topology++;
    turn.state.dirty = true;
  }
}

/** Lets draining runners exit that no training needs any more. */
export function releaseDrained(turn: Turn): void {
  const { runners } = turn.state;
  for (const id in runners) {
    const runner = runners[id]!;
    if (!runner.info.draining || runner.released) continue;
    const trainings = Object.values(turn.state.trainings);
    if (trainings.some(({ participants }) => participants.includes(id))) continue;
    assert(!trainings.some((training) => memberOf(training, id)), `runner ${id} is let go while it hosts`);
    runner.released = true;
    turn.commands.push({ type: 'released', runner: id });
  }
}
