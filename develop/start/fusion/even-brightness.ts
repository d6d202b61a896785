/**
 * Frames of a stack that drift in brightness or colour from one focus setting to the next (a flash, the sun, amber that
 * glows) are brought to the middle one: by a gain a channel, or where that leaves much by a smooth field. Defocus moves light
 * about but does not change how much there is, so areas much wider than it agree between neighbours unless the light changed.
 */
import type { Picture } from '../../../model/picture.js';
import { medianOf } from '../depth/focus-stack.js';
import type { StartKernels } from '../kernels.js';
import { choleskyFactor, choleskySolve } from '../pixels/dense.js';

/** Longer side of the copies that are compared. */
const SIDE = 96;
/** They are blurred by so many pixels. */
const BLUR = 1.5;
/** Areas of less light, as a share of white, or with more of them clipped, tell nothing. */
const DARK = 0.004;
const CLIPPED = 0.02;
/** What is within so much of white in ln counts as clipped. */
const NEAR_WHITE = 0.05;
/** A slope of ln light by so much a pixel halves what a pixel counts: beside edges blur makes a difference. */
const STEEP = 0.05;
/** Pixels that count less are left out. */
const LEAST_TRUST = 0.05;
/** Rounds of weights that fall to nothing at so many deviations (Tukey's). */
const ROUNDS = 8;
const OUTLIER = 3;
/** Fewer pixels with any weight tell nothing. */
const FEWEST = 60;
/** A field must leave less than this share of what a gain leaves. */
const WORTH_A_FIELD = 0.78;
/**
 * The least gain in ln that is worth anything. Stacks of a steady light seemed to drift by up to 0.014: what is blurred in from
 * beyond the border or over an edge does not quite balance. Taking that for drift cost up to 0.2 dB.
 */
const LEAST_GAIN = 0.02;
const RIDGE = 1e-3;

/** What must be added to ln radiance: a polynomial of degree 0 or 2 in x and y (−1 … 1 over the picture) a channel. */
export interface BrightnessField {
  readonly degree: 0 | 2;
  readonly coefficients: readonly (readonly number[])[];
}

export interface Evened {
  /** One a view, zero for the middle one. */
  readonly fields: readonly BrightnessField[];
  /** Root mean square over the picture of the field that adds most, in ln. */
  readonly largest: number;
}

/** A view's light at the size that is compared, and the share of each pixel that is clipped, by channel. */
interface SmallView {
  readonly width: number;
  readonly height: number;
  readonly light: readonly Float32Array[];
  readonly clipped: readonly Float32Array[];
}

/**
 * @param views ln radiance, in order of focus
 * @param white ln radiance from which a view is clipped, per view
 * @returns nothing where the views agree
 */
export function evenBrightness(
  views: readonly Picture[],
  white: readonly number[],
  kernels: StartKernels,
): Evened | undefined {
  const middle = views.length >> 1;
  const reference = white[middle];
  const small = views.map((view, v) => smallView(view, white[v], reference, kernels));
  const [flat, curved] = ([0, 2] as const).map((degree) => chained(small, middle, degree));
  const others = (of: readonly number[]) => of.filter((_, v) => v !== middle);
  const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;
  const ratios = others(curved.residual.map((r, v) => Math.log((r + 1e-4) / (flat.residual[v] + 1e-4))));
  const chosen = Math.exp(mean(ratios)) < WORTH_A_FIELD ? curved : flat;
  const largest = Math.max(...chosen.fields.map(sizeOf));
  if (largest < LEAST_GAIN || (chosen === flat && largest < mean(others(flat.residual)))) return undefined;
  return { fields: chosen.fields, largest };
}

/** Places along each side at which a field is looked at. */
const PLACES = 9;

/** Root mean square over the picture of what a field adds in ln, of the channel in which it is largest. */
function sizeOf(field: BrightnessField): number {
  const squares = new Float64Array(3);
  forField(field, PLACES, PLACES, (_, gains) => {
    for (let c = 0; c < 3; c++) squares[c] += gains[c] * gains[c];
  });
  return Math.sqrt(Math.max(...squares) / PLACES ** 2);
}

function smallView(
  view: Picture,
  white: number,
  reference: number,
  { channelLight, gaussian }: StartKernels,
): SmallView {
  const scale = Math.min(1, SIDE / Math.max(view.width, view.height));
  const [width, height] = [view.width, view.height].map((n) => Math.max(2, Math.round(n * scale)));
  const blurred = (plane: Float32Array) => gaussian(plane, width, height, BLUR, plane);
  return {
    width,
    height,
    light: [0, 1, 2].map((c) => blurred(channelLight(view, c, -reference, width, height))),
    clipped: clippedShares(view, white - NEAR_WHITE, width, height).map(blurred),
  };
}

/** The share of clipped pixels, judged by every other row and column. */
function clippedShares(
  { data, ...full }: Picture,
  limit: number,
  width: number,
  height: number,
): Float32Array[] {
  const clipped = [0, 1, 2].map(() => new Float32Array(width * height));
  const seen = new Float32Array(width * height);
  const step = full.width > 2 * width ? 2 : 1;
  for (let y = 0; y < full.height; y += step) {
    const row = Math.floor((y * height) / full.height) * width;
    for (let x = 0; x < full.width; x += step) {
      const q = row + Math.floor((x * width) / full.width);
      const i = 3 * (y * full.width + x);
      seen[q]++;
      for (let c = 0; c < 3; c++) if (data[i + c] > limit) clipped[c][q]++;
    }
  }
  for (const plane of clipped) for (let q = 0; q < seen.length; q++) plane[q] /= Math.max(1, seen[q]);
  return clipped;
}

/** Fields from each view to its neighbour towards the middle one, added up along the way. */
function chained(views: readonly SmallView[], middle: number, degree: 0 | 2) {
  const terms = termsOf(0, 0, degree).length;
  const zero = [0, 1, 2].map(() => new Array<number>(terms).fill(0));
  const fields = views.map(() => zero);
  const residual = views.map(() => 0);
  const step = (v: number, to: number) => {
    const fit = fitPair(views[v], views[to], degree);
    fields[v] = fit.map(({ k }, c) => k.map((value, i) => value + fields[to][c][i]));
    residual[v] = (fit[0].spread + fit[1].spread + fit[2].spread) / 3;
  };
  for (let v = middle - 1; v >= 0; v--) step(v, v + 1);
  for (let v = middle + 1; v < views.length; v++) step(v, v - 1);
  return { fields: fields.map((coefficients): BrightnessField => ({ degree, coefficients })), residual };
}

function termsOf(x: number, y: number, degree: 0 | 2): number[] {
  return degree === 0 ? [1] : [1, x, y, x * x, x * y, y * y];
}

/** Areas of a channel that two views show alike: what takes one to the other in ln, how much each counts, and its terms. */
interface Comparable {
  readonly difference: Float64Array;
  readonly trust: Float64Array;
  readonly basis: Float64Array;
}

/** The field that takes one view to another, and the typical difference that it leaves, a channel. */
function fitPair(from: SmallView, to: SmallView, degree: 0 | 2): { k: number[]; spread: number }[] {
  return [0, 1, 2].map((c) => fitRobustly(comparable(from, to, c, degree), termsOf(0, 0, degree).length));
}

function comparable(from: SmallView, to: SmallView, c: number, degree: 0 | 2): Comparable {
  const { width, height } = from;
  const [a, b] = [from.light[c], to.light[c]];
  const ln = b.map((v) => Math.log(v + 2e-3));
  const [difference, trust, basis]: number[][] = [[], [], []];
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      if (from.clipped[c][p] >= CLIPPED || to.clipped[c][p] >= CLIPPED || Math.min(a[p], b[p]) <= DARK)
        continue;
      const across = 0.5 * (ln[p + (x < width - 1 ? 1 : 0)] - ln[p - (x > 0 ? 1 : 0)]);
      const down = 0.5 * (ln[p + (y < height - 1 ? width : 0)] - ln[p - (y > 0 ? width : 0)]);
      const weight = 1 / (1 + (across * across + down * down) / (STEEP * STEEP));
      if (weight < LEAST_TRUST) continue;
      trust.push(weight);
      difference.push(Math.log(b[p] + 2e-4) - Math.log(a[p] + 2e-4));
      basis.push(...termsOf((2 * x) / (width - 1) - 1, (2 * y) / (height - 1) - 1, degree));
    }
  const flat = (values: number[]) => Float64Array.from(values);
  return { difference: flat(difference), trust: flat(trust), basis: flat(basis) };
}

function fitRobustly(pair: Comparable, terms: number): { k: number[]; spread: number } {
  const { difference, trust, basis } = pair;
  let k = new Array<number>(terms).fill(0);
  if (trust.length < FEWEST) return { k, spread: 1 };
  const half = medianOf(Array.from(trust));
  k[0] = medianOf(Array.from(difference.filter((_, p) => trust[p] >= half)));
  let spread = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const left = difference.map((d, p) => {
      let fitted = 0;
      for (let i = 0; i < terms; i++) fitted += basis[p * terms + i] * k[i];
      return d - fitted;
    });
    spread = 1.4826 * sortedMedian(left.map(Math.abs)) + 1e-4;
    const weight = trust.map((t, p) => t * Math.max(0, 1 - (left[p] / (OUTLIER * spread)) ** 2) ** 2);
    k = solveWeighted(difference, weight, basis, terms);
  }
  return { k, spread };
}

function sortedMedian(values: Float64Array): number {
  return values.sort()[values.length >> 1];
}

function solveWeighted(
  difference: Float64Array,
  weight: Float64Array,
  basis: Float64Array,
  n: number,
): number[] {
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  let total = 0;
  for (let p = 0, at = 0; p < weight.length; p++, at += n) {
    const w = weight[p];
    if (w === 0) continue;
    total += w;
    for (let i = 0; i < n; i++) {
      const wi = w * basis[at + i];
      right[i] += wi * difference[p];
      for (let j = 0; j <= i; j++) matrix[i * n + j] += wi * basis[at + j];
    }
  }
  for (let i = 0; i < n; i++)
    matrix[i * n + i] += (i === 0 ? 1e-12 : RIDGE) * (total / weight.length + 1e-12);
  choleskyFactor(matrix, n);
  choleskySolve(matrix, n, right);
  return Array.from(right);
}

/** Calls `each` with every pixel and what its field adds to ln radiance in the three channels. */
export function forField(
  { degree, coefficients }: BrightnessField,
  width: number,
  height: number,
  each: (p: number, gains: Readonly<Float64Array>) => void,
): void {
  const gains = Float64Array.from(coefficients, ([k]) => k);
  const [steps, slopes, curves] = [new Float64Array(3), new Float64Array(3), new Float64Array(3)];
  const across = 2 / Math.max(1, width - 1);
  for (let row = 0, p = 0; row < height; row++) {
    const y = (2 * row) / Math.max(1, height - 1) - 1;
    for (let c = 0; c < 3 && degree === 2; c++) {
      const k = coefficients[c];
      steps[c] = k[0] + y * (k[2] + y * k[5]);
      slopes[c] = k[1] + y * k[4];
      curves[c] = k[3];
    }
    for (let column = 0; column < width; column++, p++) {
      if (degree === 2) {
        const x = column * across - 1;
        gains[0] = steps[0] + x * (slopes[0] + x * curves[0]);
        gains[1] = steps[1] + x * (slopes[1] + x * curves[1]);
        gains[2] = steps[2] + x * (slopes[2] + x * curves[2]);
      }
      each(p, gains);
    }
  }
}
