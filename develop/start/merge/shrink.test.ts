import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gaussian } from '../response/synthetic-capture.fixture.js';
import { shrinkDetail } from './shrink.js';

const [WIDTH, HEIGHT] = [96, 64];
const PIXELS = WIDTH * HEIGHT;
const plane = (value: (x: number, y: number) => number) =>
  Float32Array.from({ length: PIXELS }, (_, p) => value(p % WIDTH, Math.floor(p / WIDTH)));
const noisy = (clean: Float32Array, deviation = 1) => clean.map((v, p) => v + deviation * gaussian(11, p));
const rms = (a: Float32Array, b: Float32Array) =>
  Math.sqrt(a.reduce((sum, v, p) => sum + (v - b[p]) ** 2, 0) / a.length);
const shrink = (noise: Float32Array, variance: number) =>
  shrinkDetail(noise, WIDTH, HEIGHT, new Float32Array(PIXELS).fill(variance));

describe('shrinkDetail', () => {
  it('takes most noise out of what is smooth, and beside an edge', () => {
    const slope = plane((x, y) => 0.05 * x + 0.1 * y);
    expect(rms(shrink(noisy(slope), 1), slope)).toBeLessThan(0.4);
    const edge = plane((x, y) => (2 * x + y > 120 ? 40 : 0));
    expect(rms(shrink(noisy(edge), 1), edge)).toBeLessThan(0.6);
  });

  it('leaves texture that stands out of the noise', () => {
    const texture = plane((x, y) => 15 * Math.sin(2.1 * x + 0.9 * y) + ((x + y) % 2 === 0 ? 12 : -12));
    const seen = noisy(texture);
    expect(rms(shrink(seen, 1), texture)).toBeLessThan(rms(seen, texture));
    // Without noise to take out, what is lost is far below it.
    expect(rms(shrink(texture, 1), texture)).toBeLessThan(0.25);
  });

  it('goes by the variance at the place', () => {
    const seen = noisy(plane(() => 0));
    const half = Float32Array.from({ length: PIXELS }, (_, p) => (p % WIDTH < WIDTH / 2 ? 1 : 0));
    const out = shrinkDetail(seen, WIDTH, HEIGHT, half);
    for (let p = 0; p < PIXELS; p++) {
      if (p % WIDTH > WIDTH / 2 + 3) expect(out[p]).toBeCloseTo(seen[p], 5);
    }
    expect(rms(out, seen)).toBeGreaterThan(0.5);
  });

  it('returns planes that hold no window as they are', () => {
    const row = Float32Array.of(3, 1, 4, 1, 5, 9);
    for (const [w, h] of [
      [6, 1],
      [1, 6],
      [2, 3],
    ] as const) {
      const out = shrinkDetail(row, w, h, new Float32Array(6).fill(1));
      expect(out).toEqual(row);
      expect(out).not.toBe(row);
    }
  });

  it('keeps constants, and values finite, at any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (w, h, level, variance) => {
          const out = shrinkDetail(
            new Float32Array(w * h).fill(level),
            w,
            h,
            new Float32Array(w * h).fill(variance),
          );
          for (const v of out) expect(v).toBeCloseTo(level, 4);
        },
      ),
      { numRuns: 60 },
    );
  });
});
