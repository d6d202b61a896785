import { describe, expect, it } from 'vitest';
import type { Frame, Picture } from '../../../model/picture.js';
import { responseFrom } from '../response/response.js';
import { expose, muLawPsnr, sceneRadiance, trueResponse } from '../response/synthetic-capture.fixture.js';
import { mergeFrames } from './merge.js';
import { findMoved } from './moved.js';

const SIZE = { width: 240, height: 160 };
const scene = sceneRadiance(SIZE.width, SIZE.height);
const camera = responseFrom((channel, lnX) => trueResponse(channel, Math.exp(lnX)));
const EV = [-2, 1, 4];
const NOISE = { shot: 1e-4, read: 1.6e-7, rounding: 1 / 12 / 255 ** 2 };
const NO_MASKS = EV.map(() => undefined);
/** Of this scene the middle exposure shows most. */
const MIDDLE = 1;

/** The scene with a striped disk at `x`. */
function withDisk(x: number): Picture {
  const data = scene.data.slice();
  eachPixel((px, py, p) => {
    if (!inDisk(px, py, x)) return;
    for (let c = 0; c < 3; c++) data[3 * p + c] = (px - x + 60) % 8 < 4 ? -2.6 : -1.8;
  });
  return { ...scene, data };
}

const inDisk = (px: number, py: number, x: number) => (px - x) ** 2 + (py - 40) ** 2 < 15 ** 2;

function eachPixel(visit: (x: number, y: number, p: number) => void): void {
  for (let p = 0; p < SIZE.width * SIZE.height; p++) visit(p % SIZE.width, Math.floor(p / SIZE.width), p);
}

function bracket(of: (frame: number) => Picture, bits: 8 | 16 = 8): Frame[] {
  return EV.map((ev, i) => expose(of(i), ev, { seed: 3 + i, bits }));
}

/** A disk that goes from left to right. */
const PLACES = [100, 120, 140];
const moving = (bits?: 8 | 16) => bracket((i) => withDisk(PLACES[i]), bits);

const find = (frames: readonly Frame[], masks: readonly (Uint8Array | undefined)[] = NO_MASKS) =>
  findMoved(frames, camera, EV, NOISE, masks);

describe('what moved in a bracket', () => {
  it('is nothing where all stood still, in 8 and 16 bits', () => {
    for (const bits of [8, 16] as const) {
      const { reference, masks, shares } = find(bracket(() => scene, bits));
      expect(reference).toBe(MIDDLE);
      expect(masks).toEqual(NO_MASKS);
      expect(shares).toEqual([0, 0, 0]);
    }
  });

  it('is found where it was and where it is, and nowhere else', () => {
    for (const bits of [8, 16] as const) {
      const frames = moving(bits);
      const { masks, shares } = find(frames);
      expect(masks[MIDDLE]).toBeUndefined();
      for (const i of [0, 2]) {
        const [then, now] = [withDisk(PLACES[i]), withDisk(PLACES[MIDDLE])];
        let [missed, moved, wrong] = [0, 0, 0];
        eachPixel((x, y, p) => {
          // White says no more than that there is as much light as that.
          const tells = frames[i].data[3 * p] < (bits === 8 ? 250 : 250 * 257);
          const there = tells && Math.abs(then.data[3 * p] - now.data[3 * p]) > 0.5;
          const near = Math.abs(y - 40) < 25 && x > PLACES[0] - 25 && x < PLACES[2] + 25;
          const out = masks[i]![p] === 0;
          if (there) moved++;
          if (there && !out) missed++;
          if (!near && out) wrong++;
        });
        expect(missed / moved).toBeLessThan(0.02);
        expect(wrong).toBe(0);
        expect(shares[i]).toBeGreaterThan(0.02);
        expect(shares[i]).toBeLessThan(0.08);
      }
    }
  });

  it('leaves a merge of the one moment', () => {
    const frames = moving();
    const truth = withDisk(PLACES[MIDDLE]);
    const score = (masks: readonly (Uint8Array | undefined)[]) =>
      muLawPsnr(mergeFrames(frames, camera, EV, { masks }).radiance, truth);
    expect(score(find(frames).masks)).toBeGreaterThan(score(NO_MASKS) + 6);
  });

  it('is not small lamps that are white in the reference, though their rims slipped', () => {
    const lamps = (slip: number): Picture => {
      const data = scene.data.map((u) => u - 0.5);
      eachPixel((x, y, p) => {
        if (Math.hypot(((x - slip + 300) % 30) - 15, (y % 30) - 15) < 4) data.fill(3, 3 * p, 3 * p + 3);
      });
      return { ...scene, data };
    };
    const frames = bracket((i) => lamps(i === 0 ? 1.5 : 0));
    const { masks } = find(frames);
    eachPixel((_, __, p) => {
      if (frames[MIDDLE].data[3 * p] >= 250) expect(masks[0]?.[p]).not.toBe(0);
    });
  });

  it('is not what slipped by part of a pixel', () => {
    const slipped = (share: number): Picture => {
      const from = (i: number) => scene.data[Math.min(i, scene.data.length - 1)];
      const data = scene.data.map((_, i) =>
        Math.log((1 - share) * Math.exp(from(i)) + share * Math.exp(from(i + 3))),
      );
      return { ...scene, data };
    };
    expect(find(bracket((i) => slipped(0.25 * Math.abs(i - MIDDLE)))).shares).toEqual([0, 0, 0]);
    expect(find(bracket((i) => slipped(i === MIDDLE ? 0 : 1))).shares.some((share) => share > 0.01)).toBe(
      true,
    );
  });

  it('is not what response or exposures explain, nor another light over all the picture', () => {
    const dimmer = (by: number): Picture => ({ ...scene, data: scene.data.map((u) => u - by) });
    expect(find(bracket((i) => dimmer(i === 0 ? 0.3 : 0))).shares).toEqual([0, 0, 0]);
    const upset = (i: number): Picture =>
      i === 0 ? { ...scene, data: scene.data.map((_, k) => -3 + 2 * Math.sin(k / 900)) } : scene;
    const { masks, shares } = find(bracket(upset));
    expect(masks).toEqual(NO_MASKS);
    expect(shares).toEqual([0, 0, 0]);
  });

  it('is told by the frame of middle exposure, even if another is a little less often white', () => {
    // Bright in a tenth of the picture: white there from the middle exposure on. Dark elsewhere, but nowhere black.
    const data = scene.data.map((_, i) => (i % 30 < 3 ? 0.9 : -3.2 + 0.5 * Math.sin(i / 700)));
    const frames = bracket(() => ({ ...scene, data }));
    const white = (frame: Frame) => frame.data.filter((z) => z >= 250).length;
    const black = (frame: Frame) => frame.data.filter((z) => z <= 3).length;
    expect(white(frames[0]) + black(frames[0])).toBeLessThan(0.01 * data.length);
    expect(white(frames[MIDDLE])).toBeGreaterThan(0.09 * data.length);
    expect(find(frames).reference).toBe(MIDDLE);
  });

  it('is left out where it is white in the reference, and darker elsewhere', () => {
    const lit = (x: number): Picture => {
      const data = scene.data.slice();
      eachPixel((px, py, p) => inDisk(px, py, x) && data.fill(-0.4, 3 * p, 3 * p + 3));
      return { ...scene, data };
    };
    const frames = bracket((i) => lit(PLACES[i]));
    const { masks } = find(frames);
    let [white, left] = [0, 0];
    eachPixel((px, py, p) => {
      if (!inDisk(px, py, PLACES[MIDDLE]) || inDisk(px, py, PLACES[0])) return;
      white++;
      if (masks[0]?.[p] === 0) left++;
    });
    expect(left / white).toBeGreaterThan(0.9);
    const score = (of: readonly (Uint8Array | undefined)[]) =>
      muLawPsnr(mergeFrames(frames, camera, EV, { masks: of }).radiance, lit(PLACES[MIDDLE]));
    expect(score(masks)).toBeGreaterThan(score(NO_MASKS) + 3);
  });

  it('is not looked for where a frame is masked, nor where the reference is white and others no darker', () => {
    const frames = moving();
    const upper = Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, p) =>
      p < 80 * SIZE.width ? 0 : 1,
    );
    expect(find(frames, [upper, undefined, upper])).toMatchObject({ shares: [0, 0, 0] });
    const { masks } = find(frames);
    eachPixel((_, __, p) => {
      const white = [0, 1, 2].some((c) => frames[MIDDLE].data[3 * p + c] >= 250);
      if (white) expect(masks.every((mask) => mask?.[p] !== 0)).toBe(true);
    });
  });
});
