import { describe, expect, it } from 'vitest';
import type { Frame, Picture } from '../../../model/picture.js';
import { encodeSrgb } from '../../../model/render/display-curves.js';
import { fitResponse } from './fit.js';
import { RESPONSE_KNOTS } from './response.js';
import { gaussian, sceneRadiance } from './synthetic-capture.fixture.js';

const EVS = [-2.5, 0, 2.5];
const scene = sceneRadiance(120, 80);

/** The scene in light whose channels have these shares, by a camera that follows sRGB, in 8 bits. */
function bracket(light: readonly number[], { width, height, data }: Picture = scene): Frame[] {
  return EVS.map((ev, e) => ({
    name: `${ev}`,
    width,
    height,
    camera: {},
    data: Uint8Array.from(data, (ln, i) => {
      const exposure = light[i % 3] * Math.exp(ln) * 2 ** ev;
      const noisy = exposure + Math.sqrt(exposure / 1e4 + 1e-7) * gaussian(e, i);
      return Math.round(255 * encodeSrgb(Math.min(1, Math.max(0, noisy))));
    }),
  }));
}

/** The most that the curves of two channels differ by. */
function difference(knots: Float64Array, a: number, b: number): number {
  const of = (channel: number) => knots.subarray(channel * RESPONSE_KNOTS, (channel + 1) * RESPONSE_KNOTS);
  return Math.max(...of(a).map((value, k) => Math.abs(value - of(b)[k])));
}

describe('channels without light', () => {
  it.each([
    ['red', [0.5, 0.0002, 0.0001], [1, 2]],
    ['blue', [0.0001, 0.0002, 0.5], [0, 1]],
    ['yellow', [0.5, 0.5, 0.0002], [2]],
  ] as const)('have the curve of the others in %s light', (_, light, unlit) => {
    const fitted = fitResponse([bracket(light)], [EVS]);
    expect(fitted.unlit).toEqual(unlit);
    const lit = [0, 1, 2].find((channel) => !(unlit as readonly number[]).includes(channel))!;
    for (const channel of unlit) expect(difference(fitted.response.knots, channel, lit)).toBeLessThan(0.01);
  });

  it('are none in usual light, and in a scene that is dark altogether', () => {
    expect(fitResponse([bracket([0.5, 0.5, 0.2])], [EVS]).unlit).toEqual([]);
    expect(fitResponse([bracket([0.001, 0.001, 0.001])], [EVS]).unlit).toEqual([]);
  });
});
