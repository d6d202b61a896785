import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../model/picture.js';

/** What the tests of this folder share: pictures from seeds, and files that no well-behaved writer makes. */

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Samples<T> {
  readonly width: number;
  readonly height: number;
  readonly data: T;
}

/** Random 8-bit samples. */
export function samples8(width: number, height: number, channels = 3, seed = 1): Samples<Uint8Array> {
  const next = random(seed);
  const data = Uint8Array.from({ length: width * height * channels }, () => Math.floor(next() * 256));
  return { width, height, data };
}

/** Random 16-bit samples. */
export function samples16(width: number, height: number, channels = 3, seed = 1): Samples<Uint16Array> {
  const next = random(seed);
  const data = Uint16Array.from({ length: width * height * channels }, () => Math.floor(next() * 65536));
  return { width, height, data };
}

/** A smooth picture with a little noise, which lossy formats keep well: samples in [low, high]. */
export function smoothPicture(
  width: number,
  height: number,
  channels = 3,
  low = 0,
  high = 1,
  seed = 1,
): Picture {
  const next = random(seed);
  const data = Float32Array.from({ length: width * height * channels }, (_, i) => {
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width);
    const wave = 0.5 + 0.3 * Math.sin(x / 9 + c) + 0.15 * Math.cos(y / 7 - c) + 0.02 * next();
    return low + (high - low) * Math.min(1, Math.max(0, wave));
  });
  return { width, height, channels, data };
}

/** sharp on raw samples. */
export function fromSamples(samples: Samples<Uint8Array | Uint16Array>): Sharp {
  const { width, height, data } = samples;
  const channels = (data.length / width / height) as 1 | 2 | 3 | 4;
  const wide = data instanceof Uint16Array;
  const space = channels < 3 ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb';
  return sharp(data, { raw: { width, height, channels } }).toColourspace(space);
}

/**
 * An uncompressed TIFF, little-endian, one strip, without a declaration of channels beyond the colours.
 *
 * @param tags further entries: tag, type, count, value
 */
export function plainTiff(
  { width, height, data }: Samples<Uint8Array | Uint16Array>,
  tags: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [],
): Buffer {
  const channels = data.length / width / height;
  const bits = 8 * data.BYTES_PER_ELEMENT;
  const count = 9 + tags.length;
  const bitsAt = 8 + 2 + 12 * count + 4;
  const samplesAt = bitsAt + 2 * channels;
  const entries = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, channels, channels > 2 ? bitsAt : bits * 0x10001],
    [259, 3, 1, 1],
    [262, 3, 1, channels > 2 ? 2 : 1],
    [273, 4, 1, samplesAt],
    [277, 3, 1, channels],
    [278, 4, 1, height],
    [279, 4, 1, data.byteLength],
    ...tags,
  ].sort(([a], [b]) => a - b);
  const head = Buffer.alloc(samplesAt);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(count, 8);
  for (const [i, [tag, type, number, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(number, at + 4);
    head.writeUInt32LE(value, at + 8);
  }
  for (let c = 0; c < channels; c++) head.writeUInt16LE(bits, bitsAt + 2 * c);
  return Buffer.concat([head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** A PNG chunk. */
function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** A PNG with a chunk added behind its header. */
export function withPngChunk(png: Uint8Array, type: string, data: Uint8Array): Buffer {
  return Buffer.concat([png.subarray(0, 33), pngChunk(type, data), png.subarray(33)]);
}

/** A PNG with a colour profile attached and its samples left alone (sharp would convert them). */
export function withProfile(png: Uint8Array, profile: Uint8Array): Buffer {
  return withPngChunk(png, 'iCCP', Buffer.concat([Buffer.from('x\0\0', 'latin1'), deflateSync(profile)]));
}

/** One of sharp's own colour profiles. */
export async function builtInProfile(name: 'srgb' | 'p3'): Promise<Uint8Array> {
  const png = await fromSamples(samples8(4, 4)).withIccProfile(name).png().toBuffer();
  return (await sharp(png).metadata()).icc!;
}

/** The header of a PNG that claims a size and has no pixels to show for it. */
export function pngClaiming(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(64))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A copy of a file with a few bits flipped. */
export function flipBits(bytes: Uint8Array, next: () => number): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  for (let flips = 1 + Math.floor(next() * 4); flips > 0; flips--) {
    damaged[Math.floor(next() * damaged.length)] ^= 1 << Math.floor(next() * 8);
  }
  return damaged;
}

/** How many samples of two arrays differ in a bit; all when their lengths do. (`toEqual` takes seconds on a picture.) */
export function countDifferent(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Math.max(a.length, b.length);
  const bits = [a, b].map((f) => new Uint32Array(f.buffer, f.byteOffset, f.length)) as [
    Uint32Array,
    Uint32Array,
  ];
  let different = 0;
  for (let i = 0; i < a.length; i++) if (bits[0][i] !== bits[1][i]) different++;
  return different;
}
