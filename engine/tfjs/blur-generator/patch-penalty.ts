import { drawsPerStep } from '../batch.js';
import { type ForwardInput, variation } from '../forward.js';
import { constant, gather } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';
import type { PatchScene } from './patch-scene.js';

/** Across an edge of the classical picture the map may jump: weight 1 on flat ground, EDGE_LEAST across an edge. */
const EDGE_LEAST = 0.15;
const EDGE_SCALE = 0.25;
/** Darker than this, edges of ln radiance are noise. */
const EDGE_FLOOR = -7;

/** smoothDefocus of the batch's patches: their share of the step's mean over patches. */
export function patchPenalty(input: ForwardInput, scene: PatchScene): Tensor | undefined {
  const { tf, plan, shape } = input;
  const { smoothDefocus } = plan.config.loss;
  if (smoothDefocus === 0) return undefined;
  const pairs = shape.side * (shape.side - 1);
  const terms = neighbours(input).map((direction) => {
    const { from, to } = direction;
    const read = (pixels: Int32Array) => gather(tf, scene.defocus, pixels, [pixels.length]);
    const steps = variation(tf, tf.mul(tf.sub(read(to), read(from)), plan.capture.kappa));
    const weights = edgeWeights(input, scene.pixels, direction);
    const weighted = weights ? tf.mul(steps, constant(tf, weights, [weights.length])) : steps;
    return tf.mul(tf.sum(weighted), smoothDefocus / pairs);
  });
  return tf.div(tf.addN(terms), drawsPerStep(plan));
}

interface Direction {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** The pairs of horizontal and of vertical neighbours within each patch. */
function neighbours(input: ForwardInput): Direction[] {
  const { batch, shape } = input;
  const { side } = shape;
  return [1, side].map((step) => {
    const from = new Int32Array(batch.draws * side * (side - 1));
    let at = 0;
    for (let i = 0; i < batch.draws * side * side; i++) {
      const inside = step === 1 ? i % side < side - 1 : i % (side * side) < side * (side - 1);
      if (inside) from[at++] = i;
    }
    return { from, to: from.map((i) => i + step) };
  });
}

/** q = 0.15 + 0.85·exp(−|ΔY| / 0.25), Y the mean start ln radiance; undefined (1) without a start. */
function edgeWeights(
  input: ForwardInput,
  pixels: Int32Array,
  direction: Direction,
): Float32Array | undefined {
  const { plan } = input;
  const start = input.scene.start?.radiance;
  if (!start) return undefined;
  const area = plan.capture.width * plan.capture.height;
  const brightness = (i: number) => {
    const at = pixels[i];
    return Math.max(EDGE_FLOOR, (start[at] + start[at + area] + start[at + 2 * area]) / 3);
  };
  const out = new Float32Array(direction.from.length);
  for (let i = 0; i < out.length; i++) {
    const step = Math.abs(brightness(direction.to[i]) - brightness(direction.from[i]));
    out[i] = EDGE_LEAST + (1 - EDGE_LEAST) * Math.exp(-step / EDGE_SCALE);
  }
  return out;
}
