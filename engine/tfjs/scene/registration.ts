import { AFFINE } from '../../../model/layout.js';
import { isWarped, type Plan } from '../../../model/plan.js';
import type { Leaves } from '../leaves.js';
import { gather } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/** Coefficients m of every view's homography, flat [V · 8]: the given one plus what is learned (not for view 0). */
function coefficients(tf: Tf, plan: Plan, leaves: Leaves): Tensor {
  const base = tf.tensor2d(plan.views.map((v) => [...v.homography]));
  const learned = leaves.find('registration');
  if (!learned) return base.flatten();
  const place = tf.tensor2d(AFFINE.map((k) => Array.from({ length: 8 }, (_, j) => (j === k ? 1 : 0))));
  const change = tf.matMul(tf.reshape(learned, [plan.views.length - 1, AFFINE.length]), place);
  return tf.add(base, tf.concat([tf.zeros([1, 8]), change], 0)).flatten();
}

/** Maps frame positions to scene positions: D_v, for arrays [V, n] in pixels (n positions a view, flat). */
export function sceneMapping(
  tf: Tf,
  plan: Plan,
  leaves: Leaves,
): (x: Tensor, y: Tensor) => { x: Tensor; y: Tensor } {
  if (!isWarped(plan)) return (x, y) => ({ x, y });
  const { width, height } = plan.capture;
  const long = Math.max(width, height);
  const views = plan.views.length;
  const m = coefficients(tf, plan, leaves);
  return (x, y) => {
    const each = x.size / views;
    const coefficient = (j: number) => {
      const indices = new Int32Array(x.size);
      for (let v = 0; v < views; v++) indices.fill(8 * v + j, v * each, (v + 1) * each);
      return gather(tf, m, indices, x.shape);
    };
    const nx = tf.div(tf.sub(tf.mul(x, 2), width), long);
    const ny = tf.div(tf.sub(tf.mul(y, 2), height), long);
    const row = (j: number) => tf.add(tf.mul(coefficient(j), nx), tf.mul(coefficient(j + 1), ny));
    const z = tf.add(row(6), 1);
    const pixels = (a: Tensor, extent: number) => tf.div(tf.add(tf.mul(tf.div(a, z), long), extent), 2);
    return {
      x: pixels(tf.add(row(0), coefficient(2)), width),
      y: pixels(tf.add(row(3), coefficient(5)), height),
    };
  };
}
