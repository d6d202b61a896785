import { z } from 'zod';
import { ImplicamError } from '../model/errors.js';
import { atlasOutputs, mapWidths } from '../model/layout.js';
import { createPlan, type Plan } from '../model/plan.js';
import type { ShardReads } from '../model/shard-reads.js';
import type { Rect } from '../model/shards.js';
import type { ObjectStore } from '../store/objects.js';
import {
  SCENE_FORMAT,
  type SceneSummary,
  type StoredPiece,
  sceneKeys,
  sceneSummarySchema,
  snapshotKeys,
} from '../store/scene.js';
import { putPiece } from '../store/verified.js';
import type { TrainedModel } from './develop-options.js';
import type { SceneData } from './engines/engine.js';
import { describeModel, modelHeadSchema } from './model-file.js';
import { encodePart, partsOf } from './snapshot-parts.js';

/** A prepared scene in the object store: a head that describes it, and planes of raw numbers that can be read in parts. */
const headSchema = z.object({
  format: z.literal(SCENE_FORMAT),
  summary: sceneSummarySchema,
  model: modelHeadSchema,
  frames: z.array(z.object({ bits: z.union([z.literal(8), z.literal(16)]), masked: z.boolean() })),
  start: z.object({ radiance: z.boolean(), defocus: z.boolean() }),
});

export type SceneHead = z.output<typeof headSchema>;

/**
 * Writes a scene that is ready to be trained, with the snapshot of the step it stands at. The head comes last: a scene
 * that has one is whole.
 */
export async function writeScene(
  store: ObjectStore,
  session: string,
  model: TrainedModel,
  frames: SceneData['frames'],
): Promise<SceneSummary> {
  const plan = createPlan(model.capture, model.config, model.seed);
  for (const [i, { data, mask }] of frames.entries()) {
    await store.put(sceneKeys.frame(session, i), bytesOf(data));
    if (mask) await store.put(sceneKeys.mask(session, i), mask);
  }
  const { start } = model;
  for (const plane of ['radiance', 'defocus'] as const) {
    if (start?.[plane].length) await store.put(sceneKeys.start(session, plane), bytesOf(start[plane]));
  }
  const pieces: StoredPiece[] = [];
  for (const part of partsOf(plan)) {
    if (part.from === part.to) continue;
    const key = snapshotKeys.part(session, model.state.step, part.name);
    pieces.push(await putPiece(store, part.shard ?? 0, key, encodePart(model.state, part)));
  }
  const summary = { ...summarise(plan, model.state.step, frames), pieces };
  const head: z.input<typeof headSchema> = {
    format: SCENE_FORMAT,
    summary,
    model: describeModel(model),
    frames: frames.map(({ data, mask }) => ({
      bits: data.BYTES_PER_ELEMENT === 1 ? 8 : 16,
      masked: mask !== undefined,
    })),
    start: { radiance: Boolean(start?.radiance.length), defocus: Boolean(start?.defocus.length) },
  };
  await store.put(sceneKeys.head(session), Buffer.from(JSON.stringify(head)));
  return summary;
}

/** @throws ImplicamError `object-missing`, `session-unusable` for what this program did not write */
export async function readSceneHead(store: ObjectStore, session: string): Promise<SceneHead> {
  const bytes = await store.read(sceneKeys.head(session));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (cause) {
    throw unusable(session, 'its head is no JSON', cause);
  }
  const parsed = headSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw unusable(session, `${issue.path.join('.')}: ${issue.message}`, parsed.error);
}

/**
 * Reads what shards need of a scene's pixels. The arrays have the size of the whole picture, so that addresses are the
 * same everywhere, but only the rectangles are ever touched: the rest takes no memory.
 */
export async function readSceneData(
  store: ObjectStore,
  session: string,
  head: SceneHead,
  plan: Plan,
  reads: readonly ShardReads[],
): Promise<SceneData> {
  const { width, height } = plan.capture;
  const reader = new PlaneReader(
    store,
    width,
    reads.map((r) => r.frames),
  );
  const frames: { data: Uint8Array | Uint16Array; mask?: Uint8Array }[] = [];
  for (const [i, { bits, masked }] of head.frames.entries()) {
    const data = bits === 8 ? new Uint8Array(3 * width * height) : new Uint16Array(3 * width * height);
    await reader.read(sceneKeys.frame(session, i), data, 0, 3);
    const mask = masked ? new Uint8Array(width * height) : undefined;
    if (mask) await reader.read(sceneKeys.mask(session, i), mask, 0, 1);
    frames.push({ data, ...(mask ? { mask } : {}) });
  }
  const starts = new PlaneReader(
    store,
    width,
    reads.map((r) => r.start),
  );
  const planes = async (plane: 'radiance' | 'defocus', count: number) => {
    const out = new Float32Array(head.start[plane] ? count * width * height : 0);
    for (let p = 0; out.length > 0 && p < count; p++) {
      await starts.read(sceneKeys.start(session, plane), out, p * width * height, 1);
    }
    return out;
  };
  if (!head.start.radiance && !head.start.defocus) return { frames };
  const radiance = await planes('radiance', atlasOutputs(plan.config));
  return {
    frames,
    start: { radiance, defocus: await planes('defocus', mapWidths(plan.config).at(-1) ?? 0) },
  };
}

/** The whole classical start, for the model file. */
export async function readStart(
  store: ObjectStore,
  session: string,
  head: SceneHead,
  plan: Plan,
): Promise<SceneData['start']> {
  const { width, height } = plan.capture;
  const whole = { x: 0, y: 0, width, height };
  const none = { x: 0, y: 0, width: 0, height: 0 };
  const reads = [{ frames: none, start: whole }];
  return (await readSceneData(store, session, { ...head, frames: [] }, plan, reads)).start;
}

/** Most that is read at once, in bytes. */
const BAND = 8 * 2 ** 20;

/** Reads rectangles of interleaved numbers: whole rows in bands, of which only the columns wanted are kept. */
class PlaneReader {
  private readonly store: ObjectStore;
  private readonly width: number;
  private readonly rects: readonly Rect[];

  constructor(store: ObjectStore, width: number, rects: readonly Rect[]) {
    this.store = store;
    this.width = width;
    this.rects = rects;
  }

  /** Fills `target` from element `offset` on with the same run of the object; `channels` numbers a pixel. */
  async read(
    key: string,
    target: Uint8Array | Uint16Array | Float32Array,
    offset: number,
    channels: number,
  ): Promise<void> {
    const bytes = bytesOf(target);
    const pixel = channels * target.BYTES_PER_ELEMENT;
    const row = this.width * pixel;
    const origin = offset * target.BYTES_PER_ELEMENT;
    const rows = Math.max(1, Math.floor(BAND / row));
    for (const [from, to] of mergeBands(this.rects)) {
      for (let y = from; y < to; y += rows) {
        const count = Math.min(rows, to - y);
        const band = await this.store.read(key, origin + y * row, count * row);
        for (const rect of this.rects) {
          const last = Math.min(y + count, rect.y + rect.height);
          for (let r = Math.max(y, rect.y); r < last; r++) {
            const at = (r - y) * row + rect.x * pixel;
            bytes.set(band.subarray(at, at + rect.width * pixel), origin + r * row + rect.x * pixel);
          }
        }
      }
    }
  }
}

/** Runs of rows [from, to) that any of the rectangles covers, in order, without overlap. */
function mergeBands(rects: readonly Rect[]): [number, number][] {
  const bands: [number, number][] = [];
  for (const { y, height } of [...rects].sort((a, b) => a.y - b.y)) {
    const last = bands.at(-1);
    if (last && y <= last[1]) last[1] = Math.max(last[1], y + height);
    else bands.push([y, y + height]);
  }
  return bands;
}

/** What placing a session takes to know. */
function summarise(plan: Plan, from: number, frames: SceneData['frames']): Omit<SceneSummary, 'pieces'> {
  const { shards, layout, config, capture } = plan;
  const shared = layout.groups.filter((g) => g.scope === 'shared');
  const floats = (groups: readonly { size: number }[]) => groups.reduce((sum, g) => sum + g.size, 0);
  const frameBytes = frames.reduce((sum, f) => sum + 3 * f.data.BYTES_PER_ELEMENT + (f.mask ? 1 : 0), 0);
  const startBytes = 4 * (atlasOutputs(config) + (mapWidths(config).at(-1) ?? 0));
  const pixelBytes = frameBytes + startBytes;
  const tiled = shards[0]!.tiled;
  const patches = config.blur.form === 'lens' && config.blur.render === 'patches';
  // The reference workload (runner/host/speed.ts) draws 16 patches over three views.
  const drawCost = plan.views.length / 3 / (patches ? 16 : 4096);
  // Parameters with both moments, a gradient, and two snapshots of the first three.
  const state = 4 * 10;
  return {
    steps: config.train.steps,
    from,
    shards: shards.map((shard, index) => {
      const own = layout.groups.filter((g) => g.scope !== 'shared' && g.scope.shard === index);
      const pixels = tiled ? shard.grid.width * shard.grid.height * pixelBytes : 0;
      const gradient = tiled ? 0 : 4 * floats(shared);
      return { memoryBytes: state * floats(own) + pixels + gradient, cost: shard.draws * drawCost };
    }),
    memoryBytes: state * floats(shared) + (tiled ? 0 : capture.width * capture.height * pixelBytes),
    exchangeBytes: 4 * floats(shared),
  };
}

function bytesOf(data: Uint8Array | Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function unusable(session: string, what: string, cause: unknown): ImplicamError {
  return new ImplicamError(
    'session-unusable',
    `session ${session} cannot be trained: ${what}; submit it again with this version of the program`,
    { cause },
  );
}
