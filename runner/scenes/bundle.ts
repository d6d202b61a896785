import { z } from 'zod';
import { describeModel, modelHeadSchema } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import type { SceneData } from '../../engine/engine.js';
import { createPlan, type Plan } from '../../model/plan.js';
import type { ShardReads } from '../../model/shard-reads.js';
import type { ObjectStore } from '../../store/objects.js';
import { putHead, readHead } from '../../store/scene/head.js';
import {
  type SceneSummary,
  type StoredPiece,
  sceneKeys,
  sceneSummarySchema,
  snapshotKeys,
} from '../../store/scene/keys.js';
import { putStriped, stripedSchema } from '../../store/scene/stripes.js';
import { putPiece } from '../../store/scene/verified.js';
import { encodePart, partsOf } from '../snapshots/parts.js';
import { readPlanes } from './planes.js';

/**
 * A prepared scene in the object store: a head that describes it, and planes of raw numbers that can be read in parts. The head
 * has the checksums of all that.
 */
const headSchema = z.object({
  summary: sceneSummarySchema,
  model: modelHeadSchema,
  frames: z.array(
    z.object({
      bits: z.union([z.literal(8), z.literal(16)]),
      data: stripedSchema,
      mask: stripedSchema.optional(),
    }),
  ),
  start: z.object({ radiance: stripedSchema.optional(), defocus: stripedSchema.optional() }),
});

export type SceneHead = z.output<typeof headSchema>;

/**
 * Writes a scene that is ready to be trained, with the snapshot of the step it stands at. The head comes last: a scene
 * that has one is whole.
 */
export async function writeScene(
  store: ObjectStore,
  training: string,
  model: TrainedModel,
  frames: SceneData['frames'],
): Promise<SceneSummary> {
  const plan = createPlan(model.capture, model.config, model.seed);
  const head: Pick<SceneHead, 'frames' | 'start'> = { frames: [], start: {} };
  for (const [i, { data, mask }] of frames.entries()) {
    head.frames.push({
      bits: data.BYTES_PER_ELEMENT === 1 ? 8 : 16,
      data: await putStriped(store, sceneKeys.frame(training, i), bytesOf(data)),
      ...(mask ? { mask: await putStriped(store, sceneKeys.mask(training, i), mask) } : {}),
    });
  }
  for (const plane of ['radiance', 'defocus'] as const) {
    const data = model.start?.[plane];
    if (!data?.length) continue;
    head.start[plane] = await putStriped(store, sceneKeys.start(training, plane), bytesOf(data));
  }
  const pieces: StoredPiece[] = [];
  for (const part of partsOf(plan)) {
    if (part.from === part.to) continue;
    const key = snapshotKeys.part(training, model.state.step, part.name);
    pieces.push(await putPiece(store, part.shard ?? 0, key, encodePart(model.state, part)));
  }
  const summary = { ...summarise(plan, model.state.step, frames), pieces };
  await putHead(store, training, { summary, model: describeModel(model), ...head });
  return summary;
}

/** @throws ImplicamError `object-missing`, `session-unusable` for what is damaged or of another version */
export function readSceneHead(store: ObjectStore, training: string): Promise<SceneHead> {
  return readHead(store, training, headSchema);
}

/**
 * Reads what shards need of a scene's pixels. The arrays have the size of the whole picture, so that addresses are the
 * same everywhere, but only the rectangles are ever touched: the rest takes no memory.
 *
 * @throws ImplicamError `scene-damaged` where what is read is not what was written
 */
export async function readSceneData(
  store: ObjectStore,
  training: string,
  head: SceneHead,
  plan: Plan,
  reads: readonly ShardReads[],
): Promise<SceneData> {
  const { width, height } = plan.capture;
  const area = width * height;
  const inFrames = reads.map((r) => r.frames);
  const frames: { data: Uint8Array | Uint16Array; mask?: Uint8Array }[] = [];
  for (const [i, stored] of head.frames.entries()) {
    const data = stored.bits === 8 ? new Uint8Array(3 * area) : new Uint16Array(3 * area);
    const pixels = { width, height, channels: 3 };
    await readPlanes(store, sceneKeys.frame(training, i), stored.data, data, pixels, inFrames);
    const mask = stored.mask && new Uint8Array(area);
    if (mask) {
      const key = sceneKeys.mask(training, i);
      await readPlanes(store, key, stored.mask!, mask, { ...pixels, channels: 1 }, inFrames);
    }
    frames.push({ data, ...(mask ? { mask } : {}) });
  }
  const inStart = reads.map((r) => r.start);
  const planes = async (plane: 'radiance' | 'defocus', count: number) => {
    const stored = head.start[plane];
    const out = new Float32Array(stored ? count * area : 0);
    const key = sceneKeys.start(training, plane);
    if (stored) await readPlanes(store, key, stored, out, { width, height, channels: 1 }, inStart);
    return out;
  };
  if (!head.start.radiance && !head.start.defocus) return { frames };
  const radiance = await planes('radiance', 3);
  return {
    frames,
    start: { radiance, defocus: await planes('defocus', plan.config.blur.form === 'lens' ? 1 : 0) },
  };
}

/** The whole classical start, for the model file. */
export async function readStart(
  store: ObjectStore,
  training: string,
  head: SceneHead,
  plan: Plan,
): Promise<SceneData['start']> {
  const { width, height } = plan.capture;
  const whole = { x: 0, y: 0, width, height };
  const none = { x: 0, y: 0, width: 0, height: 0 };
  const reads = [{ frames: none, start: whole }];
  return (await readSceneData(store, training, { ...head, frames: [] }, plan, reads)).start;
}

/** What the coordinator must know to place a training. */
function summarise(plan: Plan, from: number, frames: SceneData['frames']): Omit<SceneSummary, 'pieces'> {
  const { shards, layout, config, capture } = plan;
  const shared = layout.groups.filter((g) => g.scope === 'shared');
  const floats = (groups: readonly { size: number }[]) => groups.reduce((sum, g) => sum + g.size, 0);
  const frameBytes = frames.reduce((sum, f) => sum + 3 * f.data.BYTES_PER_ELEMENT + (f.mask ? 1 : 0), 0);
  const lens = config.blur.form === 'lens';
  const startBytes = 4 * (lens ? 4 : 3);
  const pixelBytes = frameBytes + startBytes;
  const tiled = shards[0].tiled;
  // The reference workload (runner/speed.ts) draws 16 patches over three views.
  const drawCost = plan.views.length / 3 / (lens ? 16 : 4096);
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
