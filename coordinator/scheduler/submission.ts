import { ImplicamError } from '../../model/errors.js';
import { adoptSnapshot } from './membership.js';
import { end } from './recovery.js';
import { createTraining, type Turn } from './state.js';
import type { TrainingSpec } from './types.js';

/** Refuses a spec that no coordinator could place. */
export function checkSpec(spec: TrainingSpec): void {
  const refuse = (what: string) =>
    new ImplicamError(
      'bad-session',
      `training ${spec.id}: ${what}; its plan is damaged, train the session anew`,
    );
  const finite = (value: number) => Number.isFinite(value) && value >= 0;
  if (spec.id === '' || spec.id === '__proto__') throw refuse('its id cannot be used');
  if (spec.shards.length === 0) throw refuse('it has no shards');
  if (!spec.shards.every(({ cost, memoryBytes }) => finite(cost) && cost > 0 && finite(memoryBytes))) {
    throw refuse('every shard needs a positive cost and a size');
  }
  if (!finite(spec.hopMs) || !finite(spec.sharedMemoryBytes))
    throw refuse('its exchange and memory need a size');
  // None at all: what shows its classical start is finished as soon as it is submitted.
  if (!Number.isSafeInteger(spec.steps) || spec.steps < 0) throw refuse(`it has ${spec.steps} steps`);
  if (spec.stored.length === 0) throw refuse('it has no state to begin with');
  for (const [i, { step }] of spec.stored.entries()) {
    if (!Number.isSafeInteger(step) || step < 0 || step > spec.steps) {
      throw refuse(`it has a snapshot of step ${step} of ${spec.steps}`);
    }
    if (i > 0 && step >= spec.stored[i - 1].step) throw refuse('its snapshots are not in order');
  }
  if (!Number.isSafeInteger(spec.lease) || spec.lease < 1) throw refuse(`its lease has number ${spec.lease}`);
}

/** Adds a training; under a newer lease it replaces the one with the same id. */
export function submit(turn: Turn, spec: TrainingSpec): void {
  checkSpec(spec);
  const known = turn.state.trainings[spec.id];
  if (known !== undefined) {
    if (spec.lease <= known.spec.lease) return;
    end(turn, known, { type: 'dropped', training: spec.id });
  }
  if (spec.stored[0].step === spec.steps) {
    turn.commands.push({ type: 'finished', training: spec.id, step: spec.steps });
    return;
  }
  const training = createTraining(spec, turn.state.nextOrder++);
  turn.state.trainings[spec.id] = training;
  for (const [id, runner] of Object.entries(turn.state.runners)) {
    for (const snapshot of runner.unclaimed)
      if (snapshot.training === spec.id) adoptSnapshot(turn, training, id, snapshot);
    runner.unclaimed = runner.unclaimed.filter((snapshot) => snapshot.training !== spec.id);
  }
  turn.state.dirty = true;
}
