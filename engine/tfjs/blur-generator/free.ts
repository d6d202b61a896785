import type { FreeConfig } from '../../../model/config.js';
import { freeBlurWidths } from '../../../model/layout.js';
import { type Forward, type ForwardInput, lnRadiance, pixelCentres } from '../forward.js';
import { network, relu } from '../scene/network.js';
import { sceneMapping } from '../scene/registration.js';
import { constant, gather, repeatEach, sumRuns } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';
import { focusOfViews } from '../tone-mapper/camera.js';

/** The paper's blur generator: a network on (focus, position) gives K weights and K offsets. */
export function forwardFree(input: ForwardInput, blur: FreeConfig): Forward {
  const { tf, plan, scene, leaves } = input;
  const kernel = generate(input, blur);
  const at = sceneMapping(tf, plan, leaves)(kernel.x, kernel.y);
  const ln = scene.bounded(scene.outputs(leaves, at));
  const weigh = (values: Tensor) => {
    const sum = sumRuns(tf, tf.mul(values, kernel.weights), blur.taps);
    return tf.reshape(sum, [3, values.shape[1]! / blur.taps]);
  };
  return { lnRadiance: plan.config.light === 'log' ? weigh(ln) : lnRadiance(tf, weigh(tf.exp(ln))) };
}

/** Frame positions of the taps in pixels and their weights, all [V · Q · K]. */
interface Kernel {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly weights: Tensor;
}

function generate(input: ForwardInput, blur: FreeConfig): Kernel {
  const { tf, plan, leaves } = input;
  const { taps } = blur;
  const p = pixelCentres(input);
  const all = p.x.length;
  const widths = freeBlurWidths(plan.config);
  const out = network(tf, widths, leaves.get('blur.mlp'), features(input, p), relu(tf));

  /** Every `stride`-th row of the output from `first` on, turned to [V · Q · K]. */
  const rows = (first: number, stride: number) => {
    const indices = new Int32Array(all * taps);
    for (let i = 0, at = 0; i < all; i++) {
      for (let k = 0; k < taps; k++, at++) indices[at] = (first + stride * k) * all + i;
    }
    return gather(tf, out, indices, [all * taps]);
  };
  const positions = (centre: Float32Array, first: number, place: (k: number) => number) => {
    const start = new Float32Array(all * taps);
    const shift = new Float32Array(all * taps);
    for (let i = 0, at = 0; i < all; i++) {
      for (let k = 0; k < taps; k++, at++) {
        start[at] = centre[i] + (blur.grid ? place(k) : 0);
        // The centre of the grid stays where it is.
        shift[at] = blur.grid && k === 4 ? 0 : blur.maxShift;
      }
    }
    const offset = tf.mul(tf.tanh(rows(first, 2)), constant(tf, shift, [all * taps]));
    return tf.add(offset, constant(tf, start, [all * taps]));
  };
  return {
    x: positions(p.x, taps, (k) => (k % 3) - 1),
    y: positions(p.y, taps + 1, (k) => Math.floor(k / 3) - 1),
    weights: tf.softmax(tf.reshape(rows(0, 1), [all, taps])).flatten(),
  };
}

/** The generator's input: (f_v, x̂, ŷ), [3, V · Q]. */
function features(input: ForwardInput, p: { x: Float32Array; y: Float32Array }): Tensor {
  const { tf, plan, leaves, batch } = input;
  const { width, height } = plan.capture;
  const long = Math.max(width, height);
  const focus = repeatEach(tf, focusOfViews(tf, plan, leaves), batch.x.length, [p.x.length]);
  const x = tf.tensor1d(p.x.map((v) => (2 * v - width) / long));
  const y = tf.tensor1d(p.y.map((v) => (2 * v - height) / long));
  return tf.stack([focus, x, y]);
}
