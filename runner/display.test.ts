import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../model/picture.js';
import { filmic } from '../model/tone.js';
import { automaticExposure, chooseDisplay } from './display.js';

function flat(...values: number[]): Picture {
  const picture = createPicture(values.length, 1, 3);
  for (const [i, v] of values.entries()) picture.data.fill(v, 3 * i, 3 * i + 3);
  return picture;
}

describe('how the all-in-focus picture is shown', () => {
  it('is as the camera did where there is one exposure', () => {
    expect(chooseDisplay(flat(0.1), [1.5, 1.5, 1.5])).toMatchObject({ tone: 'learned', ev: 1.5 });
    expect(chooseDisplay(flat(0.1), [0])).toMatchObject({ tone: 'learned', ev: 0 });
  });

  it('is film-like over an automatic exposure for a bracket', () => {
    const { tone, ev } = chooseDisplay(flat(0.045, 0.045), [-3, 0, 3]);
    expect(tone).toBe('filmic');
    expect(ev).toBeCloseTo(2, 5);
  });

  it('shows the log-average as mid-grey, whatever the scale of the radiance', () => {
    fc.assert(
      fc.property(fc.double({ min: -10, max: 10, noNaN: true }), (stops) => {
        const values = [0.1, 0.2, 0.3, 0.4].map((v) => v * 2 ** stops);
        const ev = automaticExposure(flat(...values));
        const mean = values.reduce((sum, v) => sum + Math.log(v), 0) / values.length;
        expect(filmic(Math.exp(mean) * 2 ** ev)).toBeCloseTo(0.18, 3);
      }),
    );
  });

  it('darkens for lights, but not without end', () => {
    const dim = Array.from({ length: 95 }, () => 0.18);
    const lit = (v: number) => automaticExposure(flat(...dim, v, v, v, v, v));
    // The lights raise the log-average a little by themselves.
    const average = (v: number) => Math.log2(0.18) - (95 * Math.log2(0.18) + 5 * Math.log2(v)) / 100;
    expect(lit(4)).toBeCloseTo(average(4), 3);
    expect(filmic(20 * 2 ** lit(20))).toBeGreaterThan(0.99);
    expect(lit(20)).toBeCloseTo(-1, 2);
    expect(lit(1e5)).toBeCloseTo(average(1e5) - 1.5, 3);
  });

  it('survives darkness', () => {
    expect(automaticExposure(flat(0, 0))).toBe(0);
  });
});
