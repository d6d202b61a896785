import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFrames } from '../../imaging/capture.js';
import { RandomStream } from '../../model/philox.js';
import { exposureValue } from '../../model/picture.js';
import { readKnownTruth } from '../scores/evaluate.js';
import { type CaptureOptions, renderCapture } from './capture.js';
import { project } from './motion.js';
import { RESPONSES, type ResponseName, response, sensorFor } from './sensor.js';
import { writeSample } from './write.js';

const [width, height] = [96, 64];
const bracket = (options: CaptureOptions = {}) =>
  renderCapture({ scene: 'hall', width, height, focus: 1, exposures: 3, ...options });
const plain = bracket();

/** Mean of a channel over a part of the picture, 0…1. */
function mean(
  data: ArrayLike<number>,
  c: number,
  inside: (x: number, y: number) => boolean = () => true,
): number {
  let sum = 0;
  let count = 0;
  for (let p = 0; p < width * height; p++) {
    if (!inside(p % width, Math.floor(p / width))) continue;
    sum += data[3 * p + c];
    count++;
  }
  return sum / count;
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
}

function brightest(data: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, data[i]);
  return most;
}

describe('the curves of cameras', () => {
  it.each(RESPONSES)('%s rises strictly from 0 to 1', (name) => {
    for (const curve of sensorFor(new RandomStream(3, 1), name).curves) {
      expect(response(curve, 0)).toBe(0);
      expect(response(curve, 1)).toBeCloseTo(1, 12);
      for (let i = 1; i <= 200; i++) {
        expect(response(curve, i / 200)).toBeGreaterThan(response(curve, (i - 1) / 200));
      }
    }
  });

  it('differ from each other, and all but sRGB from channel to channel', () => {
    const at = (name: ResponseName) =>
      sensorFor(new RandomStream(3, 1), name).curves.map((c) => response(c, 0.18));
    expect(new Set(RESPONSES.map((name) => at(name)[1].toFixed(3))).size).toBe(RESPONSES.length);
    for (const name of RESPONSES) expect(new Set(at(name)).size > 1).toBe(name !== 'srgb');
    expect(bracket({ response: 'film' }).frames[1].pixels).not.toEqual(plain.frames[1].pixels);
  });

  it('with a shoulder draw highlights together', () => {
    const [without, with1] = [0, 1].map((shoulder) => ({ gamma: 2.2, contrast: 0, toe: 0, shoulder }));
    const top = (c: typeof without) => response(c, 1) - response(c, 0.8);
    expect(top(with1)).toBeLessThan(0.7 * top(without));
  });
});

describe('a camera', () => {
  it('by default does nothing but what every one does', () => {
    expect(plain.frames.map((f) => [f.ev, f.balance, f.take, f.deep])).toEqual(
      [-3, 0, 3].map((ev) => [ev, [1, 1, 1], 0, undefined]),
    );
  });

  it('of high sensitivity has more noise', () => {
    const error = (iso: number) => {
      const { frames, camera } = bracket({ iso, response: 'srgb' });
      const clean = Float64Array.from(
        plain.truth.radiance.data,
        (v) => 255 * response(camera.sensor.curves[0], v),
      );
      return difference(frames[1].pixels, clean);
    };
    expect(error(6400)).toBeGreaterThan(3 * error(100));
    expect(bracket({ iso: 400 }).frames[1].exposureTime).toBeCloseTo(plain.frames[1].exposureTime / 4, 9);
  });

  it('darkens the corners by the stops that are asked for, in the truth, too', () => {
    const dark = bracket({ vignetting: 2 });
    const corner = 0;
    const middle = ((height / 2) * width + width / 2) * 3;
    const ratio = (i: number) => dark.truth.radiance.data[i] / plain.truth.radiance.data[i];
    expect(Math.log2(ratio(corner))).toBeCloseTo(-2, 1);
    expect(ratio(middle)).toBeCloseTo(1, 2);
    const edge = (x: number, y: number) => x < 8 && y < 8;
    expect(mean(dark.frames[1].pixels, 1, edge)).toBeLessThan(0.8 * mean(plain.frames[1].pixels, 1, edge));
  });

  it('whose white balance drifts changes red and blue of all but the reference frame', () => {
    const { frames } = bracket({ wbDrift: 0.5 });
    expect(frames[1].pixels).toEqual(plain.frames[1].pixels);
    for (const i of [0, 2]) {
      const [r, g, b] = frames[i].balance;
      expect(g).toBe(1);
      for (const gain of [r, b]) expect(Math.abs(Math.log2(gain))).toBeLessThanOrEqual(0.5);
      expect(mean(frames[i].pixels, 1)).toBe(mean(plain.frames[i].pixels, 1));
      const redder = mean(frames[i].pixels, 0) - mean(plain.frames[i].pixels, 0);
      expect(Math.sign(redder)).toBe(Math.sign(r - 1));
    }
  });

  it('breathes: the picture grows from the nearest to the farthest focus', () => {
    const { frames } = renderCapture({ width, height, focus: 3, exposures: 1, breathing: 4 });
    const at = new Float64Array(2);
    const corners = frames.map(({ homography }) => {
      project(homography, 0, height / 2, at);
      return at[0] - width / 2;
    });
    expect(corners[2] / corners[0]).toBeCloseTo(1.02 / 0.98, 5);
    expect(corners[1]).toBe(-width / 2);
    expect(
      renderCapture({ width, height, focus: 1, exposures: 2, breathing: 4 }).frames[0].homography,
    ).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('under lights that flicker is exposed otherwise than it is set', () => {
    const { frames } = bracket({ flicker: 0.5 });
    expect(frames.map((f) => f.setEv)).toEqual([-3, 0, 3]);
    expect(frames[1].ev).toBe(0);
    for (const i of [0, 2]) {
      expect(Math.abs(frames[i].ev - frames[i].setEv)).toBeLessThanOrEqual(0.5);
      const brighter = mean(frames[i].pixels, 1) - mean(plain.frames[i].pixels, 1);
      expect(Math.sign(brighter)).toBe(Math.sign(frames[i].ev - frames[i].setEv));
    }
  });

  it.each([12, 14, 16])('of %i bits has them', (bits) => {
    const { frames } = bracket({ bits });
    expect(brightest(frames[2].deep!)).toBe(2 ** bits - 1);
    expect(new Set(frames[1].deep).size).toBeGreaterThan(256);
    const scale = 255 / (2 ** bits - 1);
    expect(
      difference(
        frames[1].deep!.map((v) => Math.round(v * scale)),
        frames[1].pixels,
      ),
    ).toBeLessThan(0.6);
  });

  it('clips at its white', () => {
    const { frames } = bracket({ white: 230, bits: 12 });
    expect(brightest(frames[2].pixels)).toBe(230);
    expect(brightest(frames[2].deep!)).toBe(Math.round((4095 * 230) / 255));
    expect(brightest(plain.frames[2].pixels)).toBe(255);
  });

  it('takes every setting again, with other noise', () => {
    const { frames } = bracket({ retakes: 2 });
    expect(frames.map((f) => [f.exposureIndex, f.take])).toEqual(
      [0, 1, 2].flatMap((e) => [0, 1, 2].map((t) => [e, t])),
    );
    expect(frames[4].pixels).not.toEqual(frames[3].pixels);
    expect(difference(frames[4].pixels, frames[3].pixels)).toBeLessThan(4);
  });

  it('sees somebody walk by', () => {
    const still = bracket({ mover: true, scene: 'study' });
    const without = bracket({ scene: 'study' });
    const changed = (i: number, j: number) =>
      still.frames[i].pixels.filter((v, k) => Math.abs(v - without.frames[j].pixels[k]) > 12).length;
    for (const i of [0, 1, 2]) expect(changed(i, i)).toBeGreaterThan(0.01 * width * height);
    const seen = (i: number) =>
      still.frames[i].pixels.map((v, k) => (Math.abs(v - without.frames[i].pixels[k]) > 12 ? 1 : 0));
    expect(difference(seen(0), seen(1))).toBeGreaterThan(0.1);
    expect(still.truth.radiance.data).not.toEqual(without.truth.radiance.data);
  });

  it('refuses what it can not do', () => {
    expect(() => bracket({ jpeg: 0 })).toThrow(/jpeg/);
    expect(() => bracket({ bits: 10 })).toThrow(/8, 12, 14 or 16/);
    expect(() => bracket({ jpeg: 90, bits: 12 })).toThrow(/JPEG has 8 bits/);
    expect(() => bracket({ iso: 50 })).toThrow(/iso/);
  });
});

describe('files', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'implicam-camera-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const written = async (name: string, options: CaptureOptions) => {
    const folder = join(root, name);
    const truth = await writeSample(folder, { width, height, focus: 1, exposures: 2, ...options });
    return { folder, truth, frames: await readFrames(truth.frames.map(({ file }) => join(folder, file))) };
  };

  it('are JPEG of the quality and colours that are asked for, with EXIF', async () => {
    const { pixels } = renderCapture({ width, height, focus: 1, exposures: 2 }).frames[0];
    const errors: number[] = [];
    for (const [jpeg, subsampling] of [
      [97, '4:4:4'],
      [97, '4:2:0'],
      [60, '4:2:0'],
    ] as const) {
      const { frames, truth } = await written(`${jpeg}${subsampling[2]}`, { jpeg, subsampling, iso: 800 });
      expect(truth.frames[0].file).toBe('focus1-exposure1.jpg');
      expect(truth.taken).toMatchObject({ jpeg, subsampling });
      expect(frames[0].camera.iso).toBe(800);
      expect(exposureValue(frames[1].camera)! - exposureValue(frames[0].camera)!).toBeCloseTo(3, 3);
      errors.push(difference(frames[0].data, pixels));
    }
    expect(errors[0]).toBeGreaterThan(0);
    expect(errors[1]).toBeGreaterThan(errors[0]);
    expect(errors[2]).toBeGreaterThan(errors[1]);
  });

  it('of 12 bits end at 4095 of 65535; baselines see 8 bits of them', async () => {
    const { folder, frames } = await written('twelve', { bits: 12, retakes: 1 });
    expect(frames).toHaveLength(4);
    expect(brightest(frames[2].data)).toBe(4095);
    const { stack } = await readKnownTruth(folder);
    expect(stack.brackets[0].evs).toEqual([-1.5, -1.5, 1.5, 1.5]);
    expect(stack.brackets[0].pixels[2].reduce((a, b) => Math.max(a, b))).toBe(255);
  });
});
