/**
 * How much detail there is at a pixel for sure: the energy of a band over windows of several widths, less what noise alone
 * would give. Narrow windows tell where a thin thing is sharp, if it is clear; wide ones speak where nothing narrower does.
 */
import { betweenBlocks, blockMeans, blocksOf, enlargedRow, smoothed, windowOf } from './planes.js';

const { fround } = Math;

/** Standard deviation in pixels of the finest band, weight, and how many times the noise is taken off. */
const WINDOWS = [
  { sigma: 1, weight: 0.5, margin: 3 },
  { sigma: 2.5, weight: 0.35, margin: 1.8 },
  { sigma: 6, weight: 0.15, margin: 1.3 },
  { sigma: 16, weight: 0.03, margin: 1.1 },
  { sigma: 40, weight: 0.01, margin: 1.05 },
] as const;

/** Windows of up to this many pixels are taken at every pixel, up to the next over blocks of 4, wider ones of 16. */
const EVERY_PIXEL = 3;
const EVERY_FOURTH = 20;
/** No window is narrower. */
const NARROWEST = 0.5;

/** One window as it is worked out: over blocks of `side` pixels, weights of the blocks. */
export interface Window {
  readonly side: number;
  readonly kernel: Float32Array;
  readonly weight: number;
  readonly margin: number;
}

/** The windows of band `level`: in pixels of its size, a quarter as wide as halving would leave them on the finest. */
export function windowsOf(level: number): Window[] {
  return WINDOWS.map(({ sigma, weight, margin }) => {
    const wide = Math.max(NARROWEST, sigma * 0.5 ** level);
    const side = wide <= EVERY_PIXEL ? 1 : wide < EVERY_FOURTH ? 4 : 16;
    return { side, kernel: windowOf(wide / side), weight: fround(weight), margin: fround(margin) };
  });
}

/** Evidence of a plane of energy, `noise` being what noise alone gives at each pixel. */
export function evidence(
  energy: Float32Array,
  noise: Float32Array,
  width: number,
  height: number,
  windows: readonly Window[],
): Float32Array {
  const out = new Float32Array(energy.length);
  const row = new Float32Array(width);
  for (const { side, kernel, weight, margin } of windows) {
    const blocks = side === 1 ? energy : blockMeans(energy, width, height, side);
    const smooth = smoothed(blocks, blocksOf(width, side), blocksOf(height, side), kernel);
    const [across, down] = [betweenBlocks(width, side), betweenBlocks(height, side)];
    for (let y = 0, p = 0; y < height; y++) {
      enlargedRow(smooth, y, across, down, row);
      for (let x = 0; x < width; x++, p++) {
        const sure = fround(row[x] - fround(margin * noise[p]));
        if (sure > 0) out[p] += fround(weight * sure);
      }
    }
  }
  return out;
}
