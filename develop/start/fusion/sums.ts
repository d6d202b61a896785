/**
 * The running sums of a fusion: frames are added one after the other, in order of focus, and none is looked at again. A
 * frame weighs (S/M)^8 at a pixel, S being its evidence there and M the most that any had so far; when a frame brings more,
 * what was summed before is scaled down. The finest band is fused at full size, what remains at half size.
 */
import { type FrameBands, frameBands } from './bands.js';
import { evidence, type Window, windowsOf } from './evidence.js';
import type { NoiseTables } from './noise-table.js';
import { betweenBlocks, double, enlargedRow, halfOf, halve } from './planes.js';

const { fround } = Math;

/** Every frame has so much evidence, as a share of the finest band's mean noise: where nothing is sure, all count alike. */
const LEAST_EVIDENCE = 0.02;
/** Coarser bands count so much less, for their energy is so much larger. */
const BAND_WEIGHTS = [1, 1 / 32, 1 / 1024] as const;
/** The result stays so near to the frames' codes at a pixel: what is fused of two bands may overshoot. */
export const SLACK = 2;
/** A pixel that a frame does not show has this share of the least evidence. */
const MISSING = 1e-3;

/** Sums of one size. */
export interface LevelSums {
  /** The most evidence so far. */
  readonly most: Float32Array;
  readonly weight: Float32Array;
  /** Red, green and blue, weighted. */
  readonly light: readonly [Float32Array, Float32Array, Float32Array];
}

export interface FusionSums {
  readonly width: number;
  readonly height: number;
  readonly full: LevelSums;
  readonly half: LevelSums;
  /** Least and most code at a pixel over all frames, rounded outwards; 255 is no bound from above. Interleaved. */
  readonly least: Uint8Array;
  readonly greatest: Uint8Array;
  /** The frame of most evidence. */
  readonly best: Uint16Array;
  /** Evidence of the frame before it, of the one after it, and of the latest frame. */
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly latest: Float32Array;
}

/** Constants of one fusion. */
export interface FusionTerms {
  readonly tables: NoiseTables;
  /** Windows of the three bands. */
  readonly windows: readonly (readonly Window[])[];
  /** What every frame has of evidence. */
  readonly least: number;
}

export function fusionTerms(tables: NoiseTables): FusionTerms {
  let mean = 0;
  for (const noise of tables[0]) mean += noise / tables[0].length;
  return { tables, windows: [0, 1, 2].map(windowsOf), least: fround(LEAST_EVIDENCE * mean) };
}

/** The evidence of a pixel that a frame does not show. */
export const missingEvidence = ({ least }: FusionTerms): number => fround(least * MISSING);

export function emptySums(width: number, height: number): FusionSums {
  const pixels = width * height;
  const level = (count: number): LevelSums => ({
    most: new Float32Array(count),
    weight: new Float32Array(count),
    light: [new Float32Array(count), new Float32Array(count), new Float32Array(count)],
  });
  return {
    width,
    height,
    full: level(pixels),
    half: level(halfOf(width) * halfOf(height)),
    least: new Uint8Array(3 * pixels).fill(255),
    greatest: new Uint8Array(3 * pixels),
    best: new Uint16Array(pixels),
    before: new Float32Array(pixels),
    after: new Float32Array(pixels),
    latest: new Float32Array(pixels),
  };
}

/**
 * Adds frame `index`, the first being 0.
 *
 * @param codes interleaved, 3 channels; see bands.ts
 * @param mask 0 where the frame shows nothing: its codes there are to be those of another frame
 */
export function addToFusion(
  sums: FusionSums,
  codes: Float32Array,
  mask: Uint8Array | undefined,
  index: number,
  terms: FusionTerms,
): void {
  const { width, height } = sums;
  const frame = frameBands(codes, width, height);
  const [full, half] = evidenceOf(frame, terms);
  if (mask) hideMissing(full, half, mask, sums, missingEvidence(terms));
  track(sums, full, index);
  accumulate(sums.full, full, frame.detail);
  accumulate(sums.half, half, frame.rest);
  bound(sums, codes);
}

/** Evidence at full and at half size. */
function evidenceOf(
  { bands }: FrameBands,
  { tables, windows, least }: FusionTerms,
): [Float32Array, Float32Array] {
  const noise = bands.map(({ brightness }, l) => Float32Array.from(brightness, (code) => tables[l][code]));
  const [fine, middle] = bands;
  const own = bands.map(({ energy, width, height }, l) =>
    evidence(energy, noise[l], width, height, windows[l]),
  );
  const full = own[0].map((v) => v + least);
  addEnlarged(full, fine.width, fine.height, own[1], 2, BAND_WEIGHTS[1]);
  addEnlarged(full, fine.width, fine.height, own[2], 4, BAND_WEIGHTS[2]);
  const lower = (plane: Float32Array) => halve(plane, fine.width, fine.height);
  const half = evidence(lower(fine.energy), lower(noise[0]), middle.width, middle.height, windows[1]);
  for (let p = 0; p < half.length; p++) {
    half[p] = fround(half[p] + least) + fround(BAND_WEIGHTS[1] * own[1][p]);
  }
  addEnlarged(half, middle.width, middle.height, own[2], 2, BAND_WEIGHTS[2]);
  return [full, half];
}

/** Adds a plane of a coarser band, times `weight`. */
function addEnlarged(
  out: Float32Array,
  width: number,
  height: number,
  coarse: Float32Array,
  side: number,
  weight: number,
): void {
  const [across, down] = [betweenBlocks(width, side), betweenBlocks(height, side)];
  const row = new Float32Array(width);
  for (let y = 0, p = 0; y < height; y++) {
    enlargedRow(coarse, y, across, down, row);
    for (let x = 0; x < width; x++, p++) out[p] += fround(weight * row[x]);
  }
}

function hideMissing(
  full: Float32Array,
  half: Float32Array,
  mask: Uint8Array,
  { width, height }: FusionSums,
  missing: number,
): void {
  const columns = halfOf(width);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      if (mask[p] !== 0) continue;
      full[p] = missing;
      half[(y >> 1) * columns + (x >> 1)] = missing;
    }
}

/** Which frame has most evidence, and what its neighbours have. */
function track(sums: FusionSums, evidence: Float32Array, index: number): void {
  const { best, before, after, latest } = sums;
  const { most } = sums.full;
  for (let p = 0; p < evidence.length; p++) {
    if (index === 0 || evidence[p] > most[p]) {
      best[p] = index;
      before[p] = latest[p];
      after[p] = 0;
    } else if (index === best[p] + 1) after[p] = evidence[p];
    latest[p] = evidence[p];
  }
}

function accumulate(
  { most, weight, light: [r, g, b] }: LevelSums,
  evidence: Float32Array,
  [red, green, blue]: readonly Float32Array[],
): void {
  for (let p = 0; p < evidence.length; p++) {
    const high = Math.max(most[p], evidence[p]);
    const scale = eighth(fround(most[p] / high));
    const share = eighth(fround(evidence[p] / high));
    most[p] = high;
    weight[p] = fround(weight[p] * scale) + share;
    r[p] = fround(r[p] * scale) + fround(red[p] * share);
    g[p] = fround(g[p] * scale) + fround(green[p] * share);
    b[p] = fround(b[p] * scale) + fround(blue[p] * share);
  }
}

function eighth(v: number): number {
  const square = fround(v * v);
  const fourth = fround(square * square);
  return fround(fourth * fourth);
}

function bound({ least, greatest }: FusionSums, codes: Float32Array): void {
  for (let i = 0; i < codes.length; i++) {
    const low = Math.floor(Math.min(Math.max(codes[i], 0), 255));
    const high = Math.ceil(Math.min(Math.max(codes[i], 0), 255));
    if (low < least[i]) least[i] = low;
    if (high > greatest[i]) greatest[i] = high;
  }
}

/** The fused codes, interleaved: not below 0, nor further than {@link SLACK} beyond what the frames have. */
export function fusedCodes({ width, height, full, half, least, greatest }: FusionSums): Float32Array {
  const out = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) {
    const rest = double(
      half.light[c].map((v, p) => v / half.weight[p]),
      width,
      height,
    );
    for (let p = 0, i = c; p < rest.length; p++, i += 3) {
      const code = fround(full.light[c][p] / full.weight[p]) + rest[p];
      const high = greatest[i] === 255 ? Number.POSITIVE_INFINITY : greatest[i] + SLACK;
      out[i] = Math.min(Math.max(code, least[i] - SLACK, 0), high);
    }
  }
  return out;
}
