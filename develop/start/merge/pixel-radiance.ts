import {
  type CameraResponse,
  KNOT_STEP,
  knotPosition,
  RESPONSE_KNOTS,
  RESPONSE_MIN,
} from '../response/response.js';

/**
 * The most likely ln radiance u of one pixel and channel from its values t_e in frames of exposure ev_e: minimises
 *
 *   Σ_e W_e · (t_e − F(u + ln 2 · ev_e))²,   W_e = 1 / (F'² / x_e + σ²),   x_e = exp(u + ln 2 · ev_e)
 *
 * by Gauss–Newton. W is the inverse variance of a pixel value, up to a factor: shot noise (variance x / N of an
 * exposure x, N electrons at saturation) seen through the slope of the response, and quantisation; σ² = 0.1 is
 * N = 25,000 with half an 8-bit code. (W = 1 / (F'² + 0.1²), which counts every well-exposed frame alike, loses 1 to
 * 3.5 dB over N = 1500 … 50,000; W = 1 loses 0.3 to 1.) A clipped value is an inequality: it counts only while the
 * model contradicts it.
 *
 * Beyond saturation F tells nothing, and a frame whose model lies there is heard only where no other frame's lies
 * inside. (F went on linearly there once: a white that noise had scattered to code 245 in a frame three stops over
 * dragged u down by stops, and cost 8 to 9 dB with the true response.) What is heard so is measured against white, along
 * the slope of the last segment, so that every contradiction has a way back.
 */
export interface PixelSolver {
  /** F at the knots of one channel. */
  readonly knots: Float64Array;
  /** W·F' between knot k and k + 1. */
  readonly pull: Float64Array;
  /** W·F'² between knot k and k + 1. */
  readonly curvature: Float64Array;
}

/** σ² of the weights. */
const QUANTISATION = 0.1;
/** Below this a value says "no brighter than"; half an 8-bit code. */
export const BLACK = 0.5 / 255;
/** From here a value says "no darker than": JPEG scatters clipped whites over the last few codes. */
export const WHITE = 251.5 / 255;
/** The model agrees with a white that is clipped for good as soon as it rounds to it. */
export const FULL = 254.5 / 255;

export const SEGMENTS = RESPONSE_KNOTS - 1;
export const STEPS = 8;
export const LONGEST_STEP = 0.5;
/** Convergence: far below what a code tells. */
export const CLOSE = 2e-4;
/** Keeps a step finite where no frame tells anything. */
export const DAMPING = 1e-7;

/** Weight W of a pixel value on segment k of a response, whose slope there is `slope`. */
export function segmentWeight(k: number, slope: number): number {
  return 1 / (slope * slope * Math.exp(-knotPosition(k + 0.5)) + QUANTISATION);
}

/** What {@link solvePixel} needs of one channel of a response. */
export function pixelSolver(response: CameraResponse, channel: number): PixelSolver {
  return curveSolver(response.knots.slice(channel * RESPONSE_KNOTS, (channel + 1) * RESPONSE_KNOTS));
}

/** What {@link solvePixel} needs of one curve, RESPONSE_KNOTS values. */
export function curveSolver(knots: Float64Array): PixelSolver {
  const pull = new Float64Array(SEGMENTS);
  const curvature = new Float64Array(SEGMENTS);
  for (let k = 0; k < SEGMENTS; k++) {
    const slope = (knots[k + 1] - knots[k]) / KNOT_STEP;
    pull[k] = segmentWeight(k, slope) * slope;
    curvature[k] = pull[k] * slope;
  }
  return { knots, pull, curvature };
}

/** Rounding of a model that lies exactly on its bound. */
export const ROUNDING = 1e-9;

/** Whether a clipped value and the model's value agree, so that the value says no more. */
export function clippedAndAgreed(value: number, model: number): boolean {
  return value <= BLACK ? model < BLACK + ROUNDING : value >= WHITE && (model > value || model > FULL);
}

/**
 * @param values pixel values in [0, 1] of the pixel's frames, at [from, to)
 * @param shifts ln 2 · ev of those frames, at [from, to)
 * @param start first guess of u
 * @returns u; unchanged where all values are clipped and agree with it
 */
export function solvePixel(
  solver: PixelSolver,
  values: Float64Array,
  shifts: Float64Array,
  from: number,
  to: number,
  start: number,
): number {
  const { knots, pull, curvature } = solver;
  let u = start;
  for (let step = 0; step < STEPS; step++) {
    let numerator = 0;
    let denominator = DAMPING;
    let whitePull = 0;
    let whiteCurvature = 0;
    let inside = false;
    for (let e = from; e < to; e++) {
      const position = (u + shifts[e] - RESPONSE_MIN) * (1 / KNOT_STEP);
      const k = position <= 0 ? 0 : position >= SEGMENTS ? SEGMENTS - 1 : position | 0;
      const low = knots[k];
      const model = low + (knots[k + 1] - low) * (position - k);
      if (clippedAndAgreed(values[e], model)) continue;
      if (position >= SEGMENTS) {
        whitePull += pull[k] * (values[e] - Math.min(1, model));
        whiteCurvature += curvature[k];
        continue;
      }
      inside = true;
      numerator += pull[k] * (values[e] - model);
      denominator += curvature[k];
    }
    if (!inside) {
      numerator += whitePull;
      denominator += whiteCurvature;
    }
    let change = numerator / denominator;
    if (change > LONGEST_STEP) change = LONGEST_STEP;
    else if (change < -LONGEST_STEP) change = -LONGEST_STEP;
    u += change;
    if (change < CLOSE && change > -CLOSE) break;
  }
  return u;
}

/**
 * How much the frames say about u: Σ_e W_e · F'², at most the sum of their exposures x_e; 0 where all are clipped.
 * Its inverse is the variance of u, up to a factor (1 / 25,000 for the camera named above).
 */
export function pixelInformation(
  solver: PixelSolver,
  values: Float64Array,
  shifts: Float64Array,
  from: number,
  to: number,
  u: number,
): number {
  let information = 0;
  for (let e = from; e < to; e++) {
    if (values[e] <= BLACK || values[e] >= WHITE) continue;
    const position = (u + shifts[e] - RESPONSE_MIN) * (1 / KNOT_STEP);
    const k = position <= 0 ? 0 : position >= SEGMENTS ? SEGMENTS - 1 : position | 0;
    information += solver.curvature[k];
  }
  return information;
}
