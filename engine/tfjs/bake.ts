import { setImmediate } from 'node:timers/promises';
import type { Plan } from '../../model/plan.js';
import type { Rect } from '../../model/shards.js';
import type { BakedPlanes, SceneData } from '../engine.js';
import { groupsOf, Leaves, leafTensors } from './leaves.js';
import { Scene } from './scene/scene.js';
import type { Tensor, Tf } from './tensorflow/tensorflow.js';

/** Pixels evaluated at a time: what bounds memory. */
const CHUNK = 8192;

/** Evaluates the scene at every pixel, a tile by its own grids. Lets the event loop run between chunks. */
export async function bakeScene(
  tf: Tf,
  plan: Plan,
  data: SceneData,
  parameters: Float32Array,
): Promise<BakedPlanes> {
  const { config, capture } = plan;
  const area = capture.width * capture.height;
  const lens = config.blur.form === 'lens';
  const radiance = new Float32Array(3 * area);
  const defocus = new Float32Array(lens ? area : 0);
  const tiled = plan.shards.some((s) => s.tiled);
  for (const [index, shard] of plan.shards.entries()) {
    if (!tiled && index > 0) break;
    const scene = new Scene(tf, plan, data, shard.grid);
    const groups = groupsOf(plan, index);
    for (const { x, y, pixels } of chunksOf(shard.own, capture.width)) {
      tf.tidy(() => {
        const leaves = new Leaves(groups, leafTensors(tf, groups, parameters));
        const points = scene.pixelCentres(x, y);
        place(radiance, scene.bounded(scene.outputs(leaves, points)), pixels, area);
        if (lens) place(defocus, scene.defocus(leaves, points), pixels, area);
      });
      await setImmediate();
    }
  }
  return { radiance, defocus };
}

interface Chunk {
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly pixels: Int32Array;
}

function* chunksOf(rect: Rect, width: number): Generator<Chunk> {
  const area = rect.width * rect.height;
  for (let from = 0; from < area; from += CHUNK) {
    const count = Math.min(CHUNK, area - from);
    const x = new Int32Array(count);
    const y = new Int32Array(count);
    const pixels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      x[i] = rect.x + ((from + i) % rect.width);
      y[i] = rect.y + Math.floor((from + i) / rect.width);
      pixels[i] = y[i] * width + x[i];
    }
    yield { x, y, pixels };
  }
}

/** Writes values [C, M] to the pixels of planes [C][area]. */
function place(planes: Float32Array, values: Tensor, pixels: Int32Array, area: number): void {
  const from = values.dataSync();
  for (let c = 0; c < values.shape[0]; c++) {
    for (let i = 0; i < pixels.length; i++) planes[c * area + pixels[i]] = from[c * pixels.length + i];
  }
}
