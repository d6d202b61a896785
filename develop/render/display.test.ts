import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Camera } from '../../model/camera/camera.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { encodeSrgb, filmic } from '../../model/render/display-curves.js';
import { chooseDisplay, showRadiance } from './display.js';

function grey(...values: number[]): Picture {
  const picture = createPicture(values.length, 1, 3);
  for (const [i, v] of values.entries()) picture.data.fill(v, 3 * i, 3 * i + 3);
  return picture;
}

const BRACKET = [-3, 0, 3];
const camera: Camera = { focus: [0], kappa: 1, ev: BRACKET, tone: (_, z) => Math.exp(z / 2) };
const shown = (radiance: Picture, evs: readonly number[]) => {
  const { data } = showRadiance(radiance, chooseDisplay(radiance, evs), camera);
  return Array.from({ length: data.length / 3 }, (_, i) => data[3 * i]);
};

describe('how the all-in-focus picture is shown', () => {
  it('is as the camera did where there is one exposure', () => {
    expect(chooseDisplay(grey(0.1), [1.5, 1.5, 1.5])).toMatchObject({ tone: 'learned', ev: 1.5 });
    const [value] = shown(grey(0.09), [2, 2]);
    expect(value).toBeCloseTo(0.6, 4);
  });

  it('shows the log-average of a bracket as mid-grey, whatever the scale of the radiance', () => {
    fc.assert(
      fc.property(fc.double({ min: -10, max: 10, noNaN: true }), (stops) => {
        const [dark, bright] = shown(grey(0.09 * 2 ** stops, 0.36 * 2 ** stops), BRACKET);
        expect(dark).toBeCloseTo(encodeSrgb(filmic(0.09)), 3);
        expect(bright).toBeCloseTo(encodeSrgb(filmic(0.36)), 3);
      }),
    );
  });

  it('keeps lights apart below white, and leaves the rest alone', () => {
    const dim = Array.from({ length: 900 }, () => 0.18);
    const lights = [0.3, 1, 4, 16, 64, 256];
    const plain = shown(grey(...dim, 0.3), BRACKET);
    const values = shown(grey(...dim, ...lights), BRACKET).slice(dim.length);
    for (let i = 1; i < lights.length; i++) expect(values[i] - values[i - 1]).toBeGreaterThan(0.005);
    expect(values.at(-1)).toBeLessThan(0.99);
    expect(values[0]).toBeCloseTo(plain.at(-1)!, 1);
  });

  it('keeps the ratios of colours when it compresses', () => {
    const picture = grey(...Array.from({ length: 300 }, () => 0.18), 8, 500);
    picture.data.set([16, 8, 1], 900);
    const choice = chooseDisplay(picture, BRACKET);
    expect(choice.brightest).toBeGreaterThan(10);
    const { data } = showRadiance(picture, choice, camera);
    const [r, g, b] = data.subarray(900);
    expect(r).toBeGreaterThan(g + 0.02);
    expect(g).toBeGreaterThan(b + 0.1);
  });

  it('survives darkness', () => {
    expect(shown(grey(0, 0), BRACKET)).toEqual([0, 0]);
  });
});
