import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { areaResize, bilinearResize, doubleInt16, fitWithin, halve } from './resize.js';

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

test('sizes within a budget keep the proportions and never grow', () => {
  expect(fitWithin(4000, 3000, 3e5)).toEqual({ width: 632, height: 474 });
  expect(fitWithin(450, 300, 3e5)).toEqual({ width: 450, height: 300 });
  expect(fitWithin(1e6, 1, 10)).toEqual({ width: 3162, height: 1 });
});

test('area reduction keeps the mean', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 23 }),
      fc.integer({ min: 1, max: 23 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (w, h, scale) => {
        const source = Float32Array.from({ length: w * h }, (_, p) => ((p * 7919) % 101) / 101);
        const to = areaResize(source, w, h, Math.ceil(w * scale), Math.ceil(h * scale));
        expect(mean(to)).toBeCloseTo(mean(source), 5);
      },
    ),
  );
});

test('area reduction reads one channel, through a function', () => {
  const interleaved = Float32Array.from({ length: 4 * 2 * 3 }, (_, i) => i);
  const out = areaResize(interleaved, 4, 2, 2, 1, { stride: 3, offset: 1, apply: (v) => 2 * v });
  expect([...out]).toEqual([2 * ((1 + 4 + 13 + 16) / 4), 2 * ((7 + 10 + 19 + 22) / 4)]);
});

test('interpolation is exact for ramps away from the border, and the identity at the same size', () => {
  const ramp = Float32Array.from(
    { length: 8 * 6 },
    (_, p) => 3 * ((p % 8) + 0.5) - (Math.floor(p / 8) + 0.5),
  );
  const out = bilinearResize(ramp, 8, 6, 24, 18);
  for (let y = 2; y < 16; y++)
    for (let x = 2; x < 22; x++) expect(out[y * 24 + x]).toBeCloseTo((3 * (x + 0.5)) / 3 - (y + 0.5) / 3, 4);
  expect(bilinearResize(ramp, 8, 6, 8, 6)).toEqual(ramp);
});

test.each([
  [9, 7],
  [10, 8],
  [3, 2],
])('doubling whole numbers to %i×%i is interpolation', (w, h) => {
  const width = (w + 1) >> 1;
  const height = (h + 1) >> 1;
  const source = Int16Array.from({ length: width * height }, (_, p) => ((p * 7919) % 4001) - 2000);
  const exact = bilinearResize(Float32Array.from(source), width, height, 2 * width, 2 * height);
  const out = doubleInt16(source, width, height, w, h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      expect(Math.abs(out[y * w + x] - exact[y * 2 * width + x])).toBeLessThanOrEqual(0.51);
});

test('halving averages 2 × 2 pixels, and what there is at an odd border', () => {
  expect([...halve(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2)]).toEqual([3, 4.5]);
});
