import type { Frame } from '../../../model/picture.js';
import { code8 } from '../response/joint-histogram.js';
import { type CameraResponse, inverseTable, responseSlope } from '../response/response.js';

/**
 * Noise of an exposure x (1 saturates): variance shot · x + read. Of ln x that is shot / x + read / x², to which rounding
 * to codes adds rounding / F'².
 */
export interface SensorNoise {
  /** 1 / electrons at saturation. */
  readonly shot: number;
  /** Square of the read noise, relative to saturation. */
  readonly read: number;
  /** Variance that rounding to codes gives to pixel values in [0, 1]. */
  readonly rounding: number;
}

/** Rounding to 8 bits. */
const ROUNDING = 1 / 12 / 255 ** 2;

/** Codes of the brighter frame that say how much light there was. */
const FIRST_CODE = 1;
const LAST_CODE = 250;
/** Fewest pixels of one code for the spread of their codes in the darker frame to mean anything. */
const FEWEST_PIXELS = 100;
/** Fewest codes, of all pairs and channels, for the two unknowns. */
const FEWEST_CODES = 20;
/** Quantiles one standard deviation from the median: half their distance does not see what moved or slipped. */
const LOW = 0.1587;
const HIGH = 0.8413;
const ROUNDS = 8;

/** Above this many pixels a frame, rows are left out. */
const MOST_PIXELS = 1e6;
/** Share of the pixels of one code that count: those amid the smallest steps, where a slip of the frames shows least. */
const FLATTEST = 0.25;
/** Larger steps are counted as this one. */
const MOST_STEP = 255;

/** One code of the brighter frame: variance = shot · byShot + read · byRead, over so many pixels. */
interface Equation {
  readonly pixels: number;
  readonly byShot: number;
  readonly byRead: number;
  readonly variance: number;
}

/**
 * The noise of a camera from how differently its frames show the same light: for every code of a frame, how far the
 * codes spread that the next darker frame has at those pixels, fitted by least squares. undefined where the
 * frames overlap too little to tell.
 * @param stacks aligned frames of one focus each
 * @param ev exposure of every frame, in stops
 * @param masks per stack and frame one byte a pixel, 0 = leave the pixel out
 */
export function measureNoise(
  stacks: readonly (readonly Frame[])[],
  ev: readonly (readonly number[])[],
  response: CameraResponse,
  masks?: readonly (readonly (Uint8Array | undefined)[])[],
): SensorNoise | undefined {
  const equations = stacks.flatMap((frames, stack) =>
    neighbours(ev[stack]).flatMap(({ darker, brighter, longer }) =>
      [0, 1, 2].flatMap((channel) => {
        const mask = [masks?.[stack]?.[darker], masks?.[stack]?.[brighter]];
        const counts = flatCounts(frames[darker], frames[brighter], channel, mask);
        return equationsOf(counts, response, channel, longer);
      }),
    ),
  );
  if (equations.length < FEWEST_CODES) return undefined;
  const coarse = stacks.every((frames) => frames.every(({ data }) => data instanceof Uint8Array));
  return { ...solve(equations), rounding: coarse ? ROUNDING : 0 };
}

/** Frames of a stack next to one another in exposure, and ln of how much longer the brighter one was exposed. */
function neighbours(ev: readonly number[]) {
  const order = ev.map((_, i) => i).sort((a, b) => ev[a] - ev[b] || a - b);
  return order.slice(1).flatMap((brighter, i) => {
    const darker = order[i];
    const longer = Math.LN2 * (ev[brighter] - ev[darker]);
    return longer > 0 ? [{ darker, brighter, longer }] : [];
  });
}

/**
 * How often the 8-bit codes of the darker frame go with those of the brighter one, [256 · brighter + darker], over the
 * flattest pixels of every code of the brighter frame. Flatness is that of the brighter frame's neighbours, so it says
 * nothing about the darker frame's noise.
 */
function flatCounts(
  darker: Frame,
  brighter: Frame,
  channel: number,
  masks: readonly (Uint8Array | undefined)[],
): Float64Array {
  const steps = new Uint32Array(256 * (MOST_STEP + 1));
  visitPixels(brighter, channel, masks, (code, step) => {
    steps[code * (MOST_STEP + 1) + step]++;
  });
  const limits = Uint8Array.from({ length: 256 }, (_, code) => {
    const row = steps.subarray(code * (MOST_STEP + 1), (code + 1) * (MOST_STEP + 1));
    const wanted = FLATTEST * row.reduce((a, b) => a + b, 0);
    let limit = 0;
    for (let below = row[0]; below < wanted; below += row[limit]) limit++;
    return limit;
  });
  const counts = new Float64Array(256 * 256);
  const { data } = darker;
  const wide = data instanceof Uint16Array;
  visitPixels(brighter, channel, masks, (code, step, i) => {
    if (step <= limits[code]) counts[256 * code + (wide ? code8(data[i]) : data[i])]++;
  });
  return counts;
}

/** Visits the inner pixels that both masks keep: code, how far its neighbours differ, and place in the data. */
function visitPixels(
  { width, height, data }: Frame,
  channel: number,
  [maskA, maskB]: readonly (Uint8Array | undefined)[],
  visit: (code: number, step: number, i: number) => void,
): void {
  const scale = data instanceof Uint16Array ? 1 / 257 : 1;
  const rows = Math.max(1, Math.ceil((width * height) / MOST_PIXELS));
  const below = 3 * width;
  for (let y = 1; y + 1 < height; y += rows) {
    for (let x = 1, p = y * width + 1; x + 1 < width; x++, p++) {
      if (maskA?.[p] === 0 || maskB?.[p] === 0) continue;
      const i = 3 * p + channel;
      const across = Math.abs(data[i + 3] - data[i - 3]);
      const down = Math.abs(data[i + below] - data[i - below]);
      visit((data[i] * scale + 0.5) | 0, Math.min(MOST_STEP, ((across + down) * scale) | 0), i);
    }
  }
}

function equationsOf(
  counts: Float64Array,
  response: CameraResponse,
  channel: number,
  longer: number,
): Equation[] {
  const table = inverseTable(response, channel);
  const equations: Equation[] = [];
  for (let code = FIRST_CODE; code <= LAST_CODE; code++) {
    const row = counts.subarray(256 * code, 256 * (code + 1));
    const pixels = row.reduce((a, b) => a + b, 0);
    if (pixels < FEWEST_PIXELS) continue;
    const low = quantile(row, LOW * pixels);
    const high = quantile(row, HIGH * pixels);
    // Of a spread that reaches the ends of the scale only a part is seen.
    if (low < 1 || high > LAST_CODE) continue;
    const bright = table[code];
    const dark = bright - longer;
    const slope = responseSlope(response, channel, dark) ** 2;
    const slopeBright = responseSlope(response, channel, bright) ** 2;
    if (slope === 0 || slopeBright === 0) continue;
    equations.push({
      pixels,
      byShot: slope * (Math.exp(-dark) + Math.exp(-bright)),
      byRead: slope * (Math.exp(-2 * dark) + Math.exp(-2 * bright)),
      variance: ((high - low) / 510) ** 2 - ROUNDING * (1 + slope / slopeBright),
    });
  }
  return equations;
}

/** The code, with its fraction, below which `wanted` pixels lie; a code's pixels are spread over its width. */
function quantile(counts: Float64Array, wanted: number): number {
  let below = 0;
  for (let z = 0; z < counts.length; z++) {
    if (below + counts[z] >= wanted) return z - 0.5 + (wanted - below) / counts[z];
    below += counts[z];
  }
  return counts.length;
}

/** Least squares weighed by how well variances are known, which is known only once they are: by iteration. */
function solve(equations: readonly Equation[]): Pick<SensorNoise, 'shot' | 'read'> {
  let shot = 1e-4;
  let read = 1e-7;
  for (let round = 0; round < ROUNDS; round++) {
    let [ss, sr, rr, s, r] = [0, 0, 0, 0, 0];
    for (const { pixels, byShot, byRead, variance } of equations) {
      const weight = pixels / (shot * byShot + read * byRead + 2 * ROUNDING) ** 2;
      ss += weight * byShot * byShot;
      sr += weight * byShot * byRead;
      rr += weight * byRead * byRead;
      s += weight * byShot * variance;
      r += weight * byRead * variance;
    }
    const determinant = ss * rr - sr * sr;
    shot = (s * rr - r * sr) / determinant;
    read = (r * ss - s * sr) / determinant;
    // Neither can be negative: then the other explains all.
    if (!(read >= 0)) {
      read = 0;
      shot = Math.max(0, s / ss);
    } else if (!(shot >= 0)) {
      shot = 0;
      read = Math.max(0, r / rr);
    }
  }
  return { shot, read };
}
