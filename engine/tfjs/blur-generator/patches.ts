import { isWarped } from '../../../model/plan.js';
import { type Forward, type ForwardInput, lnRadiance, pixelCentres } from '../forward.js';
import { sceneMapping } from '../scene/registration.js';
import { constant, gather } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';
import { circles } from '../tone-mapper/camera.js';
import { patchPenalty } from './patch-penalty.js';
import { evaluatePatches } from './patch-scene.js';
import { Spread } from './spread.js';

/** Added to every normaliser: where no source reaches, the light is zero, not a division by zero. */
const NORMALISER_FLOOR = 1e-4;

/** A lens by patches: the scene at every pixel of a patch, blurred in picture space from the source's side. */
export function forwardPatches(input: ForwardInput): Forward {
  const { tf, plan, leaves, shape } = input;
  const scene = evaluatePatches(input);
  const circle = circles(tf, plan, leaves, scene.defocus);
  const inner = shape.patch + 2 * shape.margin;
  const spread = new Spread(tf, { side: shape.side, inner, reach: shape.reach }, circle);
  const weight = tf.add(spread.ones(), NORMALISER_FLOOR);
  const radiance = tf.stack(scene.radiance.map((b) => tf.div(spread.of(b), weight)));
  const seen = isWarped(plan) ? resample(input, radiance, inner) : radiance;
  return {
    lnRadiance: lnRadiance(tf, seen),
    blur: blurAtPixels(input, circle),
    penalty: patchPenalty(input, scene),
  };
}

/** r [3, V · P · inner²] read at D_v(p), which may lie up to a pixel off: [3, V · P · patch²]. */
function resample(input: ForwardInput, radiance: Tensor, inner: number): Tensor {
  const { tf, plan, leaves, shape } = input;
  const p = pixelCentres(input);
  const all = p.x.length;
  const [px, py] = [tf.tensor1d(p.x), tf.tensor1d(p.y)];
  const at = sceneMapping(tf, plan, leaves)(px, py);
  const dx = tf.clipByValue(tf.sub(at.x, px), -1, 1);
  const dy = tf.clipByValue(tf.sub(at.y, py), -1, 1);
  // A displacement of just one pixel belongs to the cell below it: its neighbour beyond is not there.
  const cell = (d: Tensor) => Float32Array.from(d.dataSync(), (v) => Math.min(0, Math.floor(v)));
  const [left, top] = [cell(dx), cell(dy)];
  const fx = tf.sub(dx, constant(tf, left, [all]));
  const fy = tf.sub(dy, constant(tf, top, [all]));
  const read = (stepX: number, stepY: number) => {
    const indices = new Int32Array(3 * all);
    const planes = radiance.shape[1]!;
    for (let i = 0; i < all; i++) {
      const plane = Math.floor(i / shape.patch ** 2);
      const row = Math.floor(i / shape.patch) % shape.patch;
      const y = row + 1 + top[i] + stepY;
      const x = (i % shape.patch) + 1 + left[i] + stepX;
      for (let c = 0; c < 3; c++) indices[c * all + i] = c * planes + (plane * inner + y) * inner + x;
    }
    return gather(tf, radiance, indices, [3, all]);
  };
  const mix = (a: Tensor, b: Tensor, f: Tensor) => tf.add(a, tf.mul(tf.sub(b, a), f));
  return mix(mix(read(0, 0), read(1, 0), fx), mix(read(0, 1), read(1, 1), fx), fy);
}

/** |c| at the compared pixels: [V · Q], not differentiated. */
function blurAtPixels(input: ForwardInput, circle: Tensor): Float32Array {
  const { batch, shape, plan } = input;
  const { patch, side } = shape;
  const border = shape.reach + shape.margin;
  const sources = batch.draws * side * side;
  const out = new Float32Array(plan.views.length * batch.x.length);
  const c = circle.dataSync();
  for (let v = 0, q = 0; v < plan.views.length; v++) {
    for (let d = 0; d < batch.draws; d++) {
      for (let j = 0; j < patch; j++) {
        for (let i = 0; i < patch; i++, q++) {
          const at = (d * side + j + border) * side + i + border;
          out[q] = Math.abs(c[v * sources + at]);
        }
      }
    }
  }
  return out;
}
