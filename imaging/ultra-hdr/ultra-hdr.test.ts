import exifr from 'exifr';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../model/picture.js';
import { decodeSrgb, encodeSrgb, filmic } from '../../model/render/display-curves.js';
import { viewAs } from '../bytes.js';
import { isApp, JpegMarker, joinJpeg, splitJpeg } from '../jpeg/segments.js';
import { fromSamples, samples8 } from '../test-support.js';
import { joinUltraHdr } from './container.js';
import { type GainMapRange, gainMap } from './gain-map.js';
import { encodeUltraHdr } from './ultra-hdr.js';

const WIDTH = 96;
const HEIGHT = 64;
const ISO = 'urn:iso:std:iso:ts:21496:-1';
const XMP = 'http://ns.adobe.com/xap/1.0/';

/** A room with a window: from 1/100 of white to eight times white, in colours, with texture. */
function scene(): Picture {
  const data = new Float32Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) {
    const [c, p] = [i % 3, Math.floor(i / 3)];
    const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
    const window = x > 55 && x < 85 && y > 10 && y < 45;
    const stops = (window ? 2.2 : -3.2) + 0.7 * Math.sin(x / 9) * Math.cos(y / 8) + 0.3 * Math.sin(y / 3);
    data[i] = [1, 0.8, 0.55][c] * 2 ** stops;
  }
  return { width: WIDTH, height: HEIGHT, channels: 3, data };
}

/** What a plain display shows of it, hues kept: all channels of a pixel are darkened alike. */
function shownAlike(light: Picture): Picture {
  const data = new Float32Array(light.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const peak = Math.max(...light.data.subarray(i, i + 3));
    for (let c = i; c < i + 3; c++) data[c] = encodeSrgb((light.data[c] * filmic(peak)) / peak);
  }
  return { ...light, data };
}

/** The same by a film curve for each channel, which bleaches lights. */
const shownByChannel = (light: Picture): Picture => ({
  ...light,
  data: light.data.map((v) => encodeSrgb(filmic(v))),
});

/** μ-law PSNR in dB, of light against the true one, on the scale of its brightest. */
function fidelity(light: ArrayLike<number>, { data }: Picture): number {
  const peak = Math.max(...data);
  const compressed = (v: number) => Math.log(1 + 5000 * Math.max(0, v / peak)) / Math.log(5001);
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (compressed(light[i]) - compressed(data[i])) ** 2;
  return -10 * Math.log10(sum / data.length);
}

/** Light as libultrahdr reads it. */
async function readLight(bytes: Uint8Array): Promise<Float32Array> {
  const opened = (sharp(bytes) as Sharp & { withGainMap(): Sharp }).withGainMap();
  return viewAs(Float32Array, await opened.raw({ depth: 'float' }).toBuffer());
}

/** Both files of the container, found by the index of pictures alone. */
function pictures(file: Uint8Array): { first: Buffer; second: Buffer } {
  const bytes = Buffer.from(file);
  const structure = bytes.indexOf('MPF\0MM\0*', 0, 'latin1') + 4;
  const entries = structure + bytes.readUInt32BE(structure + 8 + 2 + 24 + 8);
  expect(bytes.readUInt32BE(entries)).toBe(0x030000);
  const [firstLength, firstOffset] = [bytes.readUInt32BE(entries + 4), bytes.readUInt32BE(entries + 8)];
  const [length, offset] = [bytes.readUInt32BE(entries + 20), bytes.readUInt32BE(entries + 24)];
  expect(firstOffset).toBe(0);
  expect(structure + offset + length).toBe(bytes.length);
  expect(firstLength).toBe(structure + offset);
  return { first: bytes.subarray(0, firstLength), second: bytes.subarray(structure + offset) };
}

/** The content of a named segment, behind its name. */
function segmentOf(jpeg: Buffer, marker: number, name: string): Buffer {
  const found = splitJpeg(jpeg)!.segments.filter((segment) => isApp(segment, marker, name));
  expect(found).toHaveLength(1);
  return Buffer.from(found[0].content.subarray(name.length + 1));
}

/** The numbers of ISO 21496-1, C.2.2, in their order. */
function isoNumbers(content: Buffer): number[] {
  expect([...content.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0x40]);
  return Array.from({ length: (content.length - 5) / 8 }, (_, i) => {
    return content.readInt32BE(5 + 8 * i) / content.readUInt32BE(9 + 8 * i);
  });
}

const attribute = (xmp: string, name: string): string | undefined =>
  new RegExp(`${name}="([^"]*)"`).exec(xmp)?.[1];

/** A file without what one of the two standards says of the map; lengths in the index stay right for the other. */
function without(file: Uint8Array, marker: number, name: string): Buffer {
  const { first, second } = pictures(file);
  const bare = (jpeg: Buffer) => {
    const parts = splitJpeg(jpeg)!;
    // As long as before, so that what points behind it still does: a name that nobody knows.
    const segments = parts.segments.map((segment) =>
      isApp(segment, marker, name)
        ? {
            ...segment,
            content: Buffer.concat([Buffer.alloc(name.length, 'z'), segment.content.subarray(name.length)]),
          }
        : segment,
    );
    return joinJpeg({ ...parts, segments });
  };
  return Buffer.concat([bare(first), bare(second)]);
}

describe('an UltraHDR file', () => {
  it('holds the picture as it is shown, and the map behind it', async () => {
    const light = scene();
    const display = shownAlike(light);
    const file = await encodeUltraHdr(light, { quality: 95, display, origin: { make: 'Maker' } });
    const { first, second } = pictures(file);
    const base = await sharp(first).raw().toBuffer();
    let worst = 0;
    for (let i = 0; i < base.length; i++) worst = Math.max(worst, Math.abs(base[i] - 255 * display.data[i]));
    expect(worst).toBeLessThan(16);
    expect(await sharp(second).metadata()).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 1 });
    expect(await exifr.parse(file)).toMatchObject({ Make: 'Maker', Orientation: 'Horizontal (normal)' });
    expect((await sharp(first).metadata()).icc).toBeDefined();
  });

  it('says the same by both standards, and where the map lies', async () => {
    const light = scene();
    const file = await encodeUltraHdr(light, { quality: 95, display: shownAlike(light) });
    const { first, second } = pictures(file);
    const xmp = segmentOf(first, JpegMarker.app1, XMP).toString();
    expect(attribute(xmp, 'hdrgm:Version')).toBe('1.0');
    const items = xmp.match(/<Container:Item [^>]*>/g)!;
    expect(items.map((item) => attribute(item, 'Item:Semantic'))).toEqual(['Primary', 'GainMap']);
    expect(items.map((item) => attribute(item, 'Item:Mime'))).toEqual(['image/jpeg', 'image/jpeg']);
    expect(Number(attribute(items[1], 'Item:Length'))).toBe(second.length);
    expect([...segmentOf(first, JpegMarker.app2, ISO)]).toEqual([0, 0, 0, 0]);

    const numbers = segmentOf(second, JpegMarker.app1, XMP).toString();
    const value = (name: string) => Number(attribute(numbers, `hdrgm:${name}`));
    expect(attribute(numbers, 'hdrgm:BaseRenditionIsHDR')).toBe('False');
    const names = [
      'HDRCapacityMin',
      'HDRCapacityMax',
      'GainMapMin',
      'GainMapMax',
      'Gamma',
      'OffsetSDR',
      'OffsetHDR',
    ];
    expect(isoNumbers(segmentOf(second, JpegMarker.app2, ISO))).toEqual(names.map(value));
    expect(value('HDRCapacityMax')).toBeCloseTo(Math.log2(Math.max(...light.data)), 3);
    // Another reader of XMP agrees.
    const read = await exifr.parse(second, { xmp: true, mergeOutput: true });
    expect(read).toMatchObject({ GainMapMax: value('GainMapMax') });
  });

  it('gives the light back to libultrahdr, by either standard alone', async () => {
    const light = scene();
    const file = await encodeUltraHdr(light, { quality: 95, display: shownAlike(light) });
    const read = await readLight(file);
    expect(fidelity(read, light)).toBeGreaterThan(40);
    for (const [marker, name] of [
      [JpegMarker.app1, XMP],
      [JpegMarker.app2, ISO],
    ] as const) {
      const alone = await readLight(without(file, marker, name));
      let worst = 0;
      for (let i = 0; i < read.length; i++) worst = Math.max(worst, Math.abs(alone[i] - read[i]));
      expect(worst).toBeLessThan(1e-3);
    }
    const neither = without(without(file, JpegMarker.app1, XMP), JpegMarker.app2, ISO);
    expect((await sharp(neither).metadata()).gainMap).toBeUndefined();
  });

  it('has a map of three channels where hues differ, and gives the light back by the formula of the standard', async () => {
    const light = scene();
    const { second, first } = pictures(
      await encodeUltraHdr(light, { quality: 95, display: shownByChannel(light) }),
    );
    const [, , low, high, gamma, offsetBase, offsetLight] = isoNumbers(
      segmentOf(second, JpegMarker.app2, ISO),
    );
    expect(gamma).toBe(1);
    const base = await sharp(first, { ignoreIcc: true }).raw().toBuffer();
    const { data: map, info } = await sharp(second).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    const read = Array.from(base, (code, i) => {
      return (decodeSrgb(code / 255) + offsetBase) * 2 ** (low + ((high - low) * map[i]) / 255) - offsetLight;
    });
    expect(fidelity(read, light)).toBeGreaterThan(40);
  });

  it.each([
    ['black', 0],
    ['white', 1],
    ['far brighter than any display', 1e6],
    ['not a number', Number.NaN],
  ])('holds a picture that is %s', async (_, value) => {
    const light = { width: 16, height: 16, channels: 3, data: new Float32Array(768).fill(value) };
    const read = await readLight(await encodeUltraHdr(light, { quality: 95 }));
    const expected = Math.min(10_000 / 203, value || 0);
    for (const v of read) expect(Math.abs(v - expected)).toBeLessThan(0.002 + 0.02 * expected);
  });
});

describe('the container', () => {
  const stops = fc.double({ min: -8, max: 8, noNaN: true });
  const grained = (v: number) => Math.round(v * 65536) / 65536 + 0;
  const ranges: fc.Arbitrary<GainMapRange> = fc.record({
    minimum: stops.map(grained),
    maximum: stops.map(grained),
    offset: fc.constantFrom(0, 1 / 1024, 1 / 64),
    headroom: fc.double({ min: 0.125, max: 8, noNaN: true }).map(grained),
  });

  it('keeps both pictures, whatever the numbers and whatever stood before them', async () => {
    const base = await fromSamples(samples8(24, 16)).jpeg().toBuffer();
    const map = await fromSamples(samples8(24, 16, 1))
      .jpeg()
      .toBuffer();
    const baseSamples = splitJpeg(base)!.samples;
    const mapSamples = splitJpeg(map)!.samples;
    const sizes = fc.uint8Array({ maxLength: 5000 });
    fc.assert(
      fc.property(ranges, sizes, (range, comment) => {
        const parts = splitJpeg(base)!;
        const segments = [...parts.segments, { marker: JpegMarker.comment, content: comment }];
        const file = joinUltraHdr(joinJpeg({ ...parts, segments }), map, range);
        const { first, second } = pictures(file);
        expect(second[3]).not.toBe(JpegMarker.app1);
        expect(Buffer.from(splitJpeg(first)!.samples).equals(baseSamples)).toBe(true);
        expect(Buffer.from(splitJpeg(second)!.samples).equals(mapSamples)).toBe(true);
        const { minimum, maximum, offset, headroom } = range;
        const numbers = isoNumbers(segmentOf(second, JpegMarker.app2, ISO));
        expect(numbers).toEqual([0, headroom, minimum, maximum, 1, offset, offset]);
        const xmp = segmentOf(second, JpegMarker.app1, XMP).toString();
        expect(Number(attribute(xmp, 'hdrgm:GainMapMin'))).toBe(minimum);
        expect(Number(attribute(xmp, 'hdrgm:GainMapMax'))).toBe(maximum);
        // A container made into one again does not keep the old map's numbers.
        const again = joinUltraHdr(first, map, range);
        expect(again.equals(file)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the gain map', () => {
  it('never leaves its range, and its range never the standards', () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-30),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.array(value, { minLength: 12, maxLength: 12 }),
        (base, light) => {
          const picture = { width: 2, height: 2, channels: 3, data: Float32Array.from(light) };
          const { range, picture: map } = gainMap(base, picture);
          expect(range.maximum).toBeGreaterThan(range.minimum);
          expect(range.headroom).toBeGreaterThan(0);
          expect(range.headroom).toBeLessThanOrEqual(5.63);
          expect(map.data.every((v) => v >= 0 && v <= 1)).toBe(true);
        },
      ),
    );
  });
});
