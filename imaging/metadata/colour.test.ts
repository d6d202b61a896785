import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeSrgb, encodeSrgb } from '../../model/render/display-curves.js';
import { readFrame } from '../read.js';
import { fromSamples, samples16, smoothPicture, withProfile } from '../test-support.js';
import { encodeImage } from '../write.js';
import { judgeProfile } from './icc.js';
import { colourProfile } from './icc-profile.js';

/** What files say of their colours, as others understand it. */

describe('colour profiles', () => {
  it('are told apart', () => {
    expect(judgeProfile(colourProfile('srgb', 3))).toBe('srgb');
    expect(judgeProfile(colourProfile('srgb', 1))).toBe('srgb');
    expect(judgeProfile(colourProfile('linear', 3))).toBe('other');
    expect(judgeProfile(colourProfile('linear', 1))).toBe('other');
  });

  it('mean what they say to a colour management', async () => {
    const width = 32;
    const steps = Uint16Array.from({ length: 3 * width }, (_, i) => Math.round(65535 * (0.02 + i / 100)));
    const png = await fromSamples({ width, height: 1, data: steps }).png().toBuffer();
    const converted = async (curve: 'srgb' | 'linear') => {
      const opened = sharp(withProfile(png, colourProfile(curve, 3)));
      return opened.withIccProfile('srgb').toColourspace('srgb').raw().toBuffer();
    };
    for (const [i, code] of (await converted('srgb')).entries()) {
      expect(Math.abs(code - steps[i] / 257)).toBeLessThan(1.5);
    }
    for (const [i, code] of (await converted('linear')).entries()) {
      expect(Math.abs(code - 255 * encodeSrgb(steps[i] / 65535))).toBeLessThan(2.5);
    }
  });
});

describe('files say what their colours are', () => {
  const picture = smoothPicture(24, 16);

  it.each(['jpeg', 'webp', 'avif', 'ultrahdr'] as const)('%s: a profile of sRGB', async (kind) => {
    const { icc } = await sharp(await encodeImage(kind, picture)).metadata();
    expect(judgeProfile(icc!)).toBe('srgb');
  });

  it('a grey JPEG stays grey, and is read back as it is', async () => {
    const grey = smoothPicture(24, 16, 1);
    const bytes = await encodeImage('jpeg', grey, { quality: 100 });
    const { icc, channels } = await sharp(bytes).metadata();
    expect([judgeProfile(icc!), channels]).toEqual(['srgb', 1]);
    const { data } = await readFrame({ name: 'a', bytes });
    const raw = await sharp(bytes, { ignoreIcc: true }).toColourspace('b-w').raw().toBuffer();
    expect(data.filter((_, i) => i % 3 === 0)).toEqual(new Uint8Array(raw));
  });

  it('floats: a profile of linear light, none for grey, which may be no light', async () => {
    const { icc } = await sharp(await encodeImage('tiff', picture)).metadata();
    expect(icc).toEqual(colourProfile('linear', 3));
    const grey = await sharp(await encodeImage('tiff', smoothPicture(24, 16, 1))).metadata();
    expect(grey.icc).toBeUndefined();
    expect(decodeSrgb(encodeSrgb(0.3))).toBeCloseTo(0.3, 6);
  });

  it.each([8, 16] as const)(
    'a PNG of %d bits: the chunks of sRGB, and samples that nobody moved',
    async (bits) => {
      const { width, height, data } = samples16(9, 7);
      const wide = { width, height, channels: 3, data: Float32Array.from(data, (v) => v / 65535) };
      const bytes = Buffer.from(await encodeImage('png', wide, { bits, origin: {} }));
      const chunk = (type: string) => {
        const at = bytes.indexOf(type, 0, 'latin1');
        expect(at).toBeGreaterThan(0);
        expect(at).toBeLessThan(bytes.indexOf('IDAT', 0, 'latin1'));
        return bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4));
      };
      expect([...chunk('sRGB')]).toEqual([0]);
      expect(chunk('gAMA').readUInt32BE()).toBe(45455);
      expect(Array.from({ length: 8 }, (_, i) => chunk('cHRM').readUInt32BE(4 * i))).toEqual([
        31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000,
      ]);
      const frame = await readFrame({ name: 'a', bytes });
      const scale = bits === 8 ? 255 : 65535;
      expect(Array.from(frame.data)).toEqual(Array.from(wide.data, (v) => Math.round(v * scale)));
    },
  );
});
