import type { ForwardInput } from '../forward.js';
import { rowsOf } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';

/** The scene on every pixel of the batch's patches. */
export interface PatchScene {
  /** [P · n²] signed defocus map. */
  readonly defocus: Tensor;
  /** exp of the clamped outputs, a tensor [P · n²] a channel. */
  readonly radiance: readonly Tensor[];
  /** Picture pixel (clamped) of every patch pixel, y · W + x. */
  readonly pixels: Int32Array;
}

/** Evaluates the networks at every pixel centre of the batch's patches. */
export function evaluatePatches(input: ForwardInput): PatchScene {
  const { tf, scene, leaves, batch, shape } = input;
  const { side, reach, margin } = shape;
  const x = new Int32Array(batch.draws * side * side);
  const y = new Int32Array(x.length);
  for (let d = 0, at = 0; d < batch.draws; d++) {
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++, at++) {
        x[at] = batch.cells[2 * d] - reach - margin + i;
        y[at] = batch.cells[2 * d + 1] - reach - margin + j;
      }
    }
  }
  const points = scene.pixelCentres(x, y);
  return {
    defocus: scene.defocus(leaves, points).flatten(),
    radiance: rowsOf(tf, scene.outputs(leaves, points)).map((o) => tf.exp(scene.bounded(o))),
    pixels: points.pixels!,
  };
}
