import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxMean, gaussian, gradientMagnitude, laplacian } from './filters.js';

const clamp = (v: number, count: number): number => Math.min(Math.max(v, 0), count - 1);

/** Numbers that repeat from run to run. */
function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  });
}

test('box means are those of the window, whatever the sizes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 0, max: 9 }),
      (w, h, r) => {
        const source = noise(w * h, w * 100 + h);
        const fast = boxMean(source, w, h, r);
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            let sum = 0;
            for (let j = -r; j <= r; j++)
              for (let i = -r; i <= r; i++) sum += source[clamp(y + j, h) * w + clamp(x + i, w)];
            expect(fast[y * w + x]).toBeCloseTo(sum / (2 * r + 1) ** 2, 5);
          }
      },
    ),
    { numRuns: 60 },
  );
});

test.each([0.6, 1.5, 3, 4, 7.5])('a Gaussian of σ %s keeps the sum and has its variance', (sigma) => {
  const n = 101;
  const source = new Float32Array(n * n);
  source[50 * n + 50] = 1;
  const out = gaussian(source, n, n, sigma);
  let sum = 0;
  let variance = 0;
  for (let y = 0; y < n; y++)
    for (let x = 0; x < n; x++) {
      sum += out[y * n + x];
      variance += out[y * n + x] * (x - 50) ** 2;
    }
  expect(sum).toBeCloseTo(1, 5);
  expect(Math.sqrt(variance) / sigma).toBeGreaterThan(0.94);
  expect(Math.sqrt(variance) / sigma).toBeLessThan(1.06);
});

test('filters may write over their source', () => {
  const source = noise(30 * 20);
  const inPlace = source.slice();
  gaussian(inPlace, 30, 20, 2, inPlace);
  expect(inPlace).toEqual(gaussian(source, 30, 20, 2));
  const box = source.slice();
  boxMean(box, 30, 20, 3, box);
  expect(box).toEqual(boxMean(source, 30, 20, 3));
});

test('Laplacian and gradient of a paraboloid', () => {
  const n = 9;
  const source = Float32Array.from({ length: n * n }, (_, p) => {
    const x = p % n;
    const y = Math.floor(p / n);
    return x * x + 3 * y * y;
  });
  expect(laplacian(source, n, n)[4 * n + 4]).toBe(8);
  expect(gradientMagnitude(source, n, n)[4 * n + 3]).toBeCloseTo(Math.hypot(6, 24), 4);
});
