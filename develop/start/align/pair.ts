import { type Comparison, type Extent, FIELDS } from './compare.js';
import { cornerMotion, fromNormalised, type Homography, IDENTITY, invert } from './homography.js';
import type { FeaturePyramid } from './pyramid.js';
import { searchShift } from './search.js';
import {
  applyStep,
  cornerDifference,
  motionHomography,
  motionOf,
  restrictMotion,
  type Step,
  solveStep,
  wholeHessian,
} from './step.js';

/** How one frame lies over another. */
export interface PairAlignment {
  /** Takes normalised positions (see align-compare.ts) of the template to those of the other frame. */
  readonly toOther: Homography;
  /** Fields of motion it was estimated with: 2, 4, 6 or 8. */
  readonly fields: number;
  /** One standard error of where the corners go, in pixels. */
  readonly error: number;
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
/** Standard errors from which a richer model is tried. */
const HINT = 2;
/**
 * Defocus moves edges where depth changes, alike in neighbouring tiles. On simulated stacks of known motion the corners
 * were off by 1.5 pixels of the level times what is missing from a correlation of 1.
 */
const DEFOCUS_BIAS = 1.5;
/** Longer side, in pixels, of a level that says enough about a picture. */
const LEAST_SIDE = 100;
/** Correlation from which there is no need to look elsewhere. */
const CERTAIN = 0.85;
/** Correlation below which nothing has been recognised, and the share of all pixels that both frames must show well. */
const LEAST_CORRELATION = 0.5;
const LEAST_TRUSTED = 0.005;
/** The farthest that a corner may go, as a share of the longer side. */
const FARTHEST = 0.25;

/**
 * Finds how `other` lies over `template`: a coarse search of shifts, similarities by Gauss–Newton from coarse to fine,
 * and at the finest level the simplest model (nothing, shift, similarity, affine map, homography) to which a richer one
 * adds nothing significant. Undefined when the two have too little in common, or lie absurdly.
 *
 * @param defocus whether the focus of the two differs. What is finer than the circles of confusion is then not in both
 * and misleads, so they are compared a level coarser; and what differs still counts as an error of its own.
 */
export function alignTwo(
  template: FeaturePyramid,
  other: FeaturePyramid,
  defocus: boolean,
): PairAlignment | undefined {
  const pair = pairOf(template, other, defocus);
  const still = compareAt(pair, pair.finest, IDENTITY);
  const shift = startShift(pair);
  const step = shift === IDENTITY ? solveStep(still, 4, template) : undefined;
  const close = step !== undefined && step.corner < CLOSE * scaleOf(pair);
  let similar = close ? convergeAt(pair, pair.finest, IDENTITY, 4, still) : undefined;
  if (!similar || similar.comparison.agreement.correlation < CERTAIN) {
    similar = better(similar, convergeAt(pair, pair.finest, descend(pair, shift), 4));
  }
  if (similar.comparison.agreement.correlation < still.agreement.correlation) {
    similar = convergeAt(pair, pair.finest, IDENTITY, 4, still);
  }
  if (!isSound(similar, template)) return undefined;
  return enriched(pair, similar) ?? simplified(pair, similar);
}

/**
 * How many times as much of the two frames disagrees (1 − correlation) when they stand still as under `toOther`.
 * Undefined when they show too little in common to tell.
 */
export function gainOf(
  template: FeaturePyramid,
  other: FeaturePyramid,
  defocus: boolean,
  toOther: Homography,
): number | undefined {
  const pair = pairOf(template, other, defocus);
  const still = compareAt(pair, pair.finest, IDENTITY).agreement;
  const moved = compareAt(pair, pair.finest, toOther).agreement;
  if (Math.min(still.trusted, moved.trusted) < LEAST_TRUSTED) return undefined;
  return (1 - still.correlation) / Math.max(1e-6, 1 - moved.correlation);
}

interface Pair {
  readonly template: FeaturePyramid;
  readonly other: FeaturePyramid;
  readonly defocus: boolean;
  /** Level to end at. */
  readonly finest: number;
}

function pairOf(template: FeaturePyramid, other: FeaturePyramid, defocus: boolean): Pair {
  const coarser = template.levels[1];
  const large = coarser !== undefined && Math.max(coarser.width, coarser.height) >= LEAST_SIDE;
  return { template, other, defocus, finest: defocus && large ? 1 : 0 };
}

function compareAt({ template, other }: Pair, k: number, toOther: Homography): Comparison {
  return template.kernels.compare(template.levels[k], other.levels[k], toOther, template);
}

/** Pixels of the photograph a pixel of the finest level that is compared. */
function scaleOf({ template, finest }: Pair): number {
  return template.levels[finest].scale;
}

/** The coarse shift as a homography in normalised positions. */
function startShift({ template, other }: Pair): Homography {
  const coarsest = template.levels.at(-1)!;
  const { dx, dy } = searchShift(coarsest, other.levels.at(-1)!, template.kernels.scoreShifts);
  if (dx === 0 && dy === 0) return IDENTITY;
  const step = (2 * coarsest.scale) / Math.max(template.width, template.height);
  return [1, 0, dx * step, 0, 1, dy * step, 0, 0, 1];
}

/** From the coarsest level to the last before the finest; from the shift and from standing still, while they differ. */
function descend(pair: Pair, shift: Homography): Homography {
  let starts = shift === IDENTITY ? [IDENTITY] : [shift, IDENTITY];
  for (let k = pair.template.levels.length - 1; k > pair.finest; k--) {
    const ends = starts.map((start) => convergeAt(pair, k, start, 4));
    const judged = ends.length > 1 && k === pair.finest + 1 ? [better(ends[0], ends[1])] : ends;
    starts = judged.map((end) => end.toOther);
  }
  return starts[0];
}

interface Converged {
  readonly toOther: Homography;
  /** Before the last, short step. */
  readonly comparison: Comparison;
}

function better(a: Converged | undefined, b: Converged): Converged {
  return a && a.comparison.agreement.correlation >= b.comparison.agreement.correlation ? a : b;
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
    if (step.corner < CONVERGED * levels[k].scale || n === MOST_STEPS) return { toOther, comparison };
    comparison = compareAt(pair, k, toOther);
  }
}

/** Affine map or homography, where they add to a similarity; undefined where they do not. */
function enriched(pair: Pair, simple: Converged, simpleFields = 4): PairAlignment | undefined {
  const { template } = pair;
  for (let fields = simpleFields + 2; fields <= 8; fields += 2) {
    const step = solveStep(simple.comparison, fields, template);
    if (!step) continue;
    // One step from a poorer model is no more than a hint; what it is worth shows where it leads.
    const hint = cornerDifference(step.motion, new Float64Array(FIELDS), step.errors, template);
    if (!isSomething(pair, hint, HINT)) continue;
    const richer = convergeAt(pair, pair.finest, simple.toOther, fields);
    if (!isSound(richer, template)) continue;
    if (richer.comparison.agreement.correlation < simple.comparison.agreement.correlation) continue;
    if (isSomething(pair, lossWith(pair, richer, fields, simpleFields), SIGNIFICANT)) {
      return enriched(pair, richer, fields) ?? outcome(pair, richer, fields);
    }
  }
  return undefined;
}

/**
 * How the corners would move if only the first `fewer` fields were fitted. Around the end of an iteration the cost is a
 * parabola with the Hessian of the last comparison, which gives the simpler minimum without another look.
 */
function lossWith(pair: Pair, { toOther, comparison }: Converged, fields: number, fewer: number): Difference {
  const step = solveStep(comparison, fields, pair.template);
  const amounts = motionOf(toOther, pair.template);
  const restricted = restrictMotion(wholeHessian(comparison), amounts, fewer);
  if (!step || !restricted) return { pixels: 0, sigmas: 0 };
  return cornerDifference(restricted, amounts, errorsOf(pair, comparison, step), pair.template);
}

type Difference = ReturnType<typeof cornerDifference>;

function isSomething(pair: Pair, { pixels, sigmas }: Difference, enough: number): boolean {
  return pixels > WORTHWHILE * scaleOf(pair) && sigmas > enough;
}

/** The shift, or no motion at all, if it lies within the error of the similarity. */
function simplified(pair: Pair, similar: Converged): PairAlignment | undefined {
  if (isSomething(pair, lossWith(pair, similar, 4, 2), SIGNIFICANT)) return outcome(pair, similar, 4);
  const amounts = motionOf(similar.toOther, pair.template);
  const shift = restrictMotion(wholeHessian(similar.comparison), amounts, 2);
  if (!shift) return undefined;
  return outcome(pair, { ...similar, toOther: invert(motionHomography(shift)) }, 2);
}

function outcome(pair: Pair, { toOther, comparison }: Converged, fields: number): PairAlignment | undefined {
  const step = solveStep(comparison, fields, pair.template);
  if (!step) return undefined;
  return { toOther, fields, error: Math.max(...errorsOf(pair, comparison, step)) };
}

/** One standard error of each corner, that of defocus included. */
function errorsOf(pair: Pair, { agreement }: Comparison, { errors }: Step): number[] {
  const bias = pair.defocus ? DEFOCUS_BIAS * (1 - agreement.correlation) * scaleOf(pair) : 0;
  return errors.map((error) => Math.hypot(error, bias));
}

function isSound({ toOther, comparison }: Converged, { width, height }: Extent): boolean {
  const { correlation, trusted } = comparison.agreement;
  if (!(correlation >= LEAST_CORRELATION) || !(trusted >= LEAST_TRUSTED)) return false;
  const m = fromNormalised(toOther, width, height);
  return cornerMotion(m, width, height) < FARTHEST * Math.max(width, height);
}
