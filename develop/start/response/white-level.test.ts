import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { expose, gaussian, sceneRadiance } from './synthetic-capture.fixture.js';
import { whiteLevel } from './white-level.js';

const scene = sceneRadiance(150, 100);
const EVS = [-3, 0, 3];

/** A bracket whose white is code `white`, with noise of `sigma` codes after it clipped. */
function bracket(white: number, sigma = 0): Frame[] {
  return EVS.map((ev, e) => {
    const frame = expose(scene, ev, { seed: 20 + e });
    const data = frame.data.map((v, i) =>
      Math.max(0, Math.min(255, Math.round((v * white) / 255 + sigma * gaussian(e, i)))),
    );
    return { ...frame, data };
  });
}

describe('white level', () => {
  it.each([
    [250, 0],
    [235, 0],
    [235, 1],
    [220, 1.5],
  ])('is found at %i with noise of %d codes', (white, sigma) => {
    expect(Math.abs(whiteLevel(bracket(white, sigma)) - white)).toBeLessThanOrEqual(2);
  });

  it.each([0, 0.5, 1.5])('is full scale where frames clip there, with noise of %d codes', (sigma) => {
    expect(whiteLevel(bracket(255, sigma))).toBe(255);
  });

  it('does not take a bright even wall for white', () => {
    const wall = EVS.map((ev, e): Frame => {
      const code = Math.min(255, 60 * 2 ** (ev / 2));
      const data = Uint8Array.from({ length: 3 * 5000 }, (_, i) => Math.round(code + gaussian(e, i)));
      return { name: `${ev}`, width: 100, height: 50, data, camera: {} };
    });
    expect(whiteLevel(wall)).toBe(255);
  });

  it('is full scale where no frame is darker, and where masks leave nothing', () => {
    const frames = bracket(235);
    expect(whiteLevel([frames[2], frames[2]])).toBe(255);
    const mask = new Uint8Array(150 * 100);
    expect(whiteLevel(frames.map((frame) => ({ ...frame, mask })))).toBe(255);
  });
});
