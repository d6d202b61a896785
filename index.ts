import { z } from 'zod';
import { loadModel, saveModel } from './develop/model-file/model-file.js';
import type { Development, TrainedModel } from './develop/options.js';
import { originOf, withProgram } from './develop/origin.js';
import { type OutputContext, prepareOutputs } from './develop/outputs.js';
import { developPhotographs, readPhotographs, writeResultsFolder } from './develop/photographs.js';
import { makePreview } from './develop/render/preview-picture.js';
import { queryForFile, renderFile } from './develop/render/render-file.js';
import { responseOf } from './develop/render/response.js';
import { bakeScene, renderScene } from './develop/render/scene-renderer.js';
import { chooseEngine } from './engine/choose.js';
import { ENGINES } from './engine/engine.js';
import { trainSchema } from './model/config.js';
import { ImplicamError } from './model/errors.js';
import { explainIssues } from './model/issues.js';
import { PRESETS, type Preset, QUALITIES, type Quality } from './model/presets.js';
import type { BakedScene } from './model/render/render.js';

/**
 * implicam as a library: photographs in, a model of scene and camera out, and from it the pictures that no photograph
 * shows. Everything here is also what `implicam develop` and `implicam render` do.
 *
 * @example
 * import { writeFile } from 'node:fs/promises';
 * import { develop, render } from 'implicam';
 *
 * const model = await develop('photographs', { quality: 'draft' });
 * const query = { kind: 'refocus', tap: { x: 812, y: 340 }, aperture: 2, format: 'jpeg' } as const;
 * await writeFile('closer.jpg', await render(model, query));
 * await model.save('model.safetensors');
 * model.close();
 *
 * @packageDocumentation
 */
export { ImplicamError, type Preset, type Quality };

/** CUDA devices; the compiled core on processors; TensorFlow.js, slow, which needs no compiler. */
export type EngineName = 'cuda' | 'native' | 'tfjs';

/** What computes. */
export interface EngineOptions {
  /** One that is asked for and cannot run is an error. @default cuda where there is a device, else native, else tfjs */
  readonly engine?: EngineName;
  /** Device of the cuda engine, by number or UUID. @default the variable IMPLICAM_DEVICE, else the first */
  readonly device?: string;
  /** Threads of the native engine, 1 to 1024; the result does not depend on them. @default all processors */
  readonly threads?: number;
}

export interface DevelopOptions extends EngineOptions {
  /** What the photographs differ in; auto looks at them. @default 'auto' */
  readonly preset?: Preset;
  /** How long to train; instant: not at all, the classical picture at once. @default 'standard' */
  readonly quality?: Quality;
  /** Of everything that is drawn at random, 0 to 2³¹ − 1: the same seed gives the same model. @default 1 */
  readonly seed?: number;
  /** Whether results say where the photographs were taken, where these do. @default false */
  readonly gps?: boolean;
  /** Training steps; 0 leaves the classical start as it is. @default what the quality asks for */
  readonly steps?: number;
  /**
   * A folder for what `implicam develop` writes: pictures, model, response and report; made where need be.
   * @default nothing is written
   */
  readonly results?: string;
  /** Go on, to the same bits, from the snapshot that an aborted run left in `results`. @default false */
  readonly resume?: boolean;
  /** Aborting stops after the step in progress: `develop` rejects with `interrupted`, leaving a snapshot in `results`. */
  readonly signal?: AbortSignal;
  /** Told at the beginning of each phase, in their order. */
  readonly onPhase?: (phase: Phase) => void;
  /** Told what was decided and why, one sentence at a time. */
  readonly onNote?: (note: string) => void;
  /** Given a small picture of what training begins with. Training waits for a promise. */
  readonly onPreview?: (preview: Preview) => Promise<void> | void;
  /** Told a few times a second how the training goes. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Phases of a development: registration, the classical start, training, and evaluating the scene at every pixel. */
export type Phase = 'register' | 'start' | 'train' | 'render';

/** A JPEG at most 960 pixels wide. */
export interface Preview {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How far a training is. */
export interface Progress {
  /** Steps done, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Total loss of the newest step. */
  readonly loss: number;
  /** Of the newest step against the photographs, in dB. */
  readonly psnr: number;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

/** What can be rendered. `depth` is the defocus map, `response` a chart of the camera's learned response. */
export type RenderKind = 'all-in-focus' | 'refocus' | 'depth' | 'response';

/** What to render without saying how to write it; anything left out takes its default. */
export interface PixelQuery {
  /** @default 'all-in-focus' */
  readonly kind?: RenderKind;
  /** The plane in focus, in focus units, −100 to 100; near is positive. @default that of the middle of the picture */
  readonly focus?: number;
  /** A pixel of the full picture to focus on, counted from 0 at the top left; instead of `focus`. */
  readonly tap?: { readonly x: number; readonly y: number };
  /** Relative aperture of a refocused picture, 0 (a pinhole) to 16; 1 is the widest of the photographs. @default 1 */
  readonly aperture?: number;
  /** Exposure in stops on top of the reference, −20 to 20. @default 0 */
  readonly ev?: number;
  /**
   * How light becomes pixel values: `local`, shadows and lights each exposed for themselves; `learned`, the camera's own
   * response; `srgb` or `filmic`, plain curves; all of these in [0, 1]; `linear`, as it is. A file holds what a display
   * shows, or linear light: the tone must fit. @default 'local' for a bracket, 'learned' for frames of one exposure,
   * something between for a narrow bracket; 'linear' for pixels and for the formats tiff, exr and hdr
   */
  readonly tone?: 'local' | 'learned' | 'srgb' | 'filmic' | 'linear';
  /** Width of the result in pixels, 1 to 16384. @default as photographed */
  readonly width?: number;
  /** A part of the full picture, in its whole pixels. @default all of it */
  readonly region?: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** What to render, and how to write it. */
export interface RenderQuery extends PixelQuery {
  /** png, jpeg, webp and avif hold what a display shows; tiff, exr and hdr linear light; ultrahdr both. @default 'png' */
  readonly format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'ultrahdr' | 'tiff' | 'exr' | 'hdr';
}

/** A picture as numbers. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 3: red, green, blue. 1: the defocus map, in focus units, near positive. */
  readonly channels: number;
  /** Rows from the top, samples interleaved: `data[(y · width + x) · channels + c]`. */
  readonly data: Float32Array;
}

/** What was learned of the camera. */
export interface LearnedCamera {
  /** Pixel values, 0 to 1, of each channel at natural logarithms of exposure; saturation is at 0. */
  readonly response: {
    readonly lnExposure: readonly number[];
    readonly red: readonly number[];
    readonly green: readonly number[];
    readonly blue: readonly number[];
  };
  /** Of each photograph the exposure in stops, and the focus in focus units: −1 to 1 over the capture, near is positive. */
  readonly frames: readonly { readonly file: string; readonly ev: number; readonly focus: number }[];
  /** Radius of blur in pixels for each focus unit, at the widest aperture; null where there is no lens. */
  readonly kappa: number | null;
}

/** A trained scene and the camera that photographed it. */
export interface Model {
  /** Of the scene, in pixels. */
  readonly width: number;
  readonly height: number;
  /** What can be rendered of it: refocus and depth need photographs that differed in focus. */
  readonly kinds: readonly RenderKind[];
  readonly preset: Exclude<Preset, 'auto'>;
  readonly quality: Quality;
  readonly seed: number;
  /** Training steps done. */
  readonly steps: number;
  /** What was decided while it was developed, and why. */
  readonly notes: readonly string[];
  readonly camera: LearnedCamera;
  /**
   * Writes the model to a file, which appears whole or not at all; `openModel` reads it.
   * @throws ImplicamError `write-failed`, `model-closed`
   */
  save(path: string): Promise<void>;
  /** Lets go of the memory of scene and engine. The facts above remain; renders are refused from now on. */
  close(): void;
}

/** A model that this process has developed. */
export interface DevelopedModel extends Model {
  /** Total loss of the last step; null where no step was taken. */
  readonly loss: number | null;
  /** Of the last step against the photographs, in dB; null where no step was taken. */
  readonly psnr: number | null;
  /** Where the time went. */
  readonly seconds: {
    readonly decode: number;
    readonly register: number;
    readonly start: number;
    readonly train: number;
    readonly render: number;
  };
}

/**
 * Learns scene and camera from photographs: still, of one size, at least two that differ in focus or exposure.
 *
 * @param photographs files (JPEG, PNG, WebP, TIFF, AVIF), or folders that stand for the photographs in them
 * @throws ImplicamError with a stable `code` and a message that names the file or option and the remedy. Among them
 * `file-not-found`, `frames-none`, `frames-mismatched`, `too-few-frames`, `preset-mismatch`, `option-invalid`,
 * `engine-missing`, `write-failed`, and `interrupted` after an abort
 *
 * @example
 * const model = await develop(['near.jpg', 'far.jpg'], {
 *   results: 'out',
 *   signal: AbortSignal.timeout(60_000),
 *   onProgress: ({ step, steps, psnr }) => console.log(`${step} of ${steps}, ${psnr.toFixed(1)} dB`),
 * });
 */
export async function develop(
  photographs: string | readonly string[],
  options: DevelopOptions = {},
): Promise<DevelopedModel> {
  const { onPreview, ...asked } = parsed(developSchema, options) as DevelopOptions;
  const paths = [parsed(pathsSchema, photographs)].flat();
  const requireWanted = () => {
    if (asked.signal?.aborted) throw interrupted('stopped before the first step', asked.signal);
  };
  requireWanted();
  const read = await readPhotographs(paths, asked);
  requireWanted();
  const describePreview = () => withProgram(originOf(read.frames, asked));
  const { development, snapshotFile } = await developPhotographs(read, {
    ...asked,
    ...(onPreview
      ? {
          onPreview: async (light, look, seen) =>
            onPreview(await makePreview(light, look, describePreview(), seen)),
        }
      : {}),
  });
  if (development.interrupted) {
    const kept = snapshotFile ? `; ${snapshotFile} holds what was learned: resume to go on from there` : '';
    throw interrupted(`stopped after step ${development.steps}${kept}`, asked.signal);
  }
  if (asked.results !== undefined) await writeResultsFolder(asked.results, development, read);
  const { decodeSeconds } = read;
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const facts = {
    loss: finite(development.loss),
    psnr: finite(development.framePsnr),
    seconds: { decode: decodeSeconds, ...development.seconds },
  };
  return modelOf(facts, {
    development,
    // Of the photographs only their camera settings are asked for later: their pixels can go.
    photographs: { frames: read.frames.map(({ camera }) => ({ camera })), decodeSeconds },
    baked: async () => development.baked,
  });
}

/**
 * Opens a model file: the `model.safetensors` of a results folder, of `save`, or of the service. The first render
 * evaluates the scene at every pixel, once; further ones gather from that.
 *
 * @throws ImplicamError `file-not-found`, `file-unreadable`, `file-corrupt`, `model-version`, `option-invalid`, and
 * `engine-missing` or a kin of it for an engine that was asked for and cannot run
 *
 * @example
 * const model = await openModel('out/model.safetensors');
 * console.log(model.width, model.height, model.kinds, model.camera.frames[0]);
 */
export async function openModel(path: string, options: EngineOptions = {}): Promise<Model> {
  const asked = parsed(engineSchema, options) as EngineOptions;
  const trained = await loadModel(parsed(pathSchema, path));
  const named = asked.engine !== undefined || asked.device !== undefined;
  // Who only reads the facts of a model needs no engine.
  const engine = named ? await chooseEngine(asked) : undefined;
  let baking: Promise<BakedScene> | undefined;
  const baked = () => {
    baking ??= (async () => bakeScene(trained, engine ?? (await chooseEngine(asked))))();
    return baking;
  };
  return modelOf({}, { development: untold(trained), photographs: { frames: [], decodeSeconds: 0 }, baked });
}

/**
 * Renders a picture as the content of a file, in the query's format. Of a depth render, the formats for displays hold
 * grey from the farthest, black, to the nearest, white. Rendering takes this thread, a tenth of a second a megapixel.
 *
 * @throws ImplicamError `render-query` for what is out of range, unknown, or outside the picture; `no-defocus-map` for a kind
 * that the model does not have; `option-invalid` for a tone that the format cannot hold; `model-closed`
 *
 * @example
 * await writeFile('brighter.avif', await render(model, { ev: 1.5, format: 'avif' }));
 */
export async function render(model: Model, query: RenderQuery = {}): Promise<Uint8Array> {
  const { baked, development } = heldOf(model);
  const complete = queryForFile(query, query.format ?? 'png', 'the picture');
  return renderFile(await baked(), development.model, complete);
}

/**
 * Renders a picture as numbers: linear radiance of any size, or with another tone what a display shows, in [0, 1].
 *
 * @throws ImplicamError as `render`
 *
 * @example
 * const { data, width, height } = await renderPixels(model, { kind: 'depth' });
 */
export async function renderPixels(model: Model, query: PixelQuery = {}): Promise<Pixels> {
  const { baked, development } = heldOf(model);
  const { tone = 'linear' } = query;
  // Formats mean nothing here: one that holds the tone.
  const format = tone === 'linear' ? 'exr' : 'png';
  const complete = queryForFile({ ...query, tone }, format, 'the picture');
  return renderScene(await baked(), development.model, complete);
}

/**
 * Writes what `implicam develop` writes into a folder, which is made where need be: pictures, model, response and report.
 * Of an opened model without depth in metres, times and loss, which its file does not keep. `preview.jpg` is there only
 * with the option `results` of `develop`: it is for those who wait.
 *
 * @throws ImplicamError `write-failed`, `model-closed`
 */
export async function writeResults(model: Model, folder: string): Promise<void> {
  const { baked, development, photographs } = heldOf(model);
  const results = parsed(pathSchema, folder);
  await prepareOutputs(results);
  await writeResultsFolder(results, { ...development, baked: await baked() }, photographs);
}

/** What is behind a model that a program holds. */
interface Held {
  readonly development: Omit<Development, 'baked'>;
  readonly photographs: Pick<OutputContext, 'frames' | 'decodeSeconds'>;
  readonly baked: () => Promise<BakedScene>;
}

/** Closed models have nothing behind them any more. */
const held = new WeakMap<Model, Held | 'closed'>();

function modelOf<Facts extends object>(facts: Facts, behind: Held): Model & Facts {
  const { capture, info, seed, state } = behind.development.model;
  const camera = responseOf(behind.development.model);
  const model: Model & Facts = Object.freeze({
    ...facts,
    width: capture.width,
    height: capture.height,
    kinds: camera.kappa === null ? WITHOUT_LENS : WITH_LENS,
    preset: info.preset,
    quality: info.quality,
    seed,
    steps: state.step,
    notes: info.notes,
    camera,
    save: async (path: string) =>
      saveModel(parsed(pathSchema, path), heldOf(model).development.model, { training: false }),
    close: () => void held.set(model, 'closed'),
  });
  held.set(model, behind);
  return model;
}

const WITHOUT_LENS: readonly RenderKind[] = ['all-in-focus', 'response'];
const WITH_LENS: readonly RenderKind[] = ['all-in-focus', 'refocus', 'depth', 'response'];

function heldOf(model: Model): Held {
  const behind = held.get(model);
  if (behind === undefined)
    throw wrongUse('option-invalid', 'give a model that develop or openModel returned');
  if (behind === 'closed') throw wrongUse('model-closed', 'the model was closed: open its file again');
  return behind;
}

/** What a model file does not keep of its development. */
function untold(model: TrainedModel): Omit<Development, 'baked'> {
  return {
    model,
    interrupted: false,
    steps: model.state.step,
    loss: Number.NaN,
    framePsnr: Number.NaN,
    seconds: { register: 0, start: 0, train: 0, render: 0 },
  };
}

const pathSchema = z.string().min(1, 'a path has at least one letter');
const pathsSchema = z.union([pathSchema, z.array(pathSchema)], 'photographs are a path or a list of paths');
const listener = z.custom((value) => typeof value === 'function', 'it is no function').optional();

const engineShape = {
  engine: z.enum(ENGINES).optional(),
  device: z.string().min(1).optional(),
  threads: z.int().min(1).max(1024).optional(),
} satisfies Record<keyof EngineOptions, z.ZodType>;
const engineSchema = z.strictObject(engineShape);
const developSchema = z.strictObject({
  ...engineShape,
  preset: z.enum(PRESETS).optional(),
  quality: z.enum(QUALITIES).optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
  steps: trainSchema.shape.steps.unwrap().optional(),
  gps: z.boolean().optional(),
  results: pathSchema.optional(),
  resume: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onPhase: listener,
  onNote: listener,
  onPreview: listener,
  onProgress: listener,
} satisfies Record<keyof DevelopOptions, z.ZodType>);

/** What a program without types may have got wrong. @throws ImplicamError `option-invalid` */
function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  throw wrongUse('option-invalid', explainIssues(schema, value, error.issues));
}

const wrongUse = (code: string, message: string) => new ImplicamError(code, message, { exitCode: 2 });

const interrupted = (message: string, signal: AbortSignal | undefined) =>
  new ImplicamError('interrupted', message, { cause: signal?.reason });
