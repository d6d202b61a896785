import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../model/picture.js';

/** Samples as files hold them: integers of 8 or 16 bits. */

/** Display-encoded samples in [0, 1] as integers, rounded; what is outside is clipped, and not a number is black. */
export function quantised(picture: Picture, bits: 8 | 16): Uint8Array | Uint16Array {
  const { data } = picture;
  const scale = bits === 8 ? 255 : 65535;
  const samples = bits === 8 ? new Uint8Array(data.length) : new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    // Stored without its fraction, so this rounds.
    samples[i] = value > 0 ? (value < 1 ? value * scale + 0.5 : scale) : 0;
  }
  return samples;
}

/** Integer samples of one channel (grey), three (RGB) or four (with alpha), opened by sharp. */
export function openSamples(
  samples: Uint8Array | Uint16Array,
  { width, height, channels }: Pick<Picture, 'width' | 'height' | 'channels'>,
): Sharp {
  const grey = channels === 1;
  const space = samples instanceof Uint8Array ? (grey ? 'b-w' : 'srgb') : grey ? 'grey16' : 'rgb16';
  const raw = { width, height, channels: channels as 1 | 3 | 4 };
  return sharp(samples, { raw, limitInputPixels: false }).toColourspace(space);
}
