import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { expose, sceneRadiance } from '../response/synthetic-capture.fixture.js';
import { invalidBorder } from './border.js';

const [width, height] = [90, 60];
const photograph = (bits: 8 | 16 = 8): Frame => expose(sceneRadiance(width, height), 0, { bits });

function paint(frame: Frame, rgb: readonly number[], where: (x: number, y: number) => boolean): Frame {
  for (let p = 0; p < width * height; p++) {
    if (where(p % width, Math.floor(p / width))) frame.data.set(rgb, 3 * p);
  }
  return frame;
}
const masked = (mask: Uint8Array | undefined, x: number, y: number) => mask?.[y * width + x] === 0;

describe('invalidBorder', () => {
  it('finds none on a photograph', () => {
    expect(invalidBorder(photograph())).toBeUndefined();
    expect(invalidBorder(photograph(16))).toBeUndefined();
  });

  it.each([
    { bits: 8 as const, blue: [0, 0, 255] },
    { bits: 16 as const, blue: [0, 0, 65535] },
  ])('masks a slanted border of pure colour, $bits bits', ({ bits, blue }) => {
    const mask = invalidBorder(paint(photograph(bits), blue, (x, y) => x < 4 + y / 20 || y > 57));
    expect(masked(mask, 0, 0)).toBe(true);
    expect(masked(mask, 6, 50)).toBe(true);
    expect(masked(mask, 50, 59)).toBe(true);
    expect(masked(mask, 50, 30)).toBe(false);
    // One pixel around is blended with it.
    expect(masked(mask, 4, 2)).toBe(true);
    expect(masked(mask, 6, 2)).toBe(false);
  });

  it('leaves the same colour alone inside the picture', () => {
    const mask = invalidBorder(
      paint(photograph(), [255, 0, 0], (x, y) => x < 3 || (x > 40 && x < 50 && y > 20 && y < 30)),
    );
    expect(masked(mask, 1, 30)).toBe(true);
    expect(masked(mask, 45, 25)).toBe(false);
  });

  it('masks black strips that end at once, but not a dark scene', () => {
    const strips = invalidBorder(paint(photograph(), [0, 1, 2], (x, y) => x >= 85 || y < 3));
    expect(masked(strips, 87, 30)).toBe(true);
    expect(masked(strips, 20, 2)).toBe(true);
    expect(masked(strips, 20, 3)).toBe(false);
    const night = paint(
      photograph(),
      [0, 0, 0],
      (x, y) => y < 20 + 12 * Math.sin(x / 7) || (x + y) % 9 !== 0,
    );
    expect(invalidBorder(night)).toBeUndefined();
  });
});
