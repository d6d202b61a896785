import { fullScale } from '../../../model/picture.js';
import type { Plan } from '../../../model/plan.js';
import { randomGamma } from '../../../model/sampler.js';
import { sharpnessActive } from '../../../model/schedule.js';
import type { SceneData } from '../../engine.js';
import { type Batch, drawsPerStep, type PatchShape } from '../batch.js';
import type { Forward } from '../forward.js';
import type { Leaves } from '../leaves.js';
import { constant, gather, repeatEach } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';
import { exposuresOf } from './camera.js';
import { respond } from './tone-mapper.js';

/** At or beyond these a pixel says only "at least" or "at most". */
const WHITE = 254.5 / 255;
const BLACK = 0.5 / 255;

/** Squared error of a batch, for the report: unweighted, clipped pixels as inequalities. */
export interface SquaredError {
  sum: number;
  /** Pixels × channels that count. */
  count: number;
}

/** 4/(N·F·3) · Σ ω e² over a batch's frames; adds the plain squared error to `error`. */
export function dataLoss(
  tf: Tf,
  plan: Plan,
  data: SceneData,
  batch: Batch,
  shape: PatchShape,
  leaves: Leaves,
  forward: Forward,
  step: number,
  error: SquaredError,
): Tensor {
  const { config } = plan;
  const frames = plan.capture.frames.length;
  const count = batch.x.length;
  const seen = framesOf(tf, plan, forward.lnRadiance, count);
  const ev = repeatEach(tf, exposuresOf(tf, plan, leaves), count, [frames * count]);
  const z = tf.add(seen, tf.mul(ev, Math.LN2));
  const response = respond(tf, config, leaves.get('tone'), z);

  const target = targetsOf(plan, data, batch);
  const predicted = response.value.dataSync() as Float32Array;
  const weights = target.weights.slice();
  if (forward.blur && config.blur.form === 'lens') {
    leaveOutWide(plan, weights, forward.blur, count, config.blur.reach - 0.6);
  }
  for (let i = 0; i < weights.length; i++) {
    const clipped = bothClipped(target.values[i], predicted[i]);
    if (weights[i] > 0) {
      error.count++;
      if (!clipped) error.sum += (predicted[i] - target.values[i]) ** 2;
    }
    if (clipped && config.loss.inequality) weights[i] = 0;
    if (config.loss.slope) weights[i] *= slopeWeight(response.slope[i]);
  }
  if (forward.blur && sharpnessActive(config, step)) sharpen(plan, weights, forward.blur, count);

  const size = [3, frames * count];
  const wanted = constant(tf, target.values, size);
  let residual = tf.sub(response.value, wanted);
  if (config.loss.randomGamma > 0) {
    const gain = randomGamma(plan.seed, step);
    const gamma = (x: Tensor) => tf.div(tf.log(tf.add(tf.mul(tf.relu(x), gain), 1)), Math.log(gain + 1));
    const extra = tf.sub(gamma(response.value), gamma(wanted));
    residual = tf.add(residual, tf.mul(extra, config.loss.randomGamma));
  }
  const pixels = drawsPerStep(plan) * shape.patch ** 2;
  const total = tf.sum(tf.mul(tf.square(residual), constant(tf, weights, size)));
  return tf.mul(total, 4 / (pixels * frames * 3));
}

/** ln radiance of every frame, [3, F · Q], from that of its view, [3, V · Q]. */
function framesOf(tf: Tf, plan: Plan, views: Tensor, count: number): Tensor {
  const frames = plan.capture.frames.length;
  const indices = new Int32Array(3 * frames * count);
  for (let c = 0; c < 3; c++) {
    for (const [v, view] of plan.views.entries()) {
      for (const i of view.frames) {
        const from = (c * plan.views.length + v) * count;
        const to = (c * frames + i) * count;
        for (let q = 0; q < count; q++) indices[to + q] = from + q;
      }
    }
  }
  return gather(tf, views, indices, [3, frames * count]);
}

/** Pixel values in [0, 1] and whether they count (0 or 1), [3][F][Q]. */
function targetsOf(
  plan: Plan,
  data: SceneData,
  batch: Batch,
): { values: Float32Array; weights: Float32Array } {
  const { width } = plan.capture;
  const { own } = batch;
  const frames = plan.capture.frames.length;
  const count = batch.x.length;
  const values = new Float32Array(3 * frames * count);
  const weights = new Float32Array(values.length);
  for (const [i, frame] of data.frames.entries()) {
    const scale = 1 / fullScale(frame);
    for (let q = 0; q < count; q++) {
      const [x, y] = [batch.x[q], batch.y[q]];
      const inside = x >= own.x && y >= own.y && x < own.x + own.width && y < own.y + own.height;
      if (!inside) continue;
      const pixel = y * width + x;
      const weight = frame.mask && frame.mask[pixel] === 0 ? 0 : 1;
      for (let c = 0; c < 3; c++) {
        const at = (c * frames + i) * count + q;
        values[at] = frame.data[3 * pixel + c] * scale;
        weights[at] = weight;
      }
    }
  }
  return { values, weights };
}

function bothClipped(target: number, predicted: number): boolean {
  return (target >= WHITE && predicted > WHITE) || (target <= BLACK && predicted < BLACK);
}

/** Inverse variance of ln radiance for a pixel error of 0.1, scaled to about one on a mid slope. */
function slopeWeight(slope: number): number {
  return 0.05 / (slope * slope + 0.01);
}

/** Zeroes the weights [3][F][Q] of views whose circle is wider than a patch can spread. */
function leaveOutWide(
  plan: Plan,
  weights: Float32Array,
  blur: Float32Array,
  count: number,
  widest: number,
): void {
  const frames = plan.capture.frames.length;
  for (const [v, view] of plan.views.entries()) {
    for (let q = 0; q < count; q++) {
      if (blur[v * count + q] <= widest) continue;
      for (const i of view.frames) for (let c = 0; c < 3; c++) weights[(c * frames + i) * count + q] = 0;
    }
  }
}

/** Multiplies weights [3][F][Q] by (1 − β) + β·V·softmax_v(−|c_v| / τ). */
function sharpen(plan: Plan, weights: Float32Array, blur: Float32Array, count: number): void {
  const { sharpness, sharpnessTau } = plan.config.loss;
  const views = plan.views.length;
  const frames = plan.capture.frames.length;
  for (let q = 0; q < count; q++) {
    let least = Number.POSITIVE_INFINITY;
    for (let v = 0; v < views; v++) least = Math.min(least, blur[v * count + q]);
    let sum = 0;
    for (let v = 0; v < views; v++) sum += Math.exp((least - blur[v * count + q]) / sharpnessTau);
    for (const [v, view] of plan.views.entries()) {
      const share = Math.exp((least - blur[v * count + q]) / sharpnessTau) / sum;
      const factor = 1 - sharpness + sharpness * views * share;
      for (const i of view.frames) {
        for (let c = 0; c < 3; c++) weights[(c * frames + i) * count + q] *= factor;
      }
    }
  }
}
