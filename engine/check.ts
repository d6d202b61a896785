import { ImplicamError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { SceneData, TrainingState } from './engine.js';

/** Refuses data that do not belong to the plan, before anything is computed. */
export function checkData(plan: Plan, data: SceneData): void {
  const { width, height, frames } = plan.capture;
  const area = width * height;
  if (data.frames.length !== frames.length) {
    refuse(`the plan has ${frames.length} frames, the data ${data.frames.length}`);
  }
  for (const [i, frame] of data.frames.entries()) {
    if (frame.data.length !== 3 * area) {
      refuse(`frame ${i} has ${frame.data.length} samples, ${width} × ${height} RGB has ${3 * area}`);
    }
    if (frame.mask && frame.mask.length !== area) {
      refuse(`the mask of frame ${i} has ${frame.mask.length} pixels, the picture ${area}`);
    }
  }
  if (!data.start) return;
  const { radiance, defocus } = data.start;
  if (radiance.length !== 3 * area) {
    refuse(`the start radiance has ${radiance.length} samples, three planes have ${3 * area}`);
  }
  if (plan.config.blur.form === 'lens' && defocus.length !== 0 && defocus.length !== area) {
    refuse(`the start defocus has ${defocus.length} samples, the picture ${area} pixels`);
  }
}

/** Refuses a state that does not belong to the plan. */
export function checkState(plan: Plan, state: TrainingState): void {
  const { size } = plan.layout;
  for (const name of ['parameters', 'm', 'v'] as const) {
    const zeros = name !== 'parameters' && state[name].length === 0;
    if (!zeros && state[name].length !== size) {
      refuse(`the state's ${name} have ${state[name].length} entries, the plan's layout ${size}`);
    }
  }
  if (!Number.isInteger(state.step) || state.step < 0) refuse(`the state's step is ${state.step}`);
}

/** The shards to host, ascending: all of the plan's where none are named. Refuses numbers that are not its shards. */
export function checkShards(plan: Plan, shards?: readonly number[]): number[] {
  const count = plan.shards.length;
  if (!shards) return Array.from({ length: count }, (_, s) => s);
  const hosted = [...new Set(shards)].sort((a, b) => a - b);
  if (hosted.length === 0) refuse('no shards to host were named');
  for (const s of hosted) {
    if (!Number.isInteger(s) || s < 0 || s >= count) refuse(`shard ${s} was named, the plan has ${count}`);
  }
  return hosted;
}

function refuse(what: string): never {
  throw new ImplicamError(
    'engine-input',
    `cannot open a training trainer: ${what}; give the data and the state that this plan was made for`,
  );
}
