import fc from 'fast-check';
import { expect, test } from 'vitest';
import { multiply } from './matmul.js';

test('is the sum over the inner dimension, for every shape and transposition', () => {
  const size = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(size, size, size, fc.boolean(), fc.boolean(), (m, k, n, transposeA, transposeB) => {
      const a = Float32Array.from({ length: m * k }, (_, i) => Math.sin(3 * i + 1));
      const b = Float32Array.from({ length: k * n }, (_, i) => Math.cos(5 * i + 2));
      const c = multiply(a, b, m, k, n, transposeA, transposeB);
      expect(c.length).toBe(m * n);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) {
            sum += a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
          }
          expect(c[i * n + j]).toBeCloseTo(sum, 5);
        }
      }
    }),
  );
});

test('works on rows longer than a block', () => {
  const n = 1100;
  const b = Float32Array.from({ length: 2 * n }, (_, i) => i % 17);
  const c = multiply(Float32Array.of(2, -1), b, 1, 2, n, false, false);
  for (let j = 0; j < n; j++) expect(c[j]).toBe(2 * b[j] - b[n + j]);
});
