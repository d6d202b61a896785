import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { blackLevel, stretched } from './black-level.js';

const [width, height] = [40, 30];
const EVS = [-6, -3, 0, 3];

/** A ramp over twelve stops in four exposures, on a base of `black` codes. */
function bracket(black: readonly number[]): Frame[] {
  return EVS.map((ev) => {
    const data = new Uint8Array(3 * width * height);
    for (let p = 0; p < width * height; p++) {
      const x = Math.min(1, 2 ** (ev - 12 * ((p % width) / (width - 1)))) ** 0.5;
      for (let c = 0; c < 3; c++) data[3 * p + c] = Math.round(black[c] + (255 - black[c]) * x);
    }
    return { name: `ev${ev}`, width, height, data, camera: {} };
  });
}
const none = EVS.map(() => undefined);

describe('black level', () => {
  it('is the code that frames far apart share', () => {
    const level = blackLevel(bracket([13, 17, 0]), EVS, none);
    expect(level[0] - 13).toBeLessThanOrEqual(1);
    expect(level[1] - 17).toBeLessThanOrEqual(1);
    expect(level[0]).toBeGreaterThanOrEqual(13);
    expect(level[1]).toBeGreaterThanOrEqual(17);
    expect(level[2]).toBe(0);
  });

  it('is not found where the exposures are equal, or hidden by masks', () => {
    const frames = bracket([13, 13, 13]);
    expect(
      blackLevel(
        frames,
        frames.map(() => 0),
        none,
      ),
    ).toEqual([0, 0, 0]);
    const nothing = new Uint8Array(width * height);
    expect(
      blackLevel(
        frames,
        EVS,
        frames.map(() => nothing),
      ),
    ).toEqual([0, 0, 0]);
  });

  it('does not take what is white in all frames for black', () => {
    const white = bracket([0, 0, 0]).map((f) => ({ ...f, data: f.data.fill(255) }));
    expect(blackLevel(white, EVS, none)).toEqual([0, 0, 0]);
  });

  it('is taken off so that white stays white', () => {
    const frame: Frame = { name: 'a', width: 3, height: 1, data: new Uint8Array(9), camera: {} };
    frame.data.set([13, 13, 13, 5, 134, 255, 255, 255, 0]);
    expect([...stretched(frame, [13, 13, 0]).data]).toEqual([
      0,
      0,
      13 * 257,
      0,
      32768,
      65535,
      65535,
      65535,
      0,
    ]);
    expect(stretched(frame, [0, 0, 0])).toBe(frame);
  });
});
