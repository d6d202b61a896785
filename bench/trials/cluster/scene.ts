import { createHash } from 'node:crypto';
import { readManifest } from '../../../coordinator/ledgers/folder.js';
import type { TrainedModel } from '../../../develop/options.js';
import { type Engine, freshState, type SceneData, type TrainingState } from '../../../engine/engine.js';
import { configSchema, type ModelConfigInput } from '../../../model/config.js';
import { ImplicamError } from '../../../model/errors.js';
import { initialParameters } from '../../../model/initial.js';
import { createPlan, type Plan } from '../../../model/plan.js';
import { writeScene } from '../../../runner/scenes/bundle.js';
import { encodePart, partsOf } from '../../../runner/snapshots/parts.js';
import { readStoredSnapshot } from '../../../runner/snapshots/stored.js';
import type { ObjectStore } from '../../../store/objects.js';
import { type Capture, type CaptureOptions, renderCapture } from '../../samples/capture.js';

export interface ScenarioOptions {
  readonly steps: number;
  readonly seed?: number;
  readonly capture?: CaptureOptions;
  /** Pixels of a tile; not given: data-parallel. */
  readonly tilePixels?: number;
  /** Patches a step. */
  readonly patches?: number;
  readonly atlas?: ModelConfigInput['atlas'];
  readonly blur?: ModelConfigInput['blur'];
  readonly loss?: ModelConfigInput['loss'];
}

/** A scene that is ready to be trained. */
export interface Scenario {
  readonly model: TrainedModel;
  readonly frames: SceneData['frames'];
  readonly plan: Plan;
}

const SMALL_ATLAS: ModelConfigInput['atlas'] = {
  form: 'hash',
  levels: 8,
  base: 8,
  finest: 1,
  log2Table: 12,
  hidden: [16, 16],
};
const SMALL_BLUR: ModelConfigInput['blur'] = {
  form: 'lens',
  patch: 8,
  reach: 4,
  levels: 5,
  base: 6,
  log2Table: 12,
  hidden: [8],
};

/** A generated capture with a known camera: small networks by default, quick steps. */
export function makeScenario(options: ScenarioOptions, captured?: Capture): Scenario {
  const { steps, seed = 1, tilePixels, patches = 8 } = options;
  const capture = captured ?? renderCapture({ width: 96, height: 64, ...options.capture });
  const { width, height } = capture.options;
  const config = configSchema.parse({
    atlas: options.atlas ?? SMALL_ATLAS,
    blur: options.blur ?? SMALL_BLUR,
    loss: options.loss,
    train: { steps, patches, ...(tilePixels ? { tilePixels } : {}) },
  });
  const planes = capture.options.focus;
  const model = {
    capture: {
      width,
      height,
      frames: capture.frames.map((f) => ({
        focus: f.focusIndex,
        exposure: f.exposureIndex,
        ev: f.ev,
        aperture: 1,
      })),
      focus: Array.from({ length: planes }, (_, i) => (planes > 1 ? 1 - (2 * i) / (planes - 1) : 0)),
      kappa: 1.5,
    },
    config,
    seed,
  };
  const plan = createPlan(model.capture, config, seed);
  return {
    plan,
    frames: capture.frames.map((f) => ({ data: f.pixels })),
    model: {
      ...model,
      state: freshState(initialParameters(plan)),
      framesSha256: '0'.repeat(64),
      info: {
        preset: 'focus-exposure',
        quality: 'standard',
        engine: 'native',
        device: '',
        frames: capture.frames.map((f, i) => ({ file: `frame-${i}`, ev: f.ev, focus: f.focusIndex })),
        notes: [],
      },
    },
  };
}

export async function putScenario(store: ObjectStore, training: string, scenario: Scenario): Promise<void> {
  await writeScene(store, training, scenario.model, scenario.frames);
}

/** SHA-256 of parameters and moments after `steps` steps in this process. */
export async function hashOfTraining(
  engine: Engine,
  { model, frames, plan }: Scenario,
  steps = model.config.train.steps,
): Promise<string> {
  const state = {
    ...model.state,
    parameters: model.state.parameters.slice(),
    m: model.state.m.slice(),
    v: model.state.v.slice(),
  };
  const trainer = await engine.open(plan, { frames, start: model.start }, state);
  try {
    await trainer.train(steps);
    return hashState(plan, await trainer.save());
  } finally {
    trainer.close();
  }
}

/** SHA-256 of the newest whole snapshot in the store, parameters and moments. */
export async function hashOfStored(store: ObjectStore, training: string, plan: Plan): Promise<string> {
  return hashState(plan, await readStored(store, training, plan));
}

/** The newest whole snapshot in the store. @throws ImplicamError `snapshot-missing` */
export async function readStored(store: ObjectStore, training: string, plan: Plan): Promise<TrainingState> {
  const newest = (await readManifest(store, training))?.snapshots[0];
  if (newest === undefined) throw new ImplicamError('snapshot-missing', `nothing was stored of ${training}`);
  return (await readStoredSnapshot(store, training, plan, newest)).state;
}

function hashState(plan: Plan, state: TrainingState): string {
  const hash = createHash('sha256').update(`${state.step};`);
  for (const part of partsOf(plan)) hash.update(encodePart(state, part));
  return hash.digest('hex');
}
