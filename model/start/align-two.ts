import { type Comparison, compare, type Extent } from './align-compare.js';
import type { FeaturePyramid } from './align-features.js';
import { cornerMotion, fromNormalised, type Homography, IDENTITY, invert } from './align-homography.js';
import { searchShift } from './align-search.js';
import {
  applyStep,
  cornerDistance,
  motionHomography,
  motionOf,
  restrictMotion,
  type Step,
  solveStep,
  wholeHessian,
} from './align-step.js';

/** How one frame lies over another. */
export interface PairAlignment {
  /** Takes normalised positions (see align-compare.ts) of the template to those of the other frame. */
  readonly toOther: Homography;
  /** Fields of motion it was estimated with: 2, 4, 6 or 8. */
  readonly fields: number;
  /** One standard error of where the corners go, in pixels. */
  readonly error: number;
  /** Correlation of the local contrasts, −1 … 1. */
  readonly correlation: number;
}

/** Steps at a level of the pyramid at most, and the corner motion in its pixels after which none is needed. */
const MOST_STEPS = 8;
const CONVERGED = 0.03;
/** Steps of the corners beyond this share of the longer side are no steps. */
const WILD = 0.2;
/** From standing still, the finest level alone finds motions up to this many of its pixels. */
const CLOSE = 1.2;
/** What a richer model adds must exceed this many standard errors, and this many pixels of the finest level. */
const SIGNIFICANT = 3;
const WORTHWHILE = 0.08;
/** Correlation below which nothing has been recognised, and the share of all pixels that both frames must show well. */
const LEAST_CORRELATION = 0.1;
const LEAST_TRUSTED = 0.02;
/** The farthest that a corner may go, as a share of the longer side. */
const FARTHEST = 0.25;

/**
 * Finds how `other` lies over `template`: a coarse search of shifts, similarities by Gauss–Newton from coarse to fine,
 * and at the finest level the simplest model (nothing, shift, similarity, affine map, homography) to which a richer one
 * adds nothing significant. Undefined when the two have too little in common, or lie absurdly.
 *
 * @param finest level of the pyramids to end at; defocus differs less on a coarser one
 */
export function alignTwo(
  template: FeaturePyramid,
  other: FeaturePyramid,
  finest = 0,
): PairAlignment | undefined {
  const pair = { template, other, finest: Math.min(finest, template.levels.length - 1) };
  const still = compareAt(pair, pair.finest, IDENTITY);
  const shift = startShift(pair);
  const step = shift === IDENTITY ? solveStep(still, 4, template) : undefined;
  const close = step !== undefined && step.corner < CLOSE * scaleOf(pair);
  let similar: Converged | undefined;
  if (!close) {
    similar = convergeAt(pair, pair.finest, descend(pair, shift), 4);
    if (similar.comparison.agreement.correlation < still.agreement.correlation) similar = undefined;
  }
  similar ??= convergeAt(pair, pair.finest, IDENTITY, 4, still);
  if (!isSound(similar, template)) return undefined;
  return enriched(pair, similar) ?? simplified(pair, similar);
}

interface Pair {
  readonly template: FeaturePyramid;
  readonly other: FeaturePyramid;
  /** Level to end at. */
  readonly finest: number;
}

function compareAt({ template, other }: Pair, k: number, toOther: Homography): Comparison {
  return compare(template.levels[k]!, other.levels[k]!, toOther, template);
}

/** Pixels of the photograph a pixel of the finest level that is compared. */
function scaleOf({ template, finest }: Pair): number {
  return template.levels[finest]!.scale;
}

/** The coarse shift as a homography in normalised positions. */
function startShift({ template, other }: Pair): Homography {
  const coarsest = template.levels.at(-1)!;
  const { dx, dy } = searchShift(coarsest, other.levels.at(-1)!);
  if (dx === 0 && dy === 0) return IDENTITY;
  const step = (2 * coarsest.scale) / Math.max(template.width, template.height);
  return [1, 0, dx * step, 0, 1, dy * step, 0, 0, 1];
}

/** From the coarsest level to the last before the finest; from the shift and from standing still, while they differ. */
function descend(pair: Pair, shift: Homography): Homography {
  let starts = shift === IDENTITY ? [IDENTITY] : [shift, IDENTITY];
  for (let k = pair.template.levels.length - 1; k > pair.finest; k--) {
    const ends = starts.map((start) => convergeAt(pair, k, start, 4));
    if (ends.length > 1 && k <= pair.finest + 1) {
      const [a, b] = ends.map((end) => end.comparison.agreement.correlation);
      ends.splice(a! >= b! ? 1 : 0, 1);
    }
    starts = ends.map((end) => end.toOther);
  }
  return starts[0]!;
}

interface Converged {
  readonly toOther: Homography;
  /** Before the last, short step. */
  readonly comparison: Comparison;
}

/** Gauss–Newton at one level. */
function convergeAt(pair: Pair, k: number, start: Homography, fields: number, known?: Comparison): Converged {
  const { width, height, levels } = pair.template;
  let toOther = start;
  let comparison = known ?? compareAt(pair, k, start);
  for (let n = 0; ; n++) {
    const step = solveStep(comparison, fields, pair.template);
    // A step across the picture means that nothing holds the frames together here.
    if (!step || !(step.corner < WILD * Math.max(width, height))) return { toOther, comparison };
    toOther = applyStep(toOther, step);
    if (step.corner < CONVERGED * levels[k]!.scale || n === MOST_STEPS) return { toOther, comparison };
    comparison = compareAt(pair, k, toOther);
  }
}

/** Affine map or homography, where they add to a similarity; undefined where they do not. */
function enriched(pair: Pair, { toOther, comparison }: Converged, from = 6): PairAlignment | undefined {
  for (let fields = from; fields <= 8; fields += 2) {
    const step = solveStep(comparison, fields, pair.template);
    if (!step || step.corner < enough(pair, step)) continue;
    const richer = convergeAt(pair, pair.finest, toOther, fields);
    if (!isSound(richer, pair.template)) continue;
    if (richer.comparison.agreement.correlation < comparison.agreement.correlation) continue;
    return enriched(pair, richer, fields + 2) ?? outcome(pair, richer, fields);
  }
  return undefined;
}

/** Corner motion in pixels that counts as something, given its error. */
function enough(pair: Pair, step: Step): number {
  return Math.max(WORTHWHILE * scaleOf(pair), SIGNIFICANT * step.error);
}

/**
 * The shift, or no motion at all, if it lies within the error of the similarity. Around the similarity the cost is a
 * parabola with the Hessian of the last comparison, which gives the simpler minimum without another look.
 */
function simplified(pair: Pair, similar: Converged): PairAlignment | undefined {
  const { toOther, comparison } = similar;
  const step = solveStep(comparison, 4, pair.template);
  const amounts = motionOf(toOther, pair.template);
  const shift = restrictMotion(wholeHessian(comparison), amounts, 2);
  if (!step || !shift) return undefined;
  if (cornerDistance(shift, amounts, pair.template) > enough(pair, step)) return outcome(pair, similar, 4);
  return outcome(pair, { toOther: invert(motionHomography(shift)), comparison }, 2);
}

function outcome(pair: Pair, end: Converged, fields: number): PairAlignment | undefined {
  const step = solveStep(end.comparison, fields, pair.template);
  if (!step) return undefined;
  const { correlation } = end.comparison.agreement;
  return { toOther: end.toOther, fields, error: step.error, correlation };
}

function isSound({ toOther, comparison }: Converged, { width, height }: Extent): boolean {
  const { correlation, trusted } = comparison.agreement;
  if (!(correlation >= LEAST_CORRELATION) || !(trusted >= LEAST_TRUSTED)) return false;
  const m = fromNormalised(toOther, width, height);
  return cornerMotion(m, width, height) < FARTHEST * Math.max(width, height);
}
