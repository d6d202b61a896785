/**
 * Everything in focus from the views themselves: first by local contrast, then, once depth is known, by the smallest
 * circle of confusion.
 */
import type { Picture } from '../../../model/picture.js';
import { fastExp, logInPlace } from '../pixels/fast-math.js';
import { laplacian } from '../pixels/filters.js';
import type { FocusStack, MixPlanes } from './focus-stack.js';
import type { SharpPicture } from './plane-sweep.js';

/** Standard deviation in pixels of the window over which contrast is compared. */
const CONTRAST_WINDOW = 2.5;

/**
 * Views whose circle of confusion is this many pixels larger than the smallest weigh 1/e. Wider blends lose detail
 * (0.3 dB at 0.3 pixel), narrower ones show seams.
 */
const BLEND = 0.1;

/** A view with less weight than this is left out. */
const LEAST_WEIGHT = 1e-3;

/**
 * Local contrast of each view: squared Laplacian of ln luminance, slightly smoothed, averaged with a Gaussian of
 * {@link CONTRAST_WINDOW}.
 */
export function contrastEnergy(stack: FocusStack): Float32Array[] {
  const { width, height, floor, kernels } = stack;
  return stack.light.map(([warm, cool], v) => {
    const ln = new Float32Array(warm.length);
    for (let p = 0; p < ln.length; p++) ln[p] = 0.5 * (warm[p] + cool[p]) + floor;
    logInPlace(ln);
    kernels.gaussian(ln, width, height, 0.6, ln);
    const energy = laplacian(ln, width, height);
    for (let p = 0; p < energy.length; p++) energy[p] = energy[p] * energy[p];
    kernels.gaussian(energy, width, height, CONTRAST_WINDOW, energy);
    const valid = stack.valid[v];
    if (valid) for (let p = 0; p < energy.length; p++) if (valid[p] === 0) energy[p] = 0;
    return energy;
  });
}

/** Takes each pixel from the view with the most local contrast (5 × 5 median of the choice). */
export function sharpByContrast(stack: FocusStack): SharpPicture & { readonly energy: Float32Array } {
  const energies = contrastEnergy(stack);
  const count = stack.width * stack.height;
  // In order of focus, so that a median lies between its neighbours.
  const order = stack.focus.map((_, v) => v).sort((a, b) => stack.focus[a] - stack.focus[b]);
  const rank = new Float32Array(count);
  const most = new Float32Array(count).fill(-1);
  order.forEach((v, r) => {
    const energy = energies[v];
    for (let p = 0; p < count; p++) {
      if (energy[p] <= most[p]) continue;
      most[p] = energy[p];
      rank[p] = r;
    }
  });
  const median = stack.kernels.medianFilter(rank, stack.width, stack.height, 5);
  const source = Uint8Array.from(median, (r) => order[r]);
  return { source, light: lightFrom(stack, source), energy: most };
}

/** Takes each pixel of the stack from the view whose circle of confusion is smallest at depth `s`. */
export function sharpByDepth(stack: FocusStack, s: Float32Array): SharpPicture {
  const source = new Uint8Array(s.length);
  const { focus, aperture, valid } = stack;
  for (let p = 0; p < s.length; p++) {
    let least = Number.POSITIVE_INFINITY;
    for (let v = 0; v < focus.length; v++) {
      const d = s[p] - focus[v];
      const mask = valid[v];
      const circle = aperture[v] * (d < 0 ? -d : d) + (mask !== undefined && mask[p] === 0 ? 1e6 : 0);
      if (circle < least) {
        least = circle;
        source[p] = v;
      }
    }
  }
  return { source, light: lightFrom(stack, source) };
}

function lightFrom(stack: FocusStack, source: Uint8Array): MixPlanes {
  const warm = new Float32Array(source.length);
  const cool = new Float32Array(source.length);
  for (let p = 0; p < source.length; p++) {
    const planes = stack.light[source[p]];
    warm[p] = planes[0][p];
    cool[p] = planes[1][p];
  }
  return [warm, cool];
}

/** What {@link selectByDepth} blends: pictures of ln radiance with their focus, aperture and gains. */
export interface FocusViews {
  readonly views: readonly Picture[];
  readonly focus: readonly number[];
  readonly aperture: readonly number[];
  /** Added to ln radiance per view and channel. */
  readonly gains: readonly (readonly number[])[];
  readonly valid: readonly (Uint8Array | undefined)[];
}

/**
 * The all-in-focus picture (ln radiance): at every pixel the views blended in linear light with weights
 * exp(−(|c_v| − min |c|)/{@link BLEND}), c_v = κ·a_v·(s − f_v).
 */
export function selectByDepth(input: FocusViews, s: Float32Array, kappa: number): Picture {
  const { views, focus, aperture, gains, valid } = input;
  const { width, height } = views[0];
  const out = new Float32Array(width * height * 3);
  const circles = new Float64Array(views.length);
  for (let p = 0; p < s.length; p++) {
    let sharpest = 0;
    for (let v = 0; v < views.length; v++) {
      const d = s[p] - focus[v];
      const mask = valid[v];
      circles[v] = kappa * aperture[v] * (d < 0 ? -d : d) + (mask !== undefined && mask[p] === 0 ? 1e6 : 0);
      if (circles[v] < circles[sharpest]) sharpest = v;
    }
    let total = 0;
    let r = 0;
    let g = 0;
    let b = 0;
    const i = 3 * p;
    const limit = circles[sharpest] + BLEND * -Math.log(LEAST_WEIGHT);
    for (let v = 0; v < views.length; v++) {
      if (v === sharpest || circles[v] > limit) continue;
      const weight = fastExp((circles[sharpest] - circles[v]) / BLEND);
      const { data } = views[v];
      const gain = gains[v];
      total += weight;
      r += weight * fastExp(data[i] + gain[0]);
      g += weight * fastExp(data[i + 1] + gain[1]);
      b += weight * fastExp(data[i + 2] + gain[2]);
    }
    const { data } = views[sharpest];
    const gain = gains[sharpest];
    if (total === 0) {
      out[i] = data[i] + gain[0];
      out[i + 1] = data[i + 1] + gain[1];
      out[i + 2] = data[i + 2] + gain[2];
      continue;
    }
    out[i] = Math.log((r + fastExp(data[i] + gain[0])) / (total + 1));
    out[i + 1] = Math.log((g + fastExp(data[i + 1] + gain[1])) / (total + 1));
    out[i + 2] = Math.log((b + fastExp(data[i + 2] + gain[2])) / (total + 1));
  }
  return { width, height, channels: 3, data: out };
}
