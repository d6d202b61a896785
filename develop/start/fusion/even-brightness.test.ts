import { describe, expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import { startKernels } from '../compiled.js';
import { layeredScene } from '../depth/layered-scene.fixture.js';
import { type BrightnessField, evenBrightness, forField } from './even-brightness.js';

const WIDTH = 180;
const HEIGHT = 120;
const FOCUS = [-1, -0.5, 0, 0.5, 1];
const kernels = startKernels(1);

/** A stack of a scene with depth, whose light is the same throughout: neighbours differ in blur alone. */
const steady = layeredScene({ width: WIDTH, height: HEIGHT, focus: FOCUS, kappa: 2.5 }).views;
const white = FOCUS.map(() => 0.5);

/** What is added to ln radiance of view `v` at x and y, −1 … 1 over the picture, in channel c. */
type Drift = (v: number, x: number, y: number, c: number) => number;

const drifting = (drift: Drift): Picture[] =>
  steady.map((view, v) => ({
    ...view,
    data: view.data.map((value, i) => {
      const p = Math.floor(i / 3);
      const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
      return value + drift(v, (2 * x) / (WIDTH - 1) - 1, (2 * y) / (HEIGHT - 1) - 1, i % 3);
    }),
  }));

/** What is left of a drift after the fields over views, pixels and channels, in ln: the most, and the root of the mean square. */
function left(drift: Drift, fields: readonly BrightnessField[]): { most: number; typical: number } {
  let most = 0;
  let squares = 0;
  const middle = FOCUS.length >> 1;
  fields.forEach((field, v) => {
    forField(field, WIDTH, HEIGHT, (p, gains) => {
      const x = (2 * (p % WIDTH)) / (WIDTH - 1) - 1;
      const y = (2 * Math.floor(p / WIDTH)) / (HEIGHT - 1) - 1;
      for (let c = 0; c < 3; c++) {
        const difference = drift(v, x, y, c) + gains[c] - drift(middle, x, y, c);
        most = Math.max(most, Math.abs(difference));
        squares += difference ** 2;
      }
    });
  });
  return { most, typical: Math.sqrt(squares / (3 * WIDTH * HEIGHT * fields.length)) };
}

describe('drift of brightness', () => {
  test('a gain of 10 percent from view to view is undone within 1 percent, a channel by itself', () => {
    const drift: Drift = (v, _x, _y, c) => v * Math.log(1.1) * [1, 0.5, -0.7][c];
    const evened = evenBrightness(drifting(drift), white, kernels);
    expect(left(drift, evened!.fields).most).toBeLessThan(0.01);
    expect(evened!.fields[0].degree).toBe(0);
    expect(evened!.largest).toBeCloseTo(2 * Math.log(1.1), 2);
  });

  test('a smooth field of 8 percent is undone within 1 percent, a channel by itself', () => {
    const drift: Drift = (v, x, y, c) =>
      ((v - 2) / 2) * 0.08 * (c === 0 ? x : c === 1 ? 0.6 * x * y - 0.4 * y : 0.5 - x * x);
    const evened = evenBrightness(drifting(drift), white, kernels);
    expect(evened!.fields[0].degree).toBe(2);
    const { most, typical } = left(drift, evened!.fields);
    expect(typical).toBeLessThan(0.01);
    // In a corner: no area beyond it holds the polynomial there.
    expect(most).toBeLessThan(0.03);
  });

  test('one view that is darker than the others is brought to them, and the others stay', () => {
    const drift: Drift = (v) => (v === 3 ? -0.2 : 0);
    const { fields } = evenBrightness(drifting(drift), white, kernels)!;
    expect(left(drift, fields).most).toBeLessThan(0.01);
    expect(fields[2].coefficients.flat().every((k) => k === 0)).toBe(true);
  });

  test('what is clipped tells nothing', () => {
    const drift: Drift = (v) => (v - 2) * Math.log(1.1);
    // A lamp that is white in all views however they drift.
    const lamp = (x: number, y: number) => Math.hypot(x - 50, y - 60) < 18;
    const views = drifting(drift).map((view) => ({
      ...view,
      data: view.data.map((value, i) => {
        const p = Math.floor(i / 3);
        return lamp(p % WIDTH, Math.floor(p / WIDTH)) ? 0.5 : value;
      }),
    }));
    expect(left(drift, evenBrightness(views, white, kernels)!.fields).most).toBeLessThan(0.01);
  });

  test('there is none to find in a steady stack: defocus is not taken for it', () => {
    expect(evenBrightness(steady, white, kernels)).toBeUndefined();
    const wide = layeredScene({ width: WIDTH, height: HEIGHT, focus: FOCUS, kappa: 6 }).views;
    expect(evenBrightness(wide, white, kernels)).toBeUndefined();
  });

  test('nor where hardly anything is bright enough to be compared', () => {
    const dark = steady.map((view) => ({ ...view, data: view.data.map((v) => v - 9) }));
    expect(evenBrightness(dark, white, kernels)).toBeUndefined();
  });
});

test('a field is the polynomial of its coefficients at every pixel', () => {
  const k = [0.1, 0.2, -0.3, 0.05, 0.07, -0.02];
  const field: BrightnessField = { degree: 2, coefficients: [k, k.map((v) => -v), k.map(() => 0)] };
  const [width, height] = [7, 5];
  let count = 0;
  forField(field, width, height, (p, gains) => {
    const x = (2 * (p % width)) / (width - 1) - 1;
    const y = (2 * Math.floor(p / width)) / (height - 1) - 1;
    const value = k[0] + k[1] * x + k[2] * y + k[3] * x * x + k[4] * x * y + k[5] * y * y;
    expect(gains[0]).toBeCloseTo(value, 12);
    expect(gains[1]).toBeCloseTo(-value, 12);
    expect(gains[2] + 0).toBe(0);
    count++;
  });
  expect(count).toBe(width * height);
});
