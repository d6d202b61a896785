import { createPlane, type Plane } from './reduced-luminance.js';
import { curveAt, type GapCurve } from './tone-curve.js';

/**
 * A curve applied to large forms alone: differences up to `DETAIL` stops between a place and its surroundings keep their
 * contrast. It is the fast local Laplacian filter (Aubry et al., "Fast Local Laplacian Filters", 2014): for samples g of
 * the range the whole picture is remapped around g, and each coefficient of the result's Laplacian pyramid is taken,
 * linearly, from the samples next to what the picture is there.
 */

/** Largest difference that counts as detail, and distance of the samples, in stops. */
const DETAIL = 1.2;
/** How much detail is raised; towards the dark end, where noise is, it falls to a quarter. */
const DETAIL_GAIN = 1.15;
const DARK_GAIN = 0.25;
const DARK_STOPS = 1.5;
/** Levels go on until the short side has this many pixels. */
const COARSEST = 8;

/** Log₂ luminance through the curve, in log₂ of what is shown. */
export function localLaplacian(log: Plane, curve: GapCurve): Plane {
  const levels = Math.max(2, Math.floor(Math.log2(Math.min(log.width, log.height) / COARSEST)) + 1);
  const guide = emptyPyramid(log, levels);
  guide[0].data.set(log.data);
  for (let i = 1; i < levels; i++) halve(guide[i - 1], guide[i]);
  const out = emptyPyramid(log, levels);
  const last = levels - 1;
  for (let i = 0; i < guide[last].data.length; i++) out[last].data[i] = curveAt(curve, guide[last].data[i]);
  addDetail(guide, out, curve);
  const doubled = emptyPyramid(log, last);
  for (let i = last - 1; i >= 0; i--) {
    double(out[i + 1], doubled[i]);
    const { data } = out[i];
    for (let j = 0; j < data.length; j++) data[j] += doubled[i].data[j];
  }
  return out[0];
}

/** Adds the Laplacian coefficients of every level but the coarsest. */
function addDetail(guide: readonly Plane[], out: readonly Plane[], curve: GapCurve): void {
  const { data } = guide[0];
  const { first, step, count } = samplesOf(data, curve);
  const toned = data.map((v) => curveAt(curve, v));
  const remapped = emptyPyramid(guide[0], guide.length);
  const doubled = emptyPyramid(guide[0], guide.length - 1);
  const end = first + (count - 1) * step;
  for (let k = 0; k < count; k++) {
    const g = first + k * step;
    remap(data, toned, curve, g, remapped[0].data);
    for (let i = 0; i < guide.length - 1; i++) {
      halve(remapped[i], remapped[i + 1]);
      double(remapped[i + 1], doubled[i]);
      const [from, coarse, at, to] = [remapped[i].data, doubled[i].data, guide[i].data, out[i].data];
      for (let j = 0; j < to.length; j++) {
        const v = at[j] < first ? first : at[j] > end ? end : at[j];
        const weight = 1 - Math.abs(v - g) / step;
        if (weight > 0) to[j] += weight * (from[j] - coarse[j]);
      }
    }
  }
}

/** Samples of the range, at least two, at most `DETAIL` apart. */
function samplesOf(data: Float32Array, { low, high }: GapCurve) {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of data) {
    if (v < least) least = v;
    if (v > most) most = v;
  }
  const first = Math.max(least, low - 1);
  const end = Math.max(Math.min(most, high + 1), first + 1e-3);
  const count = Math.max(2, Math.ceil((end - first) / DETAIL) + 1);
  return { first, step: (end - first) / (count - 1), count };
}

/** The picture as it is to be around g: the curve, with detail given back what the curve takes from it. */
function remap(data: Float32Array, toned: Float32Array, curve: GapCurve, g: number, to: Float32Array): void {
  const gain = Math.min(1, Math.max(DARK_GAIN, (g - curve.low) / DARK_STOPS + DARK_GAIN));
  const middle = curveAt(curve, g);
  const given = (c: number) => gain * (DETAIL_GAIN * c - curveAt(curve, g + c) + middle);
  const [darkest, brightest] = [given(-DETAIL), given(DETAIL)];
  for (let i = 0; i < data.length; i++) {
    const c = data[i] - g;
    to[i] = toned[i] + (c <= -DETAIL ? darkest : c >= DETAIL ? brightest : given(c));
  }
}

/** Planes of half the size each, the first as large as `finest`. */
function emptyPyramid({ width, height }: Plane, levels: number): Plane[] {
  const planes: Plane[] = [];
  for (let i = 0, w = width, h = height; i < levels; i++, w = (w + 1) >> 1, h = (h + 1) >> 1) {
    planes.push(createPlane(w, h));
  }
  return planes;
}

/** Index i of a line of n, mirrored at its ends. */
function mirrored(i: number, n: number): number {
  if (n === 1) return 0;
  const at = i < 0 ? -i : i;
  return at < n ? at : Math.max(0, 2 * n - 2 - at);
}

/** Burt and Adelson's reduction: (1, 4, 6, 4, 1) / 16 along both axes, and every other pixel. */
function halve(from: Plane, to: Plane): void {
  const { width, height, data } = from;
  const narrow = to.width;
  // The five rows that a row needs, each narrowed once, by its number modulo 8.
  const lines = new Float32Array(8 * narrow);
  const narrowed = (y: number): number => {
    const at = (y & 7) * narrow;
    const row = y * width;
    for (let x = 0; x < narrow; x++) {
      const c = 2 * x;
      lines[at + x] =
        c >= 2 && c + 2 < width
          ? (data[row + c - 2] +
              data[row + c + 2] +
              4 * (data[row + c - 1] + data[row + c + 1]) +
              6 * data[row + c]) /
            16
          : (data[row + mirrored(c - 2, width)] +
              data[row + mirrored(c + 2, width)] +
              4 * (data[row + mirrored(c - 1, width)] + data[row + mirrored(c + 1, width)]) +
              6 * data[row + c]) /
            16;
    }
    return y;
  };
  let done = -1;
  for (let y = 0; y < to.height; y++) {
    while (done < Math.min(height - 1, 2 * y + 2)) done = narrowed(done + 1);
    const line = (k: number) => (mirrored(2 * y + k, height) & 7) * narrow;
    const [a, b, c, d, e] = [line(-2), line(-1), line(0), line(1), line(2)];
    const out = y * narrow;
    for (let x = 0; x < narrow; x++) {
      to.data[out + x] =
        (lines[a + x] + lines[e + x] + 4 * (lines[b + x] + lines[d + x]) + 6 * lines[c + x]) / 16;
    }
  }
}

/** Burt and Adelson's expansion to the size of `to`. */
function double(from: Plane, to: Plane): void {
  const { width, height, data } = from;
  const wide = to.width;
  const lines = new Float32Array(4 * wide);
  const widened = (y: number): number => {
    const at = (y & 3) * wide;
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const middle = data[row + x];
      const left = data[row + (x > 0 ? x - 1 : 0)];
      const right = data[row + (x + 1 < width ? x + 1 : x)];
      lines[at + 2 * x] = (left + 6 * middle + right) / 8;
      if (2 * x + 1 < wide) lines[at + 2 * x + 1] = (middle + right) / 2;
    }
    return y;
  };
  let done = -1;
  for (let y = 0; y < height; y++) {
    while (done < Math.min(height - 1, y + 1)) done = widened(done + 1);
    const above = (Math.max(0, y - 1) & 3) * wide;
    const here = (y & 3) * wide;
    const below = (Math.min(height - 1, y + 1) & 3) * wide;
    const even = 2 * y * wide;
    for (let x = 0; x < wide; x++) {
      to.data[even + x] = (lines[above + x] + 6 * lines[here + x] + lines[below + x]) / 8;
    }
    if (2 * y + 1 >= to.height) continue;
    for (let x = 0; x < wide; x++) {
      to.data[even + wide + x] = (lines[here + x] + lines[below + x]) / 2;
    }
  }
}
