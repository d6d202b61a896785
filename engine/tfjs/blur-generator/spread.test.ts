import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from '../tensorflow/backend.js';
import type { Tf } from '../tensorflow/tensorflow.js';
import { Spread } from './spread.js';

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend()).tf;
});

describe.each([1, 2, 4, 7])('reach %i', (reach) => {
  const shape = { side: 4 + 2 * reach, inner: 4, reach };
  const sources = shape.side ** 2;
  const views = 2;
  const circle = Float32Array.from({ length: views * sources }, (_, i) => 1.4 * reach * Math.sin(7 * i));
  const values = Float32Array.from({ length: sources }, (_, i) => 1 + Math.cos(3 * i));

  /** The page's sum over every source, whatever its distance. */
  function spreadSlowly(of: (source: number) => number): number[] {
    const out: number[] = [];
    for (let v = 0; v < views; v++) {
      for (let x = 0; x < shape.inner ** 2; x++) {
        const [tx, ty] = [reach + (x % shape.inner), reach + Math.floor(x / shape.inner)];
        let sum = 0;
        for (let y = 0; y < sources; y++) {
          const c = circle[v * sources + y];
          const c2 = Math.min(c * c, (reach - 0.6) ** 2);
          const rho = Math.sqrt(c2 ** 2 / (c2 + 2 / 3) + 0.25);
          const t = Math.hypot(tx - (y % shape.side), ty - Math.floor(y / shape.side));
          const k = Math.min(1, Math.max(0, rho + 0.5 - t)) / (Math.PI * (rho * rho + 1 / 12));
          sum += k * of(y);
        }
        out.push(sum);
      }
    }
    return out;
  }

  test('spreads every source over its own disk', () => {
    const spread = new Spread(tf, shape, tf.tensor1d(circle));
    const expected = spreadSlowly((y) => values[y]);
    const actual = spread.of(tf.tensor1d(values)).dataSync();
    expect(actual.length).toBe(expected.length);
    for (const [i, e] of expected.entries()) expect(actual[i]).toBeCloseTo(e, 4);
    const ones = spread.ones().dataSync();
    for (const [i, e] of spreadSlowly(() => 1).entries()) expect(ones[i]).toBeCloseTo(e, 4);
  });

  test('its gradient is the transposed map', () => {
    const weights = Float32Array.from({ length: views * shape.inner ** 2 }, (_, i) => Math.sin(i) + 0.5);
    const inner = (x: Float32Array) => {
      const gradient = tf.grad((t) =>
        tf.sum(tf.mul(new Spread(tf, shape, tf.tensor1d(circle)).of(t), tf.tensor1d(weights))),
      )(tf.tensor1d(x));
      return (gradient.dataSync() as Float32Array).reduce((sum, g, i) => sum + g * x[i], 0);
    };
    const direct = spreadSlowly((y) => values[y]).reduce((sum, v, i) => sum + v * weights[i], 0);
    expect(inner(values) / direct).toBeCloseTo(1, 4);
  });
});
