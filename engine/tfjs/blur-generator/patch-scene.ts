import type { ForwardInput } from '../forward.js';
import { rowsOf } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';

/** The scene on every pixel of the batch's patches. */
export interface PatchScene {
  /** [layers · P · n²] signed defocus map. */
  readonly defocus: readonly Tensor[];
  /** exp of the clamped outputs, a tensor [P · n²] a channel. */
  readonly background: readonly Tensor[];
  readonly foreground?: readonly Tensor[];
  readonly alpha?: Tensor;
  /** Picture pixel (clamped) of every patch pixel, y · W + x. */
  readonly pixels: Int32Array;
}

/** Evaluates the networks at every pixel centre of the batch's patches. */
export function evaluatePatches(input: ForwardInput): PatchScene {
  const { tf, plan, scene, leaves, batch, shape } = input;
  const { side, reach, margin } = shape;
  const x = new Int32Array(batch.draws * side * side);
  const y = new Int32Array(x.length);
  for (let d = 0, at = 0; d < batch.draws; d++) {
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++, at++) {
        x[at] = batch.cells[2 * d]! - reach - margin + i;
        y[at] = batch.cells[2 * d + 1]! - reach - margin + j;
      }
    }
  }
  const points = scene.pixelCentres(x, y);
  const outputs = rowsOf(tf, scene.outputs(leaves, points));
  const light = (from: number) => outputs.slice(from, from + 3).map((o) => tf.exp(scene.bounded(o)));
  const two = plan.config.layers === 2;
  return {
    defocus: rowsOf(tf, scene.defocus(leaves, points)),
    background: light(0),
    foreground: two ? light(3) : undefined,
    alpha: two ? tf.sigmoid(outputs[6]!) : undefined,
    pixels: points.pixels!,
  };
}
