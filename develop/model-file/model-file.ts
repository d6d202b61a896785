import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import type { TrainingState } from '../../engine/engine.js';
import { unreadable } from '../../imaging/source.js';
import { writeFileWhole } from '../../imaging/write.js';
import { storedConfigSchema } from '../../model/config.js';
import { ImplicamError } from '../../model/errors.js';
import { explainIssues } from '../../model/issues.js';
import { keptSchema } from '../../model/kept.js';
import type { Layout } from '../../model/layout.js';
import { type Capture, createPlan } from '../../model/plan.js';
import { type ModelOrigin, PRESETS, QUALITIES, type TrainedModel } from '../options.js';
import { packUnseen, unpackUnseen } from './packed-unseen.js';
import { decodeSafetensors, encodeSafetensors, type SafeTensors, type Tensor } from './safetensors.js';

/**
 * The model file, safetensors: one tensor for each group of parameters (`parameters/tone`, …), the same again for the
 * optimiser's moments (`m/…`, `v/…`) where training is to continue, the classical start (`start/radiance`,
 * `start/defocus`), what no frame shows (`capture/unseen`, packed), and as metadata what names and orders them: capture, configuration, seed, step, origin.
 */
const FORMAT = 'implicam';
const VERSION = '1';
const UNSEEN = 'capture/unseen';

const finite = z.number();
const homography = z.tuple([finite, finite, finite, finite, finite, finite, finite, finite]);
const captureSchema = z
  .strictObject({
    width: z.int().min(1).max(65_535),
    height: z.int().min(1).max(65_535),
    frames: z
      .array(
        z.strictObject({
          focus: z.int().min(0),
          exposure: z.int().min(0),
          ev: finite,
          aperture: finite,
          homography: homography.optional(),
        }),
      )
      .min(1)
      .max(4096),
    focus: z.array(finite).min(1).max(4096),
    kappa: z.number().positive(),
    kept: keptSchema.optional(),
    /** Packed, in base64. */
    unseen: z.base64().optional(),
  })
  .refine((c) => c.frames.every((f) => f.focus < c.focus.length), {
    message: 'a frame has no focus setting',
  })
  .transform(({ unseen, ...rest }, context) => {
    if (unseen === undefined) return rest;
    const runs = unpackUnseen(Buffer.from(unseen, 'base64'), rest.width * rest.height);
    if (runs) return { ...rest, unseen: runs };
    context.addIssue({ code: 'custom', message: 'what no frame shows does not fit the picture' });
    return z.NEVER;
  });

const text = z.string().regex(/^[ -~]{1,128}$/);
const measure = z.number().positive().max(1e9);
/** What is read is written into other files: nothing but what belongs there. */
const originSchema = z
  .strictObject({
    ...{ make: text, model: text, lensMake: text, lens: text },
    ...{ focalLength: measure, fNumber: measure, exposureTime: measure, iso: measure },
    time: z.number().positive().max(9e13),
    zone: z.int().min(-1439).max(1439),
    place: z.strictObject({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      altitude: z.number().min(-1e5).max(1e5).optional(),
    }),
  })
  .partial() as z.ZodType<ModelOrigin>;

const infoSchema = z.strictObject({
  preset: z.enum(PRESETS).exclude(['auto']),
  quality: z.enum(QUALITIES),
  engine: z.string(),
  device: z.string(),
  frames: z.array(z.strictObject({ file: z.string(), ev: finite, focus: finite })),
  notes: z.array(z.string()),
  origin: originSchema.optional(),
});

/** What a model is apart from its numbers: enough to plan its training again. */
export const modelHeadSchema = z.object({
  capture: captureSchema,
  config: storedConfigSchema,
  seed: z.int(),
  step: z.int().min(0),
  framesSha256: z.string().regex(/^[0-9a-f]{64}$/),
  info: infoSchema,
});

/**
 * Writes a model so that it appears whole or not at all.
 *
 * @param options.training also what continues training bit for bit: the optimiser's moments, three times the size.
 * @throws ImplicamError `write-failed`.
 */
export async function saveModel(
  path: string,
  model: TrainedModel,
  options: { readonly training: boolean },
): Promise<void> {
  const { capture, config, seed, state, start } = model;
  const { layout } = createPlan(capture, config, seed);
  const tensors: [string, Tensor][] = [];
  const runs = options.training ? (['parameters', 'm', 'v'] as const) : (['parameters'] as const);
  for (const run of runs) tensors.push(...split(layout, run, state[run]));
  const { width, height } = capture;
  for (const [name, data] of Object.entries(start ?? {})) {
    const shape = [data.length / (width * height), height, width];
    if (data.length > 0) tensors.push([`start/${name}`, { dtype: 'F32', shape, data }]);
  }
  // Bytes of a tensor: a header has a greatest length.
  if (capture.unseen) {
    const data = packUnseen(capture.unseen);
    tensors.push([UNSEEN, { dtype: 'U8', shape: [data.length], data }]);
  }
  const { unseen: _, ...described } = describeModel(model).capture;
  const metadata = Object.entries({ ...describeModel(model), capture: described }).map(
    ([k, v]) => [k, JSON.stringify(v)] as const,
  );
  const head = [['format', FORMAT] as const, ['version', VERSION] as const];
  await writeFileWhole(path, encodeSafetensors(tensors, [...head, ...metadata]));
}

/**
 * Reads a model. Its state has empty moments where the file was written without.
 *
 * @throws ImplicamError `file-not-found`, `file-unreadable`, `file-corrupt`, or `model-version` for a file of another
 * program or a later version; each names the file.
 */
export async function loadModel(path: string): Promise<TrainedModel> {
  return decodeModel(await readWhole(path), path);
}

/** Reads a model from the bytes of its file; `path` is for messages. */
export function decodeModel(bytes: Uint8Array, path: string): TrainedModel {
  const file = decodeSafetensors(bytes, path);
  const { capture, config, seed, step, framesSha256, info } = readMetadata(path, file);
  const corrupt = (what: string) =>
    new ImplicamError('file-corrupt', `${path} is damaged: ${what}; develop the photographs again`, {
      status: 422,
    });
  const { layout } = createPlan(capture, config, seed);
  const take = (name: string, shape: readonly number[]): Float32Array => {
    const tensor = file.tensors.get(name);
    if (!tensor) throw corrupt(`it lacks ${name}`);
    if (tensor.dtype !== 'F32' || tensor.shape.join() !== shape.join()) {
      throw corrupt(`${name} is ${tensor.dtype} [${tensor.shape}], not F32 [${shape}]`);
    }
    return tensor.data as Float32Array;
  };
  const join = (run: string): Float32Array => {
    // The vector is only made once the file was seen to hold what fills it.
    const parts = layout.groups.map((g) => take(`${run}/${g.name}`, [g.size]));
    const out = new Float32Array(layout.size);
    for (const [i, g] of layout.groups.entries()) out.set(parts[i], g.offset);
    return out;
  };
  const training = file.tensors.has(`m/${layout.groups[0].name}`);
  const none = new Float32Array(0);
  const state: TrainingState = {
    step,
    parameters: join('parameters'),
    m: training ? join('m') : none,
    v: training ? join('v') : none,
  };
  const plane = (name: string, count: number) =>
    file.tensors.has(name) ? take(name, [count, capture.height, capture.width]) : none;
  const radiance = plane('start/radiance', 3);
  const defocus = plane('start/defocus', config.blur.form === 'lens' ? 1 : 0);
  const start = radiance.length + defocus.length > 0 ? { start: { radiance, defocus } } : {};
  return { capture, config, seed, ...start, state, framesSha256, info };
}

/** What is written of a model apart from its numbers. */
export function describeModel(model: TrainedModel): z.input<typeof modelHeadSchema> {
  const { capture, config, seed, state, framesSha256, info } = model;
  const { unseen, ...rest } = capture;
  const packed = unseen ? { unseen: Buffer.from(packUnseen(unseen)).toString('base64') } : {};
  return {
    capture: { ...rest, ...packed, frames: [...capture.frames], focus: [...capture.focus] } as never,
    config,
    seed,
    step: state.step,
    framesSha256,
    info: { ...info, frames: [...info.frames], notes: [...info.notes] },
  };
}

/** Whether training can continue from a model as it was read. */
export function canContinue(model: TrainedModel): boolean {
  return model.state.m.length > 0;
}

/** SHA-256 of a parameter vector, hex: equal where two runs learned the same, to the bit. */
export function parametersSha256({ state: { parameters } }: TrainedModel): string {
  const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

function split(layout: Layout, run: string, vector: Float32Array): [string, Tensor][] {
  return layout.groups.map((g) => {
    const data = vector.subarray(g.offset, g.offset + g.size);
    return [`${run}/${g.name}`, { dtype: 'F32', shape: [g.size], data }];
  });
}

function readMetadata(path: string, { metadata, tensors }: SafeTensors) {
  const [format, version] = [metadata.get('format'), metadata.get('version')];
  if (format !== FORMAT) {
    throw new ImplicamError(
      'model-version',
      `${path} was not written by implicam: name a model.safetensors or snapshot.safetensors of implicam develop`,
      { status: 422 },
    );
  }
  if (version !== VERSION) {
    throw new ImplicamError(
      'model-version',
      `${path} has version ${version} of the model file, this program reads version ${VERSION}: update implicam or develop the photographs again`,
      { status: 422 },
    );
  }
  const values: Record<string, unknown> = {};
  const refuse = (what: string, cause: unknown) =>
    new ImplicamError(
      'file-corrupt',
      `${path} describes no valid model (${what}): develop the photographs again`,
      { status: 422, cause },
    );
  for (const key of Object.keys(modelHeadSchema.shape)) {
    try {
      values[key] = JSON.parse(metadata.get(key) ?? 'null');
    } catch (cause) {
      throw refuse(`${key} is no JSON`, cause);
    }
  }
  const unseen = tensors.get(UNSEEN);
  if (unseen) {
    const packed = unseen.data instanceof Uint8Array ? Buffer.from(unseen.data).toString('base64') : '';
    values.capture = { ...(values.capture as object | null), unseen: packed };
  }
  const parsed = modelHeadSchema.safeParse(values);
  if (!parsed.success) {
    throw refuse(explainIssues(modelHeadSchema, values, parsed.error.issues), parsed.error);
  }
  const { capture, ...rest } = parsed.data;
  return { ...rest, capture: capture as Capture };
}

/** One read call moves at most 2 GiB. */
const PIECE = 2 ** 30;

async function readWhole(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) {
      throw new ImplicamError('file-unreadable', `${path} is a folder: name the model file in it`, {
        exitCode: 2,
      });
    }
    const bytes = new Uint8Array(stat.size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.length - at));
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes;
  } catch (cause) {
    throw cause instanceof ImplicamError ? cause : unreadable(path, cause);
  } finally {
    await file?.close();
  }
}
