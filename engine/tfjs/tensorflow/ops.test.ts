import { beforeAll, expect, test } from 'vitest';
import { loadBackend } from './backend.js';
import { detach, gather, repeatEach, rowsOf, sumRuns } from './ops.js';
import type { Tensor, Tf } from './tensorflow.js';

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend()).tf;
});

/** Value and gradient of Σ w·f(x). */
function differentiate(f: (x: Tensor) => Tensor, x: Tensor): { value: number[]; gradient: number[] } {
  let value: number[] = [];
  const weigh = (y: Tensor) => {
    value = [...y.dataSync()];
    return tf.sum(tf.mul(y.flatten(), tf.range(1, y.size + 1))).asScalar();
  };
  const gradient = tf.grad((t) => weigh(f(t)))(x);
  return { value, gradient: [...gradient.dataSync()] };
}

test('gather reads entries and adds their gradients up where they are read twice', () => {
  const x = tf.tensor2d([10, 20, 30, 40], [2, 2]);
  const out = differentiate((t) => gather(tf, t, Int32Array.of(3, 0, 3), [3]), x);
  expect(out).toEqual({ value: [40, 10, 40], gradient: [2, 0, 0, 4] });
});

test('repeatEach repeats entries, and sumRuns adds them up again', () => {
  const x = tf.tensor1d([1, 2]);
  expect(differentiate((t) => repeatEach(tf, t, 3, [2, 3]), x)).toEqual({
    value: [1, 1, 1, 2, 2, 2],
    gradient: [6, 15],
  });
  const y = tf.tensor1d([1, 2, 3, 4, 5, 6]);
  expect(differentiate((t) => sumRuns(tf, t, 3), y)).toEqual({
    value: [6, 15],
    gradient: [1, 1, 1, 2, 2, 2],
  });
});

test.each([1, 3])('rowsOf cuts a matrix of %i rows, and can be differentiated', (rows) => {
  const x = tf.range(0, 2 * rows).reshape([rows, 2]);
  const out = differentiate((t) => rowsOf(tf, t).at(-1)!, x);
  expect(out.value).toEqual([2 * rows - 2, 2 * rows - 1]);
  expect(out.gradient.slice(-2)).toEqual([1, 2]);
});

test('detach keeps the value and ends the gradient', () => {
  const out = differentiate((t) => tf.mul(t, detach(tf, t)), tf.tensor1d([3, 5]));
  expect(out).toEqual({ value: [9, 25], gradient: [3, 10] });
});
