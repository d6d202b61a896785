/**
 * What a frame of a focus stack shows of detail: the energy of three Laplacian bands in all colours, and how bright it
 * is there. Frames are codes: light with a gamma of {@link GAMMA} as 0 … 255 (brighter than white goes on above), in which
 * contrast counts about as an eye sees it. Linear light chooses worse (by 1 to 2 dB on four stacks with truth).
 */
import { double, halfOf, halve } from './planes.js';

const { fround } = Math;

/** Codes are 255 · light^(1/GAMMA). */
export const GAMMA = 2.2;

/** Bands of detail that are judged: of one, two and four pixels. */
export const BANDS = 3;

/** What red, green and blue count for in the energy of a band. */
const WEIGHTS = [0.375, 0.75, 0.375] as const;

/** One band's energy and brightness: at full size, at half and at a quarter. */
export interface Band {
  readonly width: number;
  readonly height: number;
  readonly energy: Float32Array;
  /** Brightness as a code from 0 to 255. */
  readonly brightness: Uint8Array;
}

export interface FrameBands {
  readonly bands: readonly Band[];
  /** The finest band of red, green and blue. */
  readonly detail: readonly Float32Array[];
  /** What remains without it, at half size. */
  readonly rest: readonly Float32Array[];
}

/** Sizes of the bands. */
export function bandSizes(width: number, height: number): { width: number; height: number }[] {
  const half = { width: halfOf(width), height: halfOf(height) };
  return [{ width, height }, half, { width: halfOf(half.width), height: halfOf(half.height) }];
}

/** What {@link frameBands} tells of energy and brightness. */
export function bandEnergy(codes: Float32Array, width: number, height: number): readonly Band[] {
  return frameBands(codes, width, height).bands;
}

/** @param codes interleaved, 3 channels */
export function frameBands(codes: Float32Array, width: number, height: number): FrameBands {
  let planes: Float32Array[] = [0, 1, 2].map((c) =>
    Float32Array.from({ length: width * height }, (_, p) => codes[3 * p + c]),
  );
  const bands: Band[] = [];
  let detail: Float32Array[] = [];
  let rest: Float32Array[] = [];
  for (const [l, { width: w, height: h }] of bandSizes(width, height).entries()) {
    const lower = planes.map((plane) => halve(plane, w, h));
    const fine = planes.map((plane, c) => {
      const smooth = double(lower[c], w, h);
      return plane.map((v, p) => v - smooth[p]);
    });
    bands.push({ width: w, height: h, energy: energyOf(fine), brightness: brightnessOf(planes) });
    if (l === 0) [detail, rest] = [fine, lower];
    planes = lower;
  }
  return { bands, detail, rest };
}

function energyOf([r, g, b]: readonly Float32Array[]): Float32Array {
  return r.map((v, p) => {
    const warm = fround(fround(WEIGHTS[0] * fround(v * v)) + fround(WEIGHTS[1] * fround(g[p] * g[p])));
    return warm + fround(WEIGHTS[2] * fround(b[p] * b[p]));
  });
}

function brightnessOf([r, g, b]: readonly Float32Array[]): Uint8Array {
  return Uint8Array.from(r, (v, p) => {
    const mean = fround(fround(fround(v + b[p]) + fround(2 * g[p])) * 0.25);
    return Math.floor(Math.min(Math.max(mean, 0), 255));
  });
}
