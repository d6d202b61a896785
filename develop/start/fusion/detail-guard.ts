/**
 * Guards a picture that a model of the lens chose or learned against one that is known to show what the frames show: where
 * it lost detail, the other one stays. A wrong depth takes a pixel from a frame that is blurred there, which hardly any
 * frame contradicts, so the detail is asked, not the frames.
 */
import type { Picture } from '../../../model/picture.js';
import type { StartKernels } from '../kernels.js';
import { fastExp } from '../pixels/fast-math.js';
import { minimumFilter } from '../pixels/rank-filters.js';
import { GAMMA } from './bands.js';
import { betweenBlocks, enlargedRow } from './planes.js';

/**
 * Standard deviation in pixels of the window that detail is compared over. 2.5 lost up to 0.3 dB beside the depth edges
 * of generated scenes, where a blend has more detail than there is.
 */
const WINDOW = 5;
/** Energy that both have, in codes²: rounding alone gives about as much. */
const FLOOR = 2;
/** Coarser bands count so much less; see sums.ts. */
const SECOND_BAND = 1 / 8;
/** With less than this share of the other's energy a picture has lost its detail; from the second share on it has all. */
const LOST = 0.6;
const KEPT = 0.9;
/** Light, as a share of white, from which a thing may bleed over its surroundings where it is out of focus. */
const BRIGHT = 0.88;
/** Where that may be, the other picture must not be brighter by this factor. */
const BLEEDING = 1.1;
/** Circles of confusion count up to this many pixels here. */
const WIDEST = 64;
/** Along the border, what lies beyond blurs in, over so many pixels at most. */
const BORDER = 16;
/** The share taken is smoothed by so many pixels, so that no seam shows. */
const SEAM = 2.5;

export interface GuardInput {
  /** What is to be guarded, ln radiance. */
  readonly picture: Picture;
  /** What shows the frames' detail, ln radiance. */
  readonly detailed: Picture;
  /** The frames, ln radiance. */
  readonly views: readonly Picture[];
  /** ln radiance of white. */
  readonly white: number;
  /** Widest circle of confusion in pixels. */
  readonly circle: number;
}

export interface Guarded {
  /** The share of the detailed picture that is better taken at every pixel, 0 … 1. */
  readonly lost: Float32Array;
  /** 1 where a bright thing may lie over what is in focus, and the detailed picture is the brighter one. */
  readonly bleeding: Uint8Array;
}

export function lostDetail(input: GuardInput, kernels: StartKernels): Guarded {
  const { picture, detailed, white, circle } = input;
  const { width, height } = picture;
  const [own, other] = [picture, detailed].map((p) => energyOf(p, white, kernels));
  const bleeding = bleedingOver(input, kernels);
  const border = Math.min(BORDER, Math.ceil(circle));
  const lost = new Float32Array(width * height);
  for (let y = border; y < height - border; y++)
    for (let x = border, p = y * width + x; x < width - border; x++, p++) {
      if (bleeding[p] !== 0) continue;
      const share = (own[p] + FLOOR) / (other[p] + FLOOR);
      lost[p] = Math.min(Math.max((KEPT - share) / (KEPT - LOST), 0), 1);
    }
  return { lost: kernels.gaussian(lost, width, height, SEAM, lost), bleeding };
}

/** All of the picture but what bleeds. */
export function allButBleeding(
  bleeding: Uint8Array,
  width: number,
  height: number,
  kernels: StartKernels,
): Float32Array {
  const share = Float32Array.from(bleeding, (v) => 1 - v);
  return kernels.gaussian(share, width, height, SEAM, share);
}

/** `picture` with that share of `detailed`, blended in the logarithm. */
export function blended(picture: Picture, detailed: Picture, share: Float32Array): Picture {
  const data = picture.data.slice();
  for (let p = 0, i = 0; p < share.length; p++)
    for (let c = 0; c < 3; c++, i++) data[i] += share[p] * (detailed.data[i] - data[i]);
  return { ...picture, data };
}

/** Energy of the two finest bands over {@link WINDOW}. */
function energyOf({ width, height, data }: Picture, white: number, kernels: StartKernels): Float32Array {
  const codes = data.map((v) => 255 * fastExp((v - white) / GAMMA));
  const [fine, middle] = kernels.bandEnergy(codes, width, height);
  const out = kernels.gaussian(fine.energy, width, height, WINDOW);
  const wide = kernels.gaussian(middle.energy, middle.width, middle.height, WINDOW / 2);
  const [across, down] = [betweenBlocks(width, 2), betweenBlocks(height, 2)];
  const row = new Float32Array(width);
  for (let y = 0, p = 0; y < height; y++) {
    enlargedRow(wide, y, across, down, row);
    for (let x = 0; x < width; x++, p++) out[p] += SECOND_BAND * row[x];
  }
  return out;
}

/** See {@link Guarded.bleeding}. */
function bleedingOver(
  { picture, detailed, views, white, circle }: GuardInput,
  kernels: StartKernels,
): Uint8Array {
  const { width, height } = picture;
  const bright = new Float32Array(width * height);
  const limit = 3 * BRIGHT;
  for (const { data } of views)
    for (let p = 0, i = 0; p < bright.length; p++, i += 3) {
      // Light grows with its logarithm: most pixels need no exponential.
      if (Math.max(data[i], data[i + 1], data[i + 2]) - white < Math.log(BRIGHT)) continue;
      const sum = fastExp(data[i] - white) + fastExp(data[i + 1] - white) + fastExp(data[i + 2] - white);
      if (sum > limit) bright[p] = -1;
    }
  const near = minimumFilter(bright, width, height, Math.min(WIDEST, Math.ceil(circle)));
  const [own, other] = [picture, detailed].map((of) => kernels.gaussian(lightOf(of), width, height, 3));
  return Uint8Array.from(near, (v, p) => (v < 0 && other[p] > BLEEDING * own[p] ? 1 : 0));
}

function lightOf({ data }: Picture): Float32Array {
  return Float32Array.from({ length: data.length / 3 }, (_, p) => {
    const i = 3 * p;
    return fastExp(data[i]) + fastExp(data[i + 1]) + fastExp(data[i + 2]);
  });
}
