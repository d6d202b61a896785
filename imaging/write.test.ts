import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Picture } from '../model/picture.js';
import { viewAs } from './bytes.js';
import { readFrame, readPicture } from './read.js';
import { countDifferent, smoothPicture } from './test-support.js';
import { encodeImage, type ImageKind, imageKindOf, imageKinds, writeFileWhole, writeImage } from './write.js';

/** A picture whose samples are k / scale for whole k, beyond [0, 1] here and there. */
function steps(scale: number, channels: number): Picture {
  const data = Float32Array.from(
    { length: 20 * 16 * channels },
    (_, i) => ((i * 7919) % (scale + 1)) / scale,
  );
  return { width: 20, height: 16, channels, data };
}

const whole = ({ data }: Picture, scale: number): number[] => Array.from(data, (v) => Math.round(v * scale));

/** Root mean square difference of a frame from the display-encoded picture, on a scale of 1. */
async function error(bytes: Uint8Array, picture: Picture): Promise<number> {
  const { data } = await readFrame({ name: 'a', bytes });
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] / 255 - picture.data[i]) ** 2;
  return Math.sqrt(sum / data.length);
}

describe('display formats', () => {
  it('PNG of 8 and 16 bits is exact, RGB and grey', async () => {
    for (const [bits, scale] of [
      [8, 255],
      [16, 65535],
    ] as const) {
      const rgb = steps(scale, 3);
      const frame = await readFrame({ name: 'a', bytes: await encodeImage('png', rgb, { bits }) });
      expect([...frame.data]).toEqual(whole(rgb, scale));
      const grey = steps(scale, 1);
      const bytes = await encodeImage('png', grey, { bits });
      expect(await sharp(bytes).metadata()).toMatchObject({
        channels: 1,
        depth: bits === 8 ? 'uchar' : 'ushort',
      });
      const values = (await readFrame({ name: 'a', bytes })).data.filter((_, i) => i % 3 === 0);
      expect([...values]).toEqual(whole(grey, scale));
    }
  });

  it('WebP without loss is exact', async () => {
    const rgb = steps(255, 3);
    const { data } = await readFrame({
      name: 'a',
      bytes: await encodeImage('webp', rgb, { lossless: true }),
    });
    expect([...data]).toEqual(whole(rgb, 255));
  });

  it('samples are clipped and rounded, and NaN is black', async () => {
    const data = Float32Array.of(
      -1,
      2,
      Number.NaN,
      0.49 / 255,
      0.51 / 255,
      1,
      Number.POSITIVE_INFINITY,
      -0,
      0.5,
      0,
      0,
      0,
    );
    const bytes = await encodeImage('png', { width: 2, height: 2, channels: 3, data });
    expect([...(await readFrame({ name: 'a', bytes })).data]).toEqual([
      0, 255, 0, 0, 1, 255, 255, 0, 128, 0, 0, 0,
    ]);
  });

  it.each(['jpeg', 'webp', 'avif'] as const)('%s is near, and nearer with more quality', async (kind) => {
    const picture = smoothPicture(64, 48);
    const fine = await error(await encodeImage(kind, picture), picture);
    const coarse = await error(await encodeImage(kind, picture, { quality: 5 }), picture);
    expect(fine).toBeLessThan(0.012);
    expect(coarse).toBeGreaterThan(1.5 * fine);
  });

  it('JPEG holds grey', async () => {
    const bytes = await encodeImage('jpeg', smoothPicture(32, 32, 1));
    expect(await sharp(bytes).metadata()).toMatchObject({ channels: 1, width: 32 });
  });
});

describe('linear formats', () => {
  it.each(['exr', 'tiff'] as const)('%s is exact, RGB and grey', async (kind) => {
    for (const picture of [smoothPicture(33, 21, 3, -1, 5000), smoothPicture(33, 21, 1, -1, 5000)]) {
      const read = await readPicture({ name: 'a', bytes: await encodeImage(kind, picture) });
      expect([read.width, read.height, read.channels]).toEqual([33, 21, picture.channels]);
      expect(countDifferent(read.data, picture.data)).toBe(0);
    }
  });

  it('hdr is near', async () => {
    const picture = smoothPicture(33, 21, 3, 0.1, 5000);
    const read = await readPicture({ name: 'a', bytes: await encodeImage('hdr', picture) });
    let worst = 0;
    for (let i = 0; i < picture.data.length; i++) {
      const largest = Math.max(...picture.data.subarray(i - (i % 3), i - (i % 3) + 3));
      worst = Math.max(worst, Math.abs(read.data[i] - picture.data[i]) / largest);
    }
    expect(worst).toBeLessThanOrEqual(1 / 256);
  });

  it('UltraHDR is a JPEG whose gain map brings the highlights back', async () => {
    const picture = smoothPicture(128, 96, 3, 0.05, 6);
    const bytes = await encodeImage('ultrahdr', picture);
    const metadata = await sharp(bytes).metadata();
    expect(metadata).toMatchObject({ format: 'jpeg', width: 128, height: 96 });
    expect(metadata.gainMap).toBeDefined();
    expect((await readFrame({ name: 'a', bytes })).data).toBeInstanceOf(Uint8Array);
    const gainMapped = (sharp(bytes) as Sharp & { withGainMap(): Sharp }).withGainMap();
    const light = viewAs(Float32Array, await gainMapped.raw({ depth: 'float' }).toBuffer());
    expect(light.length).toBe(picture.data.length);
    let stops = 0;
    for (let i = 0; i < light.length; i++) stops += Math.abs(Math.log2(light[i] / picture.data[i]));
    expect(stops / light.length).toBeLessThan(0.2);
  });
});

describe('refusals', () => {
  const grey = smoothPicture(16, 16, 1);
  const rgb = smoothPicture(16, 16);
  it.each([
    ['ultrahdr', grey, {}, 'channels-invalid'],
    ['ultrahdr', smoothPicture(7, 16), {}, 'picture-too-small'],
    ['png', smoothPicture(16, 16, 2), {}, 'channels-invalid'],
    ['jpeg', smoothPicture(16, 16, 4), {}, 'channels-invalid'],
    ['png', { ...rgb, width: 17 }, {}, 'channels-invalid'],
    ['exr', smoothPicture(16, 16, 2), {}, 'channels-invalid'],
    ['jpeg', rgb, { quality: 0 }, 'option-invalid'],
    ['jpeg', rgb, { quality: 101 }, 'option-invalid'],
    ['jpeg', rgb, { quality: 50.5 }, 'option-invalid'],
    ['jpeg', rgb, { bits: 16 }, 'option-invalid'],
    ['exr', rgb, { origin: { iso: -100 } }, 'camera-invalid'],
    ['png', rgb, { origin: { exposureTime: -1 } }, 'camera-invalid'],
    ['bmp', rgb, {}, 'option-invalid'],
    ['webp', { width: 16384, height: 2, channels: 1, data: new Float32Array(32768) }, {}, 'encode-failed'],
  ] as [ImageKind, Picture, object, string][])('%s', async (kind, picture, options, code) => {
    await expect(encodeImage(kind, picture, options)).rejects.toMatchObject({ name: 'ImplicamError', code });
  });
});

describe('writeImage', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-write-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('chooses by extension, and leaves nothing else behind', async () => {
    const picture = smoothPicture(16, 16);
    const names = Object.values(imageKinds).flatMap(({ extensions }) => extensions.map((e) => `a${e}`));
    for (const name of names) await writeImage(join(folder, name), picture);
    expect((await readdir(folder)).sort()).toEqual([...names].sort());
    const formats = await Promise.all(
      ['a.PNG', 'a.jpeg', 'a.tif'].map(async (name) => {
        await writeImage(join(folder, name), picture);
        return (await sharp(join(folder, name)).metadata()).format;
      }),
    );
    expect(formats).toEqual(['png', 'jpeg', 'tiff']);
    await writeImage(join(folder, 'b.jpg'), picture, { kind: 'ultrahdr' });
    expect((await sharp(join(folder, 'b.jpg')).metadata()).gainMap).toBeDefined();
  });

  it('knows extensions, and lists them when it does not', () => {
    expect(imageKindOf('/a/b.EXR')).toBe('exr');
    for (const path of ['a.bmp', 'a', '.png']) {
      expect(() => imageKindOf(path)).toThrow(
        expect.objectContaining({ code: 'format-unsupported', exitCode: 2 }),
      );
    }
    expect(() => imageKindOf('a.bmp')).toThrow(/\.png.*\.exr/);
  });

  it('keeps the old file when it cannot write a new one, and says why', async () => {
    const path = join(folder, 'keep.png');
    await writeFile(path, 'old');
    await expect(writeImage(path, smoothPicture(16, 16, 2))).rejects.toMatchObject({
      code: 'channels-invalid',
    });
    expect(await readFile(path, 'utf8')).toBe('old');
    await writeFileWhole(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    await expect(writeImage(join(folder, 'no/where.png'), smoothPicture(4, 4))).rejects.toMatchObject({
      code: 'write-failed',
      message: expect.stringMatching(/no does not exist: make it first/),
    });
    await expect(writeFileWhole(folder, 'x')).rejects.toMatchObject({ code: 'write-failed' });
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
