import { encodeSrgb } from '../../../model/render/display-curves.js';

/**
 * The camera response as a curve: pixel value F_c(ln x) in [0, 1] of the exposure x that reached the sensor, one
 * monotone curve a channel. Gauge: x = 1 (ln x = 0) is where the sensor saturates, F_c(0) = 1; F_c(−9) = 0, thirteen
 * stops below. Between its knots, which are spaced evenly in ln x, the curve is linear. The same knots are where the
 * learned tone mapper starts.
 */
export interface CameraResponse {
  /** 3 × RESPONSE_KNOTS values, channel after channel: `knots[c * RESPONSE_KNOTS + k]` = F_c(knotPosition(k)). */
  readonly knots: Float64Array;
}

export const RESPONSE_KNOTS = 40;
/** ln x of the first knot. */
export const RESPONSE_MIN = -9;
/** ln x of the last knot: saturation. */
export const RESPONSE_MAX = 0;
/** Distance of two knots in ln x. */
export const KNOT_STEP = (RESPONSE_MAX - RESPONSE_MIN) / (RESPONSE_KNOTS - 1);

/** How far ahead a curve rises where no pixel shows that it does: keeps it strictly monotone, hence invertible. */
const LEAST_RISE = 1e-7;

/** ln x of knot k. */
export function knotPosition(k: number): number {
  return RESPONSE_MIN + k * KNOT_STEP;
}

/** Pixel value in [0, 1] of ln exposure `lnX` in channel 0…2. Constant beyond the first and the last knot. */
export function responseValue(response: CameraResponse, channel: number, lnX: number): number {
  const position = (lnX - RESPONSE_MIN) / KNOT_STEP;
  const first = channel * RESPONSE_KNOTS;
  if (!(position > 0)) return response.knots[first];
  if (position >= RESPONSE_KNOTS - 1) return response.knots[first + RESPONSE_KNOTS - 1];
  const k = Math.floor(position);
  const a = response.knots[first + k];
  return a + (response.knots[first + k + 1] - a) * (position - k);
}

/** Slope dF/d ln x at `lnX`: 0 beyond the curve's ends, the right-hand slope at a knot. */
export function responseSlope(response: CameraResponse, channel: number, lnX: number): number {
  const position = (lnX - RESPONSE_MIN) / KNOT_STEP;
  if (position < 0 || position >= RESPONSE_KNOTS - 1) return 0;
  const k = channel * RESPONSE_KNOTS + Math.floor(position);
  return (response.knots[k + 1] - response.knots[k]) / KNOT_STEP;
}

/** ln exposure, in [−9, 0], that gives pixel value `value`: the inverse of {@link responseValue}. */
export function inverseResponse(response: CameraResponse, channel: number, value: number): number {
  const first = channel * RESPONSE_KNOTS;
  const { knots } = response;
  if (!(value > knots[first])) return RESPONSE_MIN;
  if (value >= knots[first + RESPONSE_KNOTS - 1]) return RESPONSE_MAX;
  let low = 0;
  let high = RESPONSE_KNOTS - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[first + middle] <= value) low = middle;
    else high = middle;
  }
  const a = knots[first + low];
  return knotPosition(low) + ((value - a) / (knots[first + high] - a)) * KNOT_STEP;
}

/**
 * ln exposure of every code of a `levels`-level picture. The ends are inequalities: code 0 stands for all that is
 * darker than half a code, so it gets the exposure of half an 8-bit code; full scale gets ln x = 0.
 */
export function inverseTable(response: CameraResponse, channel: number, levels = 256): Float64Array {
  const table = new Float64Array(levels);
  for (let z = 0; z < levels; z++) {
    table[z] = inverseResponse(response, channel, Math.max(z / (levels - 1), 0.5 / 255));
  }
  return table;
}

/** Makes one channel's knots a response: starts at 0, rises everywhere, ends at 1. In place. */
export function enforceMonotone(knots: Float64Array, first: number): void {
  const base = knots[first];
  let top = 0;
  for (let k = 0; k < RESPONSE_KNOTS; k++) {
    top = Math.max(knots[first + k] - base, k === 0 ? 0 : top + LEAST_RISE);
    knots[first + k] = top;
  }
  for (let k = 0; k < RESPONSE_KNOTS; k++) knots[first + k] /= top;
}

/** The response of a camera that follows sRGB: the assumption where one exposure alone shows nothing about it. */
export function srgbResponse(): CameraResponse {
  return responseFrom((_, lnX) => encodeSrgb(Math.exp(lnX)));
}

/** The response of a camera whose channels share one curve, RESPONSE_KNOTS values. */
export function sharedResponse(curve: Float64Array): CameraResponse {
  const knots = new Float64Array(3 * RESPONSE_KNOTS);
  for (let c = 0; c < 3; c++) knots.set(curve, c * RESPONSE_KNOTS);
  return { knots };
}

/** Samples a monotone function (channel, ln x) → pixel value at the knots; shifted and scaled to run from 0 to 1. */
export function responseFrom(curve: (channel: number, lnX: number) => number): CameraResponse {
  const knots = new Float64Array(3 * RESPONSE_KNOTS);
  for (let c = 0; c < 3; c++) {
    for (let k = 0; k < RESPONSE_KNOTS; k++) knots[c * RESPONSE_KNOTS + k] = curve(c, knotPosition(k));
    enforceMonotone(knots, c * RESPONSE_KNOTS);
  }
  return { knots };
}
