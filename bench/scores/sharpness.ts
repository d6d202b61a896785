import type { Picture } from '../../model/picture.js';

/**
 * How sharp a picture is where its frames are sharpest: for every tile the mean strength of its second differences,
 * divided by that of the sharpest frame there. 1: as sharp as the best frame everywhere. Only tiles that have
 * structure in some frame count. Display-encoded pictures of one exposure.
 *
 * @returns the median over tiles and the tenth percentile: how well the worst places are.
 */
export function sharpnessRatio(
  picture: Picture,
  frames: readonly Picture[],
): { median: number; low: number } | undefined {
  const own = tileStrengths(picture);
  const best = new Float64Array(own.length);
  for (const frame of frames) {
    for (const [i, v] of tileStrengths(frame).entries()) best[i] = Math.max(best[i], v);
  }
  const ratios = [...own.keys()].filter((i) => best[i] > STRUCTURE).map((i) => own[i] / best[i]);
  if (ratios.length === 0) return undefined;
  ratios.sort((a, b) => a - b);
  return { median: ratios[ratios.length >> 1], low: ratios[Math.floor(ratios.length / 10)] };
}

const TILE = 32;
/** Weaker tiles are noise: about four steps of 8 bits. */
const STRUCTURE = 0.015;

function tileStrengths({ width, height, channels, data }: Picture): Float64Array {
  const columns = Math.ceil(width / TILE);
  const sums = new Float64Array(columns * Math.ceil(height / TILE));
  const counts = new Float64Array(sums.length);
  const luma = (x: number, y: number) => {
    const i = channels * (y * width + x);
    return 0.3 * data[i] + 0.6 * data[i + 1] + 0.1 * data[i + 2];
  };
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const around = luma(x - 1, y) + luma(x + 1, y) + luma(x, y - 1) + luma(x, y + 1);
      const tile = Math.floor(y / TILE) * columns + Math.floor(x / TILE);
      sums[tile] += Math.abs(4 * luma(x, y) - around) / 4;
      counts[tile]++;
    }
  }
  return sums.map((s, i) => s / Math.max(1, counts[i]));
}
