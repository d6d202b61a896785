/**
 * The blur scale κ (pixels of circle of confusion per unit of focus and of relative aperture), from the pictures: the
 * κ under which the views agree best with the blurred all-in-focus picture, every small block at the depth that
 * suits it best.
 */

import { LOG_STEPS, MIXES } from '../pixels/log-steps.js';
import { type BlurLadder, rungOf } from './blur-ladder.js';
import type { FocusStack } from './focus-stack.js';
import { addedCircle, priorCost } from './plane-sweep.js';
import { BLOCK, STEPS } from './sweep-loops.js';

/** Share of the blocks that may vote, those that blur changes most, and how many of these do. */
const VOTING = 0.5;
const MOST_VOTES = 2000;
/** Rung whose difference from the sharp picture tells how much blur changes a block: one pixel. */
const TELLING_RUNG = 3;
/** Neighbouring scales tried differ by this factor. */
const SCALE_RATIO = 1.1;
/**
 * Two views show only how much blurrier one is than the other: any larger scale explains that too, with depths further
 * inside the range of focus. The smallest scale that comes this close to the best puts surfaces at its ends.
 */
const TWO_VIEW_TOLERANCE = 0.015;

export interface BlurScale {
  readonly kappa: number;
  /** Mean difference (ln units, truncated) of a voting pixel at the best depth, for each scale tried. */
  readonly curve: readonly { readonly kappa: number; readonly cost: number }[];
  /** How many blocks voted. */
  readonly blocks: number;
}

/**
 * Tries scales between `lowest` and `highest` and refines the best over ln κ.
 *
 * @param ladder the sharp picture's blurs, up to the largest circle that the largest scale needs
 * @param source the view each pixel of the sharp picture came from
 * @param depths depths that a block may have
 */
export function estimateBlurScale(
  stack: FocusStack,
  ladder: BlurLadder,
  source: Uint8Array,
  depths: readonly number[],
  lowest: number,
  highest: number,
): BlurScale {
  const blocks = votingBlocks(stack, ladder, source);
  const places = (ladder.count - 1) * STEPS + 1;
  const differences = stack.logs.map((logs, v) =>
    stack.kernels.blockDifferences(logs, stack.valid[v], ladder.logs, blocks.pixels, places),
  );
  const curve: { kappa: number; cost: number }[] = [];
  const tries = Math.max(3, Math.ceil(Math.log(highest / lowest) / Math.log(SCALE_RATIO)) + 1);
  for (let i = 0; i < tries; i++) {
    const kappa = lowest * (highest / lowest) ** (i / (tries - 1));
    curve.push({ kappa, cost: costOfScale(stack, differences, blocks.sources, places, depths, kappa) });
  }
  let best = 0;
  for (let i = 1; i < tries; i++) if (curve[i].cost < curve[best].cost) best = i;
  const place = stack.logs.length === 2 ? smallestWithin(curve, best) : best + parabola(curve, best);
  return {
    kappa: lowest * (highest / lowest) ** (place / (tries - 1)),
    curve,
    blocks: blocks.sources.length,
  };
}

type Curve = readonly { readonly kappa: number; readonly cost: number }[];

/** Where the parabola through the lowest point and its neighbours has its minimum, in steps from that point. */
function parabola(curve: Curve, best: number): number {
  if (best === 0 || best === curve.length - 1) return 0;
  const [a, b, c] = [curve[best - 1].cost, curve[best].cost, curve[best + 1].cost];
  return a - 2 * b + c > 0 ? (0.5 * (a - c)) / (a - 2 * b + c) : 0;
}

/** The first place from which the curve stays within {@link TWO_VIEW_TOLERANCE} of its lowest point. */
function smallestWithin(curve: Curve, best: number): number {
  const limit = curve[best].cost * (1 + TWO_VIEW_TOLERANCE);
  let i = best;
  while (i > 0 && curve[i - 1].cost <= limit) i--;
  if (i === 0) return 0;
  const [above, below] = [curve[i - 1].cost, curve[i].cost];
  return i - (limit - below) / (above - below);
}

/** Blocks that lie in one view's part of the picture and change with blur: their pixels, block by block, and that view. */
function votingBlocks(
  stack: FocusStack,
  ladder: BlurLadder,
  source: Uint8Array,
): { pixels: Int32Array; sources: Uint8Array } {
  const { width, height } = stack;
  const [sharpWarm, sharpCool] = ladder.logs[0];
  const [softWarm, softCool] = ladder.logs[Math.min(TELLING_RUNG, ladder.count - 1)];
  const found: { at: number; change: number }[] = [];
  for (let y = 0; y + BLOCK <= height; y += BLOCK)
    for (let x = 0; x + BLOCK <= width; x += BLOCK) {
      const at = y * width + x;
      let change = 0;
      let uniform = true;
      for (let j = 0; j < BLOCK; j++)
        for (let p = at + j * width; p < at + j * width + BLOCK; p++) {
          change += Math.abs(sharpWarm[p] - softWarm[p]) + Math.abs(sharpCool[p] - softCool[p]);
          if (source[p] !== source[at]) uniform = false;
        }
      if (uniform) found.push({ at, change });
    }
  found.sort((a, b) => b.change - a.change || a.at - b.at);
  const able = Math.ceil(found.length * VOTING);
  const step = Math.max(1, able / MOST_VOTES);
  const chosen = Array.from({ length: Math.floor(able / step) }, (_, i) => found[Math.floor(i * step)].at);
  const pixels = new Int32Array(chosen.length * BLOCK * BLOCK);
  let n = 0;
  for (const at of chosen)
    for (let j = 0; j < BLOCK; j++) for (let i = 0; i < BLOCK; i++) pixels[n++] = at + j * width + i;
  return { pixels, sources: Uint8Array.from(chosen, (at) => source[at]) };
}

/** Mean over the voting pixels of the lowest mean difference over the views that any depth reaches. */
function costOfScale(
  stack: FocusStack,
  differences: readonly Float32Array[],
  sources: Uint8Array,
  places: number,
  depths: readonly number[],
  kappa: number,
): number {
  const views = stack.logs.length;
  const count = sources.length;
  const priors = new Float64Array(depths.length * views);
  const offsets = new Int32Array(depths.length * views * views);
  depths.forEach((s, l) => {
    for (let k = 0; k < views; k++) {
      priors[l * views + k] = BLOCK * BLOCK * views * priorCost(stack, kappa, s, k);
      for (let v = 0; v < views; v++) {
        const place = Math.round(STEPS * rungOf(addedCircle(stack, kappa, s, v, k)));
        offsets[(l * views + v) * views + k] = Math.min(place, places - 1) * count;
      }
    }
  });
  const total = stack.kernels.sumLowest(differences, sources, priors, offsets);
  return total / (count * views * BLOCK * BLOCK * MIXES * LOG_STEPS);
}
