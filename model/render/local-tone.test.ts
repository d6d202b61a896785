import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream, Stream } from '../philox.js';
import { createPicture, type Picture } from '../picture.js';
import { exposureField } from './exposure-field.js';
import { localHeadroom, showLocally } from './local-tone.js';
import { curveAt, gapCurve } from './tone-curve.js';

/** Light in stops at every pixel, in three slightly different colours. */
function scene(width: number, height: number, stops: (x: number, y: number) => number): Picture {
  const picture = createPicture(width, height, 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const tint of [1.2, 1, 0.7]) picture.data[i++] = tint * 2 ** stops(x, y);
    }
  }
  return picture;
}

/** A dim room and a window, `gap` stops apart, both with texture. */
function room(seed: number, gap: number, width = 60, height = 40, noise = 0): Picture {
  const random = new RandomStream(seed, Stream.scene);
  const grain = Float32Array.from({ length: width * height }, () => random.unit() - 0.5);
  return scene(width, height, (x, y) => {
    const inside = x < 0.6 * width ? 0 : gap;
    return inside + Math.sin(x / 3) * Math.cos(y / 4) + noise * grain[y * width + x];
  });
}

const fieldOf = (light: Picture, noise?: number) => exposureField(light, gapCurve(light, noise));
const shown = (light: Picture, ev = 0) => showLocally(light, fieldOf(light), ev).data;
const seeds = fc.integer({ min: 0, max: 1000 });
const gaps = fc.double({ min: 0, max: 16, noNaN: true });
const few = { numRuns: 25 };

/** Largest difference, in display values. */
function worst(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}

describe('the local tone', () => {
  it('never darkens with exposure', () => {
    fc.assert(
      fc.property(seeds, gaps, fc.double({ min: -4, max: 4, noNaN: true }), (seed, gap, ev) => {
        const light = room(seed, gap);
        const field = fieldOf(light);
        const [dark, bright] = [ev, ev + 0.1].map((stops) => showLocally(light, field, stops).data);
        return bright.every((v, i) => v >= dark[i]);
      }),
      few,
    );
  });

  it('never darkens a channel of a saturated colour with exposure', () => {
    const light = createPicture(3, 1, 3);
    light.data.set([1, 0, 0, 0.1, 1, 0.02, 0.001, 0, 1]);
    const field = fieldOf(light);
    let before = showLocally(light, field, -12).data;
    for (let ev = -12; ev <= 12; ev += 0.05) {
      const now = showLocally(light, field, ev).data;
      expect(now.every((v, i) => v >= before[i])).toBe(true);
      before = now;
    }
  });

  it('does not depend on the unit of light', () => {
    fc.assert(
      fc.property(seeds, gaps, fc.double({ min: -12, max: 12, noNaN: true }), (seed, gap, stops) => {
        const light = room(seed, gap);
        const scaled = { ...light, data: light.data.map((v) => v * 2 ** stops) };
        expect(worst(shown(light), shown(scaled))).toBeLessThan(0.01);
      }),
      few,
    );
  });

  it('shows an even picture evenly, grey as mid-grey', () => {
    fc.assert(
      fc.property(fc.double({ min: -20, max: 20, noNaN: true }), (stops) => {
        const light = createPicture(37, 21, 3);
        light.data.fill(2 ** stops);
        const data = shown(light);
        for (const v of data) expect(v).toBeCloseTo(data[0], 5);
        expect(data[0]).toBeCloseTo(0.461, 2);
      }),
      few,
    );
  });

  it('raises no detail by more than its factor', () => {
    fc.assert(
      fc.property(seeds, gaps, (seed, gap) => {
        const light = room(seed, gap, 60, 40, 0.05);
        const plain = room(seed, gap);
        const curve = gapCurve(plain);
        const [noisy, clean] = [light, plain].map((picture) => exposureField(picture, curve));
        let [before, after] = [0, 0];
        for (let i = 0; i < noisy.offset.length; i++) {
          const log = (picture: Picture) => Math.log2(picture.data[3 * i]);
          const noise = log(light) - log(plain);
          before += noise ** 2;
          after += (noisy.offset[i] - clean.offset[i] + noise) ** 2;
        }
        expect(Math.sqrt(after / before)).toBeLessThan(1.15 + 0.02);
      }),
      few,
    );
  });

  it('shows room and window at once, neither black nor white', () => {
    const data = shown(room(1, 9));
    const dark = Array.from(data).filter((v) => v < 0.12).length / data.length;
    const burnt = Array.from(data).filter((v) => v > 0.99).length / data.length;
    expect(dark).toBeLessThan(0.1);
    expect(burnt).toBe(0);
  });

  it('keeps within [0, 1] whatever it is given', () => {
    const odd = [0, 1e-38, 1e-3, 1, 1e6, 3e38, Number.POSITIVE_INFINITY, Number.NaN, -1];
    const values = fc.array(fc.constantFrom(...odd), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.double({ min: -20, max: 20, noNaN: true }), (light, ev) => {
        const picture = createPicture(light.length, 1, 3);
        for (const [i, v] of light.entries()) picture.data.fill(v, 3 * i, 3 * i + 3);
        const field = fieldOf(picture);
        expect(showLocally(picture, field, ev).data.every((v) => v >= 0 && v <= 1)).toBe(true);
        expect(localHeadroom(picture, field).every((v) => v >= 0 && v <= 3)).toBe(true);
      }),
    );
  });

  it('shows black as black', () => {
    expect(Math.max(...shown(createPicture(5, 4, 3)))).toBe(0);
  });

  it.each([
    [1, 1],
    [1, 7],
    [9, 1],
    [2, 2],
    [3, 17],
  ])('shows a picture of %d × %d', (width, height) => {
    const data = shown(scene(width, height, (x, y) => x - y));
    expect(data).toHaveLength(3 * width * height);
    expect(data.every((v) => v > 0 && v < 1)).toBe(true);
  });

  it('shows a part as it is in the whole', () => {
    const [width, height] = [1300, 40];
    const light = room(3, 8, width, height);
    const field = fieldOf(light);
    expect(field.width).toBe(1024);
    const whole = showLocally(light, field, 0.5);
    const part = createPicture(300, 20, 3);
    const expected = createPicture(300, 20, 3);
    for (let y = 0; y < 20; y++) {
      const at = 3 * ((y + 7) * width + 700);
      part.data.set(light.data.subarray(at, at + 900), 900 * y);
      expected.data.set(whole.data.subarray(at, at + 900), 900 * y);
    }
    const place = { x: 700, y: 7, width: 300, height: 20, of: { width, height } };
    expect(worst(showLocally(part, field, 0.5, place).data, expected.data)).toBeLessThan(1e-5);
  });

  it('gives lights back to displays that can show them', () => {
    const light = room(2, 9);
    const field = fieldOf(light);
    const stops = localHeadroom(light, field);
    expect(Math.max(...stops)).toBeGreaterThan(1);
    expect(stops.filter((v) => v === 0).length).toBeGreaterThan(stops.length / 3);
  });
});

describe('the gap-compressing curve', () => {
  it('rises, by no more than one for one, and takes what a display holds', () => {
    fc.assert(
      fc.property(seeds, gaps, (seed, gap) => {
        const curve = gapCurve(room(seed, gap));
        const at = (v: number) => curveAt(curve, v);
        for (let v = curve.low - 3; v < curve.high + 3; v += 0.1) {
          expect(at(v + 0.1)).toBeGreaterThan(at(v));
          expect(at(v + 0.1) - at(v)).toBeLessThan(0.1 + 1e-9);
        }
        expect(at(curve.high) - at(curve.low)).toBeLessThan(6.7);
      }),
      few,
    );
  });

  it('spends less on the gap than on what lies on both sides of it', () => {
    const curve = gapCurve(room(1, 9));
    const slope = (v: number) => (curveAt(curve, v + 0.1) - curveAt(curve, v - 0.1)) / 0.2;
    expect(slope(4.5)).toBeLessThan(0.6 * slope(0));
    expect(slope(4.5)).toBeLessThan(0.6 * slope(9));
  });

  it('spends no range on noise', () => {
    const light = room(1, 9);
    const [without, known] = [gapCurve(light), gapCurve(light, 2 ** 2)];
    expect(known.low).toBeCloseTo(2, 6);
    expect(without.low).toBeLessThan(0);
  });
});
