import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { type ExrBlock, type ExrChannel, type ExrCompression, ExrType, sampleBytes } from './header.js';
import { decodePiz } from './piz.js';

/**
 * Chunks of an OpenEXR file to plain samples: row after row, in each row channel after channel, little-endian. A chunk
 * is untrusted; each decoder yields exactly the bytes asked for or throws a plain `Error` that says why.
 */

/** Bytes of a block's samples. */
function blockBytes({ width, rows, channels }: ExrBlock): number {
  return width * rows * channels.reduce((sum, channel) => sum + sampleBytes(channel), 0);
}

/** The samples of a block. */
export async function decodeBlock(
  compression: ExrCompression,
  chunk: Uint8Array,
  block: ExrBlock,
): Promise<Uint8Array> {
  const expected = blockBytes(block);
  // A writer stores a block plainly when compression would not make it smaller.
  if (chunk.length === expected) return chunk;
  if (compression === 'none' || chunk.length > expected) throw new Error('a block has the wrong length');
  switch (compression) {
    case 'rle':
      return unpredict(decodeRunLengths(chunk, expected));
    case 'zips':
    case 'zip':
      return unpredict(await inflateTo(chunk, expected));
    case 'piz':
      return decodePiz(chunk, block, expected);
    case 'pxr24':
      return decodePxr24(await inflateTo(chunk, pxr24Bytes(block)), block, expected);
  }
}

const inflateAsync = promisify(inflate);

/** Deflate cannot expand more than 1032-fold: a chunk that claims to is not worth allocating for. */
const DEFLATE_LIMIT = 1040;

async function inflateTo(chunk: Uint8Array, expected: number): Promise<Uint8Array> {
  if (expected > DEFLATE_LIMIT * chunk.length) throw new Error('a block is too short');
  const data = await inflateAsync(chunk, { maxOutputLength: expected }).catch(
    (cause: NodeJS.ErrnoException) => {
      const tooLong = cause.code === 'ERR_BUFFER_TOO_LARGE';
      throw new Error(tooLong ? 'a block inflates beyond its size' : 'a block does not inflate', { cause });
    },
  );
  if (data.length !== expected) throw new Error('a block is too short');
  return data;
}

/** A signed count before each run: n ≥ 0 repeats the next byte n + 1 times, n < 0 copies the next −n bytes. */
function decodeRunLengths(chunk: Uint8Array, expected: number): Uint8Array {
  const out = new Uint8Array(expected);
  let at = 0;
  let o = 0;
  while (at < chunk.length) {
    const count = (chunk[at++] << 24) >> 24;
    const length = count < 0 ? -count : count + 1;
    if (o + length > expected) throw new Error('a run leaves its block');
    if (count < 0) {
      if (at + length > chunk.length) throw new Error('a block is too short');
      out.set(chunk.subarray(at, at + length), o);
      at += length;
    } else {
      if (at >= chunk.length) throw new Error('a block is too short');
      out.fill(chunk[at++], o, o + length);
    }
    o += length;
  }
  if (o !== expected) throw new Error('a block is too short');
  return out;
}

/** Undoes what RLE and ZIP do first: bytes split into even and odd ones, each then a difference from the one before. */
function unpredict(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  const half = (data.length + 1) >> 1;
  let value = data[0];
  out[0] = value;
  for (let i = 1; i < half; i++) {
    value = (value + data[i] - 128) & 255;
    out[2 * i] = value;
  }
  for (let i = half; i < data.length; i++) {
    value = (value + data[i] - 128) & 255;
    out[2 * (i - half) + 1] = value;
  }
  return out;
}

/** The inverse of `unpredict`, for the writer. */
export function predict(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  const half = (data.length + 1) >> 1;
  let previous = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i < half ? 2 * i : 2 * (i - half) + 1];
    out[i] = i === 0 ? value : value - previous + 128;
    previous = value;
  }
  return out;
}

/** PXR24 keeps 24 bits of a float, 16 of a half, 32 of an integer. */
function planesOf({ type }: ExrChannel): number {
  return type === ExrType.half ? 2 : type === ExrType.float ? 3 : 4;
}

function pxr24Bytes({ width, rows, channels }: ExrBlock): number {
  return width * rows * channels.reduce((sum, channel) => sum + planesOf(channel), 0);
}

/** Rows of byte planes, high byte first; samples are differences from their left neighbour. */
function decodePxr24(data: Uint8Array, block: ExrBlock, expected: number): Uint8Array {
  const { width, rows, channels } = block;
  const out = new Uint8Array(expected);
  const view = new DataView(out.buffer);
  let at = 0;
  let o = 0;
  for (let row = 0; row < rows; row++) {
    for (const channel of channels) {
      const planes = planesOf(channel);
      const isHalf = channel.type === ExrType.half;
      const shift = channel.type === ExrType.float ? 8 : 0;
      let sample = 0;
      for (let x = 0; x < width; x++) {
        let difference = 0;
        for (let p = 0; p < planes; p++) difference = (difference << 8) | data[at + p * width + x];
        sample = (sample + (difference << shift)) | 0;
        if (isHalf) view.setUint16(o, sample & 0xffff, true);
        else view.setInt32(o, sample, true);
        o += isHalf ? 2 : 4;
      }
      at += planes * width;
    }
  }
  return out;
}
