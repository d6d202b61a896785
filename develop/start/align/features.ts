import { boxMean } from '../pixels/filters.js';

/** Light of a frame at one size. */
export interface FeatureLevel {
  readonly width: number;
  readonly height: number;
  /** Pixels of the photograph a pixel of this level, along a side. */
  readonly scale: number;
  /** Luminance, linear, 1 = white; smoothed a little. */
  readonly value: Float32Array;
  /** How far each pixel can be trusted, 0 … 1: neither clipped nor in the dark, nor masked, nor beside such. */
  readonly trust: Float32Array;
}

/** Radius of the window of local mean and contrast, in pixels of each level. */
export const WINDOW = 6;
/** Local contrast that is taken for noise, and the squared noise of light 1 (white), which falls with the light. */
export const NOISE = 0.04;
export const SHOT_NOISE = 3e-5;
/** Light below which contrast is not relative any more. */
export const FLOOR = 0.001;
/** Share of a window that must be trusted for a contrast. */
export const LEAST_SHARE = 0.05;
/**
 * What is compared instead of light: `value` less its local mean, over its local contrast, both where `trust` says. An
 * exposure is a factor of light, a camera's response to first order a local slope, and defocus a loss of contrast: all
 * three cancel, if both frames are given the same trust. Light and not its logarithm, because defocus spreads light: in
 * a logarithm bright things grow when they blur, and their edges seem to move. Written over `value`.
 *
 * @param share mean of `trust` in every window (see `localMean`)
 * @param telling multiplied by the share of the local contrast that is not noise
 */
export function localContrast(
  { width, height }: { readonly width: number; readonly height: number },
  value: Float32Array,
  trust: Float32Array,
  share: Float32Array,
  telling: Float32Array,
): void {
  const mean = new Float32Array(value.length);
  const square = new Float32Array(value.length);
  for (let p = 0; p < value.length; p++) mean[p] = trust[p] * value[p];
  boxMean(mean, width, height, WINDOW, mean);
  for (let p = 0; p < value.length; p++) {
    const light = share[p] > LEAST_SHARE ? mean[p] / share[p] : value[p];
    const relative = (value[p] - light) / (light + FLOOR);
    mean[p] = light;
    value[p] = relative;
    square[p] = trust[p] * relative * relative;
  }
  boxMean(square, width, height, WINDOW, square);
  for (let p = 0; p < value.length; p++) {
    const variance = share[p] > LEAST_SHARE ? square[p] / share[p] : 0;
    const total = variance + NOISE * NOISE + SHOT_NOISE / (mean[p] + FLOOR);
    value[p] /= Math.sqrt(total);
    telling[p] *= variance / total;
  }
}

/** Mean of a plane over the window of local contrast. */
export function localMean(plane: Float32Array, width: number, height: number): Float32Array {
  return boxMean(plane, width, height, WINDOW);
}
