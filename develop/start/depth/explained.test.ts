import { describe, expect, test } from 'vitest';
import { createPicture, type Picture } from '../../../model/picture.js';
import type { FocusViews } from './all-in-focus.js';
import { explainedPixels } from './explained.js';

const WIDTH = 64;
const HEIGHT = 48;

/** A dark bar, four pixels wide, before a bright wall: where nothing is blurred the views look like this. */
function bar(): { s: Picture; light: Picture } {
  const s = createPicture(WIDTH, HEIGHT, 1);
  const light = createPicture(WIDTH, HEIGHT, 3);
  for (let p = 0; p < WIDTH * HEIGHT; p++) {
    const front = Math.abs((p % WIDTH) - 31.5) < 2;
    s.data[p] = front ? 1 : -1;
    light.data.fill(front ? -4 : 0, 3 * p, 3 * p + 3);
  }
  return { s, light };
}

function viewsOf(light: Picture): FocusViews {
  return {
    views: [light, light],
    focus: [1, -1],
    aperture: [1, 1],
    gains: [
      [0, 0, 0],
      [0, 0, 0],
    ],
    valid: [],
  };
}

/** Share of the pixels that count, of those that no light from beyond the border reaches. */
const share = (mask: Uint8Array, x: (x: number) => boolean): number => {
  const inside = (p: number): boolean => insideBy(p) > 5;
  const at = Array.from(mask).filter((_, p) => x(p % WIDTH) && inside(p));
  return at.reduce((a, b) => a + b, 0) / at.length;
};

const insideBy = (p: number): number => {
  const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
  return Math.min(x, y, WIDTH - 1 - x, HEIGHT - 1 - y) + 0.5;
};

describe('pixels that one surface explains', () => {
  test('a bar over which a wall would blur is left out, the wall is not', () => {
    const { s, light } = bar();
    const [near] = explainedPixels(viewsOf(light), s, light, 2.5, 7);
    expect(share(near, (x) => Math.abs(x - 31.5) < 2)).toBe(0);
    expect(share(near, (x) => Math.abs(x - 31.5) > 10)).toBe(1);
  });

  test('without a depth edge everything counts, whatever the views show', () => {
    const { s, light } = bar();
    const flat = { ...s, data: s.data.map(() => -1) };
    const masks = explainedPixels(viewsOf(light), flat, light, 2.5, 7);
    for (const mask of masks) expect(share(mask, () => true)).toBe(1);
  });

  test('what blurs in from beyond the border does not count, in the views that are blurred there', () => {
    const { s, light } = bar();
    const flat = { ...s, data: s.data.map(() => -1) };
    const [blurred, sharp] = explainedPixels(viewsOf(light), flat, light, 2.5, 7);
    expect(sharp.every((v) => v === 1)).toBe(true);
    blurred.forEach((v, p) => void expect(v).toBe(insideBy(p) >= 5 ? 1 : 0));
  });

  test('brightness that the gains even out does not count as a difference', () => {
    const { s, light } = bar();
    const plain = explainedPixels(viewsOf(light), s, light, 2.5, 7);
    const darker = { ...light, data: light.data.map((v) => v - 1) };
    const even: FocusViews = {
      ...viewsOf(light),
      views: [darker, light],
      gains: [
        [1, 1, 1],
        [0, 0, 0],
      ],
    };
    expect(explainedPixels(even, s, light, 2.5, 7)).toEqual(plain);
  });

  test('large pictures are compared at a smaller size, to masks of their own', () => {
    const s = createPicture(1000, 800, 1);
    const light = createPicture(1000, 800, 3);
    const masks = explainedPixels(viewsOf(light), s, light, 1, 3);
    expect(masks.map((m) => m.length)).toEqual([800_000, 800_000]);
    expect(masks[0].every((v) => v === 1)).toBe(true);
  });
});
