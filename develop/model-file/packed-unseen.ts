import { deflateSync, inflateSync } from 'node:zlib';
import type { Unseen } from '../../model/unseen.js';

/**
 * What no frame shows as it is stored: one bit a pixel, 1 where none does, row after row, most significant bit first,
 * deflated. As text, runs of a dithered alpha would take some bytes a pixel.
 */
export function packUnseen(unseen: Unseen): Uint8Array {
  const bits = new Uint8Array(Math.ceil(unseen.reduce((sum, length) => sum + length, 0) / 8));
  let from = 0;
  for (const [i, length] of unseen.entries()) {
    if (i % 2 === 1) for (let p = from; p < from + length; p++) bits[p >> 3] |= 128 >> (p & 7);
    from += length;
  }
  return deflateSync(bits);
}

/** The runs of so many pixels; undefined where the bytes are of another number of them, or damaged. */
export function unpackUnseen(bytes: Uint8Array, pixels: number): Unseen | undefined {
  const size = Math.ceil(pixels / 8);
  let bits: Uint8Array;
  try {
    bits = inflateSync(bytes, { maxOutputLength: size });
  } catch {
    return undefined;
  }
  if (bits.length !== size) return undefined;
  const runs = [0];
  for (let p = 0; p < pixels; p++) {
    const hidden = (bits[p >> 3] >> (7 - (p & 7))) & 1;
    if (hidden !== (runs.length - 1) % 2) runs.push(0);
    runs[runs.length - 1]++;
  }
  return runs;
}
