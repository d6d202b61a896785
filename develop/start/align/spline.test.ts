import { describe, expect, it } from 'vitest';
import { mirrored, SPLINE_TAPS, splineCoefficients, splineWeights } from './spline.js';

/** Value at x of the spline through a row of samples. */
function at(samples: readonly number[], x: number): number {
  const coefficients = splineCoefficients(samples, samples.length, 1, 1);
  const weights = new Float64Array(SPLINE_TAPS);
  const i = Math.floor(x);
  splineWeights(x - i, weights);
  return weights.reduce((sum, w, k) => sum + w * coefficients[mirrored(i - 2 + k, samples.length)], 0);
}

const waveOf = (period: number) => (x: number) => Math.cos((2 * Math.PI * x) / period);
const row = (f: (x: number) => number) => Array.from({ length: 61 }, (_, x) => f(x));

describe('spline', () => {
  it('has weights that sum to 1', () => {
    const weights = new Float64Array(SPLINE_TAPS);
    for (let t = 0; t < 1; t += 0.07) {
      splineWeights(t, weights);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
  });

  it('goes through its samples, also at the ends', () => {
    const samples = row((x) => (x * 37) % 11);
    samples.forEach((v, x) => {
      expect(at(samples, x)).toBeCloseTo(v, 4);
    });
  });

  it('keeps waves of three pixels between the samples', () => {
    const wave = waveOf(3);
    for (let x = 25; x < 35; x += 0.5) expect(Math.abs(at(row(wave), x) - wave(x))).toBeLessThan(0.04);
  });

  it('follows waves of six pixels to a thousandth', () => {
    const wave = waveOf(6);
    for (let x = 25; x < 35; x += 0.3) expect(Math.abs(at(row(wave), x) - wave(x))).toBeLessThan(1e-3);
  });

  it('filters rows and columns alike, whatever the channels', () => {
    const [width, height] = [23, 31];
    const data = Array.from({ length: width * height }, (_, i) => (i * 7919) % 251);
    const turned = data.map((_, i) => data[(i % height) * width + Math.floor(i / height)]);
    const along = splineCoefficients(data, width, height, 1);
    const down = splineCoefficients(turned, height, width, 1);
    const pairs = splineCoefficients(
      data.flatMap((v) => [v, 2 * v]),
      width,
      height,
      2,
    );
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const p = y * width + x;
        expect(down[x * height + y]).toBeCloseTo(along[p], 1);
        expect(pairs[2 * p]).toBeCloseTo(along[p], 1);
        expect(pairs[2 * p + 1]).toBeCloseTo(2 * along[p], 1);
      }
    }
  });
});
