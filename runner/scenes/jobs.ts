import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { describeCamera, prepareModel } from '../../develop/develop.js';
import { parametersSha256 } from '../../develop/model-file/model-file.js';
import type { Preset, Quality } from '../../develop/options.js';
import { originOf, withProgram } from '../../develop/origin.js';
import { OUTPUT_FILES, writeOutputs } from '../../develop/outputs.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import { chooseEngine } from '../../engine/choose.js';
import type { EngineName } from '../../engine/engine.js';
import { LEAST_SIDE } from '../../imaging/limits.js';
import { readFrame } from '../../imaging/read.js';
import { imageKinds } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { CameraSettings, Frame } from '../../model/picture.js';
import { createPlan } from '../../model/plan.js';
import type { ObjectStore } from '../../store/objects.js';
import { outputKey, type StoredPiece } from '../../store/scene/keys.js';
import { storePreview } from '../previews/store.js';
import { readStoredSnapshot } from '../snapshots/stored.js';
import { readSceneHead, readStart, writeScene } from './bundle.js';

/** The two jobs around training; they run in a worker thread, because registration and start compute for seconds. */

export interface SceneFrame {
  readonly key: string;
  readonly name: string;
  readonly camera: CameraSettings;
}

export interface PrepareJob {
  readonly kind: 'prepare';
  readonly training: string;
  readonly frames: readonly SceneFrame[];
  readonly preset: Preset;
  readonly quality: Quality;
  readonly seed: number;
  /** Whether results say where the photographs were taken. */
  readonly gps: boolean;
  readonly steps?: number;
  readonly engine: { readonly name: EngineName; readonly device: string; readonly threads: number };
}

export interface FinishJob {
  readonly kind: 'finish';
  readonly training: string;
  readonly step: number;
  readonly version: number;
  readonly frames: readonly SceneFrame[];
  /** The objects of the snapshot of that step. */
  readonly pieces: readonly StoredPiece[];
  readonly engine: { readonly name: EngineName; readonly threads: number };
  readonly programVersion: string;
}

export type SceneEvent =
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'note'; readonly note: string }
  | {
      readonly kind: 'preview';
      readonly key: string;
      readonly type: string;
      readonly width: number;
      readonly height: number;
    };

export interface StoredFile {
  readonly name: string;
  readonly key: string;
  readonly type: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface FinishedScene {
  readonly model: StoredFile;
  readonly parametersSha256: string;
  readonly outputs: readonly StoredFile[];
  /** Of the last step. */
  readonly loss: number;
  readonly psnr: number;
}

/** Photographs in the object store → a prepared scene there. */
export async function prepareScene(
  store: ObjectStore,
  job: PrepareJob,
  onEvent: (event: SceneEvent) => void,
): Promise<void> {
  onEvent({ kind: 'phase', phase: 'decode' });
  const frames: Frame[] = [];
  const notes: string[] = [];
  for (const { key, name, camera } of job.frames) {
    const frame = await readFrame(
      { name, bytes: await store.read(key) },
      { limits: { minSide: LEAST_SIDE }, onNote: (note) => notes.push(`${name}: ${note}`) },
    );
    frames.push({ ...frame, camera: { ...frame.camera, ...camera } });
  }
  requireOneSize(frames);
  const { model, preparation } = await prepareModel(
    frames,
    {
      preset: job.preset,
      quality: job.quality,
      seed: job.seed,
      gps: job.gps,
      threads: job.engine.threads,
      ...(job.steps === undefined ? {} : { steps: job.steps }),
      notes,
      onPhase: (phase) => onEvent({ kind: 'phase', phase }),
      onNote: (note) => onEvent({ kind: 'note', note }),
      // Before the scene is whole: somebody looks at an empty page.
      onPreview: async (radiance, look, seen) => {
        const origin = withProgram(originOf(frames, job));
        const stored = await storePreview(store, job.training, radiance, look, 'preview.jpg', origin, seen);
        onEvent({ kind: 'preview', ...stored });
      },
    },
    job.engine,
  );
  await writeScene(store, job.training, model, preparation.data.frames);
}

/** A whole snapshot in the object store → model file and results there. */
export async function finishScene(store: ObjectStore, job: FinishJob): Promise<FinishedScene> {
  const { training, step, version } = job;
  const head = await readSceneHead(store, training);
  const { capture, config, seed } = head.model;
  const plan = createPlan(capture, config, seed);
  const { state, score } = await readStoredSnapshot(store, training, plan, { step, pieces: job.pieces });
  const start = await readStart(store, training, head, plan);
  const model = describeCamera({ ...head.model, ...(start ? { start } : {}), state });
  const engine = await chooseEngine({ engine: job.engine.name, threads: job.engine.threads });
  const baked = await bakeScene(model, engine);
  const folder = await mkdtemp(join(tmpdir(), 'implicam-results-'));
  try {
    await writeOutputs(
      folder,
      {
        model,
        baked,
        interrupted: false,
        steps: step,
        loss: score.loss,
        framePsnr: score.psnr,
        seconds: { register: 0, start: 0, train: 0, render: 0 },
      },
      {
        // Of the photographs only their camera settings are asked for.
        frames: job.frames.map((f) => ({ ...f, width: 0, height: 0, data: new Uint8Array(0) })),
        decodeSeconds: 0,
        versions: { implicam: job.programVersion },
      },
    );
    const outputs: StoredFile[] = [];
    for (const name of (await readdir(folder)).sort()) {
      if (name === OUTPUT_FILES.report) continue;
      const key = outputKey(training, version, name);
      outputs.push(await storeFile(store, join(folder, name), name, key));
    }
    const file = outputs.find(({ name }) => name === OUTPUT_FILES.model)!;
    return { model: file, parametersSha256: parametersSha256(model), outputs, ...score };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function storeFile(store: ObjectStore, path: string, name: string, key: string): Promise<StoredFile> {
  const bytes = await readFile(path);
  await store.put(key, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, key, type: typeOf(name), bytes: bytes.length, sha256 };
}

function typeOf(name: string): string {
  const extension = extname(name);
  if (extension === '.json') return 'application/json';
  const kinds: readonly { extensions: readonly string[]; mediaType: string }[] = Object.values(imageKinds);
  return kinds.find((k) => k.extensions.includes(extension))?.mediaType ?? 'application/octet-stream';
}

function requireOneSize(frames: readonly Frame[]): void {
  const [first] = frames;
  const other = frames.find((f) => f.width !== first.width || f.height !== first.height);
  if (!other) return;
  throw new ImplicamError(
    'frames-mismatched',
    `${other.name} is ${other.width} × ${other.height}, ${first.name} ${first.width} × ${first.height}: all photographs of a scene must have one size`,
    { status: 422 },
  );
}
