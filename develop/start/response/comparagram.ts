import { ImplicamError } from '../../../model/errors.js';
import type { Frame } from '../../../model/picture.js';
import { decodeSrgb } from '../../../model/render/display-curves.js';
import { choleskyFactor, choleskySolve, eliminate } from '../pixels/dense.js';
import {
  codeWeights,
  type ExposureHistogram,
  type ExposurePair,
  meanMisfit,
  robustWeights,
} from './comparagram-weights.js';
import { jointHistograms } from './joint-histogram.js';

/**
 * Camera response and exposures from comparagrams: two pictures of one scene, equally focused and aligned, that
 * differ in exposure only. A pixel of code z in one and z' in the other says g(z) − g(z') = ln 2 · (ev − ev'), where
 * g = ln of the inverse response; all pixels together, as a joint histogram h a channel and pair, give
 *
 *   min over g, ev of Σ h(z, z') · w(z, z') · [g(z) − g(z') − ln 2 · (ev_a − ev_b)]² + smoothness of g
 *
 * which is linear least squares in 3 × 256 + exposures unknowns (Debevec & Malik 1997 on comparagrams, Mann 2000).
 *
 * (g, ev) and (γ·g, γ·ev) fit equally well, and g = ev = 0 fits best of all: neither the mean nor the range of the
 * exposures is observable. Both are held exactly at what the caller gives (EXIF, or an assumption to be reported).
 */
export interface Exposures {
  /** `groups[s][k]`: the exposure group (index into `ev`) of frame k of stack s. Frames of one group share one EV. */
  readonly groups: readonly (readonly number[])[];
  /** First guess of each group's exposure, in stops; exact where `known`. */
  readonly ev: readonly number[];
  /** True: the exposures are not to be touched. False: all but their mean and range is learned. */
  readonly known: boolean;
}

export interface ComparagramOptions {
  /** Per stack and frame: one byte a pixel, 0 = leave the pixel out. */
  readonly masks?: readonly (readonly (Uint8Array | undefined)[])[];
  /** Weight of the smoothness of g. @default 1 */
  readonly smoothness?: number;
}

export interface ComparagramResult {
  /** Three arrays of 256: ln exposure of each 8-bit code, up to a constant a channel; never falling. */
  readonly g: Float64Array[];
  /** Exposure of each group in stops. Mean and range are those given. */
  readonly ev: number[];
  /** Typical disagreement of a pixel pair with the model, in 8-bit codes (weighted median of |residual|). */
  readonly residual: number;
  /**
   * Mean of ln(1 + (r / scale)²) over the trusted pixel pairs, r their disagreement with the model in 8-bit codes: what
   * two results over the same frames are compared by, at one scale.
   */
  readonly misfit: (scale: number) => number;
}

const LN2 = Math.LN2;
const CODES = 256;
/** Re-weighting rounds: the first solves plain least squares, the others discount what moved or is misaligned. */
const ROUNDS = 4;
/**
 * Response and exposures of a capture. Where no two frames of a stack differ in exposure there is nothing to see: the
 * result is sRGB and the given exposures.
 * @param stacks frames that share focus and are aligned with each other, one array a focus
 * @throws ImplicamError `comparagram-input` when sizes or counts disagree, or exposures to learn have no range
 */
export function estimateResponse(
  stacks: readonly (readonly Frame[])[],
  exposures: Exposures,
  options: ComparagramOptions = {},
): ComparagramResult {
  const pairs = exposurePairs(stacks, exposures);
  if (pairs.length === 0) {
    return { g: [0, 1, 2].map(srgbCodes), ev: [...exposures.ev], residual: 0, misfit: () => 0 };
  }
  const histograms = jointHistograms(stacks, pairs, options.masks);
  const smoothness = options.smoothness ?? 1;
  const { trusted, shares } = codeWeights(histograms, exposures.ev);
  const constraints = exposures.known ? undefined : gaugeConstraints(histograms, shares, exposures);

  let weights = trusted;
  let g: Float64Array[] = [];
  let ev = [...exposures.ev];
  let residual = 0;
  let residuals: Float64Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const channels = [0, 1, 2].map((c) => channelSystem(histograms, weights, c, ev.length, smoothness));
    if (constraints) ev = solveExposures(channels, exposures.ev, constraints);
    g = channels.map((channel) => responseOf(channel, ev));
    ({ weights, residual, residuals } = robustWeights(histograms, trusted, g, ev));
  }
  for (const codes of g) for (let z = 1; z < CODES; z++) codes[z] = Math.max(codes[z], codes[z - 1]);
  return { g, ev, residual, misfit: (scale) => meanMisfit(residuals, trusted, scale) };
}

function srgbCodes(): Float64Array {
  return Float64Array.from({ length: CODES }, (_, z) => Math.log(decodeSrgb(Math.max(z, 0.5) / 255)));
}

/** With many exposures, pairs further apart than this in order of exposure share few well-exposed pixels. */
const MOST_RANKS = 3;

function exposurePairs(stacks: readonly (readonly Frame[])[], exposures: Exposures): ExposurePair[] {
  const fail = (message: string) => new ImplicamError('comparagram-input', message);
  if (exposures.groups.length !== stacks.length) {
    throw fail(
      `${stacks.length} stacks need as many lists of exposure groups, not ${exposures.groups.length}`,
    );
  }
  const pairs: ExposurePair[] = [];
  stacks.forEach((frames, stack) => {
    const groups = exposures.groups[stack];
    if (groups.length !== frames.length) {
      throw fail(`stack ${stack} has ${frames.length} frames but ${groups.length} exposure groups`);
    }
    for (const group of groups) {
      if (!Number.isFinite(exposures.ev[group])) {
        throw fail(
          `stack ${stack} names exposure group ${group}, which has no finite EV; give one for each group`,
        );
      }
    }
    for (const frame of frames) {
      if (frame.width !== frames[0].width || frame.height !== frames[0].height) {
        throw fail(
          `${frame.name} is ${frame.width}×${frame.height} but ${frames[0].name} is ` +
            `${frames[0].width}×${frames[0].height}; align and crop the frames of one focus to one size first`,
        );
      }
    }
    const order = frames.map((_, k) => k);
    order.sort((a, b) => exposures.ev[groups[a]] - exposures.ev[groups[b]] || a - b);
    for (let i = 0; i < order.length; i++) {
      for (let j = i + 1; j < Math.min(order.length, i + 1 + MOST_RANKS); j++) {
        const [firstGroup, secondGroup] = [groups[order[i]], groups[order[j]]];
        if (firstGroup !== secondGroup) {
          pairs.push({ stack, first: order[i], second: order[j], firstGroup, secondGroup });
        }
      }
    }
  });
  return pairs;
}

/** Normal equations of one channel with g eliminated: g = −factor⁻¹ · coupling · ev. */
interface ChannelSystem {
  /** Cholesky factor of the 256 × 256 block of g. */
  readonly factor: Float64Array;
  /** Block g × ev, one column of 256 an exposure group. */
  readonly coupling: Float64Array;
  /** Block ev × ev. */
  readonly exposure: Float64Array;
}

function channelSystem(
  histograms: readonly ExposureHistogram[],
  weights: readonly Float64Array[],
  channel: number,
  groups: number,
  smoothness: number,
): ChannelSystem {
  const factor = new Float64Array(CODES * CODES);
  const coupling = new Float64Array(CODES * groups);
  const exposure = new Float64Array(groups * groups);
  let total = 0;
  histograms.forEach((h, index) => {
    if (h.channel !== channel) return;
    const { firstGroup: a, secondGroup: b } = h.pair;
    const w = weights[index];
    let sum = 0;
    for (let i = 0; i < w.length; i++) {
      const p = h.first[i];
      const q = h.second[i];
      factor[p * CODES + p] += w[i];
      factor[q * CODES + q] += w[i];
      factor[Math.max(p, q) * CODES + Math.min(p, q)] -= p === q ? 2 * w[i] : w[i];
      coupling[a * CODES + p] -= LN2 * w[i];
      coupling[a * CODES + q] += LN2 * w[i];
      coupling[b * CODES + p] += LN2 * w[i];
      coupling[b * CODES + q] -= LN2 * w[i];
      sum += w[i];
    }
    exposure[a * groups + a] += LN2 * LN2 * sum;
    exposure[b * groups + b] += LN2 * LN2 * sum;
    exposure[a * groups + b] -= LN2 * LN2 * sum;
    exposure[b * groups + a] -= LN2 * LN2 * sum;
    total += sum;
  });
  // Unit total weight a channel, so that the smoothness means the same for every picture size.
  const scale = total > 0 ? 1 / total : 0;
  for (const block of [factor, coupling, exposure]) for (let i = 0; i < block.length; i++) block[i] *= scale;
  addSmoothness(factor, smoothness);
  choleskyFactor(factor, CODES);
  return { factor, coupling, exposure };
}

/** Squared second differences of g, weaker near black, where g bends; and g(128) = 0, which no pair determines. */
function addSmoothness(a: Float64Array, smoothness: number): void {
  for (let z = 1; z < CODES - 1; z++) {
    const s = smoothness * (1e-5 + 6e-4 * (Math.min(z, 255 - z) / 127.5));
    a[(z - 1) * CODES + z - 1] += s;
    a[z * CODES + z - 1] -= 2 * s;
    a[z * CODES + z] += 4 * s;
    a[(z + 1) * CODES + z - 1] += s;
    a[(z + 1) * CODES + z] -= 2 * s;
    a[(z + 1) * CODES + z + 1] += s;
  }
  for (let z = 0; z < CODES; z++) a[z * CODES + z] += 1e-10;
  a[128 * CODES + 128] += 1;
}

/**
 * A pair of frames measures their exposures when at least this share of its pixels is well exposed in both. At 3 % a frame that
 * is white but for one in seventy pixels was none to hold the range by, and the next one, 0.3 stops wrong in EXIF, was.
 */
const LEAST_SHARE = 0.01;

/**
 * Rows of coefficients that the learned change of the exposures must be orthogonal to; undefined where no exposure can
 * be measured, so that none is to be changed.
 */
function gaugeConstraints(
  histograms: readonly ExposureHistogram[],
  shares: readonly number[],
  { groups, ev }: Exposures,
): Float64Array[] | undefined {
  // Pairs compare frames of one stack only: each set of groups that pairs link has a mean of its own to hold.
  const parent = ev.map((_, i) => i);
  const root = (i: number): number => (parent[i] === i ? i : root(parent[i]));
  const measured = new Set<number>();
  histograms.forEach(({ pair }, k) => {
    if (shares[k] < LEAST_SHARE) return;
    measured.add(pair.firstGroup).add(pair.secondGroup);
    parent[root(pair.firstGroup)] = root(pair.secondGroup);
  });
  if (measured.size === 0) return undefined;
  const means = new Map<number, Float64Array>();
  for (const i of measured) {
    const row = means.get(root(i)) ?? new Float64Array(ev.length);
    row[i] = 1;
    means.set(root(i), row);
  }
  // The range: every stack's brightest minus darkest that are measured, summed over the stacks. (Held at an exposure
  // that no pixel measures, the range would be no limit: all the others would shrink to nothing.)
  const range = new Float64Array(ev.length);
  for (const stack of groups) {
    const order = stack.filter((group) => measured.has(group)).sort((a, b) => ev[a] - ev[b] || a - b);
    if (order.length === 0) continue;
    range[order[order.length - 1]] += 1;
    range[order[0]] -= 1;
  }
  if (!(range.reduce((total, r, i) => total + r * ev[i], 0) > 0)) {
    throw new ImplicamError(
      'comparagram-input',
      'all exposures have the same first guess, so their range is unknown; give the EV of the darkest and the ' +
        'brightest frame, or estimate it from the pictures',
    );
  }
  return [...means.values(), range];
}

/**
 * How strongly an exposure that hardly any pixel measures keeps its first guess; moves a well measured one by less
 * than 0.001 stop.
 */
const ANCHOR = 1e-4;

/** Exposures that minimise what is left after g is eliminated, under the constraints (Lagrange multipliers). */
function solveExposures(
  channels: readonly ChannelSystem[],
  ev0: readonly number[],
  constraints: readonly Float64Array[],
): number[] {
  const n = ev0.length;
  const reduced = new Float64Array(n * n);
  for (const { factor, coupling, exposure } of channels) {
    const solved = coupling.slice();
    for (let e = 0; e < n; e++) choleskySolve(factor, CODES, solved, e * CODES);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        let s = exposure[a * n + b];
        for (let z = 0; z < CODES; z++) s -= coupling[a * CODES + z] * solved[b * CODES + z];
        reduced[a * n + b] += s;
      }
    }
  }
  for (let a = 0; a < n; a++) reduced[a * n + a] += ANCHOR;
  const size = n + constraints.length;
  const kkt = new Float64Array(size * size);
  const right = new Float64Array(size);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      kkt[a * size + b] = reduced[a * n + b];
      right[a] -= (reduced[a * n + b] - (a === b ? ANCHOR : 0)) * ev0[b];
    }
    constraints.forEach((row, k) => {
      kkt[a * size + n + k] = row[a];
      kkt[(n + k) * size + a] = row[a];
    });
  }
  eliminate(kkt, size, right);
  return ev0.map((value, i) => value + right[i]);
}

function responseOf({ factor, coupling }: ChannelSystem, ev: readonly number[]): Float64Array {
  const g = new Float64Array(CODES);
  ev.forEach((value, e) => {
    for (let z = 0; z < CODES; z++) g[z] -= coupling[e * CODES + z] * value;
  });
  choleskySolve(factor, CODES, g);
  return g;
}
