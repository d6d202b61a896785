import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  betweenBlocks,
  blockMeans,
  blocksOf,
  double,
  enlargedRow,
  halfOf,
  halve,
  smoothed,
  windowOf,
} from './planes.js';

const plane = (width: number, height: number, of: (x: number, y: number) => number) =>
  Float32Array.from({ length: width * height }, (_, p) => of(p % width, Math.floor(p / width)));

const size = fc.integer({ min: 1, max: 40 });
const value = fc.float({ min: -250, max: 250, noNaN: true });

describe('half the size and back', () => {
  test('a constant plane stays as it is, at any size', () => {
    fc.assert(
      fc.property(size, size, value, (width, height, v) => {
        const half = halve(new Float32Array(width * height).fill(v), width, height);
        expect(half).toHaveLength(halfOf(width) * halfOf(height));
        for (const plane of [half, double(half, width, height)])
          expect(plane.every((w) => Math.abs(w - v) < 1e-4)).toBe(true);
      }),
    );
  });

  test('a linear plane stays as it is, but along the border, beyond which it goes on as it ends', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        const [width, height] = [31, 22];
        const ramp = plane(width, height, (x, y) => a + (b * x) / width + (c * y) / height);
        const half = halve(ramp, width, height);
        // Pixel i stands on pixel 2i.
        let most = 0;
        for (let y = 1; y < halfOf(height) - 1; y++)
          for (let x = 1; x < halfOf(width) - 1; x++)
            most = Math.max(most, Math.abs(half[y * halfOf(width) + x] - ramp[2 * y * width + 2 * x]));
        const back = double(half, width, height);
        for (let y = 4; y < height - 5; y++)
          for (let x = 4; x < width - 5; x++)
            most = Math.max(most, Math.abs(back[y * width + x] - ramp[y * width + x]));
        expect(most).toBeLessThan(1e-3);
      }),
    );
  });

  test('the low-pass is (1 4 6 4 1)/16 in both directions', () => {
    const [width, height] = [16, 16];
    const point = plane(width, height, (x, y) => (x === 8 && y === 8 ? 256 : 0));
    const half = halve(point, width, height);
    const at = (x: number, y: number) => half[y * 8 + x];
    expect([at(4, 4), at(3, 4), at(5, 4), at(3, 3), at(2, 4)]).toEqual([36, 6, 6, 1, 0]);
  });
});

describe('smoothing', () => {
  test('a window has the sum 1, and so has what is made of a point', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.3, max: 4, noNaN: true }), (sigma) => {
        const window = windowOf(sigma);
        const sum = window.reduce((total, w, k) => total + (k === 0 ? w : 2 * w), 0);
        expect(sum).toBeCloseTo(1, 5);
        const side = 2 * window.length + 1;
        const middle = window.length;
        const point = plane(side, side, (x, y) => (x === middle && y === middle ? 1 : 0));
        const out = smoothed(point, side, side, window);
        expect(out.reduce((total, v) => total + v, 0)).toBeCloseTo(1, 4);
        // Of that width: variance of what a point became, along a row.
        const row = Array.from(out.subarray(middle * side, (middle + 1) * side));
        const all = row.reduce((total, v) => total + v, 0);
        const variance = row.reduce((total, v, x) => total + v * (x - middle) ** 2, 0) / all;
        if (sigma > 1) expect(Math.sqrt(variance) / sigma).toBeCloseTo(1, 1);
      }),
      { numRuns: 30 },
    );
  });

  test('a constant plane stays as it is up to its border', () => {
    const out = smoothed(new Float32Array(12 * 7).fill(3), 12, 7, windowOf(2.5));
    for (const v of out) expect(v).toBeCloseTo(3, 5);
  });
});

describe('blocks', () => {
  test('have the mean of their pixels, smaller ones at the border, too', () => {
    const [width, height, side] = [10, 6, 4];
    const means = blockMeans(
      plane(width, height, (x, y) => x + 100 * y),
      width,
      height,
      side,
    );
    expect(means).toHaveLength(blocksOf(width, side) * blocksOf(height, side));
    expect(Array.from(means)).toEqual([151.5, 155.5, 158.5, 451.5, 455.5, 458.5]);
  });

  test('are enlarged by straight lines between their centres', () => {
    const [width, height, side] = [24, 16, 4];
    const ramp = (x: number, y: number) => 3 * x - 2 * y;
    const blocks = blockMeans(plane(width, height, ramp), width, height, side);
    const [across, down] = [betweenBlocks(width, side), betweenBlocks(height, side)];
    const row = new Float32Array(width);
    for (let y = 2; y < height - 2; y++) {
      enlargedRow(blocks, y, across, down, row);
      for (let x = 2; x < width - 2; x++) expect(row[x]).toBeCloseTo(ramp(x, y), 3);
    }
  });
});
