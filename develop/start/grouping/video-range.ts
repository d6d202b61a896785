import { type Frame, fullScale } from '../../../model/picture.js';

/** Black and white of video, in codes of 8 bits (ITU-R BT.601). */
export const VIDEO_BLACK = 16;
export const VIDEO_WHITE = 235;

/** Codes to either side over which compression scatters black and white. */
const SPREAD = 2;
/** A clipped end holds at least this share of the frame in which it is best seen. */
const LEAST_SHARE = 0.01;
/** And so many times what the like number of codes towards the middle hold: a scene fades, clipping does not. */
const PROMINENCE = 1.5;
/** Distance to those codes. */
const INWARDS = 6;
/** Shadows within so many codes of black speak for it. */
const NEAR = 8;
/** Share of all pixels that may lie beyond an end: compression rings beside edges. */
const BEYOND = 2e-3;

/**
 * Whether frames were cut from a video whose range was not undone: black is 16 and white is 235 in all of them.
 *
 * Told by the luma, since of coloured light a channel may lie beyond. Both ends must be clipped at just these codes, and
 * nothing lie beyond in any frame. `doubtful` where white is, and the darkest shadows end just above black without being
 * clipped there: a picture that was made paler looks the same.
 */
export function videoRange(frames: readonly Frame[]): 'certain' | 'doubtful' | 'no' {
  const histograms = frames.map(lumaHistogram);
  let [pixels, below, above] = [0, 0, 0];
  for (const counts of histograms) {
    pixels += sum(counts, 0, 255);
    below += sum(counts, 0, VIDEO_BLACK - SPREAD - 1);
    above += sum(counts, VIDEO_WHITE + SPREAD + 1, 255);
  }
  if (pixels === 0 || below > BEYOND * pixels || above > BEYOND * pixels) return 'no';
  if (!histograms.some((counts) => endsAt(counts, VIDEO_WHITE, -INWARDS))) return 'no';
  if (histograms.some((counts) => endsAt(counts, VIDEO_BLACK, INWARDS))) return 'certain';
  const shadows = histograms.reduce((all, counts) => all + sum(counts, 0, VIDEO_BLACK + NEAR), 0);
  return shadows > BEYOND * pixels ? 'doubtful' : 'no';
}

/** Whether a frame is clipped at a code. */
function endsAt(counts: Uint32Array, code: number, inwards: number): boolean {
  const pile = sum(counts, code - SPREAD, code + SPREAD);
  const beside = sum(counts, code + inwards - SPREAD, code + inwards + SPREAD);
  return pile >= LEAST_SHARE * sum(counts, 0, 255) && pile > PROMINENCE * beside;
}

/** Pixels that count by their luma (ITU-R BT.601), in codes of 8 bits. */
function lumaHistogram(frame: Frame): Uint32Array {
  const counts = new Uint32Array(256);
  const { data, mask } = frame;
  const scale = 255 / fullScale(frame);
  for (let p = 0, i = 0; i < data.length; p++, i += 3) {
    if (mask?.[p] === 0) continue;
    const luma = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    counts[Math.round(scale * luma)]++;
  }
  return counts;
}

function sum(counts: Uint32Array, from: number, to: number): number {
  let total = 0;
  for (let z = from; z <= to; z++) total += counts[z];
  return total;
}
