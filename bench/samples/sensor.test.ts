import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../model/philox.js';
import { expose, response, sensorFor } from './sensor.js';

describe('response', () => {
  it('rises strictly from 0 to 1, flat at the toe and at the shoulder', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, 2), (seed, c) => {
        const curve = sensorFor(new RandomStream(seed, 1)).curves[c];
        let before = response(curve, 0);
        expect(before).toBe(0);
        for (let i = 1; i <= 200; i++) {
          const value = response(curve, i / 200);
          expect(value).toBeGreaterThan(before);
          before = value;
        }
        expect(before).toBeCloseTo(1, 12);
        const slope = (x: number) =>
          (response(curve, x * 1.02) - response(curve, x / 1.02)) / Math.log(1.02 ** 2);
        expect(slope(0.98)).toBeLessThan(slope(0.35));
        expect(slope(0.003)).toBeLessThan(slope(0.1));
      }),
      { numRuns: 30 },
    );
  });

  it('differs between channels and from camera to camera', () => {
    const [red, green] = sensorFor(new RandomStream(1, 1)).curves;
    const [other] = sensorFor(new RandomStream(2, 1)).curves;
    expect(Math.abs(response(red, 0.2) - response(green, 0.2))).toBeGreaterThan(1e-3);
    expect(Math.abs(response(red, 0.2) - response(other, 0.2))).toBeGreaterThan(1e-3);
  });
});

describe('expose', () => {
  const sensor = sensorFor(new RandomStream(5, 1));
  const even = (value: number) => new Float32Array(3 * 4000).fill(value);
  const statistics = (pixels: Uint8Array, c: number) => {
    const values = pixels.filter((_, i) => i % 3 === c);
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length) };
  };

  it('gives mid grey a standard deviation of 1 to 1.6 steps', () => {
    for (let c = 0; c < 3; c++) {
      let low = 0;
      let high = 1;
      for (let i = 0; i < 40; i++) {
        const middle = (low + high) / 2;
        if (response(sensor.curves[c], middle) < 0.5) low = middle;
        else high = middle;
      }
      const { mean, deviation } = statistics(expose(even(low), sensor, 0, 3), c);
      expect(mean).toBeCloseTo(127.5, 0);
      expect(deviation).toBeGreaterThan(1);
      expect(deviation).toBeLessThan(1.6);
    }
  });

  it('a stop more is the same as twice the light', () => {
    const value = 0.11;
    const brighter = statistics(expose(even(value), sensor, 1, 4), 1).mean;
    expect(brighter).toBeCloseTo(statistics(expose(even(2 * value), sensor, 0, 9), 1).mean, 0);
    expect(brighter).toBeCloseTo(255 * response(sensor.curves[1], 2 * value), 0);
  });

  it('clips at both ends, repeats with its seed and differs with another', () => {
    expect(new Set(expose(even(1.2), sensor, 0, 1))).toEqual(new Set([255]));
    expect(Math.max(...expose(even(0), sensor, 0, 1))).toBeLessThan(8);
    const first = expose(even(0.3), sensor, 0, 1);
    expect(expose(even(0.3), sensor, 0, 1)).toEqual(first);
    expect(expose(even(0.3), sensor, 0, 2)).not.toEqual(first);
  });
});
