import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema, trainSchema } from './config.js';
import { rateFactor, sharpnessActive } from './schedule.js';

const train = (input: Parameters<typeof trainSchema.parse>[0]) => trainSchema.parse(input);
const options = fc.record({
  steps: fc.integer({ min: 1, max: 2000 }),
  warmup: fc.integer({ min: 0, max: 100 }),
  floor: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('rateFactor', () => {
  test('warms up in even steps, the first of them not idle', () => {
    const t = train({ steps: 1e6, warmup: 4 });
    [0.25, 0.5, 0.75, 1, 1, 1].forEach((rate, step) => {
      expect(rateFactor(t, step)).toBeCloseTo(rate, 9);
    });
  });

  test('begins at the full rate without a warm-up', () => {
    expect(rateFactor(train({ steps: 100, warmup: 0 }), 0)).toBe(1);
  });

  test('falls by half a cosine, and ends at the floor', () => {
    const t = train({ steps: 1000, warmup: 0, floor: 0.1 });
    expect(rateFactor(t, 500)).toBeCloseTo(0.55, 12);
    expect(rateFactor(t, 1000)).toBeCloseTo(0.1, 12);
    expect(rateFactor(t, 5000)).toBeCloseTo(0.1, 12);
  });

  test('stays in (0, 1] and after warm-up never rises', () => {
    fc.assert(
      fc.property(options, (o) => {
        const t = train(o);
        const factors = Array.from({ length: 40 }, (_, i) => rateFactor(t, Math.floor((i * o.steps) / 40)));
        for (const f of factors) expect(f > 0 && f <= 1).toBe(true);
        const from = Math.ceil((o.warmup * 40) / o.steps);
        for (let i = Math.max(1, from + 1); i < 40; i++) {
          expect(factors[i]).toBeLessThanOrEqual(factors[i - 1] + 1e-15);
        }
      }),
    );
  });

  test('is finite where there is nothing to train', () => {
    expect(rateFactor(train({ steps: 0, warmup: 0 }), 0)).toBe(1);
  });
});

describe('sharpnessActive', () => {
  const config = (sharpness: number, sharpnessStart: number) =>
    configSchema.parse({ loss: { sharpness, sharpnessStart }, train: { steps: 50 } });

  test('begins at its fraction of training', () => {
    const c = config(0.9, 0.2);
    expect([0, 9, 10, 49].map((s) => sharpnessActive(c, s))).toEqual([false, false, true, true]);
    expect(sharpnessActive(config(0.9, 0), 0)).toBe(true);
  });

  test('never begins without weight', () => {
    expect(sharpnessActive(config(0, 0), 40)).toBe(false);
  });
});
