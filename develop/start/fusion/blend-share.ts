/**
 * Where a stack shows its soft blend instead of what the lens chose: where that lost detail, and the blend explains the
 * frames better; everywhere, if that happens so often that no depth behind a lens can be what was photographed.
 */
import type { Picture } from '../../../model/picture.js';
import type { FocusViews } from '../depth/all-in-focus.js';
import type { FocusResult } from '../depth/focus.js';
import { viewResiduals } from '../depth/residuals.js';
import type { StartKernels } from '../kernels.js';
import { areaResize } from '../pixels/resize.js';
import { allButBleeding, lostDetail } from './detail-guard.js';
import type { Fusion } from './fusion.js';

/** From this share of lost detail on the lens may be doubted, and is if the blend explains the frames better in this share of that. */
const MUCH = 0.04;
const OFTEN = 0.1;
/** What is blended is smoothed by so many pixels, so that no seam shows. */
const SEAM = 2.5;
/** Residuals are averaged over so many pixels to either side. */
const RESIDUAL_WINDOW = 2;
/** Less lost detail than this share of the picture is not looked into. */
const WORTH_A_LOOK = 0.001;

export interface BlendShare {
  /** The share of the blend at every pixel, 0 … 1. */
  readonly blend: Float32Array;
  /** Whether no depth behind a lens explains the frames. */
  readonly doubted: boolean;
}

/** @param white ln radiance of white */
export function blendShare(
  input: FocusViews,
  sweep: FocusResult,
  fusion: Fusion,
  white: number,
  kernels: StartKernels,
): BlendShare {
  const { views, focus } = input;
  const { width, height } = sweep.s;
  const circle = sweep.kappa * (Math.max(...focus) - Math.min(...focus));
  const guard = { picture: sweep.allInFocus, detailed: fusion.picture, views, white, circle };
  const { lost, bleeding } = lostDetail(guard, kernels);
  if (meanOf(lost) < WORTH_A_LOOK) return { blend: new Float32Array(width * height), doubted: false };
  const explained = explainedBetter(input, sweep, fusion, kernels);
  const doubted = doubtsLens(lost, sweep.s, explained);
  const blend = doubted
    ? allButBleeding(bleeding, width, height, kernels)
    : lostForSure(lost, sweep.s, explained, kernels);
  return { blend, doubted };
}

export const meanOf = (plane: Float32Array) => plane.reduce((sum, v) => sum + v, 0) / plane.length;

/** Where the blend explains the views better than the lens's choice, by the same depth: 1 there. At a reduced size. */
interface Explained {
  readonly width: number;
  readonly height: number;
  readonly better: Uint8Array;
}

function explainedBetter(
  input: FocusViews,
  { s, kappa, allInFocus }: FocusResult,
  fusion: Fusion,
  kernels: StartKernels,
): Explained {
  const [own, other] = viewResiduals(input, s, [allInFocus, fusion.picture], kappa, kernels);
  const { width, height } = own;
  kernels.boxMean(own.data, width, height, RESIDUAL_WINDOW, own.data);
  kernels.boxMean(other.data, width, height, RESIDUAL_WINDOW, other.data);
  return { width, height, better: Uint8Array.from(own.data, (v, p) => (other.data[p] < v ? 1 : 0)) };
}

/**
 * Whether the lens is doubted altogether: it loses much, and where it does the blend explains the frames better often
 * enough. On fourteen generated stacks it does in 0 to 2 of a hundred such pixels (one: in 17, of 2 % lost), on three of
 * amber, metal and a phone in 13 to 30.
 */
function doubtsLens(lost: Float32Array, s: Picture, { width, height, better }: Explained): boolean {
  const there = areaResize(lost, s.width, s.height, width, height);
  let count = 0;
  let both = 0;
  for (let p = 0; p < there.length; p++) {
    if (there[p] < 0.5) continue;
    count++;
    both += better[p];
  }
  return meanOf(lost) > MUCH && both > OFTEN * count;
}

/**
 * What is lost where the blend explains the frames better, too. Without that a ray-traced stack loses 0.6 dB, whose circles
 * are six times as wide as those of the generated ones.
 */
function lostForSure(
  lost: Float32Array,
  s: Picture,
  { width, height, better }: Explained,
  kernels: StartKernels,
): Float32Array {
  const out = new Float32Array(lost.length);
  for (let y = 0, p = 0; y < s.height; y++) {
    const row = Math.floor((y * height) / s.height) * width;
    for (let x = 0; x < s.width; x++, p++) out[p] = lost[p] * better[row + Math.floor((x * width) / s.width)];
  }
  return kernels.gaussian(out, s.width, s.height, SEAM, out);
}
