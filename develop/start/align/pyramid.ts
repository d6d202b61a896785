import type { Frame } from '../../../model/picture.js';
import { fullScale } from '../../../model/picture.js';
import { decodeSrgb } from '../../../model/render/display-curves.js';
import type { StartKernels } from '../kernels.js';
import { halve } from '../pixels/resize.js';
import type { FeatureLevel } from './features.js';

/** A frame from fine to coarse, each level half the size of the one before. */
export interface FeaturePyramid {
  /** Size of the photograph. */
  readonly width: number;
  readonly height: number;
  readonly levels: readonly FeatureLevel[];
  /** What works on it. */
  readonly kernels: StartKernels;
}

/** Pixels of the finest level at most. */
const MOST_PIXELS = 1_000_000;
/** The coarsest level's longer side is at most this. */
const COARSEST_SIDE = 64;
/** Smoothing before anything else, in pixels of each level: noise, and what defocus takes first. */
const SMOOTH = 1;
/** Codes of 255 between which trust falls to nothing: of the luminance in the dark, of any channel in the light. */
const DARK = [2, 8] as const;
const LIGHT = [236, 250] as const;
/** Radius within which untrusted pixels take trust away. */
const BESIDE = 2;
const TABLE = 4096;

/** @param mask one byte a pixel, 0 = no photograph there */
export function featurePyramid(
  frame: Frame,
  mask: Uint8Array | undefined,
  kernels: StartKernels,
): FeaturePyramid {
  let plane = reduced(frame, mask);
  const levels = [levelOf(plane, kernels)];
  while (Math.max(plane.width, plane.height) > COARSEST_SIDE) {
    plane = halved(plane);
    levels.push(levelOf(plane, kernels));
  }
  return { width: frame.width, height: frame.height, levels, kernels };
}

/** Luminance with its trust. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly value: Float32Array;
  readonly trust: Float32Array;
}

/** Luminance codes averaged over blocks that bring the frame to MOST_PIXELS at most. */
function reduced(frame: Frame, mask?: Uint8Array): Plane {
  let scale = 1;
  while ((frame.width * frame.height) / (scale * scale) > MOST_PIXELS) scale *= 2;
  const width = Math.max(1, Math.floor(frame.width / scale));
  const height = Math.max(1, Math.floor(frame.height / scale));
  const value = new Float32Array(width * height);
  const trust = new Float32Array(width * height);
  const { data } = frame;
  const toTable = (TABLE - 1) / (4 * fullScale(frame) * scale * scale);
  const to255 = 255 / fullScale(frame);
  const lights = lightTable();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      let most = 0;
      let masked = false;
      for (let j = 0; j < scale; j++) {
        let p = (y * scale + j) * frame.width + x * scale;
        for (let i = 0; i < scale; i++, p++) {
          const r = data[3 * p];
          const g = data[3 * p + 1];
          const b = data[3 * p + 2];
          sum += r + 2 * g + b;
          if (r > most) most = r;
          if (g > most) most = g;
          if (b > most) most = b;
          if (mask && mask[p] === 0) masked = true;
        }
      }
      const index = (sum * toTable + 0.5) | 0;
      value[y * width + x] = lights[index];
      const dark = ((index * 255) / (TABLE - 1) - DARK[0]) / (DARK[1] - DARK[0]);
      const light = (LIGHT[1] - most * to255) / (LIGHT[1] - LIGHT[0]);
      const least = dark < light ? dark : light;
      trust[y * width + x] = masked || least < 0 ? 0 : least > 1 ? 1 : least;
    }
  }
  return { width, height, scale, value, trust };
}

let table: Float32Array | undefined;

/** Light of each luminance code, taken as sRGB. */
function lightTable(): Float32Array {
  if (table) return table;
  table = Float32Array.from({ length: TABLE }, (_, k) => decodeSrgb(k / (TABLE - 1)));
  return table;
}

function halved({ width, height, scale, value, trust }: Plane): Plane {
  return {
    width: (width + 1) >> 1,
    height: (height + 1) >> 1,
    scale: 2 * scale,
    value: halve(value, width, height),
    trust: halve(trust, width, height),
  };
}

function levelOf(
  { width, height, scale, value, trust }: Plane,
  { boxMean, gaussian }: StartKernels,
): FeatureLevel {
  // What is beside an untrusted pixel has been smoothed with it.
  const beside = boxMean(trust, width, height, BESIDE);
  for (let p = 0; p < beside.length; p++) beside[p] = Math.max(0, 2 * beside[p] - 1) * trust[p];
  return { width, height, scale, value: gaussian(value, width, height, SMOOTH), trust: beside };
}
