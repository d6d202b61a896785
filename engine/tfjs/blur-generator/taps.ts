import { drawsPerStep } from '../batch.js';
import { type Forward, type ForwardInput, lnRadiance, pixelCentres, variation } from '../forward.js';
import { moves, sceneMapping } from '../scene/registration.js';
import { constant, repeatEach, rowsOf, sumRuns } from '../tensorflow/ops.js';
import type { Tensor } from '../tensorflow/tensorflow.js';
import { circles } from '../tone-mapper/camera.js';

/** Angle from tap to tap, and turns from view to view: golden, so that any few of them cover the disk. */
const TAP_ANGLE = 2.399963;
const VIEW_TURN = 0.618034;

/** A lens by taps: a disk of K taps scaled by the circle of confusion at the pixel, one disk a layer. */
export function forwardTaps(input: ForwardInput, taps: number): Forward {
  const { tf, plan, scene, leaves, batch } = input;
  const views = plan.views.length;
  const count = batch.x.length;
  const shape = [views * count * taps];
  const p = pixelCentres(input);
  const [px, py] = [tf.tensor1d(p.x), tf.tensor1d(p.y)];
  const map = sceneMapping(tf, plan, leaves);
  // Where nothing moves every view sees the same position: one query serves all.
  const centre = moves(plan) ? map(px, py) : scene.pixelCentres(batch.x, batch.y);
  const circle = rowsOf(tf, scene.defocus(leaves, centre)).map((s) => circles(tf, plan, leaves, s, count));

  const disk = tapDisk(input, taps);
  const [eachX, eachY] = [repeatEach(tf, px, taps, shape), repeatEach(tf, py, taps, shape)];
  const outputs = circle.map((c) => {
    const each = repeatEach(tf, c, taps, shape);
    const x = tf.add(eachX, tf.mul(each, constant(tf, disk.x, shape)));
    const y = tf.add(eachY, tf.mul(each, constant(tf, disk.y, shape)));
    return scene.outputs(leaves, map(x, y));
  });
  return {
    lnRadiance: lnRadiance(tf, blend(input, outputs, taps)),
    blur: Float32Array.from(circle[0]!.dataSync(), Math.abs),
    penalty: neighbourPenalty(input),
  };
}

/** r = P + (1 − A)·B [3, V · Q] from the outputs at each layer's own taps; r = B with one layer. */
function blend(input: ForwardInput, outputs: readonly Tensor[], taps: number): Tensor {
  const { tf, scene } = input;
  const mean = (values: Tensor) => {
    const sum = sumRuns(tf, values, taps);
    return tf.div(tf.reshape(sum, [values.shape[0]!, values.shape[1]! / taps]), taps);
  };
  const planes = (at: number, from: number, size: number) => tf.slice(outputs[at]!, [from, 0], [size, -1]);
  const light = (at: number, from: number) => tf.exp(scene.bounded(planes(at, from, 3)));

  const background = mean(light(0, 0));
  if (outputs.length === 1) return background;
  const alpha = tf.sigmoid(planes(1, 6, 1)).flatten();
  const cover = mean(tf.reshape(alpha, [1, alpha.size])).flatten();
  return tf.add(mean(tf.mul(light(1, 3), alpha)), tf.mul(background, tf.sub(1, cover)));
}

/** Offsets of the unit disk for every view, pixel and tap, turned at random a pixel: [V · Q · K]. */
function tapDisk(input: ForwardInput, taps: number): { x: Float32Array; y: Float32Array } {
  const { batch, plan } = input;
  const count = batch.x.length;
  const x = new Float32Array(plan.views.length * count * taps);
  const y = new Float32Array(x.length);
  let at = 0;
  for (let v = 0; v < plan.views.length; v++) {
    for (let q = 0; q < count; q++) {
      const turn = batch.rotation[q]! + VIEW_TURN * v;
      const phase = 2 * Math.PI * (turn - Math.floor(turn));
      for (let k = 0; k < taps; k++, at++) {
        const radius = Math.sqrt((k + 0.5) / taps);
        x[at] = radius * Math.cos(TAP_ANGLE * (k + 0.5) + phase);
        y[at] = radius * Math.sin(TAP_ANGLE * (k + 0.5) + phase);
      }
    }
  }
  return { x, y };
}

/** smoothDefocus with taps: the map at a pixel against a neighbour one pixel away in a random direction. */
function neighbourPenalty(input: ForwardInput): Tensor | undefined {
  const { tf, plan, scene, leaves, batch } = input;
  const weight = plan.config.loss.smoothDefocus;
  if (weight === 0) return undefined;
  const count = batch.x.length;
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  for (let q = 0; q < count; q++) {
    const angle = 2 * Math.PI * batch.direction[q]!;
    x[q] = batch.x[q]! + 0.5 + Math.cos(angle);
    y[q] = batch.y[q]! + 0.5 + Math.sin(angle);
  }
  const here = scene.defocus(leaves, scene.pixelCentres(batch.x, batch.y));
  const there = scene.defocus(leaves, { x: tf.tensor1d(x), y: tf.tensor1d(y) });
  const total = tf.sum(variation(tf, tf.mul(tf.sub(there, here), plan.capture.kappa)));
  return tf.mul(total, weight / drawsPerStep(plan));
}
