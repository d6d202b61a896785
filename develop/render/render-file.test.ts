import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readPicture } from '../../imaging/read.js';
import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { type Capture, createPlan } from '../../model/plan.js';
import type { RenderQueryInput } from '../../model/render/query.js';
import type { TrainedModel } from '../options.js';
import { queryForFile, renderFile } from './render-file.js';

const [width, height] = [24, 16];
const scene = {
  width,
  height,
  radiance: new Float32Array(3 * width * height).fill(Math.log(0.5)),
  defocus: new Float32Array(0),
};

/** A model of an even grey of which no frame shows the rows from `rows` on. */
function modelSeen(rows: number): TrainedModel {
  const capture: Capture = {
    width,
    height,
    frames: [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }],
    focus: [0],
    kappa: 1,
    ...(rows < height ? { unseen: [width * rows, width * (height - rows)] } : {}),
  };
  const config = configSchema.parse({ blur: { form: 'none' } });
  const none = new Float32Array(0);
  return {
    capture,
    config,
    seed: 1,
    state: { step: 1, parameters: initialParameters(createPlan(capture, config, 1)), m: none, v: none },
    framesSha256: 'ab'.repeat(32),
    info: { preset: 'exposure', quality: 'draft', engine: 'native', device: 'cpu', frames: [], notes: [] },
  };
}

const file = (rows: number, format: NonNullable<RenderQueryInput['format']>, query: RenderQueryInput = {}) =>
  renderFile(scene, modelSeen(rows), queryForFile(query, format, 'the picture'));

/** Alpha of the middle column, from the top. */
async function alphaOf(bytes: Uint8Array): Promise<number[]> {
  const image = sharp(bytes).extractChannel(3).raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return Array.from({ length: info.height }, (_, y) => data[y * info.width + (info.width >> 1)]);
}

describe('what no frame shows', () => {
  test.each(['png', 'webp', 'avif'] as const)('is transparent in %s', async (format) => {
    const alpha = await alphaOf(await file(10, format));
    expect(alpha.map((a) => (a > 128 ? 1 : 0))).toEqual([...Array(10).fill(1), ...Array(6).fill(0)]);
  });

  test('is transparent in a part and at another size', async () => {
    const part = await file(10, 'png', { region: { x: 3, y: 8, width: 8, height: 6 } });
    expect(await alphaOf(part)).toEqual([255, 255, 0, 0, 0, 0]);
    expect(await alphaOf(await file(8, 'png', { width: 12 }))).toEqual([255, 255, 255, 255, 0, 0, 0, 0]);
  });

  test('is transparent in floats, and black', async () => {
    const exr = { name: 'a.exr', bytes: await file(10, 'exr') };
    const alpha = await readPicture(exr, { channels: ['A'] });
    const red = await readPicture(exr, { channels: ['R'] });
    for (const [y, seen] of [
      [9, 1],
      [10, 0],
    ]) {
      expect(alpha.data[width * y]).toBe(seen);
      expect(red.data[width * y]).toBeCloseTo(seen * red.data[0], 5);
    }
    const tiff = await file(10, 'tiff');
    expect(await sharp(tiff).metadata()).toMatchObject({ channels: 4, hasAlpha: true, depth: 'float' });
    const floats = await readPicture({ name: 'a.tif', bytes: tiff });
    expect([floats.data[0] > 0.1, floats.data[3 * width * 10]]).toEqual([true, 0]);
  });

  test.each(['jpeg', 'hdr'] as const)('is black in %s', async (format) => {
    const picture = await readPicture({ name: 'a', bytes: await file(8, format) });
    expect(picture.data[3 * width * 6]).toBeGreaterThan(0.1);
    expect(picture.data[3 * width * 14]).toBeLessThan(0.001);
  });

  test('keeps origin and profile beside alpha', async () => {
    for (const format of ['png', 'webp', 'avif', 'tiff'] as const) {
      const bytes = await file(10, format);
      const { hasAlpha, icc, exif } = await sharp(bytes).metadata();
      expect([format, hasAlpha]).toEqual([format, true]);
      // PNG says sRGB by chunks of its own; EXIF of a TIFF is the file itself.
      if (format === 'png') expect(Buffer.from(bytes).includes('sRGB')).toBe(true);
      else expect(icc?.length).toBeGreaterThan(100);
      expect(Buffer.from(format === 'tiff' ? bytes : exif!).includes('implicam ')).toBe(true);
    }
    const exr = Buffer.from(await file(10, 'exr'));
    for (const name of ['chromaticities', 'software', 'implicam ']) expect(exr.includes(name)).toBe(true);
  });

  test('leaves other pictures without alpha', async () => {
    for (const format of ['png', 'webp', 'avif', 'tiff'] as const) {
      expect(await sharp(await file(height, format)).metadata()).toMatchObject({ channels: 3 });
    }
  });
});
