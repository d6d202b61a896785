/**
 * The views of a focus stack at the size the sweep works at: linear light, brightness evened out between views,
 * mixed down from three channels to two, and their logarithms as 16-bit integers for fast comparison.
 *
 * Two mixes, a warm one (2R + G)/3 and a cool one (G + 2B)/3, find depth as well as three channels (correlation with
 * the truth the same to 0.001 on five scenes) for two thirds of the work; their mean is (R + G + B)/3.
 */
import { ImplicamError } from '../../../model/errors.js';
import type { Picture } from '../../../model/picture.js';
import { portableKernels, type StartKernels } from '../kernels.js';
import { logInPlace } from '../pixels/fast-math.js';
import { MIXES } from '../pixels/log-steps.js';
import { areaResize, fitWithin } from '../pixels/resize.js';

/** A warm and a cool plane of linear light. */
export type MixPlanes = readonly [Float32Array, Float32Array];

export interface FocusStack {
  readonly width: number;
  readonly height: number;
  /** Pixels of the full picture per pixel here along a side, ≥ 1. */
  readonly reduction: number;
  /** Linear light per view. */
  readonly light: readonly MixPlanes[];
  /** ln(light + floor) in steps of 1/LOG_STEPS, per view. */
  readonly logs: readonly (readonly [Int16Array, Int16Array])[];
  /** Added before taking logarithms, so that noise in the dark counts little. */
  readonly floor: number;
  readonly focus: readonly number[];
  readonly aperture: readonly number[];
  /** 0 where a view has no data (after registration), per view; absent where all is valid. */
  readonly valid: readonly (Uint8Array | undefined)[];
  /** What works on it. */
  readonly kernels: StartKernels;
}

/** Refuses views, focus values and apertures that do not belong together. */
export function checkFocusStack(
  views: readonly Picture[],
  focus: readonly number[],
  aperture: readonly number[],
): void {
  const refuse = (what: string): never => {
    throw new ImplicamError('bad-focus-stack', what);
  };
  if (views.length < 2)
    refuse(`a focus stack needs at least two views, but got ${views.length}: add frames with other focus`);
  if (views.length > 255) refuse(`${views.length} views are more than the 255 that a focus stack may have`);
  if (focus.length !== views.length || aperture.length !== views.length)
    refuse(
      `${views.length} views but ${focus.length} focus values and ${aperture.length} apertures: give one per view`,
    );
  const { width, height } = views[0];
  if (width < 16 || height < 16)
    refuse(`views of ${width}×${height} pixels are too small: 16×16 is the least`);
  views.forEach((view, v) => {
    if (view.width !== width || view.height !== height)
      refuse(
        `view ${v} is ${view.width}×${view.height} but view 0 is ${width}×${height}: register or resize them first`,
      );
    if (view.channels !== 3)
      refuse(`view ${v} has ${view.channels} channels: the sweep wants 3 of ln radiance`);
    if (!Number.isFinite(focus[v]))
      refuse(`the focus value of view ${v} is ${focus[v]}: it must be a number`);
    if (!(aperture[v] > 0)) refuse(`the aperture of view ${v} is ${aperture[v]}: it must be above 0`);
  });
  if (!(Math.max(...focus) > Math.min(...focus)))
    refuse(`all views have focus ${focus[0]}: a defocus map needs at least two different focus values`);
}

/**
 * Reduces the views (ln radiance) to at most `pixels` pixels each and prepares them for comparison. Also returns what
 * must be added to ln radiance per view and channel to even out their brightness.
 */
export function focusStack(
  views: readonly Picture[],
  focus: readonly number[],
  aperture: readonly number[],
  pixels: number,
  valid: readonly (Uint8Array | undefined)[] = [],
  kernels: StartKernels = portableKernels,
): { stack: FocusStack; gains: number[][] } {
  const { width: fullWidth, height: fullHeight } = views[0];
  const { width, height } = fitWithin(fullWidth, fullHeight, pixels);
  const channels = views.map((view) => [0, 1, 2].map((c) => kernels.channelLight(view, c, 0, width, height)));
  const gains = evenOut(channels, width, height);
  const light = channels.map((planes, v) => mix(planes, gains[v]));
  const masks = views.map((_, v) => reduceMask(valid[v], fullWidth, fullHeight, width, height));
  fillMissing(light, masks);
  const floor = 0.01 * typicalLight(light[0][0]);
  return {
    gains,
    stack: {
      width,
      height,
      reduction: Math.sqrt((fullWidth * fullHeight) / (width * height)),
      light,
      logs: light.map((planes) => logPlanes(planes, floor, kernels)),
      floor,
      focus,
      aperture,
      valid: masks,
      kernels,
    },
  };
}

/** Where a view has no data, the mean of those that have: it must not blur into its surroundings as if it were dark. */
function fillMissing(light: readonly MixPlanes[], masks: readonly (Uint8Array | undefined)[]): void {
  masks.forEach((mask, v) => {
    if (mask === undefined) return;
    for (let p = 0; p < mask.length; p++) {
      if (mask[p] !== 0) continue;
      for (let m = 0; m < MIXES; m++) {
        let sum = 0;
        let count = 0;
        for (let k = 0; k < light.length; k++) {
          const other = masks[k];
          if (other !== undefined && other[p] === 0) continue;
          sum += light[k][m][p];
          count++;
        }
        if (count > 0) light[v][m][p] = sum / count;
      }
    }
  });
}

function mix(planes: readonly Float32Array[], gains: readonly number[]): MixPlanes {
  const [r, g, b] = planes as [Float32Array, Float32Array, Float32Array];
  const [kr, kg, kb] = gains.map((gain) => Math.exp(gain) / 3) as [number, number, number];
  const warm = new Float32Array(r.length);
  const cool = new Float32Array(r.length);
  for (let p = 0; p < r.length; p++) {
    const green = kg * g[p];
    warm[p] = 2 * kr * r[p] + green;
    cool[p] = 2 * kb * b[p] + green;
  }
  return [warm, cool];
}

/** The stack at half the size. */
export function halveStack(stack: FocusStack): FocusStack {
  const width = (stack.width + 1) >> 1;
  const height = (stack.height + 1) >> 1;
  const half = (plane: Float32Array): Float32Array =>
    areaResize(plane, stack.width, stack.height, width, height);
  const light = stack.light.map(([warm, cool]): MixPlanes => [half(warm), half(cool)]);
  return {
    ...stack,
    width,
    height,
    reduction: stack.reduction * 2,
    light,
    logs: light.map((planes) => logPlanes(planes, stack.floor, stack.kernels)),
    valid: stack.valid.map((mask) => reduceMask(mask, stack.width, stack.height, width, height)),
  };
}

/** At most `most` views, evenly chosen in the order of focus and with both ends among them. */
export function thinStack(stack: FocusStack, most: number): FocusStack {
  const order = stack.focus.map((_, v) => v).sort((a, b) => stack.focus[a] - stack.focus[b]);
  if (order.length <= most) return stack;
  const kept = Array.from(
    { length: most },
    (_, i) => order[Math.round((i * (order.length - 1)) / (most - 1))],
  );
  const pick = <T>(list: readonly T[]): T[] => kept.map((v) => list[v]!);
  return {
    ...stack,
    light: pick(stack.light),
    logs: pick(stack.logs),
    focus: pick(stack.focus),
    aperture: pick(stack.aperture),
    valid: pick(stack.valid),
  };
}

function logPlanes(
  [warm, cool]: MixPlanes,
  floor: number,
  { quantisedLog }: StartKernels,
): [Int16Array, Int16Array] {
  return [quantisedLog(warm, floor), quantisedLog(cool, floor)];
}

function reduceMask(
  mask: Uint8Array | undefined,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array | undefined {
  if (mask === undefined || (width === toWidth && height === toHeight)) return mask;
  const shown = new Float32Array(mask.length);
  for (let p = 0; p < shown.length; p++) if (mask[p] !== 0) shown[p] = 1;
  const share = areaResize(shown, width, height, toWidth, toHeight);
  const out = new Uint8Array(share.length);
  for (let p = 0; p < out.length; p++) if (share[p] > 0.999) out[p] = 1;
  return out;
}

/**
 * Defocus moves light but does not change how much there is, so means over blocks much larger than the blur agree
 * between views unless the exposure does not. Returns, per view and channel, the gain in ln to the mean of all views.
 */
function evenOut(views: readonly (readonly Float32Array[])[], width: number, height: number): number[][] {
  const columns = Math.max(1, Math.min(12, width >> 3));
  const rows = Math.max(1, Math.min(8, height >> 3));
  const blocks = views.map((planes) =>
    planes.map((plane) => logInPlace(areaResize(plane, width, height, columns, rows).map((v) => v + 1e-12))),
  );
  return views.map((planes, v) =>
    planes.map((_, c) => {
      const differences = Array.from(blocks[v][c], (value, b) => {
        let mean = 0;
        for (const view of blocks) mean += view[c][b];
        return mean / blocks.length - value;
      });
      return medianOf(differences);
    }),
  );
}

/** Geometric mean of some of the plane. */
function typicalLight(plane: Float32Array): number {
  let sum = 0;
  let count = 0;
  const step = Math.max(1, Math.floor(plane.length / 20000));
  for (let p = 0; p < plane.length; p += step, count++) sum += Math.log(Math.max(plane[p], 1e-12));
  return Math.exp(sum / count);
}

/** The middle of the values (the mean of the two middle ones); NaN for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
