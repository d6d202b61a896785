import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Look } from '../../model/camera/camera.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { decodeSrgb } from '../../model/render/display-curves.js';
import { exposureField } from '../../model/render/exposure-field.js';
import { showLocally } from '../../model/render/local-tone.js';
import { chooseDisplay, displayReason, lightRadiance, localShare, showRadiance } from './display.js';

/** Steps of a stop from left to right. */
function ramp(width = 32, height = 16): Picture {
  const picture = createPicture(width, height, 3);
  for (let i = 0; i < picture.data.length; i++) {
    picture.data[i] = 2 ** ((Math.floor(i / 3) % width) / 3 - 5);
  }
  return picture;
}

/** A camera whose pixel values are the square root of light. */
const lookOf = (...ev: number[]): Look => ({ ev, tone: (_, z) => Math.exp(z / 2) });
const shown = (light: Picture, look: Look) => showRadiance(light, chooseDisplay(light, look), look).data;

describe('how a picture is shown where nobody asks for a tone', () => {
  it('is as the camera did where there is one exposure', () => {
    const light = ramp();
    expect(chooseDisplay(light, lookOf(1.5, 1.5, 1.5))).toEqual({ local: 0, ev: 1.5, curve: undefined });
    const data = shown(light, lookOf(-2, -2));
    for (const [i, v] of data.entries()) {
      expect(v).toBeCloseTo(Math.min(1, Math.sqrt(light.data[i] / 4)), 4);
    }
  });

  it('is local for a bracket', () => {
    const light = ramp();
    const look = lookOf(-3, 0, 3);
    const choice = chooseDisplay(light, look);
    expect(choice.local).toBe(1);
    expect(shown(light, look)).toEqual(showLocally(light, exposureField(light, choice.curve!), 0).data);
  });

  it('goes from the one to the other without a step', () => {
    const light = ramp();
    expect([0, 0.5, 1.5, 2.5, 9].map((range) => localShare([-range / 2, range / 2]))).toEqual([
      0, 0, 0.5, 1, 1,
    ]);
    let before = shown(light, lookOf(0, 0));
    for (let range = 0.1; range < 3; range += 0.1) {
      const now = shown(light, lookOf(-range, 0, 0));
      expect(Math.max(...now.map((v, i) => Math.abs(v - before[i])))).toBeLessThan(0.06);
      before = now;
    }
  });

  it('is never darker at more exposure, for any bracket', () => {
    const light = ramp();
    const stops = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 4, noNaN: true }), stops, (range, ev) => {
        const look = lookOf(-range / 2, range / 2);
        const choice = chooseDisplay(light, look);
        const at = (more: number) => showRadiance(light, choice, look, { ev: more }).data;
        const [dark, bright] = [at(ev), at(ev + 0.2)];
        return bright.every((v, i) => v >= dark[i]);
      }),
      { numRuns: 30 },
    );
  });

  it('knows what is noise from the longest exposure', () => {
    // Code 10 of the square root is reached at (10/255)² of full scale, 7 stops up in these exposures.
    const { curve } = chooseDisplay(ramp(), lookOf(-10, -7));
    expect(curve!.low).toBeCloseTo(2 * Math.log2(10 / 255) + 7, 3);
    expect(chooseDisplay(ramp(), lookOf(-3, 3)).curve!.low).toBeCloseTo(-5, 0);
  });

  it('has light above white for displays that can show it', () => {
    const light = ramp();
    const one = lookOf(1, 1);
    const alone = lightRadiance(light, chooseDisplay(light, one), one).data;
    const picture = shown(light, one);
    for (const [i, v] of alone.entries()) {
      // One stop up: up to white what the picture shows, above it as bright as the light is.
      const expected = 2 * light.data[i] > 1 ? 2 * light.data[i] : decodeSrgb(picture[i]);
      expect(v).toBeCloseTo(Math.min(8, expected), 4);
    }
    const look = lookOf(-3, 0, 3);
    const bracket = chooseDisplay(light, look);
    const bright = lightRadiance(light, bracket, look).data;
    expect(Math.max(...bright)).toBeGreaterThan(1);
    expect(bright.every((v, i) => v >= decodeSrgb(shown(light, look)[i]) - 1e-6)).toBe(true);
  });

  it('survives darkness, and no photographs', () => {
    const dark = createPicture(2, 1, 3);
    expect(Array.from(shown(dark, lookOf(-3, 3)))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(localShare([])).toBe(0);
  });

  it('is told', () => {
    expect(displayReason([0, 0])).toBe('the response of the camera at +0.00 stops');
    expect(displayReason([-2, 2])).toBe('shadows and lights each exposed for themselves');
    expect(displayReason([-1.5, -1, 0])).toMatch(/at −1\.00 stops, shadows and lights in part/);
  });
});
