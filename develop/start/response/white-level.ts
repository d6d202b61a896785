import { type Frame, fullScale } from '../../../model/picture.js';
import { channelCodes } from './joint-histogram.js';

/** Whites from here on are as good as full scale: noise and compression of a true white. */
const FULL = 252;
/** Share of the pixels that may lie above the codes in which white is looked for: ringing, hot pixels. */
const ABOVE = 5e-4;
/** White is looked for among so many codes, at and below the brightest. */
const SEARCHED = 9;
/** Codes to either side that noise scatters it over. */
const SPREAD = 2;
/** White holds at least this share of the pixels, and so many times those of the codes from FROM to TO below it. */
const LEAST_SHARE = 0.02;
const PROMINENCE = 3;
const FROM = 7;
const TO = 12;
/** A darker frame to compare with has at most this share of the brightest one's mean code. */
const DARKER = 0.85;
/** What is one code in the brighter frame for having clipped is of many in the darker: at least so far apart, in codes. */
const LEAST_VARIETY = 8;

/**
 * The pixel value at which these frames clip, in codes of 8 bits: below 255 where a converter keeps headroom, a
 * picture was darkened after it was taken, or video range was not undone. 255 where the pictures do not show another.
 *
 * In each channel of the brightest frame it is the commonest of the topmost codes, if it stands out from those below and if
 * what it covers is of different brightness in a darker frame: a bright even wall is not. One level for all channels, the
 * median of theirs: a channel by itself would change colours.
 *
 * It looks at frames as they came, before their exposures are known: what is taken for well exposed depends on it.
 */
export function whiteLevel(frames: readonly Frame[]): number {
  const mean = frames.map(meanCode);
  const bright = mean.indexOf(Math.max(...mean));
  const candidates = frames.map((_, i) => i).filter((i) => mean[i] <= DARKER * mean[bright]);
  if (candidates.length === 0) return 255;
  const darker = candidates.reduce((a, b) => (mean[b] > mean[a] ? b : a));
  const levels = [0, 1, 2].map((channel) => channelWhite(frames[bright], frames[darker], channel));
  return levels.sort((a, b) => a - b)[1];
}

/** Mean sample, in codes of 8 bits. */
function meanCode(frame: Frame): number {
  let sum = 0;
  for (let i = 0; i < frame.data.length; i++) sum += frame.data[i];
  return (sum / frame.data.length) * (255 / fullScale(frame));
}

function channelWhite(bright: Frame, darker: Frame, channel: number): number {
  const pairs = new Uint32Array(256 * 256);
  const [a, b] = [channelCodes(bright, channel), channelCodes(darker, channel)];
  for (let p = 0; p < a.length; p++) {
    if (bright.mask?.[p] !== 0 && darker.mask?.[p] !== 0) pairs[256 * a[p] + b[p]]++;
  }
  const counts = Float64Array.from({ length: 256 }, (_, z) =>
    pairs.subarray(256 * z, 256 * (z + 1)).reduce((sum, n) => sum + n, 0),
  );
  const within = (from: number, to: number) =>
    counts.subarray(Math.max(0, from), to + 1).reduce((sum, n) => sum + n, 0);
  const pixels = within(0, 255);
  let top = 255;
  for (let above = counts[255]; top > 0 && above <= ABOVE * pixels; above += counts[top]) top--;
  let white = top;
  for (let z = top; z > Math.max(0, top - SEARCHED); z--) if (counts[z] > counts[white]) white = z;
  if (white >= FULL) return 255;
  const share = within(white - SPREAD, white + SPREAD);
  if (share <= LEAST_SHARE * pixels || share <= PROMINENCE * within(white - TO, white - FROM)) return 255;
  return variety(pairs, white) >= LEAST_VARIETY ? white : 255;
}

/** Distance of the quartiles of the darker frame's codes where the brighter has `white`. */
function variety(pairs: Uint32Array, white: number): number {
  const counts = new Float64Array(256);
  for (let z = white - SPREAD; z <= Math.min(255, white + SPREAD); z++) {
    for (let other = 0; other < 256; other++) counts[other] += pairs[256 * z + other];
  }
  const total = counts.reduce((sum, n) => sum + n, 0);
  const quantile = (share: number) => {
    let z = 0;
    for (let below = counts[0]; below < share * total; below += counts[z]) z++;
    return z;
  };
  return quantile(0.75) - quantile(0.25);
}
