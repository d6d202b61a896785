import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { medianFilter, minimumFilter } from './rank-filters.js';

function windowOf(source: Float32Array, w: number, h: number, x: number, y: number, r: number): number[] {
  const values: number[] = [];
  for (let j = -r; j <= r; j++)
    for (let i = -r; i <= r; i++) {
      const xx = Math.min(Math.max(x + i, 0), w - 1);
      const yy = Math.min(Math.max(y + j, 0), h - 1);
      values.push(source[yy * w + xx]);
    }
  return values.sort((a, b) => a - b);
}

test('minimum and median are those of the sorted window', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 6 }),
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 144, maxLength: 144 }),
      (w, h, r, values) => {
        const source = Float32Array.from(values.slice(0, w * h));
        const low = minimumFilter(source, w, h, r);
        const middle3 = medianFilter(source, w, h, 3);
        const middle5 = medianFilter(source, w, h, 5);
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            expect(low[y * w + x]).toBe(windowOf(source, w, h, x, y, r)[0]);
            expect(middle3[y * w + x]).toBe(windowOf(source, w, h, x, y, 1)[4]);
            expect(middle5[y * w + x]).toBe(windowOf(source, w, h, x, y, 2)[12]);
          }
      },
    ),
    { numRuns: 60 },
  );
});
