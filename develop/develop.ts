import { createHash } from 'node:crypto';
import { chooseEngine } from '../engine/choose.js';
import { type Engine, freshState, type Progress, type Trainer } from '../engine/engine.js';
import { readCamera } from '../model/camera/camera.js';
import { ImplicamError } from '../model/errors.js';
import { initialParameters } from '../model/initial.js';
import type { Frame } from '../model/picture.js';
import { createPlan } from '../model/plan.js';
import { canContinue } from './model-file/model-file.js';
import type { Development, DevelopOptions, TrainedModel, TrainingJob, TrainingOutcome } from './options.js';
import { originOf } from './origin.js';
import { type Preparation, prepare } from './prepare.js';
import { bakeScene, holdScene, sceneOf } from './render/scene-renderer.js';
import { framesThatShow } from './start/grouping/blank.js';

/**
 * Photographs in, a trained scene and camera out: the main job of the program, in one process. Reads top to bottom:
 * prepare, train, bake.
 *
 * @throws ImplicamError for frames that cannot be developed, an engine that cannot run, a snapshot of other frames
 */
export async function develop(frames: readonly Frame[], options: DevelopOptions = {}): Promise<Development> {
  const engine = await chooseEngine(options);
  const { model: untrained, preparation } = await prepareModel(frames, options, engine);
  const isTrained = untrained.state.step < untrained.config.train.steps;
  if (isTrained) options.onPhase?.('train');
  // Other processes are not started for nothing.
  const train = isTrained && options.train ? options.train : trainHere;
  const job = { model: untrained, frames: preparation.data.frames, engine, options };
  const outcome = await train(job);
  const model = describeCamera({ ...untrained, state: outcome.state });
  options.onPhase?.('render');
  const began = performance.now();
  return {
    model,
    interrupted: outcome.state.step < model.config.train.steps,
    steps: outcome.state.step,
    loss: outcome.progress.loss,
    framePsnr: outcome.progress.psnr,
    seconds: {
      ...preparation.seconds,
      train: outcome.seconds.train,
      render: outcome.seconds.bake + (performance.now() - began) / 1000,
    },
    baked: outcome.planes
      ? holdScene(sceneOf(model, outcome.planes), engine)
      : await bakeScene(model, engine),
  };
}

/**
 * The model before its first step, or the one to resume from, and everything that it starts from.
 *
 * @throws ImplicamError for frames that cannot be developed, a snapshot of other frames
 */
export async function prepareModel(
  given: readonly Frame[],
  options: DevelopOptions,
  engine: Pick<Engine, 'name' | 'device'>,
): Promise<{ readonly model: TrainedModel; readonly preparation: Preparation }> {
  checkFrames(given);
  const leftOut: string[] = [];
  const frames = framesThatShow(given, (sentence) => leftOut.push(sentence));
  const framesSha256 = hashFrames(frames);
  if (options.resume) checkSnapshot(options.resume, framesSha256);
  if (!options.resume) {
    const preparation = await prepare(frames, options, leftOut);
    return { model: untrainedModel(frames, preparation, options, engine, framesSha256), preparation };
  }
  const preparation = await prepare(frames, { ...options, preset: options.resume.info.preset }, leftOut);
  requireSamePreparation(options.resume, preparation);
  // The same pixels may have come from other files.
  const { info } = options.resume;
  const named = info.frames.map((frame, i) => ({ ...frame, file: frames[i].name }));
  const origin = originOf(frames, options);
  return { model: { ...options.resume, info: { ...info, frames: named, origin } }, preparation };
}

/** What a snapshot was trained on must be what the frames are prepared to now. */
function requireSamePreparation({ capture }: TrainedModel, preparation: Preparation): void {
  if (JSON.stringify(capture) === JSON.stringify(preparation.capture)) return;
  throw new ImplicamError(
    'snapshot-mismatch',
    'the snapshot was begun by a version of this program that saw these photographs otherwise (their focus, exposures or ' +
      'registration): develop without resuming',
    { exitCode: 2 },
  );
}

/** Trains in this process. */
async function trainHere({ model, frames, engine, options }: TrainingJob): Promise<TrainingOutcome> {
  const plan = createPlan(model.capture, model.config, model.seed);
  const trainer = await engine.open(plan, { frames, start: model.start }, model.state);
  try {
    const began = performance.now();
    const progress = await trainSteps(trainer, model.state.step, options);
    const trained = performance.now();
    const state = await trainer.save({ moments: progress.step < plan.config.train.steps });
    const planes = await trainer.bake();
    const bake = (performance.now() - trained) / 1000;
    return { state, progress, planes, seconds: { train: (trained - began) / 1000, bake } };
  } finally {
    trainer.close();
  }
}

/** What was learned about the camera, where the model file tells of its frames. */
export function describeCamera(model: TrainedModel): TrainedModel {
  const { capture, config, seed, state, info } = model;
  const camera = readCamera(createPlan(capture, config, seed), state.parameters);
  const frames = info.frames.map(({ file }, i) => ({
    file,
    ev: camera.ev[i],
    focus: camera.focus[capture.frames[i].focus],
  }));
  return { ...model, info: { ...info, frames } };
}

/** The model before its first step. */
function untrainedModel(
  frames: readonly Frame[],
  preparation: Preparation,
  options: DevelopOptions,
  engine: Pick<Engine, 'name' | 'device'>,
  framesSha256: string,
): TrainedModel {
  const { capture, config } = preparation;
  const seed = options.seed ?? 1;
  const plan = createPlan(capture, config, seed);
  return {
    capture,
    config,
    seed,
    start: preparation.data.start,
    state: freshState(initialParameters(plan, preparation.tone)),
    framesSha256,
    info: {
      preset: preparation.preset,
      quality: options.quality ?? 'standard',
      engine: engine.name,
      device: engine.device,
      frames: frames.map((f, i) => ({
        file: f.name,
        ev: capture.frames[i].ev,
        focus: capture.focus[capture.frames[i].focus],
      })),
      notes: preparation.notes,
      origin: originOf(frames, options),
    },
  };
}

/** Trains to the end of the plan or until the signal, reporting rate and time left. */
async function trainSteps(trainer: Trainer, from: number, options: DevelopOptions): Promise<Progress> {
  const { steps } = trainer.plan.config.train;
  const began = performance.now();
  return trainer.train(steps - from, {
    signal: options.signal,
    onProgress: (progress) => {
      if (steps === from) return;
      const stepsPerSecond = ((progress.step - from) * 1000) / Math.max(1, performance.now() - began);
      const secondsLeft = (steps - progress.step) / Math.max(stepsPerSecond, 1e-9);
      options.onProgress?.({ ...progress, steps, stepsPerSecond, secondsLeft });
    },
  });
}

function checkFrames(frames: readonly Frame[]): void {
  if (frames.length >= 2) return;
  throw new ImplicamError(
    'too-few-frames',
    frames.length === 0
      ? 'there are no photographs to develop: name picture files or a folder of them'
      : `${frames[0].name} is a single photograph: a scene needs at least two that differ in focus or exposure`,
    { exitCode: 2 },
  );
}

function checkSnapshot(snapshot: TrainedModel, framesSha256: string): void {
  const refuse = (message: string) => new ImplicamError('snapshot-mismatch', message, { exitCode: 2 });
  if (snapshot.framesSha256 !== framesSha256) {
    throw refuse(
      'the snapshot was made from other photographs: give the same files, or develop without resuming',
    );
  }
  if (!canContinue(snapshot)) {
    throw refuse('this is a model to render from, not a snapshot to continue: develop without resuming');
  }
}

/** SHA-256 over sizes and pixels, in order. */
function hashFrames(frames: readonly Frame[]): string {
  const hash = createHash('sha256');
  for (const { width, height, data } of frames) {
    hash.update(`${width}x${height}x${data.BYTES_PER_ELEMENT};`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
