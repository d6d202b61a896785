import { describe, expect, it } from 'vitest';
import { ImplicamError } from '../model/errors.js';
import type { Frame, Picture } from '../model/picture.js';
import { exifOf } from './metadata/write-exif.js';
import { readFrame, readPicture } from './read.js';
import { flipBits, fromSamples, random, smoothPicture } from './test-support.js';
import { encodeImage } from './write.js';

/**
 * Damaged files, from seeds: whatever is done to a file, reading it gives a whole picture or one clean error. Limits
 * are small, so that a damaged size that passed them unseen would show as a picture that is too large.
 */

const limits = { maxPixels: 10_000, maxSide: 400 };
const camera = { exposureTime: 0.01, fNumber: 4, iso: 100, focusDistance: 2, camera: 'fuzz' };
const encoded = smoothPicture(48, 40);
const linear = smoothPicture(48, 40, 3, 0, 40);
const noisy = { ...linear, data: linear.data.map((v, i) => v * (1 + ((i * 7919) % 101) / 100)) };
const eight = { width: 48, height: 40, data: Uint8Array.from(encoded.data, (v) => Math.round(255 * v)) };

const read = {
  frame: (bytes: Uint8Array) => readFrame({ name: 'damaged', bytes }, { limits }),
  picture: (bytes: Uint8Array) => readPicture({ name: 'damaged', bytes }, { limits }),
};

/** Name, reader, writer, and the part of the file that the picture needs: an UltraHDR ends in its gain map. */
type Case = [string, keyof typeof read, () => Promise<Uint8Array>, number?];
const cases: Case[] = [
  ['JPEG', 'frame', () => encodeImage('jpeg', encoded, { origin: camera })],
  ['progressive JPEG', 'frame', () => fromSamples(eight).jpeg({ progressive: true }).toBuffer()],
  ['UltraHDR', 'frame', () => encodeImage('ultrahdr', linear), 0.5],
  ['PNG', 'frame', () => encodeImage('png', encoded, { origin: camera })],
  [
    'interlaced PNG of 16 bits',
    'frame',
    () => fromSamples(eight).toColourspace('rgb16').png({ progressive: true }).toBuffer(),
  ],
  ['WebP', 'frame', () => encodeImage('webp', encoded, { origin: camera })],
  ['WebP without loss', 'frame', () => encodeImage('webp', encoded, { lossless: true })],
  [
    'TIFF',
    'frame',
    () => fromSamples(eight).withExif(exifOf(camera)).tiff({ compression: 'lzw' }).toBuffer(),
  ],
  ['plain TIFF', 'frame', () => fromSamples(eight).tiff({ compression: 'none' }).toBuffer()],
  ['floating-point TIFF', 'picture', () => encodeImage('tiff', linear)],
  ['AVIF', 'frame', () => encodeImage('avif', encoded, { origin: camera })],
  ['EXR', 'picture', () => encodeImage('exr', linear)],
  ['EXR of halves', 'picture', () => encodeImage('exr', noisy, { half: true })],
  ['HDR', 'picture', () => encodeImage('hdr', linear)],
];

/** Reads a damaged file and judges what comes of it: a whole picture (true) or a clean error (false). */
async function survives(kind: keyof typeof read, bytes: Uint8Array): Promise<boolean> {
  let result: Frame | Picture;
  try {
    result = await read[kind](bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ImplicamError);
    const { code, message } = error as ImplicamError;
    expect(code).not.toBe('internal');
    expect(message).toContain('damaged');
    return false;
  }
  const { width, height, data } = result;
  expect(width * height).toBeLessThanOrEqual(limits.maxPixels);
  expect(data.length).toBe(width * height * ('channels' in result ? result.channels : 3));
  return true;
}

describe.each(cases)('%s', (name, kind, write, needed = 1) => {
  it('is read when it is whole', async () => {
    expect(await survives(kind, await write())).toBe(true);
  });

  it('cut short is refused', async () => {
    const bytes = await write();
    const next = random(name.length);
    for (let trial = 0; trial < 25; trial++) {
      // Not within the last bytes: a missing end marker takes nothing from the picture.
      const length = Math.floor(next() * (needed * bytes.length - 40));
      const message = `of ${bytes.length} bytes the first ${length}`;
      expect(await survives(kind, bytes.subarray(0, length)), message).toBe(false);
    }
  });

  it('with bits flipped, or bytes replaced, inserted or left out, is read or refused', async () => {
    const bytes = await write();
    const next = random(1000 + name.length);
    for (let trial = 0; trial < 25; trial++) {
      await survives(kind, flipBits(bytes, next));
      // Where the sizes and tables are, damage tells most.
      const front = flipBits(bytes.subarray(0, 400), next);
      await survives(kind, Buffer.concat([front, bytes.subarray(400)]));
      const at = Math.floor(next() * bytes.length);
      const junk = Buffer.from(
        Array.from({ length: Math.floor(next() * 8) }, () => Math.floor(next() * 256)),
      );
      const rest = bytes.subarray(at + Math.floor(next() * 8));
      await survives(kind, Buffer.concat([bytes.subarray(0, at), junk, rest]));
    }
  });
});
