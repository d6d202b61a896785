import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from './backend.js';
import type { Tensor, Tf } from './tensorflow.js';

/** The replaced kernels against the plain definition of what they compute, with every way to stretch an operand. */
let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend()).tf;
});

/** Values of a tensor stretched to a shape, by the rule of aligned trailing dimensions. */
function stretched(x: Tensor, shape: readonly number[]): number[] {
  const values = x.dataSync();
  const size = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: size }, (_, flat) => {
    let [at, stride, rest] = [0, 1, flat];
    for (let d = shape.length - 1; d >= 0; d--) {
      const index = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
      const own = x.shape[d - (shape.length - x.shape.length)];
      if (own === undefined || own === 1) continue;
      at += index * stride;
      stride *= own;
    }
    return values[at];
  });
}

describe('element by element', () => {
  const operations = {
    add: (a: number, b: number) => a + b,
    sub: (a: number, b: number) => a - b,
    mul: (a: number, b: number) => a * b,
    div: (a: number, b: number) => a / b,
  };
  const shapes: [number[], number[], number[]][] = [
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3], [2, 3]],
    [[3], [2, 3], [2, 3]],
    [
      [2, 2, 3],
      [2, 3],
      [2, 2, 3],
    ],
    [[4], [], [4]],
    [[], [4], [4]],
    [
      [2, 3],
      [1, 1],
      [2, 3],
    ],
    [
      [1, 1],
      [2, 3],
      [2, 3],
    ],
    [[1, 1], [3], [1, 3]],
    [
      [2, 1],
      [2, 3],
      [2, 3],
    ],
    [
      [2, 3],
      [2, 1],
      [2, 3],
    ],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
    [[1], [1], [1]],
  ];
  test.each(shapes)('%j and %j', (shapeA, shapeB, shape) => {
    const fill = (s: number[], phase: number) =>
      tf.tensor(
        Float32Array.from({ length: s.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + phase) + 2),
        s,
      );
    const [a, b] = [fill(shapeA, 1), fill(shapeB, 7)];
    for (const [name, plain] of Object.entries(operations)) {
      const out = tf[name as keyof typeof operations](a, b) as Tensor;
      expect(out.shape, name).toEqual(shape);
      const [x, y] = [stretched(a, shape), stretched(b, shape)];
      const values = out.dataSync();
      for (let i = 0; i < x.length; i++) expect(values[i], name).toBeCloseTo(plain(x[i], y[i]), 5);
    }
  });

  test('whole numbers stay whole', () => {
    const sum = tf.add(tf.tensor1d([1, 2], 'int32'), tf.tensor1d([3, 4], 'int32'));
    expect([sum.dtype, ...sum.dataSync()]).toEqual(['int32', 4, 6]);
  });
});

describe('sum', () => {
  test.each([
    [[0], false, [3, 4]],
    [[0, 1], false, [4]],
    [[1], false, [2, 4]],
    [[2], false, [2, 3]],
    [[0], true, [1, 3, 4]],
    [[0, 1, 2], false, []],
  ] as [number[], boolean, number[]][])('over %j, keepDims %j', (axis, keep, shape) => {
    const x = tf.tensor(
      Float32Array.from({ length: 24 }, (_, i) => i + 1),
      [2, 3, 4],
    );
    const out = tf.sum(x, axis, keep);
    expect(out.shape).toEqual(shape);
    const expected = new Map<string, number>();
    for (let i = 0; i < 24; i++) {
      const index = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4].filter((_, d) => !axis.includes(d));
      expected.set(index.join(), (expected.get(index.join()) ?? 0) + i + 1);
    }
    expect([...out.dataSync()]).toEqual([...expected.values()]);
  });
});

test('products of matrices, also of stacks of them', () => {
  const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  expect([...tf.matMul(a, a, false, true).dataSync()]).toEqual([14, 32, 32, 77]);
  expect([...tf.matMul(a, a, true, false).dataSync()]).toEqual([17, 22, 27, 22, 29, 36, 27, 36, 45]);
  const stack = tf.stack([a, tf.mul(a, 2)]);
  const product = tf.matMul(stack, stack, false, true);
  expect(product.shape).toEqual([2, 2, 2]);
  expect([...product.dataSync()]).toEqual([14, 32, 32, 77, 56, 128, 128, 308]);
});
