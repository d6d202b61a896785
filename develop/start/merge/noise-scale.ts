import {
  type CameraResponse,
  inverseResponse,
  KNOT_STEP,
  RESPONSE_KNOTS,
  RESPONSE_MIN,
} from '../response/response.js';
import type { SensorNoise } from './noise.js';
import { BLACK, pixelSolver, WHITE } from './pixel-radiance.js';

/** A step of the table, in ln radiance. */
const STEP = 1 / 256;
/** Standard deviations of ln radiance beyond this mean that nothing is known. */
const MOST_DEVIATION = 0.7;
/** The same where no frame shows anything, and to keep the scale finite where the noise is none. */
const LEAST_DEVIATION = 1e-4;

/**
 * A scale s(u) of merged ln radiance u in which noise has the variance 1 everywhere: ds/du = 1 / σ(u), with σ(u) the
 * standard deviation of the merge of `pixel-radiance.ts` under the given noise,
 * σ² = Σ (W F'²)² V / (Σ W F'²)², V = shot / x + read / x² + rounding / F'² in every frame that shows u unclipped.
 * (Variance stabilisation: Anscombe 1948, here of a whole bracket.)
 */
export class NoiseScale {
  /** u from here on is white in every frame: a bound, not a measurement. */
  readonly white: number;

  private readonly low: number;
  /** s at low + k · STEP, rising. */
  private readonly scale: Float64Array;
  /** u at s = k · inverseStep. */
  private readonly inverse: Float64Array;
  private readonly inverseStep: number;

  constructor(response: CameraResponse, channel: number, ev: readonly number[], noise: SensorNoise) {
    const shifts = ev.map((stops) => Math.LN2 * stops);
    const [shortest, longest] = [Math.min(...shifts), Math.max(...shifts)];
    this.low = RESPONSE_MIN - longest;
    this.white = inverseResponse(response, channel, WHITE) - shortest;
    const entries = Math.ceil((1 - shortest - this.low) / STEP) + 1;
    const deviation = deviations(response, channel, shifts, noise, this.low, entries);
    this.scale = new Float64Array(entries);
    for (let k = 1; k < entries; k++) {
      this.scale[k] = this.scale[k - 1] + (STEP / 2) * (1 / deviation[k - 1] + 1 / deviation[k]);
    }
    this.inverse = new Float64Array(2 * entries);
    this.inverseStep = this.scale[entries - 1] / (this.inverse.length - 1);
    for (let i = 0, k = 0; i < this.inverse.length; i++) {
      const s = i * this.inverseStep;
      while (k < entries - 2 && this.scale[k + 1] < s) k++;
      this.inverse[i] = this.low + STEP * (k + (s - this.scale[k]) / (this.scale[k + 1] - this.scale[k]));
    }
  }

  /** s(u). */
  of(u: number): number {
    return interpolate(this.scale, (u - this.low) / STEP);
  }

  /** u(s). */
  radiance(s: number): number {
    return interpolate(this.inverse, s / this.inverseStep);
  }
}

/** Linear between entries, constant beyond them. */
function interpolate(table: Float64Array, position: number): number {
  if (!(position > 0)) return table[0];
  if (position >= table.length - 1) return table[table.length - 1];
  const k = position | 0;
  return table[k] + (table[k + 1] - table[k]) * (position - k);
}

/** σ at low + k · STEP; where no frame tells, that of the nearest u where one does. */
function deviations(
  response: CameraResponse,
  channel: number,
  shifts: readonly number[],
  noise: SensorNoise,
  low: number,
  entries: number,
): Float64Array {
  const { knots, curvature } = pixelSolver(response, channel);
  const out = new Float64Array(entries);
  let known = -1;
  for (let i = 0; i < entries; i++) {
    let information = 0;
    let variance = 0;
    for (const shift of shifts) {
      const lnX = low + i * STEP + shift;
      const position = (lnX - RESPONSE_MIN) / KNOT_STEP;
      const k = Math.floor(position);
      if (k < 0 || k >= RESPONSE_KNOTS - 1) continue;
      const value = knots[k] + (knots[k + 1] - knots[k]) * (position - k);
      if (value <= BLACK || value >= WHITE) continue;
      const slope = (knots[k + 1] - knots[k]) / KNOT_STEP;
      const x = Math.exp(lnX);
      information += curvature[k];
      variance +=
        curvature[k] ** 2 * (noise.shot / x + noise.read / (x * x) + noise.rounding / (slope * slope));
    }
    if (information > 0) {
      out[i] = Math.min(Math.max(Math.sqrt(variance) / information, LEAST_DEVIATION), MOST_DEVIATION);
      if (known < 0) out.fill(out[i], 0, i);
      known = i;
    } else if (known >= 0) {
      out[i] = out[known];
    }
  }
  return known < 0 ? out.fill(MOST_DEVIATION) : out;
}
