import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../imaging/decode.js';
import { limitsWith } from '../imaging/limits.js';
import { fromSamples } from '../imaging/test-support.js';
import type { Frame } from '../model/picture.js';
import { encodeSrgb } from '../model/render/display-curves.js';
import { seenShare } from '../model/unseen.js';
import { prepare } from './prepare.js';
import { gaussian, sceneRadiance } from './start/response/synthetic-capture.fixture.js';

const [width, height] = [96, 64];
const EVS = [-2, 0, 2];
const scene = sceneRadiance(width, height);

/** Frames as 16-bit PNG, their colours weighted by an alpha of soft edges. */
async function softFrames(alphaOf: (frame: number, x: number, y: number) => number): Promise<Frame[]> {
  return Promise.all(
    EVS.map(async (ev, e) => {
      const data = new Uint16Array(4 * width * height);
      for (let p = 0; p < width * height; p++) {
        const alpha = Math.min(1, Math.max(0, alphaOf(e, p % width, Math.floor(p / width))));
        for (let c = 0; c < 3; c++) {
          const light = Math.exp(scene.data[3 * p + c]) * 2 ** ev * (1 + 0.005 * gaussian(e, 3 * p + c));
          data[4 * p + c] = Math.round(65535 * alpha * encodeSrgb(Math.min(1, light)));
        }
        data[4 * p + 3] = Math.round(65535 * alpha);
      }
      const bytes = await fromSamples({ width, height, data }).png().toBuffer();
      const frame = await decodeFrame({ name: `${e}.png`, bytes }, limitsWith());
      return { ...frame, camera: { exposureTime: 2 ** ev / 60, fNumber: 8, iso: 100 } };
    }),
  );
}

/** The most that the start differs from the truth by, in stops after one gain, over the pixels where `keep` holds. */
async function worst(frames: readonly Frame[], keep: (x: number) => boolean): Promise<number> {
  const { allInFocus } = await prepare(frames, { preset: 'exposure' });
  const errors = Float64Array.from(allInFocus.data, (v, i) => v - scene.data[i]);
  const gain = errors.slice().sort()[errors.length >> 1];
  const kept = errors.filter((_, i) => keep(Math.floor(i / 3) % width));
  return Math.max(...kept.map((v) => Math.abs(v - gain))) / Math.LN2;
}

describe('frames with soft edges', () => {
  it('leave no dark fringe where others show the scene', async () => {
    // One shows the left, one all, one the right; their alpha falls over twelve pixels.
    const frames = await softFrames((e, x) => (e === 1 ? 1 : e === 0 ? (56 - x) / 12 : (x - 40) / 12));
    expect(await worst(frames, (x) => x >= 36 && x < 60)).toBeLessThan(0.25);
  }, 60_000);

  it('show nothing where none of them is opaque, and it is said', async () => {
    const frames = await softFrames((_, x) => (72 - x) / 8);
    const { capture, notes } = await prepare(frames, { preset: 'exposure' });
    const seen = seenShare(width, height, capture.unseen!);
    expect(Array.from(seen.data.subarray(0, width))).toEqual(
      Array.from({ length: width }, (_, x) => (x <= 64 ? 1 : 0)),
    );
    expect(notes).toContainEqual(
      expect.stringMatching(/^no frame shows 32\.3 % of the picture: transparent/),
    );
    expect(await worst(frames, (x) => x <= 64)).toBeLessThan(0.25);
  }, 60_000);
});
