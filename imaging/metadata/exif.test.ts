import exifr from 'exifr';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { CameraSettings, PictureOrigin } from '../../model/picture.js';
import { readFrame } from '../read.js';
import { flipBits, fromSamples, random, samples8, withPngChunk } from '../test-support.js';
import { encodeImage } from '../write.js';
import { readCameraSettings, readOrigin } from './exif.js';
import { exifOf, exifText } from './write-exif.js';

const sampleCamera: CameraSettings = {
  exposureTime: 1 / 60,
  fNumber: 2.8,
  iso: 400,
  focalLength: 50,
  focusDistance: 1.2345,
  time: Date.UTC(2024, 1, 29, 23, 59, 58, 123),
  camera: 'implicam sample camera',
};

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
type Value = string | number | number[];

/** An EXIF structure: entries of the main directory and of the EXIF directory as (tag, type, value). */
function exif(main: [number, number, Value][], detail: [number, number, Value][], little = true): Buffer {
  const mainBytes = 2 + 12 * (main.length + 1) + 4;
  const detailAt = 8 + mainBytes;
  const bytes = Buffer.alloc(4096);
  bytes.write(little ? 'II' : 'MM', 'latin1');
  const put16 = (v: number, at: number) => (little ? bytes.writeUInt16LE(v, at) : bytes.writeUInt16BE(v, at));
  const put32 = (v: number, at: number) => (little ? bytes.writeUInt32LE(v, at) : bytes.writeUInt32BE(v, at));
  put16(42, 2);
  put32(8, 4);
  let free = detailAt + 2 + 12 * detail.length + 4;
  const directory = (at: number, entries: [number, number, Value][]) => {
    put16(entries.length, at);
    entries.forEach(([tag, type, value], i) => {
      const entry = at + 2 + 12 * i;
      const values = typeof value === 'string' ? [...Buffer.from(`${value}\0`, 'latin1')] : [value].flat();
      const width = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [RATIONAL]: 4 }[type]!;
      put16(tag, entry);
      put16(type, entry + 2);
      put32(type === RATIONAL ? values.length / 2 : values.length, entry + 4);
      const inline = values.length * width <= 4;
      if (!inline) put32(free, entry + 8);
      const start = inline ? entry + 8 : free;
      values.forEach((v, k) => {
        if (width === 1) bytes[start + k] = v;
        else if (width === 2) put16(v, start + 2 * k);
        else put32(v, start + 4 * k);
      });
      if (!inline) free += values.length * width + 1;
    });
  };
  directory(8, [...main, [0x8769, LONG, detailAt]]);
  directory(detailAt, detail);
  return bytes.subarray(0, free);
}

describe('what we write', () => {
  it.each(['png', 'jpeg', 'webp', 'avif'] as const)('reads back the same from %s', async (kind) => {
    const picture = { width: 16, height: 16, channels: 3, data: new Float32Array(768).fill(0.5) };
    const bytes = await encodeImage(kind, picture, { origin: sampleCamera });
    expect((await readFrame({ name: 'a', bytes })).camera).toEqual(sampleCamera);
  });

  it('is understood by another reader', async () => {
    const bytes = await fromSamples(samples8(16, 16)).withExif(exifOf(sampleCamera)).jpeg().toBuffer();
    expect(await exifr.parse(bytes)).toMatchObject({
      Model: 'implicam sample camera',
      ExposureTime: 1 / 60,
      FNumber: 2.8,
      ISO: 400,
      FocalLength: 50,
      SubSecTimeOriginal: '123',
    });
  });

  it('keeps any value to 1e-9, also a focus at infinity and an ISO above 65535', async () => {
    const value = fc.double({ min: 1e-4, max: 1e5, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        value,
        value,
        fc.integer({ min: 1, max: 400_000 }),
        async (exposureTime, fNumber, iso) => {
          const camera = { exposureTime, fNumber, iso, focusDistance: Number.POSITIVE_INFINITY };
          const bytes = await fromSamples(samples8(2, 2)).withExif(exifOf(camera)).png().toBuffer();
          const read = readCameraSettings((await sharp(bytes).metadata()).exif);
          expect(Math.abs(read.exposureTime! / exposureTime - 1)).toBeLessThan(1e-9);
          expect(Math.abs(read.fNumber! / fNumber - 1)).toBeLessThan(1e-9);
          expect(read).toMatchObject({ iso, focusDistance: Number.POSITIVE_INFINITY });
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  const origin: PictureOrigin = {
    exposureTime: 1 / 250,
    time: Date.UTC(2024, 6, 1, 20, 30, 5, 250),
    zone: -210,
    make: 'Maker (of cameras)',
    model: 'Phone 7 (GVU6C)',
    lensMake: 'Glass & Sons',
    lens: '50mm f/1.4 "Art" (macro) <x>',
    place: { latitude: -33.8567844, longitude: 151.2152967, altitude: 12.5 },
    software: 'implicam 1.2.3',
  };

  it.each(['png', 'jpeg', 'webp', 'avif', 'tiff', 'ultrahdr'] as const)(
    'says of a %s what it comes from, where and when',
    async (kind) => {
      const picture = { width: 16, height: 16, channels: 3, data: new Float32Array(768).fill(0.5) };
      const bytes = await encodeImage(kind, picture, { origin });
      const read = await readFrame({ name: 'a', bytes });
      const { make, model, lensMake, lens, zone } = origin;
      expect(read.camera).toMatchObject({ exposureTime: 1 / 250, time: origin.time });
      expect(read.origin).toMatchObject({ make, model, lensMake, lens, zone });
      const { latitude, longitude, altitude } = read.origin!.place!;
      expect(latitude).toBeCloseTo(-33.8567844, 6);
      expect(longitude).toBeCloseTo(151.2152967, 6);
      expect(altitude).toBe(12.5);
    },
  );

  it.each(['png', 'jpeg', 'tiff', 'ultrahdr'] as const)(
    'is understood by another reader in a %s',
    async (kind) => {
      const picture = { width: 16, height: 16, channels: 3, data: new Float32Array(768).fill(0.5) };
      const bytes = await encodeImage(kind, picture, { origin });
      const options = { tiff: true, gps: true, reviveValues: false };
      const read = await exifr.parse(Buffer.from(bytes), options);
      expect(read).toMatchObject({
        Make: 'Maker (of cameras)',
        Model: 'Phone 7 (GVU6C)',
        LensModel: '50mm f/1.4 "Art" (macro) <x>',
        Software: 'implicam 1.2.3',
        Orientation: 'Horizontal (normal)',
        DateTimeOriginal: '2024:07:01 17:00:05',
        OffsetTimeOriginal: '-03:30',
        GPSLatitudeRef: 'S',
        GPSLongitudeRef: 'E',
        ColorSpace: kind === 'tiff' ? 65535 : 1,
      });
      expect(read.latitude).toBeCloseTo(-33.8567844, 6);
    },
  );

  it('writes no more than a line of plain text, whatever is given', async () => {
    const hostile = fc.record({
      make: fc.string({ unit: 'binary', maxLength: 400 }),
      lens: fc.string({ unit: 'binary-ascii', maxLength: 400 }),
      model: fc.constantFrom('a (b', '(', ' ()', '%s%n', '\0\0', 'a'.repeat(5000), '日本'),
    });
    await fc.assert(
      fc.asyncProperty(hostile, async (given) => {
        const bytes = await fromSamples(samples8(2, 2)).withExif(exifOf(given)).jpeg().toBuffer();
        const read = readOrigin((await sharp(bytes).metadata()).exif);
        for (const name of ['make', 'model', 'lens'] as const) {
          expect(read[name] ?? '').toBe(exifText(given[name]));
          expect(read[name] ?? '').toMatch(/^[ -~]{0,128}$/);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses settings that are none', () => {
    for (const camera of [
      { exposureTime: 0 },
      { fNumber: -1 },
      { iso: Number.NaN },
      { time: Number.POSITIVE_INFINITY },
    ]) {
      expect(() => exifOf(camera)).toThrow(expect.objectContaining({ code: 'camera-invalid' }));
    }
  });
});

describe('what others write', () => {
  it.each([true, false])('in either byte order (little: %s)', (little) => {
    const bytes = exif(
      [
        [0x010f, ASCII, 'NIKON CORPORATION'],
        [0x0110, ASCII, 'NIKON D850'],
      ],
      [
        [0x829a, RATIONAL, [10, 1250]],
        [0x829d, RATIONAL, [28, 10]],
        [0x8827, SHORT, 64],
        [0x9003, ASCII, '2023:06:01 12:00:00'],
        [0x9011, ASCII, '+02:00'],
        [0x9206, RATIONAL, [150, 100]],
        [0x920a, RATIONAL, [1050, 10]],
        [0x9291, ASCII, '5'],
      ],
      little,
    );
    const expected = {
      exposureTime: 0.008,
      fNumber: 2.8,
      iso: 64,
      focalLength: 105,
      focusDistance: 1.5,
      time: Date.UTC(2023, 5, 1, 10, 0, 0, 500),
      camera: 'NIKON CORPORATION NIKON D850',
    };
    expect(readCameraSettings(bytes)).toEqual(expected);
    expect(readCameraSettings(Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), bytes]))).toEqual(expected);
  });

  it('exposure and aperture in APEX units, where the plain ones are missing', () => {
    const read = readCameraSettings(
      exif(
        [],
        [
          [0x9201, RATIONAL, [6, 1]],
          [0x9202, RATIONAL, [4, 1]],
        ],
      ),
    );
    expect(read).toEqual({ exposureTime: 1 / 64, fNumber: 4 });
  });

  it('the lens that an editor left in XMP alone', () => {
    const xmp = Buffer.from('<rdf:Description aux:Lens="EF35mm f/2" aux:LensInfo="35/1"/>');
    expect(readOrigin(undefined, xmp)).toEqual({ lens: 'EF35mm f/2' });
    const named = exif([], [[0xa434, ASCII, 'Its own name']]);
    expect(readOrigin(named, xmp)).toEqual({ lens: 'Its own name' });
    expect(readOrigin(undefined, Buffer.from(`aux:Lens="${'x'.repeat(500)}"`))).toEqual({});
    expect(readOrigin(undefined, Buffer.from('aux:Lens="a&#0;b"'))).toEqual({});
  });

  it('values that mean nothing are not known', () => {
    const read = readCameraSettings(
      exif(
        [[0x0110, ASCII, '   ']],
        [
          [0x829a, RATIONAL, [0, 0]],
          [0x829d, RATIONAL, [1, 0]],
          [0x8827, SHORT, 0],
          [0x9003, ASCII, '0000:00:00 00:00:00'],
          [0x9206, RATIONAL, [0, 1]],
          [0x920a, ASCII, 'fifty'],
        ],
      ),
    );
    expect(read).toEqual({});
  });

  it("the focus range of Canon's maker note, as the distance half-way in dioptres", () => {
    // The note is a directory at its own place in the structure: one entry, focus range from 0.5 m to infinity.
    const bytes = exif([[0x010f, ASCII, 'Canon']], [[0x927c, SHORT, new Array(60).fill(0)]]);
    const note = bytes.readUInt32LE(bytes.indexOf(Buffer.of(0x7c, 0x92, SHORT, 0)) + 8);
    bytes.writeUInt16LE(1, note);
    bytes.writeUInt16LE(0x93, note + 2);
    bytes.writeUInt16LE(SHORT, note + 4);
    bytes.writeUInt32LE(22, note + 6);
    bytes.writeUInt32LE(note + 20, note + 10);
    bytes.writeUInt16LE(65535, note + 20 + 40);
    bytes.writeUInt16LE(50, note + 20 + 42);
    expect(readCameraSettings(bytes).focusDistance).toBe(1);
  });

  it('the focus distance that Lightroom leaves in XMP', () => {
    const xmp = (text: string) => Buffer.from(`<x:xmpmeta><rdf:Description ${text}/></x:xmpmeta>`);
    const attribute = xmp('aux:ApproximateFocusDistance="46/100"');
    expect(readCameraSettings(undefined, attribute)).toEqual({ focusDistance: 0.46 });
    const element = Buffer.from('<aux:ApproximateFocusDistance>3/2</aux:ApproximateFocusDistance>');
    expect(readCameraSettings(undefined, element)).toEqual({ focusDistance: 1.5 });
    const far = xmp('aux:ApproximateFocusDistance="4294967295/1"');
    expect(readCameraSettings(undefined, far)).toEqual({ focusDistance: Number.POSITIVE_INFINITY });
    const plain = exif([], [[0x9206, RATIONAL, [2, 1]]]);
    expect(readCameraSettings(plain, attribute)).toEqual({ focusDistance: 2 });
  });

  it('a TIFF file, whose own directory is the EXIF structure', async () => {
    const plain = await fromSamples(samples8(8, 8)).tiff({ compression: 'none' }).toBuffer();
    // A new main directory, with the exposure time of TIFF/EP added, behind the file.
    const from = plain.readUInt32LE(4);
    const count = plain.readUInt16LE(from);
    const entries = Array.from({ length: count }, (_, i) =>
      plain.subarray(from + 2 + 12 * i, from + 14 + 12 * i),
    );
    const added = Buffer.alloc(12);
    added.writeUInt16LE(0x829a, 0);
    added.writeUInt16LE(RATIONAL, 2);
    added.writeUInt32LE(1, 4);
    const at = plain.length + (plain.length % 2);
    added.writeUInt32LE(at + 2 + 12 * (count + 1) + 4, 8);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(count + 1);
    const rational = Buffer.alloc(8);
    rational.writeUInt32LE(1, 0);
    rational.writeUInt32LE(250, 4);
    const tail = [Buffer.alloc(at - plain.length), head, ...entries, added, Buffer.alloc(4), rational];
    const bytes = Buffer.concat([plain, ...tail]);
    bytes.writeUInt32LE(at, 4);
    const frame = await readFrame({ name: 'a.tif', bytes });
    expect(frame.camera).toEqual({ exposureTime: 0.004 });
    expect(frame.data).toEqual(samples8(8, 8).data);
  });
});

describe('broken EXIF', () => {
  const whole = exif(
    [[0x0110, ASCII, 'Camera']],
    [
      [0x829a, RATIONAL, [1, 100]],
      [0x829d, RATIONAL, [4, 1]],
      [0x9003, ASCII, '2023:06:01 12:00:00'],
    ],
  );

  it('of wrong types, endless or of other letters becomes short plain text or nothing', () => {
    const hostile = exif(
      [
        [0x010f, SHORT, [1, 2, 3, 4]],
        [0x0110, ASCII, `M\u0007\u001b[31m\nodel ${'x'.repeat(1000)}`],
      ],
      [
        [0x9003, ASCII, '2023:06:01 12:00:00'],
        [0x9011, ASCII, '+99:99'],
        [0xa433, ASCII, 'caf\u00e9'],
        [0xa434, RATIONAL, [50, 1]],
      ],
    );
    const origin = readOrigin(hostile);
    expect(origin).toEqual({ model: expect.stringMatching(/^M {2}\[31m odel x{100,}$/), lensMake: 'caf' });
    expect(origin.model!.length).toBeLessThanOrEqual(128);
  });

  it('loses what is broken and nothing else', () => {
    const bytes = Buffer.from(whole);
    const entry = bytes.indexOf(Buffer.of(0x9a, 0x82, RATIONAL, 0));
    bytes.writeUInt32LE(0xfffffff0, entry + 8);
    expect(readCameraSettings(bytes)).toEqual({
      fNumber: 4,
      time: Date.UTC(2023, 5, 1, 12),
      camera: 'Camera',
    });
  });

  it('never throws, however it is damaged or cut', () => {
    const next = random(11);
    for (let trial = 0; trial < 3000; trial++) {
      const damaged = flipBits(whole, next);
      const read = readCameraSettings(damaged.subarray(0, Math.ceil(next() * damaged.length * 1.5)));
      for (const value of Object.values(read)) {
        if (typeof value === 'number') expect(Number.isNaN(value)).toBe(false);
      }
      const origin = readOrigin(damaged);
      for (const value of [origin.make, origin.model, origin.lens]) expect(value ?? '').toMatch(/^[ -~]*$/);
    }
  });

  it('does not keep a photograph from being read', async () => {
    const next = random(5);
    const source = samples8(8, 8);
    for (let trial = 0; trial < 20; trial++) {
      const png = await fromSamples(source).png().toBuffer();
      const frame = await readFrame({ name: 'a', bytes: withPngChunk(png, 'eXIf', flipBits(whole, next)) });
      expect(frame.data).toEqual(source.data);
    }
  });
});
