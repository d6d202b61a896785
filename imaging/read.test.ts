import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeSrgb, encodeSrgb } from '../model/render/display-curves.js';
import { floatTiff } from './float-tiff.js';
import { readFrame, readFrameSize, readPicture } from './read.js';
import {
  builtInProfile,
  fromSamples,
  pngClaiming,
  samples8,
  samples16,
  smoothPicture,
  withProfile,
} from './test-support.js';

const read = (bytes: Uint8Array, name = 'frame') => readFrame({ name, bytes });

/** The largest difference of two arrays of samples. */
function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

describe('transparency', () => {
  const [width, height] = [7, 4];
  /** Opaque on the left, transparent on the right, and one column a quarter opaque. */
  const alphaAt = (x: number) => (x < 3 ? 1 : x === 3 ? 0.25 : 0);
  const expected = Uint8Array.from({ length: width * height }, (_, p) => (p % width < 3 ? 1 : 0));

  it.each([
    ['8-bit png', 4, 8, 'png'],
    ['16-bit png', 4, 16, 'png'],
    ['8-bit webp', 4, 8, 'webp'],
    ['grey png', 2, 8, 'png'],
  ] as const)('of a %s is a mask', async (_, channels, bits, format) => {
    const full = bits === 8 ? 255 : 65535;
    const data = new (bits === 8 ? Uint8Array : Uint16Array)(channels * width * height);
    for (let i = 0; i < data.length; i++) {
      const last = i % channels === channels - 1;
      data[i] = Math.round(full * (last ? alphaAt(Math.floor(i / channels) % width) : 0.4));
    }
    const bytes = await sharp(data, { raw: { width, height, channels } })
      .toColourspace(bits === 16 ? 'rgb16' : channels === 2 ? 'b-w' : 'srgb')
      .toFormat(format, format === 'webp' ? { lossless: true, exact: true } : {})
      .toBuffer();
    const frame = await read(bytes);
    expect(frame.mask).toEqual(expected);
    expect(frame.data).toHaveLength(3 * width * height);
  });

  it('that is nowhere is no mask', async () => {
    const data = new Uint8Array(4 * width * height).fill(255);
    const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    expect((await read(bytes)).mask).toBeUndefined();
  });
});

describe('exact formats', () => {
  const eight = samples8(61, 37);
  const sixteen = samples16(61, 37);

  it.each([
    ['png', () => fromSamples(eight).png()],
    ['interlaced png', () => fromSamples(eight).png({ progressive: true })],
    ['webp without loss', () => fromSamples(eight).webp({ lossless: true })],
    ['tiff', () => fromSamples(eight).tiff({ compression: 'none' })],
    ['lzw tiff', () => fromSamples(eight).tiff({ compression: 'lzw', predictor: 'horizontal' })],
    ['avif without loss', () => fromSamples(eight).avif({ lossless: true, chromaSubsampling: '4:4:4' })],
  ])('%s of 8 bits', async (_, write) => {
    const frame = await read(await write().toBuffer());
    expect([frame.width, frame.height]).toEqual([61, 37]);
    expect(frame.data).toBeInstanceOf(Uint8Array);
    expect(frame.data).toEqual(eight.data);
  });

  it.each([
    ['png', () => fromSamples(sixteen).png()],
    ['tiff', () => fromSamples(sixteen).tiff({ compression: 'deflate' })],
  ])('%s of 16 bits', async (_, write) => {
    const frame = await read(await write().toBuffer());
    expect(frame.data).toBeInstanceOf(Uint16Array);
    expect(frame.data).toEqual(sixteen.data);
  });

  it('avif of 12 bits, to its quantum', async () => {
    const bytes = await fromSamples(sixteen)
      .heif({ compression: 'av1', bitdepth: 12, lossless: true, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const frame = await read(bytes);
    expect(frame.data).toBeInstanceOf(Uint16Array);
    expect(furthest(frame.data, sixteen.data)).toBeLessThan(16);
  });

  it('jpeg as its decoder gives it, near what was written', async () => {
    const { width, height, data } = smoothPicture(64, 48);
    const source = { width, height, data: Uint8Array.from(data, (v) => Math.round(v * 255)) };
    const bytes = await fromSamples(source).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    const frame = await read(bytes);
    expect(frame.data).toEqual(new Uint8Array(await sharp(bytes).raw().toBuffer()));
    expect(furthest(frame.data, source.data)).toBeLessThan(12);
  });
});

describe('other samples become RGB', () => {
  it('grey of 8 and 16 bits', async () => {
    for (const grey of [samples8(20, 10, 1), samples16(20, 10, 1)]) {
      const frame = await read(await fromSamples(grey).png().toBuffer());
      expect([...frame.data]).toEqual([...grey.data].flatMap((v) => [v, v, v]));
    }
  });

  it('alpha is dropped and leaves the colours', async () => {
    for (const rgba of [samples8(20, 10, 4), samples16(20, 10, 4)]) {
      const frame = await read(await fromSamples(rgba).png().toBuffer());
      expect([...frame.data]).toEqual([...rgba.data].filter((_, i) => i % 4 < 3));
    }
  });

  it('a palette and one bit a pixel', async () => {
    const checks = Uint8Array.from({ length: 16 * 16 }, (_, i) => ((i ^ (i >> 4)) & 1) * 255);
    const bytes = await fromSamples({ width: 16, height: 16, data: checks })
      .png({ palette: true, colours: 2 })
      .toBuffer();
    expect([...(await read(bytes)).data]).toEqual([...checks].flatMap((v) => [v, v, v]));
  });

  it('CMYK', async () => {
    const flat = sharp({ create: { width: 16, height: 16, channels: 3, background: '#a08070' } });
    const bytes = await flat.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    const frame = await read(bytes);
    expect(frame.data.length).toBe(16 * 16 * 3);
    expect(furthest(frame.data.subarray(0, 3), [0xa0, 0x80, 0x70])).toBeLessThan(12);
  });

  it.each([1, 3])('floating-point TIFF of %i channels, taken as linear light', async (channels) => {
    const picture = smoothPicture(24, 18, channels, -0.2, 1.3);
    const frame = await read(floatTiff(picture) as Uint8Array);
    const expected = [...picture.data].flatMap((x) => {
      const value = Math.round(65535 * encodeSrgb(Math.min(1, Math.max(0, x))));
      return channels === 1 ? [value, value, value] : [value];
    });
    expect(frame.data).toBeInstanceOf(Uint16Array);
    expect(furthest(frame.data, expected)).toBeLessThanOrEqual(1);
  });
});

describe('orientation', () => {
  /** Where pixel (x, y) of the upright picture lies in the stored one, by EXIF orientation. */
  const stored: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _, h) => [y, h - 1 - x],
    7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
    8: (x, y, w) => [w - 1 - y, x],
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is undone', async (orientation) => {
    const source = samples8(13, 7);
    const oriented = () => fromSamples(source).withMetadata({ orientation });
    const turned = orientation > 4;
    const [width, height] = turned ? [7, 13] : [13, 7];
    const expected = new Uint8Array(source.data.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [sx, sy] = stored[orientation](x, y, 13, 7);
        expected.set(source.data.subarray((sy * 13 + sx) * 3, (sy * 13 + sx) * 3 + 3), (y * width + x) * 3);
      }
    }
    const files = [
      oriented().png(),
      oriented().webp({ lossless: true }),
      oriented().tiff({ compression: 'lzw' }),
    ];
    for (const file of files) {
      const bytes = await file.toBuffer();
      const frame = await read(bytes);
      expect([frame.width, frame.height]).toEqual([width, height]);
      expect(frame.data).toEqual(expected);
      expect(await readFrameSize({ name: 'frame', bytes })).toEqual({ width, height });
    }
  });
});

describe('colour profiles', () => {
  /** Display P3 to sRGB, linear light (both D65), clipped. */
  const p3ToSrgb = [
    [1.2249402, -0.2249402, 0],
    [-0.042057, 1.042057, 0],
    [-0.0196376, -0.078636, 1.0982736],
  ] as const;

  function fromP3(data: Uint8Array | Uint16Array, scale: number): number[] {
    const out: number[] = [];
    for (let i = 0; i < data.length; i += 3) {
      const linear = [0, 1, 2].map((c) => decodeSrgb(data[i + c] / scale));
      for (const row of p3ToSrgb) {
        const x = row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2];
        out.push(scale * encodeSrgb(Math.min(1, Math.max(0, x))));
      }
    }
    return out;
  }

  it('Display P3 of 8 and 16 bits is converted to sRGB', async () => {
    const p3 = await builtInProfile('p3');
    const eight = samples8(32, 24);
    const sixteen = samples16(32, 24);
    // Mid tones: beyond sRGB's gamut methods of clipping differ.
    const muted8 = { ...eight, data: eight.data.map((v) => 80 + v / 4) };
    const muted16 = { ...sixteen, data: sixteen.data.map((v) => 20000 + v / 4) };
    const frame8 = await read(withProfile(await fromSamples(muted8).png().toBuffer(), p3));
    expect(furthest(frame8.data, fromP3(muted8.data, 255))).toBeLessThan(1);
    const frame16 = await read(withProfile(await fromSamples(muted16).png().toBuffer(), p3));
    expect(furthest(frame16.data, fromP3(muted16.data, 65535))).toBeLessThan(65535 / 1000);
    expect(furthest(frame16.data, muted16.data)).toBeGreaterThan(1000);
  });

  it('samples that say they are sRGB come through exact', async () => {
    const srgb = await builtInProfile('srgb');
    const eight = samples8(32, 24);
    const sixteen = samples16(32, 24);
    expect((await read(withProfile(await fromSamples(eight).png().toBuffer(), srgb))).data).toEqual(
      eight.data,
    );
    expect((await read(withProfile(await fromSamples(sixteen).png().toBuffer(), srgb))).data).toEqual(
      sixteen.data,
    );
  });

  it('a profile that is rubbish is ignored', async () => {
    for (const source of [samples8(32, 24), samples16(32, 24)]) {
      const png = await fromSamples(source).png().toBuffer();
      expect((await read(withProfile(png, Buffer.alloc(200, 7)))).data).toEqual(source.data);
    }
  });
});

describe('refusals', () => {
  const refusal = (bytes: Uint8Array, options = {}) =>
    readFrame({ name: 'bad.jpg', bytes }, options).catch((e) => e);

  it('decompression bombs, from the header', async () => {
    expect(await refusal(pngClaiming(60_000, 60_000))).toMatchObject({
      name: 'ImplicamError',
      code: 'picture-too-large',
      status: 413,
      message: expect.stringContaining('60000 × 60000'),
    });
    expect(await refusal(pngClaiming(2 ** 30, 3))).toMatchObject({ name: 'ImplicamError' });
  });

  it('pictures and files out of bounds', async () => {
    const bytes = await fromSamples(samples8(20, 10)).png().toBuffer();
    expect(await refusal(bytes, { limits: { maxPixels: 199 } })).toMatchObject({ code: 'picture-too-large' });
    expect(await refusal(bytes, { limits: { maxSide: 19 } })).toMatchObject({ code: 'picture-too-large' });
    expect(await refusal(bytes, { limits: { minSide: 11 } })).toMatchObject({ code: 'picture-too-small' });
    expect(await refusal(bytes, { limits: { maxFileBytes: 50 } })).toMatchObject({ code: 'file-too-large' });
    expect(await refusal(new Uint8Array(0))).toMatchObject({ code: 'file-empty' });
    const thin = await fromSamples(samples8(1, 10)).png().toBuffer();
    expect(await refusal(thin)).toMatchObject({ code: 'picture-too-small' });
    expect(await refusal(bytes, { limits: { maxPixels: 200, maxSide: 20, minSide: 10 } })).toMatchObject({
      width: 20,
    });
  });

  it('animations and files of several pictures', async () => {
    const frames = [samples8(16, 16, 3, 1), samples8(16, 16, 3, 2)].map((s) => ({ ...s, channels: 3 }));
    const inputs = await Promise.all(frames.map((s) => fromSamples(s).png().toBuffer()));
    const joined = () => sharp(inputs, { join: { animated: true } });
    const webp = await joined().webp({ lossless: true }).toBuffer();
    expect(await refusal(webp)).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('2 pictures'),
    });
    const tiff = await joined().tiff({ compression: 'lzw' }).toBuffer();
    expect(await refusal(tiff)).toMatchObject({ code: 'format-unsupported' });
    expect(await refusal(await joined().gif().toBuffer())).toMatchObject({ code: 'format-unsupported' });
  });

  it('paths that are missing or no files', async () => {
    await expect(readFrame('/nowhere/a.jpg')).rejects.toMatchObject({
      code: 'file-not-found',
      message: expect.stringContaining('/nowhere/a.jpg'),
    });
    await expect(readFrame('/')).rejects.toMatchObject({ code: 'file-unreadable' });
    await expect(readFrame('/dev/null')).rejects.toMatchObject({ code: 'file-unreadable' });
  });
});

describe('readPicture', () => {
  it('gives the linear light of a photograph', async () => {
    const source = samples8(12, 9);
    const picture = await readPicture({ name: 'a', bytes: await fromSamples(source).png().toBuffer() });
    expect(picture).toMatchObject({ width: 12, height: 9, channels: 3 });
    const expected = Float32Array.from(source.data, (v) => decodeSrgb(v / 255));
    expect(picture.data).toEqual(expected);
  });

  it.each([1, 3])('gives a floating-point TIFF of %i channels as stored', async (channels) => {
    const source = smoothPicture(17, 11, channels, -3, 1000);
    const picture = await readPicture({ name: 'a', bytes: floatTiff(source) });
    expect(picture).toEqual(source);
  });
});
