/** Where one picture of a scene shows less than another: local contrast above noise. */
import type { Picture } from '../../../model/picture.js';
import type { StartKernels } from '../kernels.js';
import { fastExp, logInPlace } from '../pixels/fast-math.js';
import { laplacian } from '../pixels/filters.js';

/** Contrast is averaged over a Gaussian of this many pixels, as where views are compared. */
const WINDOW = 2.5;
/** Light below this share of white is noise where contrast is measured. */
const DARK = 1e-3;
/** Noise is measured apart for so many steps of brightness. */
const STEPS = 16;
/** Of the pixels of a step this share is taken for flat: what contrast they have is noise … */
const FLAT = 0.1;
/** … and on average noise has so many times as much. */
const MEAN_NOISE = 1.9;
/** Contrast stands out of noise from this many times its mean on. */
const ABOVE_NOISE = 1.6;
/**
 * Where nothing of a brightness is flat, texture must not pass for noise: no step has more than so many times what the
 * calmest quarter of them has.
 */
const MOST_NOISE = 6;
/** Steps of fewer pixels do not tell. */
const FEW = 100;
/** A picture that keeps this share of the other's contrast has lost nothing. */
const KEPT = 0.6;
/**
 * The surroundings that are asked, as a share of the circle, and the shares of them that have lost contrast from which
 * on it begins to be lost, and is.
 */
export interface Surroundings {
  readonly reach: number;
  readonly from: number;
  readonly to: number;
}

/** Where most has lost contrast. */
export const MOSTLY: Surroundings = { reach: 0.5, from: 0.3, to: 0.6 };
/**
 * Where some has lost contrast in a wider circle: what is between is likely to be no better, only
 * plainer. Asking farther than the circle takes noise of the network's for contrast (0.2 dB on one scene).
 */
export const SOMEWHERE: Surroundings = { reach: 1, from: 0.1, to: 0.3 };

/** Local contrast: squared Laplacian of ln luminance, smoothed. */
function contrastOf({ width, height, data }: Picture, lnWhite: number, kernels: StartKernels): Float32Array {
  const plane = new Float32Array(width * height);
  const dark = DARK * fastExp(lnWhite);
  for (let p = 0; p < plane.length; p++) {
    plane[p] = (fastExp(data[3 * p]) + fastExp(data[3 * p + 1]) + fastExp(data[3 * p + 2])) / 3 + dark;
  }
  kernels.gaussian(logInPlace(plane), width, height, 0.6, plane);
  const energy = laplacian(plane, width, height);
  for (let p = 0; p < energy.length; p++) energy[p] *= energy[p];
  return kernels.gaussian(energy, width, height, WINDOW, energy);
}

/** The contrast that noise alone has at every pixel: from the flattest pixels of the same brightness. */
function noiseFloor({ data }: Picture, energy: Float32Array): Float32Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let p = 0; p < energy.length; p++) {
    const green = data[3 * p + 1];
    if (green < low) low = green;
    if (green > high) high = green;
  }
  const scale = (STEPS - 1e-3) / Math.max(high - low, 1e-6);
  const step = Uint8Array.from(energy, (_, p) => (data[3 * p + 1] - low) * scale);
  const found: number[][] = Array.from({ length: STEPS }, () => []);
  const stride = Math.max(1, Math.floor(energy.length / 200_000));
  for (let p = 0; p < energy.length; p += stride) found[step[p]].push(energy[p]);
  const floors = found.map((values) => {
    values.sort((a, b) => a - b);
    return values.length < FEW ? Number.POSITIVE_INFINITY : values[Math.floor(FLAT * values.length)];
  });
  const known = floors.filter((v) => v < Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const most = MOST_NOISE * (known[known.length >> 2] ?? 0);
  return Float32Array.from(step, (k) => MEAN_NOISE * Math.min(floors[k], most));
}

/**
 * 1 where `picture` has less contrast than `wanted` in the surroundings, 0 elsewhere, and in between around.
 *
 * @param circle radius of the widest blur, in pixels
 */
export function lostContrast(
  wanted: Picture,
  picture: Picture,
  circle: number,
  { reach, from, to }: Surroundings,
  lnWhite: number,
  kernels: StartKernels,
): Float32Array {
  const { width, height } = wanted;
  const there = contrastOf(wanted, lnWhite, kernels);
  const kept = contrastOf(picture, lnWhite, kernels);
  const floor = noiseFloor(wanted, there);
  const lost = new Float32Array(there.length);
  for (let p = 0; p < lost.length; p++) {
    const noise = floor[p];
    const stands = there[p] > ABOVE_NOISE * noise;
    if (stands && kept[p] - noise < KEPT * (there[p] - noise)) lost[p] = 1;
  }
  kernels.gaussian(lost, width, height, Math.max(2, reach * circle), lost);
  for (let p = 0; p < lost.length; p++) {
    lost[p] = Math.min(1, Math.max(0, (lost[p] - from) / (to - from)));
  }
  return lost;
}
