/**
 * Where a picture keeps its classical start: what training cannot explain there it must not change. One bit a block of
 * {@link SIDE} × {@link SIDE} pixels, rows of blocks one after the other, most significant bit first, in base64: at 45
 * megapixels 120 kB, so that it travels with the capture.
 */

import { z } from 'zod';
import { ImplicamError } from './errors.js';

/** Pixels of a block along a side. */
const SIDE = 8;
/** A block keeps its start where this share of it does. */
const SHARE = 0.25;

const blocksOf = (length: number) => Math.ceil(length / SIDE);
const bytesOf = (width: number, height: number) => Math.ceil((blocksOf(width) * blocksOf(height)) / 8);

export const keptSchema = z.base64();

/** @param share how much of the start each pixel is to keep, 0 … 1; nothing where no block keeps any */
export function encodeKept(share: Float32Array, width: number, height: number): string | undefined {
  const [columns, rows] = [blocksOf(width), blocksOf(height)];
  const sums = new Float64Array(columns * rows);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++)
      sums[Math.floor(y / SIDE) * columns + Math.floor(x / SIDE)] += share[p];
  const bytes = new Uint8Array(bytesOf(width, height));
  sums.forEach((sum, b) => {
    // Blocks along the right and lower border may be smaller.
    const wide = Math.min(SIDE, width - (b % columns) * SIDE);
    const tall = Math.min(SIDE, height - Math.floor(b / columns) * SIDE);
    if (sum >= SHARE * wide * tall) bytes[b >> 3] |= 128 >> (b & 7);
  });
  return bytes.some((b) => b !== 0)
    ? btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))
    : undefined;
}

/**
 * How much of the start is kept at the pixels of a row: 1 at the centre of such a block, straight lines between centres.
 *
 * @throws ImplicamError `kept-invalid` for a map of another size
 */
export function keptRows(
  kept: string,
  width: number,
  height: number,
): (y: number, out: Float32Array) => void {
  const bytes = Uint8Array.from(atob(kept), (c) => c.charCodeAt(0));
  if (bytes.length !== bytesOf(width, height)) {
    throw new ImplicamError(
      'kept-invalid',
      'the map of what keeps its start is of another size than the picture',
    );
  }
  const [columns, rows] = [blocksOf(width), blocksOf(height)];
  const bit = (b: number) => (bytes[b >> 3] >> (7 - (b & 7))) & 1;
  const place = (i: number, blocks: number) => {
    const at = Math.min(Math.max((i + 0.5) / SIDE - 0.5, 0), blocks - 1);
    const before = Math.floor(at);
    return { before, after: Math.min(before + 1, blocks - 1), t: at - before };
  };
  const across = Array.from({ length: width }, (_, x) => place(x, columns));
  return (y, out) => {
    const down = place(y, rows);
    const line = Float32Array.from({ length: columns }, (_, i) => {
      const upper = bit(down.before * columns + i);
      return upper + down.t * (bit(down.after * columns + i) - upper);
    });
    for (let x = 0; x < width; x++) {
      const { before, after, t } = across[x];
      out[x] = line[before] + t * (line[after] - line[before]);
    }
  };
}

/** Puts the start back over what was trained, where it is kept. `trained` and `start`: planes of the picture, in place. */
export function keepStart(
  trained: Float32Array,
  start: Float32Array,
  kept: string,
  width: number,
  height: number,
): void {
  const row = keptRows(kept, width, height);
  const share = new Float32Array(width);
  const planes = trained.length / (width * height);
  for (let y = 0; y < height; y++) {
    row(y, share);
    for (let c = 0; c < planes; c++)
      for (let x = 0, p = (c * height + y) * width; x < width; x++, p++) {
        if (share[x] > 0) trained[p] += share[x] * (start[p] - trained[p]);
      }
  }
}
