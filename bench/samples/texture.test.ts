import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakLines, LINE_HEIGHT, PROSE, setText } from './glyphs.js';
import { normal } from './hash.js';
import { boxDistance, covered, fractal, gradientNoise, segmentDistance, woodGrain } from './texture.js';

const place = fc.double({ min: -1000, max: 1000, noNaN: true });

describe('texture', () => {
  it('noise is bounded, continuous, and the same for the same place and seed', () => {
    fc.assert(
      fc.property(place, place, fc.integer({ min: 0, max: 1e6 }), (x, y, seed) => {
        const v = gradientNoise(x, y, seed);
        expect(Math.abs(v)).toBeLessThan(1.5);
        expect(gradientNoise(x, y, seed)).toBe(v);
        expect(Math.abs(gradientNoise(x + 1e-4, y, seed) - v)).toBeLessThan(1e-3);
        expect(woodGrain(x, y, seed, 0.01)).toBeGreaterThanOrEqual(0);
        expect(woodGrain(x, y, seed, 0.01)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('detail finer than a sample is gone', () => {
    const variance = (footprint: number) => {
      let sum = 0;
      for (let i = 0; i < 500; i++) sum += fractal(i * 0.37, i * 0.73, 5, footprint) ** 2;
      return sum / 500;
    };
    expect(variance(1)).toBe(0);
    expect(variance(0.1)).toBeGreaterThan(0.01);
    expect(variance(0.01)).toBeGreaterThan(variance(0.2));
  });

  it('distances are distances', () => {
    expect(boxDistance(0, 0, 2, 1)).toBe(-1);
    expect(boxDistance(5, 5, 2, 1)).toBeCloseTo(5, 12);
    expect(segmentDistance(0, 3, -1, 0, 1, 0)).toBe(3);
    expect(segmentDistance(4, 4, -1, 0, 1, 0)).toBe(5);
    expect([-1, -0.05, 0, 0.05, 1].map((d) => covered(d, 0.2))).toEqual([1, 0.75, 0.5, 0.25, 0]);
  });

  it('normal numbers have mean 0 and variance 1', () => {
    let sum = 0;
    let square = 0;
    const n = 50_000;
    for (let i = 0; i < n; i++) {
      sum += normal(i, 7);
      square += normal(i, 7) ** 2;
    }
    expect(Math.abs(sum / n)).toBeLessThan(0.02);
    expect(Math.abs(square / n - 1)).toBeLessThan(0.03);
  });
});

describe('set text', () => {
  it('has ink for every character of the scenes’ prose but the blank', () => {
    const missing = [...new Set(PROSE)].filter((ch) => {
      if (ch === ' ') return false;
      const text = setText([ch]);
      let most = 0;
      for (let y = 0; y <= 8; y += 0.5) {
        for (let x = 0; x <= 4; x += 0.5) most = Math.max(most, text.ink(x, y, 0.5, 0.3));
      }
      return most < 1;
    });
    expect(missing).toEqual([]);
  });

  it('keeps ink between 0 and 1, and lines apart', () => {
    const text = setText(['mmm', 'mmm']);
    expect(text.height).toBe(2 * LINE_HEIGHT);
    let gap = 0;
    for (let x = -3; x < text.width + 3; x += 0.3) {
      for (let y = -4; y < text.height; y += 0.3) {
        const ink = text.ink(x, y, 0.5, 0.4);
        if (!(ink >= 0 && ink <= 1)) throw new Error(`ink is ${ink} at ${x}, ${y}`);
        if (y > 8 && y < 12) gap = Math.max(gap, ink);
      }
    }
    expect(gap).toBe(0);
  });

  it('breaks lines within the width and goes on where it was told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 80, max: 600 }), fc.integer({ min: 0, max: 12 }), (width, count) => {
        const lines = breakLines(PROSE.trim(), width, count, 3);
        expect(lines).toHaveLength(count);
        for (const line of lines) expect(setText([line]).width).toBeLessThanOrEqual(width);
        if (count > 0) expect(lines[0].startsWith('light')).toBe(true);
      }),
    );
  });
});
