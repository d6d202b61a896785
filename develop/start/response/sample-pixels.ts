import type { Frame } from '../../../model/picture.js';
import { PixelReader } from '../merge/pixel-reader.js';
import { type CameraResponse, RESPONSE_MIN } from './response.js';

/** Pixels of one channel: pixel p has the values and shifts (ln 2 · ev) at [first[p], first[p + 1]), radiance u[p]. */
export interface PixelSamples {
  readonly count: number;
  readonly first: Uint32Array;
  readonly values: Float64Array;
  readonly shifts: Float64Array;
  /** ln radiance; a first guess to begin with. */
  readonly u: Float64Array;
}

/** Classes of ln radiance from which equally many pixels are drawn, so that every part of the curve is seen. */
const CLASSES = 64;
/** Most pixels, of all stacks together, that are looked at to draw from. */
const MOST_CANDIDATES = 80_000;

/**
 * Draws up to `most` pixels that at least two frames show, spread evenly over ln radiance, then over the picture.
 * @param response to guess the radiance by
 */
export function samplePixels(
  stacks: readonly (readonly Frame[])[],
  ev: readonly (readonly number[])[],
  response: CameraResponse,
  channel: number,
  masks: readonly (readonly (Uint8Array | undefined)[])[] | undefined,
  most: number,
): PixelSamples {
  const classOf = radianceClasses(ev.flat());
  const readers = stacks.map((frames, s) => new PixelReader(frames, response, ev[s], channel, masks?.[s]));
  const population = new Float64Array(CLASSES);
  visitCandidates(stacks, readers, (reader) => {
    population[classOf(reader.start)]++;
  });
  const quota = classQuota(population, most);
  const seen = new Float64Array(CLASSES);
  const first: number[] = [0];
  const values: number[] = [];
  const shifts: number[] = [];
  const u: number[] = [];
  visitCandidates(stacks, readers, (reader, used) => {
    const cls = classOf(reader.start);
    const share = Math.min(1, quota / population[cls]);
    const before = Math.floor(seen[cls] * share);
    seen[cls]++;
    if (Math.floor(seen[cls] * share) === before) return;
    for (let e = 0; e < used; e++) {
      values.push(reader.values[e]);
      shifts.push(reader.shifts[e]);
    }
    u.push(reader.start);
    first.push(values.length);
  });
  return {
    count: u.length,
    first: Uint32Array.from(first),
    values: Float64Array.from(values),
    shifts: Float64Array.from(shifts),
    u: Float64Array.from(u),
  };
}

/** Samples of several channels as those of one, for a curve that they share. */
export function poolSamples(parts: readonly PixelSamples[]): PixelSamples {
  const sizes = parts.map((part) => part.first[part.count]);
  const values = new Float64Array(sizes.reduce((a, b) => a + b, 0));
  const shifts = new Float64Array(values.length);
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const first = new Uint32Array(count + 1);
  const u = new Float64Array(count);
  let [pixel, value] = [0, 0];
  for (const [i, part] of parts.entries()) {
    for (let p = 0; p < part.count; p++) first[pixel + p] = value + part.first[p];
    values.set(part.values, value);
    shifts.set(part.shifts, value);
    u.set(part.u, pixel);
    pixel += part.count;
    value += sizes[i];
  }
  first[count] = value;
  return { count, first, values, shifts, u };
}

function radianceClasses(ev: readonly number[]): (u: number) => number {
  const low = RESPONSE_MIN - Math.LN2 * Math.max(...ev);
  const perUnit = CLASSES / (-Math.LN2 * Math.min(...ev) - low);
  return (u) => Math.min(CLASSES - 1, Math.max(0, Math.floor((u - low) * perUnit)));
}

function visitCandidates(
  stacks: readonly (readonly Frame[])[],
  readers: readonly PixelReader[],
  take: (reader: PixelReader, used: number) => void,
): void {
  stacks.forEach((frames, s) => {
    if (frames.length < 2) return;
    const pixels = frames[0].width * frames[0].height;
    // A step without a common factor with the width, or columns would repeat.
    let step = Math.max(1, Math.floor((pixels * stacks.length) / MOST_CANDIDATES));
    while (step > 1 && greatestCommonDivisor(step, frames[0].width) > 1) step++;
    for (let p = 0; p < pixels; p += step) {
      const used = readers[s].read(p);
      if (used >= 2) take(readers[s], used);
    }
  });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The quota a class such that Σ min(population, quota) = most; infinite where all pixels are fewer. */
function classQuota(population: Float64Array, most: number): number {
  const sizes = population.slice().sort();
  let left = most;
  for (let k = 0; k < sizes.length; k++) {
    const quota = left / (sizes.length - k);
    if (sizes[k] >= quota) return quota;
    left -= sizes[k];
  }
  return Number.POSITIVE_INFINITY;
}
