import type { Plan } from '../../../model/plan.js';
import type { Leaves } from '../leaves.js';
import { gather, repeatEach } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/** Focus parameter f_v of every view, [V]. */
export function focusOfViews(tf: Tf, plan: Plan, leaves: Leaves): Tensor {
  return gather(
    tf,
    leaves.get('focus'),
    Int32Array.from(plan.views, (v) => v.focus),
    [plan.views.length],
  );
}

/** Signed circles of confusion c = κ a_v (s − f_v), in pixels: [V · n] for a defocus map s of n values. */
export function circles(tf: Tf, plan: Plan, leaves: Leaves, defocus: Tensor): Tensor {
  const views = plan.views.length;
  const kappa = tf.exp(leaves.get('kappa'));
  const gain = tf.mul(tf.tensor1d(plan.views.map((v) => v.aperture)), kappa);
  const each = defocus.size;
  const shape = [views, each];
  const focus = repeatEach(tf, focusOfViews(tf, plan, leaves), each, shape);
  return tf.mul(repeatEach(tf, gain, each, shape), tf.sub(defocus.flatten(), focus)).flatten();
}

/** Exposure of every frame in stops, [F]. */
export function exposuresOf(tf: Tf, plan: Plan, leaves: Leaves): Tensor {
  const { base, basis, squash } = plan.exposures;
  const constant = tf.tensor1d([...base]);
  const delta = leaves.find('exposure');
  if (!delta) return constant;
  const shift = tf
    .matMul(tf.tensor2d(basis.map((row) => [...row])), tf.reshape(delta, [delta.size, 1]))
    .flatten();
  return tf.add(constant, squash > 0 ? tf.mul(tf.tanh(shift), squash) : shift);
}
