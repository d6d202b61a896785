/**
 * The geometric half of the classical start: from pictures of one scene with different focus to the signed defocus
 * map s, the blur scale κ and the all-in-focus picture.
 *
 * 1. At half the working size: sharp picture by local contrast → ladder of blurs → κ.
 * 2. At the working size: sweep of the views against one another → depth → sharp picture → ladder → κ refined → sweep
 *    of the sharp picture against the views → depth.
 * 3. At full size: depth along the picture's edges → the sharpest view at every pixel.
 */
import type { Picture } from '../../../model/picture.js';
import type { StartKernels } from '../kernels.js';
import { logInPlace } from '../pixels/fast-math.js';
import { gradientMagnitude } from '../pixels/filters.js';
import { type FocusViews, selectByDepth, sharpByContrast, sharpByDepth } from './all-in-focus.js';
import { blurLadder } from './blur-ladder.js';
import { type BlurScale, estimateBlurScale } from './blur-scale.js';
import {
  checkFocusStack,
  type FocusStack,
  focusStack,
  halveStack,
  type MixPlanes,
  thinStack,
} from './focus-stack.js';
import { type CostVolume, costVolume, relativeCosts, type SharpPicture } from './plane-sweep.js';
import { lowestLabels, MAXIMUM_COST } from './semi-global.js';
import { TRUNCATION } from './sweep-loops.js';
import { type CoarseDepth, upsampleDepth } from './upsample-depth.js';

export interface FocusOptions {
  /** Most pixels of the pictures that depth is swept on. */
  readonly sweepPixels?: number;
  /** Least number of depths to try. */
  readonly depths?: number;
  /** Blur scale in full-size pixels per unit of focus and aperture, where it is known. */
  readonly kappa?: number;
  /** Per view: 0 where it has no data (see registration). */
  readonly valid?: readonly (Uint8Array | undefined)[];
  /** The inner loops. @default those in TypeScript */
  readonly kernels?: StartKernels;
}

export interface FocusResult {
  /** Signed depth at every pixel in units of focus: view v is sharp where s = f_v. 1 channel. */
  readonly s: Picture;
  /** Circle of confusion in pixels per unit of focus and aperture: c_v = κ·a_v·(s − f_v). */
  readonly kappa: number;
  /** ln radiance, 3 channels. */
  readonly allInFocus: Picture;
  /** Added to each view's ln radiance per channel to make their brightness agree. */
  readonly gains: readonly (readonly number[])[];
  readonly statistics: FocusStatistics;
}

export interface FocusStatistics {
  /** Size that depth was swept at. */
  readonly sweepWidth: number;
  readonly sweepHeight: number;
  /** Views that took part in the sweep. */
  readonly sweepViews: number;
  readonly depths: number;
  /** Mean data cost (ln units, truncated) of the chosen depths and of the best depth anywhere. */
  readonly cost: number;
  readonly lowestCost: number;
  /** Cost per blur scale tried, scales in full-size pixels. */
  readonly kappaCurve: readonly { readonly kappa: number; readonly cost: number }[];
}

const DEFAULTS = { sweepPixels: 3e5, depths: 29 };

/** Costs are averaged over this many pixels to either side. */
const WINDOW = 1;
/** Costs of one ln unit. */
const UNIT = MAXIMUM_COST / TRUNCATION;

/** Most views that the sweep compares; all take part in the all-in-focus picture. */
const SWEEP_VIEWS = 9;
/** Cost of changing depth by one label and by any number, in ln units; see semi-global.ts. */
const STEP_COST = 0.007;
const JUMP_COST = 0.3;
/** Where ln luminance changes by EDGE a pixel, a jump costs 1/e of JUMP_COST, and at least LEAST_JUMP of it. */
const EDGE = 0.25;
const LEAST_JUMP = 0.15;
/** Coarse depths this share of the range of focus apart belong to different surfaces. */
const SURFACE_JUMP = 0.08;
/** Least and (as a share of the longer side) largest circle over the whole range of focus, in halved pixels. */
const SMALLEST_SPAN = 0.5;
const LARGEST_SPAN = 0.12;
/** The second estimate of the blur scale stays within this factor of the first. */
const REFINEMENT = 1.3;

/**
 * Depth, blur scale and all-in-focus picture of a focus stack.
 *
 * @param views ln radiance, 3 channels, all of one size, registered
 * @param focus where each view is in focus, in any unit linear in the circle of confusion (inverse distance, or
 *   the order of the frames); at least two must differ
 * @param aperture relative aperture of each view (1 for all when it did not change)
 * @throws ImplicamError `bad-focus-stack` when these do not belong together
 */
export function sweepFocus(
  views: readonly Picture[],
  focus: readonly number[],
  aperture: readonly number[],
  options: FocusOptions = {},
): FocusResult {
  checkFocusStack(views, focus, aperture);
  const { sweepPixels, depths: count } = { ...DEFAULTS, ...options };
  const { width, height } = views[0];
  const valid = views.map((_, v) => options.valid?.[v]);
  const { stack: all, gains } = focusStack(views, focus, aperture, sweepPixels, valid, options.kernels);
  const stack = thinStack(all, SWEEP_VIEWS);
  const depths = depthsOf(stack, count);
  const known = options.kappa === undefined ? undefined : options.kappa / stack.reduction;
  const scale = known === undefined ? scaleOf(halveStack(stack), depths) : { kappa: known / 2, curve: [] };
  const guess = 2 * scale.kappa;
  const first = sweepViews(stack, depthsOf(stack, Math.ceil(count / 2)), guess);
  const fine = sweepSharp(stack, depths, sharpByDepth(stack, first), guess, known);
  const input: FocusViews = { views, focus, aperture, gains, valid };
  const span = Math.max(...focus) - Math.min(...focus);
  const s = stack.reduction === 1 ? fine.depth.depth : upsampleDepth(fine.depth, input, SURFACE_JUMP * span);
  const kappa = fine.kappa * stack.reduction;
  const map: Picture = { width, height, channels: 1, data: s };
  const allInFocus = selectByDepth(input, s, kappa);
  return {
    s: map,
    kappa,
    allInFocus,
    gains,
    statistics: {
      sweepWidth: stack.width,
      sweepHeight: stack.height,
      sweepViews: stack.focus.length,
      depths: count,
      cost: fine.cost,
      lowestCost: fine.lowestCost,
      kappaCurve: scale.curve.map((point) => ({
        kappa: point.kappa * 2 * stack.reduction,
        cost: point.cost,
      })),
    },
  };
}

/** Evenly spaced depths, from a little below the range of focus to a little above. */
function depthsOf(stack: FocusStack, count: number): number[] {
  const low = Math.min(...stack.focus);
  const span = Math.max(...stack.focus) - low;
  // A quarter of the range, and with many views one and a half of their steps.
  const margin = span * Math.min(0.25, Math.max(0.1, 1.5 / (stack.focus.length - 1)));
  return Array.from({ length: count }, (_, i) => low - margin + ((span + 2 * margin) * i) / (count - 1));
}

/** Circle of confusion per unit of κ that depth `s` can have at most. */
function widestCircle(stack: FocusStack, depths: readonly number[]): number {
  const [low, high] = [depths[0], depths[depths.length - 1]];
  return Math.max(...stack.focus.map((f, v) => stack.aperture[v] * Math.max(f - low, high - f)));
}

/** The blur scale from nothing, on the halved stack. */
function scaleOf(stack: FocusStack, depths: readonly number[]): Pick<BlurScale, 'kappa' | 'curve'> {
  const sharp = sharpByContrast(stack);
  const span = (Math.max(...stack.focus) - Math.min(...stack.focus)) * Math.max(...stack.aperture);
  const largest = LARGEST_SPAN * Math.max(stack.width, stack.height);
  const ladder = blurLadder(stack, sharp.light, largest);
  const lowest = SMALLEST_SPAN / span;
  return estimateBlurScale(stack, ladder, sharp.source, depths, lowest, largest / span);
}

/** Depth by comparing the views with one another. */
function sweepViews(stack: FocusStack, depths: readonly number[], kappa: number): Float32Array {
  const volume = relativeCosts(stack, kappa, depths, WINDOW);
  return matched(volume, depths, jumpCosts(stack.light, stack), stack.kernels).depth;
}

interface Swept {
  readonly depth: CoarseDepth;
  /** In the pixels of the stack. */
  readonly kappa: number;
  readonly cost: number;
  readonly lowestCost: number;
}

/** Depth and blur scale by comparing the sharp picture with the views. */
function sweepSharp(
  stack: FocusStack,
  depths: readonly number[],
  sharp: SharpPicture,
  guess: number,
  known: number | undefined,
): Swept {
  const factor = known === undefined ? REFINEMENT : 1;
  const ladder = blurLadder(stack, sharp.light, factor * guess * widestCircle(stack, depths));
  const kappa =
    known ?? estimateBlurScale(stack, ladder, sharp.source, depths, guess / factor, guess * factor).kappa;
  const volume = costVolume(stack, ladder, sharp.source, kappa, depths, WINDOW);
  const { depth, position } = matched(volume, depths, jumpCosts([sharp.light], stack), stack.kernels);
  const { width, height } = stack;
  const colour: [Float32Array, Float32Array] = [
    logOf(sharp.light[0], stack.floor),
    logOf(sharp.light[1], stack.floor),
  ];
  return {
    depth: { width, height, depth, colour, floor: stack.floor },
    kappa,
    ...costStatistics(volume.cost, position, depths.length),
  };
}

/** Semi-global matching, and a median against lone errors. */
function matched(
  { width, height, cost }: CostVolume,
  depths: readonly number[],
  jumps: Uint16Array,
  { aggregatePaths, medianFilter }: StartKernels,
): { depth: Float32Array; position: Float32Array } {
  const labels = depths.length;
  const paths = aggregatePaths({ width, height, labels, cost }, Math.round(STEP_COST * UNIT), jumps);
  const { position } = lowestLabels(paths, labels);
  const step = depths[1] - depths[0];
  const raw = position.map((l) => depths[0] + l * step);
  return { depth: medianFilter(raw, width, height, 3), position };
}

function logOf(plane: Float32Array, floor: number): Float32Array {
  return logInPlace(plane.map((v) => v + floor));
}

/** Cost of a jump at every pixel: less where any of the pictures has an edge. */
function jumpCosts(
  pictures: readonly MixPlanes[],
  { width, height, floor, kernels }: FocusStack,
): Uint16Array {
  const gradient = new Float32Array(width * height);
  for (const [warm, cool] of pictures) {
    const ln = new Float32Array(gradient.length);
    for (let p = 0; p < ln.length; p++) ln[p] = 0.5 * (warm[p] + cool[p]) + floor;
    logInPlace(ln);
    const slope = gradientMagnitude(kernels.gaussian(ln, width, height, 0.5), width, height);
    for (let p = 0; p < slope.length; p++) if (slope[p] > gradient[p]) gradient[p] = slope[p];
  }
  const most = JUMP_COST * UNIT;
  const jumps = new Uint16Array(gradient.length);
  for (let p = 0; p < jumps.length; p++) {
    jumps[p] = most * (LEAST_JUMP + (1 - LEAST_JUMP) * Math.exp(-gradient[p] / EDGE));
  }
  return jumps;
}

function costStatistics(
  cost: Uint16Array,
  position: Float32Array,
  labels: number,
): { cost: number; lowestCost: number } {
  let chosen = 0;
  let lowest = 0;
  for (let p = 0, at = 0; p < position.length; p++, at += labels) {
    let least = MAXIMUM_COST;
    for (let l = 0; l < labels; l++) if (cost[at + l] < least) least = cost[at + l];
    lowest += least;
    chosen += cost[at + Math.round(position[p])];
  }
  const unit = TRUNCATION / MAXIMUM_COST / position.length;
  return { cost: chosen * unit, lowestCost: lowest * unit };
}
