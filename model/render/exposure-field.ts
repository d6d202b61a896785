import { percentile } from '../percentile.js';
import type { Picture } from '../picture.js';
import type { Rect } from '../shards.js';
import { localLaplacian } from './local-laplacian.js';
import { createPlane, logLuminanceRow, type Plane, reducedLogLuminance } from './reduced-luminance.js';
import type { GapCurve } from './tone-curve.js';

/**
 * Exposure of every place of a picture, in stops, with which the film curve then shows it: shadows are lifted, lights held
 * back, as if they had been photographed by themselves. It is kept small, as a line in log₂ luminance L for every place:
 * e = (slope − 1) · L + offset. So it follows the edges of the full picture, and of any part of it.
 */
export interface ExposureField {
  readonly width: number;
  readonly height: number;
  readonly slope: Float32Array;
  readonly offset: Float32Array;
  /** Luminance, above 0, below which e stays what it is there. */
  readonly floor: number;
  /** e of half of the picture is less, in stops. */
  readonly middle: number;
}

/** Long side on which a field is computed. */
const LONGEST = 1024;
/** The line at a place is fitted to the pixels within this distance of it (He et al., "Guided image filtering", 2013) … */
const RADIUS = 6;
/** … with a preference, in square stops, for leaving contrast as it is where there is none to learn from. */
const PREFERENCE = 0.02;

/** The field of a whole picture, linear RGB of any scale. */
export function exposureField(light: Picture, curve: GapCurve): ExposureField {
  const log = reducedLogLuminance(light, LONGEST, curve.floor);
  const shown = localLaplacian(log, curve);
  const e = shown.data.map((v, i) => v - log.data[i]);
  const common = { width: log.width, height: log.height, floor: curve.floor, middle: percentile(e, 50) };
  if (log.width === light.width && log.height === light.height) {
    return { ...common, slope: new Float32Array(e.length).fill(1), offset: e };
  }
  return { ...common, ...linesOf(log, shown) };
}

/** The lines that fit what is shown to what is there. */
function linesOf(log: Plane, shown: Plane): Pick<ExposureField, 'slope' | 'offset'> {
  const product = (a: Plane, b: Plane) => ({ ...a, data: a.data.map((v, i) => v * b.data[i]) });
  const [mean, meanShown] = [boxMean(log), boxMean(shown)];
  const [square, both] = [boxMean(product(log, log)), boxMean(product(log, shown))];
  const slope = new Float32Array(mean.length);
  const offset = new Float32Array(mean.length);
  for (let i = 0; i < mean.length; i++) {
    const variance = Math.max(0, square[i] - mean[i] * mean[i]);
    slope[i] = (both[i] - mean[i] * meanShown[i] + PREFERENCE) / (variance + PREFERENCE);
    offset[i] = meanShown[i] - slope[i] * mean[i];
  }
  return { slope, offset };
}

/** Means over squares of 2 · RADIUS + 1, of what of them lies within the picture. */
function boxMean({ width, height, data }: Plane): Float64Array {
  const lines = new Float64Array(data.length);
  runningMeans(data, lines, height, width, width, 1);
  const out = new Float64Array(data.length);
  runningMeans(lines, out, width, height, 1, width);
  return out;
}

function runningMeans(
  from: Float32Array | Float64Array,
  to: Float64Array,
  lines: number,
  length: number,
  stride: number,
  step: number,
): void {
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    let [sum, count] = [0, 0];
    for (let x = -RADIUS; x < length; x++) {
      if (x + RADIUS < length) {
        sum += from[start + (x + RADIUS) * step];
        count++;
      }
      if (x - RADIUS - 1 >= 0) {
        sum -= from[start + (x - RADIUS - 1) * step];
        count--;
      }
      if (x >= 0) to[start + x * step] = sum / count;
    }
  }
}

/** The part of the whole that a picture shows, all in the whole's pixels. */
export interface Place extends Rect {
  readonly of: { readonly width: number; readonly height: number };
}

/**
 * Calls `use` with the exposures of each row of a picture, in stops; they are overwritten by the next row's.
 *
 * @param light linear RGB, whose luminance the field follows
 * @param place which part of the field's picture it shows, at any size; default: all of it
 */
export function forExposures(
  light: Picture,
  field: ExposureField,
  place: Place | undefined,
  use: (row: number, exposures: Float64Array) => void,
): void {
  const { width, height } = light;
  const part = place ?? { x: 0, y: 0, width, height, of: { width, height } };
  const columns = between(part.x, part.width, part.of.width, width, field.width);
  const rows = between(part.y, part.height, part.of.height, height, field.height);
  const line = createPlane(field.width, 2);
  const exposures = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    blendRows(field, rows.first[y], rows.share[y], line.data);
    logLuminanceRow(light, y, field.floor, exposures);
    for (let x = 0; x < width; x++) {
      const at = columns.first[x];
      const share = columns.share[x];
      const next = at + (share > 0 ? 1 : 0);
      const slope = line.data[at] + share * (line.data[next] - line.data[at]);
      const there = field.width + at;
      const offset = line.data[there] + share * (line.data[field.width + next] - line.data[there]);
      exposures[x] = (slope - 1) * exposures[x] + offset;
    }
    use(y, exposures);
  }
}

/** One row of slopes and one of offsets, between two rows of the field. */
function blendRows({ width, slope, offset }: ExposureField, row: number, share: number, to: Float32Array) {
  const at = row * width;
  const next = share > 0 ? at + width : at;
  for (let x = 0; x < width; x++) {
    to[x] = slope[at + x] + share * (slope[next + x] - slope[at + x]);
    to[width + x] = offset[at + x] + share * (offset[next + x] - offset[at + x]);
  }
}

/** For pixels of a picture of part of a line: the field's pixel before the centre of each, and the share of the next. */
function between(start: number, length: number, whole: number, pixels: number, fieldPixels: number) {
  const first = new Int32Array(pixels);
  const share = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const centre = start + ((i + 0.5) * length) / pixels;
    const at = Math.min(fieldPixels - 1, Math.max(0, (centre * fieldPixels) / whole - 0.5));
    first[i] = Math.floor(at);
    share[i] = at - first[i];
  }
  return { first, share };
}
