import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { estimateResponse } from '../response/comparagram.js';
import { fitResponse } from '../response/fit.js';
import {
  type CameraResponse,
  inverseResponse,
  responseFrom,
  responseValue,
  srgbResponse,
} from '../response/response.js';
import {
  defocus,
  expose,
  hatMerge,
  muLawPsnr,
  sceneRadiance,
  trueResponse,
} from '../response/synthetic-capture.fixture.js';
import { mergeFrames } from './merge.js';

const scene = sceneRadiance(180, 120);
const camera = responseFrom((channel, lnX) => trueResponse(channel, Math.exp(lnX)));
const bracket = (ev: readonly number[], seed = 7) => ev.map((e, k) => expose(scene, e, { seed: seed + k }));

/** A frame of one pixel. */
function pixel(...rgb: number[]): Frame {
  return { name: `${rgb}`, width: 1, height: 1, data: Uint8Array.from(rgb), camera: {} };
}

function responseError(response: CameraResponse): number {
  let squares = 0;
  let count = 0;
  for (let c = 0; c < 3; c++) {
    for (let lnX = -6.5; lnX <= 0; lnX += 0.05) {
      squares += (responseValue(response, c, lnX) - trueResponse(c, Math.exp(lnX))) ** 2;
      count++;
    }
  }
  return 255 * Math.sqrt(squares / count);
}

describe('merge with a response learned from the frames', () => {
  it.each([
    { ev: [-3, 0, 3], gain: 7, error: 2.5 },
    { ev: [-2, 0, 2], gain: 3, error: 2.5 },
    { ev: [-4, -2, 0, 2, 4], gain: 2.5, error: 2.5 },
  ])('beats the hat-weighted merge at $ev', ({ ev, gain, error }) => {
    const frames = bracket(ev);
    const { g } = estimateResponse([frames], { groups: [ev.map((_, i) => i)], ev, known: true });
    const { response } = fitResponse([frames], [ev]);
    const { radiance } = mergeFrames(frames, response, ev);
    const score = muLawPsnr(radiance, scene);
    expect(score).toBeGreaterThan(muLawPsnr(hatMerge(frames, g, ev), scene) + gain);
    expect(score).toBeGreaterThan(muLawPsnr(mergeFrames(frames, camera, ev).radiance, scene) - 0.5);
    expect(responseError(response)).toBeLessThan(error);
  });

  it('does so from several focus settings together, and from 16 bits', () => {
    const ev = [-3, 0, 3];
    const views = [0, 2].map((focus) => defocus(scene, focus));
    const stacks = views.map((view, k) => ev.map((e) => expose(view, e, { seed: 30 + k, bits: 16 })));
    const { response } = fitResponse(stacks, [ev, ev]);
    expect(responseError(response)).toBeLessThan(2.5);
    expect(muLawPsnr(mergeFrames(stacks[1], response, ev).radiance, views[1])).toBeGreaterThan(46);
  });

  it('keeps the gauge: ln radiance 0 saturates a frame of ev 0', () => {
    const ev = [-3, 0, 3];
    const { radiance } = mergeFrames(bracket(ev), camera, ev);
    const differences = Array.from(radiance.data, (u, i) => u - scene.data[i]).sort((a, b) => a - b);
    expect(Math.abs(differences[differences.length >> 1])).toBeLessThan(0.01);
  });

  it('is not led astray by what moves in one frame', () => {
    const ev = [-2, 0, 2];
    const frames = bracket(ev);
    for (let p = 0; p < 180 * 120; p++) if (p % 180 < 30) frames[0].data.fill(70, 3 * p, 3 * p + 3);
    const { response } = fitResponse([frames], [ev]);
    expect(responseError(response)).toBeLessThan(4);
  });

  it('leaves out what masks leave out', () => {
    const ev = [-2, 0, 2];
    const frames = bracket(ev);
    const mask = new Uint8Array(180 * 120).fill(1);
    for (let p = 0; p < mask.length; p++) {
      if (p % 180 >= 60) continue;
      mask[p] = 0;
      frames[1].data.fill(250, 3 * p, 3 * p + 3);
    }
    const masks = [undefined, mask, undefined];
    const inside = (p: number) => p % 180 < 60;
    const { response } = fitResponse([frames], [ev], { masks: [masks] });
    expect(responseError(response)).toBeLessThan(3);
    const score = (options: object) =>
      muLawPsnr(mergeFrames(frames, response, ev, options).radiance, scene, inside);
    expect(score({ masks })).toBeGreaterThan(30);
    expect(score({})).toBeLessThan(25);
  });

  it('gives the same bits each time', () => {
    const ev = [-3, 0, 3];
    const [a, b] = [0, 1].map(() => {
      const frames = bracket(ev);
      const { response } = fitResponse([frames], [ev]);
      return { knots: response.knots, data: mergeFrames(frames, response, ev).radiance.data };
    });
    expect(b).toEqual(a);
  });

  it('assumes sRGB where nothing is bracketed', () => {
    const [frame] = bracket([0]);
    const { response } = fitResponse([[frame], [frame]], [[0], [0.3]]);
    expect(response.knots).toEqual(srgbResponse().knots);
  });
});

describe('mergeFrames', () => {
  it('puts a single frame through the inverse response', () => {
    const { radiance } = mergeFrames([pixel(0, 100, 255)], camera, [1.5]);
    const shift = 1.5 * Math.LN2;
    expect(radiance.data[0]).toBeCloseTo(inverseResponse(camera, 0, 0.5 / 255) - shift, 5);
    expect(radiance.data[1]).toBeCloseTo(inverseResponse(camera, 1, 100 / 255) - shift, 5);
    expect(radiance.data[2]).toBeCloseTo(-shift, 5);
  });

  it('takes the bound of the darkest frame where all are white, of the brightest where all are black', () => {
    const frames = [pixel(255, 0, 0), pixel(255, 0, 0), pixel(255, 0, 255)];
    const ev = [0, -2, 12];
    const { radiance, information } = mergeFrames(frames, camera, ev, { information: true });
    const black = (c: number) => inverseResponse(camera, c, 0.5 / 255);
    expect(radiance.data[0]).toBeCloseTo(2 * Math.LN2, 5);
    expect(radiance.data[1]).toBeCloseTo(black(1) - 12 * Math.LN2, 5);
    // White at +12, black at 0: in between.
    expect(radiance.data[2]).toBeGreaterThanOrEqual(-12 * Math.LN2);
    expect(radiance.data[2]).toBeLessThanOrEqual(black(2));
    expect(Array.from(information!.data)).toEqual([0, 0, 0]);
  });

  it('finds the radiance that every frame was exposed with, however many are clipped', () => {
    const exposures = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.double({ min: -6, max: -0.05, noNaN: true }), exposures, (lnX, others) => {
        const ev = [0, ...others];
        const frames = ev.map((e) => {
          const codes = [0, 1, 2].map((c) => 255 * responseValue(camera, c, lnX + Math.LN2 * e));
          return pixel(...codes.map(Math.round));
        });
        const { radiance } = mergeFrames(frames, camera, ev);
        for (let c = 0; c < 3; c++) {
          for (const [k, e] of ev.entries()) {
            const model = 255 * responseValue(camera, c, radiance.data[c] + Math.LN2 * e);
            // White scatters over the last codes; elsewhere rounding is all that is lost.
            if (frames[k].data[c] < 252) expect(Math.abs(model - frames[k].data[c])).toBeLessThan(1.6);
            else expect(model).toBeGreaterThan(frames[k].data[c] - 1.6);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('trusts well-exposed frames: information is none where clipped, most where bright', () => {
    const frames = [pixel(40, 255, 0), pixel(200, 255, 0)];
    const { information } = mergeFrames(frames, camera, [0, 2.5], { information: true });
    const single = mergeFrames([frames[0]], camera, [0], { information: true }).information!;
    expect(information!.data[0]).toBeGreaterThan(3 * single.data[0]);
    expect(information!.data[1]).toBe(0);
    expect(information!.data[2]).toBe(0);
  });

  it('calls black, uninformed, what every mask leaves out', () => {
    const frames = [pixel(100, 100, 100), pixel(150, 150, 150)];
    const masks = [Uint8Array.of(0), Uint8Array.of(0)];
    const { radiance, information } = mergeFrames(frames, camera, [0, 1], { masks, information: true });
    expect(radiance.data[0]).toBeCloseTo(inverseResponse(camera, 0, 0.5 / 255) - Math.LN2, 5);
    expect(information!.data[0]).toBe(0);
  });

  it('says what is wrong with its input', () => {
    const small: Frame = { name: 'small.png', width: 2, height: 1, data: new Uint8Array(6), camera: {} };
    expect(() => mergeFrames([], camera, [])).toThrow(/no frame to merge/);
    expect(() => mergeFrames([pixel(1, 2, 3), small], camera, [0, 1])).toThrow(
      /small.png is 2×1 but 1,2,3 is 1×1/,
    );
    expect(() => mergeFrames([small], camera, [])).toThrow(/1 frames need as many finite exposures/);
    expect(() => mergeFrames([small], camera, [Number.NaN])).toThrow(/finite exposures/);
    expect(() => mergeFrames([small], camera, [0], { masks: [new Uint8Array(3)] })).toThrow(
      /mask of small.png/,
    );
  });
});
