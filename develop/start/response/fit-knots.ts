import { clippedAndAgreed, curveSolver, segmentWeight, solvePixel } from '../merge/pixel-radiance.js';
import { choleskyFactor, choleskySolve } from '../pixels/dense.js';
import type { ResponsePrior } from './prior.js';
import { enforceMonotone, KNOT_STEP, RESPONSE_KNOTS, RESPONSE_MIN } from './response.js';
import type { PixelSamples } from './sample-pixels.js';

/**
 * Fits one curve to pixels, in place: minimises Σ W_e · (t_e − F(u_p + ln 2 · ev_e))² plus `weight` times the prior's
 * −ln p(F) over the knots of F and the radiance u_p of every pixel (weights and inequalities: `pixel-radiance.ts`).
 * Each round takes one Gauss–Newton step in both at once, the u_p eliminated exactly (Schur complement: what a curve
 * gains by merely moving the pixels does not count), then follows the pixels to their optimum.
 *
 * @param knots RESPONSE_KNOTS values from 0 to 1; a first guess on entry
 */
export function fitKnots(
  knots: Float64Array,
  samples: PixelSamples,
  prior: ResponsePrior,
  weight: number,
  rounds: number,
): void {
  followPixels(knots, samples);
  for (let round = 0; round < rounds; round++) {
    updateKnots(knots, samples, prior, weight);
    followPixels(knots, samples);
  }
}

/** Moves the radiance of every pixel to its optimum under a curve. */
export function followPixels(knots: Float64Array, samples: PixelSamples): void {
  const { first, values, shifts, u } = samples;
  const solver = curveSolver(knots);
  for (let p = 0; p < samples.count; p++) {
    u[p] = solvePixel(solver, values, shifts, first[p], first[p + 1], u[p]);
  }
}

/** One Gauss–Newton step of the inner knots; the ends stay at 0 and 1. */
function updateKnots(knots: Float64Array, samples: PixelSamples, prior: ResponsePrior, weight: number): void {
  const n = RESPONSE_KNOTS;
  const { normal, right } = normalEquations(knots, samples);
  const inner = n - 2;
  const a = new Float64Array(inner * inner);
  const step = new Float64Array(inner);
  for (let i = 0; i < inner; i++) {
    step[i] = right[i + 1];
    for (let j = 0; j < inner; j++) {
      const precision = weight * prior.precision[i * inner + j];
      a[i * inner + j] = normal[(i + 1) * n + j + 1] + precision;
      step[i] += precision * (prior.mean[j] - knots[j + 1]);
    }
  }
  choleskyFactor(a, inner);
  choleskySolve(a, inner, step);
  for (let k = 0; k < inner; k++) knots[k + 1] += step[k];
  enforceMonotone(knots, 0);
}

interface NormalEquations {
  readonly normal: Float64Array;
  readonly right: Float64Array;
}

/** Normal equations of the knots, every pixel's u eliminated: Σ JᵀWJ − (JᵀWF')(F'ᵀWJ) / ΣWF'², J = ∂F/∂knots. */
function normalEquations(knots: Float64Array, samples: PixelSamples): NormalEquations {
  const n = RESPONSE_KNOTS;
  const normal = new Float64Array(n * n);
  const right = new Float64Array(n);
  const trust = sampleTrust(knots, samples);
  const slopes = Float64Array.from({ length: n - 1 }, (_, k) => (knots[k + 1] - knots[k]) / KNOT_STEP);
  const weights = slopes.map((slope, k) => segmentWeight(k, slope));
  const { first, values, shifts, u } = samples;
  // JᵀWF' of one pixel, and which of its entries are in use: at most two a frame.
  const cross = new Float64Array(n);
  const inUse = new Uint8Array(n);
  const used = new Int32Array(n);
  for (let p = 0; p < samples.count; p++) {
    let count = 0;
    let curvature = 1e-9;
    let pull = 0;
    for (let e = first[p]; e < first[p + 1]; e++) {
      const position = (u[p] + shifts[e] - RESPONSE_MIN) / KNOT_STEP;
      if (!(position >= 0 && position <= n - 1)) continue;
      const k = Math.min(n - 2, Math.floor(position));
      const f = position - k;
      const model = knots[k] + (knots[k + 1] - knots[k]) * f;
      if (clippedAndAgreed(values[e], model)) continue;
      const w = weights[k] * trust[p];
      const r = values[e] - model;
      normal[k * n + k] += w * (1 - f) * (1 - f);
      normal[k * n + k + 1] += w * (1 - f) * f;
      normal[(k + 1) * n + k] += w * (1 - f) * f;
      normal[(k + 1) * n + k + 1] += w * f * f;
      right[k] += w * (1 - f) * r;
      right[k + 1] += w * f * r;
      for (let side = k; side <= k + 1; side++) {
        if (inUse[side] === 0) {
          inUse[side] = 1;
          used[count++] = side;
        }
      }
      cross[k] += w * slopes[k] * (1 - f);
      cross[k + 1] += w * slopes[k] * f;
      curvature += w * slopes[k] * slopes[k];
      pull += w * slopes[k] * r;
    }
    for (let i = 0; i < count; i++) {
      const row = used[i];
      const share = cross[row] / curvature;
      for (let j = 0; j < count; j++) normal[row * n + used[j]] -= share * cross[used[j]];
      right[row] -= share * pull;
    }
    for (let i = 0; i < count; i++) {
      cross[used[i]] = 0;
      inUse[used[i]] = 0;
    }
  }
  return { normal, right };
}

/** Samples whose misfit is beyond this multiple of the usual count for less: something moved, or an edge slipped. */
const FOREIGN = 9;

/** Cauchy's weight of every sample by its misfit Σ W·r². */
function sampleTrust(knots: Float64Array, samples: PixelSamples): Float64Array {
  const { first, values, shifts, u } = samples;
  const last = RESPONSE_KNOTS - 2;
  const weights = Float64Array.from({ length: last + 1 }, (_, k) =>
    segmentWeight(k, (knots[k + 1] - knots[k]) / KNOT_STEP),
  );
  const misfit = new Float64Array(samples.count);
  for (let p = 0; p < samples.count; p++) {
    for (let e = first[p]; e < first[p + 1]; e++) {
      const position = (u[p] + shifts[e] - RESPONSE_MIN) / KNOT_STEP;
      const k = Math.min(last, Math.max(0, Math.floor(position)));
      const model = knots[k] + (knots[k + 1] - knots[k]) * (position - k);
      if (clippedAndAgreed(values[e], model)) continue;
      misfit[p] += weights[k] * (values[e] - model) ** 2;
    }
  }
  const informed = misfit.filter((m) => m > 0).sort();
  if (informed.length === 0) return misfit.fill(1);
  // Quantisation alone makes a misfit of this order: never call that foreign.
  const usual = Math.max(informed[informed.length >> 1], 1e-6);
  return misfit.map((m) => 1 / (1 + m / (FOREIGN * usual)));
}
