import type { Frame } from '../../../model/picture.js';

/** Bits that sensors of microscopes, scientific and thermal cameras give, which their programs store in 16. */
const SENSOR_BITS = [10, 12, 14];
/** How near the brightest sample comes to the end of such a range where it is what limits it. */
const REACHED = 0.98;
/** Share of all samples that clipping leaves at one value, at least, and how many. */
const CLIPPED = 0.005;
const FEWEST = 50;
/** A picture that is nowhere brighter than this share of 16 bits is no photograph that was exposed for 16 bits. */
const TOO_DARK = 1 / 16;

/**
 * The range of samples that 16-bit frames use: of a camera of 12 bits that stores them in 16, the brightest is 4095 in all
 * frames together. Taken for 16 bits such pictures are all but black, and their exposures cannot be compared.
 *
 * @returns the bits that are used, or undefined where that is all of them, or where the pictures do not tell
 */
export function usedBits(frames: readonly Frame[]): number | undefined {
  let brightest = 0;
  for (const { data } of frames) {
    if (!(data instanceof Uint16Array)) return undefined;
    for (let i = 0; i < data.length; i++) if (data[i] > brightest) brightest = data[i];
  }
  const bits = SENSOR_BITS.find((b) => brightest < 2 ** b);
  if (bits === undefined || brightest === 0) return undefined;
  const limited = brightest >= REACHED * (2 ** bits - 1) || clipsAt(frames, brightest);
  return limited || brightest <= TOO_DARK * 65535 ? bits : undefined;
}

/** Whether so many samples lie at the brightest of all that they were clipped there. */
function clipsAt(frames: readonly Frame[], brightest: number): boolean {
  const [least, below] = [0.998 * brightest, 0.99 * brightest];
  let [at, near, count] = [0, 0, 0];
  for (const { data } of frames) {
    count += data.length;
    for (let i = 0; i < data.length; i++) {
      if (data[i] >= least) at++;
      else if (data[i] >= below) near++;
    }
  }
  return at >= Math.max(FEWEST, CLIPPED * count) && at > near;
}

/** Frames that use so many of 16 bits, with their white at full scale. */
export function widened(frames: readonly Frame[], bits: number): Frame[] {
  const gain = 65535 / (2 ** bits - 1);
  return frames.map((frame) => ({
    ...frame,
    data: Uint16Array.from(frame.data, (v) => Math.min(65535, Math.round(gain * v))),
  }));
}
