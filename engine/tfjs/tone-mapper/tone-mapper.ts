import type { ModelConfig } from '../../../model/config.js';
import { constant, detach, gather } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/** The camera response at ln exposures. */
export interface Response {
  /** g, shaped as z: [3, M]. */
  readonly value: Tensor;
  /** dg/dz, not differentiated; flat, 3 · M. */
  readonly slope: Float32Array;
}

/** The tone mapper: one curve a channel on z [3, M]. */
export function respond(tf: Tf, config: ModelConfig, parameters: Tensor, z: Tensor): Response {
  return config.tone.form === 'knots'
    ? respondKnots(tf, config.tone.knots, config.tone.low, parameters, z)
    : respondMlp(tf, config.tone.hidden, parameters, z);
}

/** Knot values [3, knots] of the softmax logits: v₀ = 0, v_last = 1. */
export function knotTensor(tf: Tf, knots: number, logits: Tensor): Tensor {
  const rises = tf.softmax(tf.reshape(logits, [3, knots - 1]));
  return tf.concat([tf.zeros([3, 1]), tf.cumsum(rises, 1)], 1);
}

function respondKnots(tf: Tf, knots: number, low: number, logits: Tensor, z: Tensor): Response {
  const values = knotTensor(tf, knots, logits);
  const spacing = -low / (knots - 1);
  const x = tf.div(tf.sub(z, low), spacing);
  const count = x.shape[1]!;
  const position = x.dataSync();
  const segment = new Float32Array(position.length);
  const lower = new Int32Array(position.length);
  const upper = new Int32Array(position.length);
  for (let i = 0; i < position.length; i++) {
    const k = Math.max(0, Math.min(knots - 2, Math.floor(position[i])));
    segment[i] = k;
    lower[i] = Math.floor(i / count) * knots + k;
    upper[i] = lower[i] + 1;
  }
  const a = gather(tf, values, lower, x.shape);
  const rise = tf.sub(gather(tf, values, upper, x.shape), a);
  const value = tf.add(a, tf.mul(rise, tf.sub(x, constant(tf, segment, x.shape))));
  const rises = rise.dataSync();
  const slope = new Float32Array(rises.length);
  for (let i = 0; i < slope.length; i++) slope[i] = rises[i] / spacing;
  return { value, slope };
}

function respondMlp(tf: Tf, hidden: number, parameters: Tensor, z: Tensor): Response {
  const count = z.shape[1]!;
  const slope = new Float32Array(3 * count);
  const values = tf.split(parameters, 3).map((curve, channel) => {
    const [a, b, c, d] = tf.split(curve, [hidden, hidden, hidden, 1]) as [Tensor, Tensor, Tensor, Tensor];
    const input = tf.reshape(tf.slice(z, [channel, 0], [1, count]), [count, 1]);
    const h = tf.relu(tf.add(tf.matMul(input, tf.reshape(a, [1, hidden])), b));
    const g = tf.sigmoid(tf.mul(tf.add(tf.matMul(h, tf.reshape(c, [hidden, 1])), d), 2)).flatten();
    slope.set(slopeOf(tf, g, h, tf.mul(a, c), count), channel * count);
    return g;
  });
  return { value: tf.stack(values), slope };
}

/** g′ = 2 g (1 − g) Σ_j c_j a_j [hinge j is open]. */
function slopeOf(tf: Tf, g: Tensor, h: Tensor, product: Tensor, count: number): Float32Array {
  const open = tf.step(detach(tf, h));
  const inner = tf.matMul(open, tf.reshape(detach(tf, product), [product.size, 1])).dataSync();
  const value = g.dataSync();
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = 2 * value[i] * (1 - value[i]) * inner[i];
  return out;
}
