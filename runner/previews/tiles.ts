import { setImmediate } from 'node:timers/promises';
import { sceneOf } from '../../develop/render/scene-renderer.js';
import type { Engine, TrainingState } from '../../engine/engine.js';
import type { Plan } from '../../model/plan.js';
import { addRow, emptyPart, type PreviewPart } from '../../model/render/preview-part.js';
import { shardReads } from '../../model/shard-reads.js';
import type { ObjectStore } from '../../store/objects.js';
import { readSceneData, type SceneHead } from '../scenes/bundle.js';
import type { HeldSnapshots } from '../snapshots/held.js';
import { decodePart, partsOfShards } from '../snapshots/parts.js';

/** A pixel's radiance and defocus of two layers, and what is made of them, in bytes. */
const BYTES_A_PIXEL = 80;
/** A parameter, here and in an engine, in bytes. */
const BYTES_A_PARAMETER = 8;
/** Rows that are averaged before others have their turn. */
const ROWS = 16;

/** Memory that baking these shards of a training takes, in bytes. */
export function bakeBytes(plan: Plan, shards: readonly number[]): number {
  const parameters = partsOfShards(plan, shards).reduce((sum, { from, to }) => sum + to - from, 0);
  const pixels = shards.reduce((sum, s) => sum + plan.shards[s].own.width * plan.shards[s].own.height, 0);
  return BYTES_A_PARAMETER * parameters + BYTES_A_PIXEL * pixels;
}

/** The parameters of these shards in a snapshot that is held here; undefined where not all are. */
export function heldParameters(
  snapshots: HeldSnapshots,
  training: string,
  step: number,
  plan: Plan,
  shards: readonly number[],
): TrainingState | undefined {
  const none = new Float32Array(0);
  const state = { step, parameters: new Float32Array(plan.layout.size), m: none, v: none };
  for (const part of partsOfShards(plan, shards)) {
    if (part.from === part.to) continue;
    const bytes = snapshots.get(training, step, part.name);
    if (!bytes) return undefined;
    decodePart(bytes, state, part);
  }
  return state;
}

/** Bakes tiles in a trainer of their own and averages them to their part of a small picture. */
export async function bakeTiles(
  { engine, store }: { readonly engine: Engine; readonly store: ObjectStore },
  training: string,
  head: SceneHead,
  plan: Plan,
  state: TrainingState,
  shards: readonly number[],
  to: { readonly width: number; readonly height: number },
): Promise<PreviewPart> {
  const { width, height } = plan.capture;
  const none = { x: 0, y: 0, width: 0, height: 0 };
  const reads = shards.map((s) => ({ frames: none, start: shardReads(plan, plan.shards[s]).start }));
  const { start } = await readSceneData(store, training, { ...head, frames: [] }, plan, reads);
  // Baking looks at no photograph: every frame may be the same empty one.
  const blank = new Uint8Array(3 * width * height);
  const data = { frames: plan.capture.frames.map(() => ({ data: blank })), ...(start ? { start } : {}) };
  const opened = await engine.open(plan, data, state, { shards });
  try {
    const scene = sceneOf({ capture: plan.capture, ...(start ? { start } : {}) }, await opened.bake());
    const tiles = shards.map((s) => plan.shards[s].own);
    const part = emptyPart(tiles, scene, to);
    for (const tile of tiles) {
      for (let y = tile.y; y < tile.y + tile.height; y++) {
        addRow(part, scene, tile, y, to);
        // This thread carries the gradients of trainings too.
        if (y % ROWS === 0) await setImmediate();
      }
    }
    return part;
  } finally {
    opened.close();
  }
}
