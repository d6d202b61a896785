import { type Frame, fullScale } from '../../../model/picture.js';

/** Frames at least this many stops apart are compared: light that is seen at all differs by a factor of four. */
const APART = 2;
/** Codes of 8 bits by which a pixel without light may differ. */
const SAME = 1;
/** Least share of the pixels that must be without light for a black level to be measured. */
const LEAST_SHARE = 0.1;
/** Smaller levels, in codes of 8 bits, are as good as none: quantisation and noise of a true black. */
const LEAST_LEVEL = 3;

/**
 * The pixel value of no light, one a channel in codes of 8 bits: film base plus fog of scans, veiled video, a sensor's
 * pedestal. A response runs from 0 to 1 and cannot explain it. Pixels that look the same in frames many stops apart
 * show it: the median of such pixels of the darkest frame. 0 where too few do.
 * @param frames aligned frames of one focus
 * @param ev their exposures in stops
 * @param masks one byte a pixel, 0 = leave the pixel out
 */
export function blackLevel(
  frames: readonly Frame[],
  ev: readonly number[],
  masks: readonly (Uint8Array | undefined)[],
): number[] {
  const order = frames.map((_, i) => i).sort((a, b) => ev[a] - ev[b] || a - b);
  const dark = order[0];
  const bright = order.find((i) => ev[i] >= ev[dark] + APART);
  if (bright === undefined) return [0, 0, 0];
  return [0, 1, 2].map((c) => channelBlack(frames, dark, bright, c, masks));
}

function channelBlack(
  frames: readonly Frame[],
  dark: number,
  bright: number,
  channel: number,
  masks: readonly (Uint8Array | undefined)[],
): number {
  const [a, b] = [frames[dark], frames[bright]];
  const [scaleA, scaleB] = [255 / fullScale(a), 255 / fullScale(b)];
  const counts = new Uint32Array(256);
  let compared = 0;
  let same = 0;
  for (let p = 0, i = channel; i < a.data.length; p++, i += 3) {
    if (masks[dark]?.[p] === 0 || masks[bright]?.[p] === 0) continue;
    compared++;
    const code = a.data[i] * scaleA;
    // Whites look the same, too.
    if (code > 127 || Math.abs(b.data[i] * scaleB - code) > SAME) continue;
    same++;
    counts[Math.round(code)]++;
  }
  if (same === 0 || same < LEAST_SHARE * compared) return 0;
  let level = 0;
  for (let below = counts[0]; 2 * below < same; below += counts[level]) level++;
  return level < LEAST_LEVEL ? 0 : level;
}

/**
 * A frame whose black is 0 and whose white is full scale again, in 16 bits, since 8 would round twice. Values below black
 * become 0, no light; those above white become white.
 * @param level pixel value of no light a channel, in codes of 8 bits
 * @param white pixel value at which the frame clips, in codes of 8 bits
 */
export function stretched(frame: Frame, level: readonly number[], white = 255): Frame {
  if (white === 255 && level.every((v) => v === 0)) return frame;
  const scale = 255 / fullScale(frame);
  const data = new Uint16Array(frame.data.length);
  for (let c = 0; c < 3; c++) {
    const black = level[c];
    const gain = 65535 / (white - black);
    for (let i = c; i < data.length; i += 3) {
      data[i] = Math.min(65535, Math.max(0, Math.round((frame.data[i] * scale - black) * gain)));
    }
  }
  return { ...frame, data };
}
