import type { Picture } from '../../model/picture.js';
import { psnr } from '../scores/scores.js';

const QUANTILES = 512;

/**
 * PSNR in dB of a displayed picture against the displayed truth, after the one monotone curve for all channels that gives
 * it the truth's histogram: how bright a picture is to look at is a choice, not an error.
 */
export function afterBestCurve(picture: Picture, truth: Picture): number {
  const from = quantiles(picture.data);
  const to = quantiles(truth.data);
  const data = picture.data.map((v) => curve(from, to, v));
  return psnr({ ...picture, data }, truth);
}

function quantiles(values: Float32Array): Float32Array {
  const sorted = values.slice().sort();
  const last = sorted.length - 1;
  return Float32Array.from({ length: QUANTILES + 1 }, (_, i) => sorted[Math.round((i / QUANTILES) * last)]);
}

/** Linear between quantiles; where many of them are one value, the middle of theirs. */
function curve(from: Float32Array, to: Float32Array, value: number): number {
  const above = firstNotBelow(from, value);
  if (from[above] === value) {
    let last = above;
    while (last < QUANTILES && from[last + 1] === value) last++;
    return (to[above] + to[last]) / 2;
  }
  if (above === 0) return to[0];
  const t = (value - from[above - 1]) / (from[above] - from[above - 1]);
  return to[above - 1] + t * (to[above] - to[above - 1]);
}

function firstNotBelow(sorted: Float32Array, value: number): number {
  let low = 0;
  let high = QUANTILES;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
