import type { Frame } from '../../../model/picture.js';
import { type Homography, invert } from './homography.js';
import { mirrored, SPLINE_TAPS, splineCoefficients, splineWeights } from './spline.js';

/** A frame as the reference sees it. */
export interface WarpedFrame {
  readonly frame: Frame;
  /** One byte a pixel, 0 = outside the photograph (or where its own mask is 0). */
  readonly mask: Uint8Array;
}

/**
 * Resamples a frame into the geometry of the reference by quintic splines through its encoded values; where the frame
 * shows nothing the mask is 0.
 *
 * @param homography maps pixel positions of the frame to those of the reference
 * @param valid one byte a pixel of the frame, 0 = no photograph there
 */
export function warpFrame(frame: Frame, homography: Homography, valid?: Uint8Array): WarpedFrame {
  const { width, height, data } = frame;
  const out = data instanceof Uint16Array ? new Uint16Array(data.length) : new Uint8Array(data.length);
  const mask = new Uint8Array(width * height);
  const spline = splineCoefficients(data, width, height, 3);
  const [a, b, c, d, e, f, g, h, i] = invert(homography) as unknown as Nine;
  // Places of what is read from −3 on to three beyond the end.
  const places = (count: number, stride: number) =>
    Int32Array.from({ length: count + 7 }, (_, i) => stride * mirrored(i - 3, count));
  const columnAt = places(width, 3);
  const rowAt = places(height, 3 * width);
  const columns = new Int32Array(SPLINE_TAPS);
  const rows = new Int32Array(SPLINE_TAPS);
  const wx = new Float64Array(SPLINE_TAPS);
  const wy = new Float64Array(SPLINE_TAPS);
  for (let y = 0; y < height; y++) {
    const v0 = y + 0.5;
    for (let x = 0; x < width; x++) {
      const u0 = x + 0.5;
      const w = 1 / (g * u0 + h * v0 + i);
      const px = (a * u0 + b * v0 + c) * w - 0.5;
      const py = (d * u0 + e * v0 + f) * w - 0.5;
      const to = y * width + x;
      // Half a pixel beyond the outermost centres the photograph ends.
      const inside = w > 0 && px >= -0.5 && py >= -0.5 && px <= width - 0.5 && py <= height - 0.5;
      // Far outside, any pixel will do; this also keeps the whole numbers below small.
      const sx = px > -1 ? (px < width ? px : width) : -1;
      const sy = py > -1 ? (py < height ? py : height) : -1;
      const ix = Math.floor(sx);
      const iy = Math.floor(sy);
      for (let k = 0; k < SPLINE_TAPS; k++) {
        columns[k] = columnAt[ix + 1 + k];
        rows[k] = rowAt[iy + 1 + k];
      }
      if (inside) mask[to] = valid ? validAround(valid, columns, rows) : 1;
      splineWeights(sx - ix, wx);
      splineWeights(sy - iy, wy);
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let j = 0; j < SPLINE_TAPS; j++) {
          const row = rows[j] + k;
          sum +=
            wy[j] *
            (wx[0] * spline[row + columns[0]] +
              wx[1] * spline[row + columns[1]] +
              wx[2] * spline[row + columns[2]] +
              wx[3] * spline[row + columns[3]] +
              wx[4] * spline[row + columns[4]] +
              wx[5] * spline[row + columns[5]]);
        }
        out[3 * to + k] = Math.floor(within(sum, data, columns, rows, k) + 0.5);
      }
    }
  }
  return { frame: { ...frame, data: out }, mask };
}

/** The value, not beyond the samples around it: a spline rings beside edges, and clipped lights must stay clipped. */
function within(
  value: number,
  data: ArrayLike<number>,
  columns: Int32Array,
  rows: Int32Array,
  k: number,
): number {
  const upper = rows[2] + k;
  const lower = rows[3] + k;
  const first = data[upper + columns[2]];
  const second = data[upper + columns[3]];
  const third = data[lower + columns[2]];
  const fourth = data[lower + columns[3]];
  // Between the nearest four, as most are, there is no need to look at sixteen.
  if (value < first || value < second || value < third || value < fourth) {
    if (value > first || value > second || value > third || value > fourth) return value;
  } else return Math.min(value, highest(data, columns, rows, k));
  return Math.max(value, lowest(data, columns, rows, k));
}

function highest(data: ArrayLike<number>, columns: Int32Array, rows: Int32Array, k: number): number {
  let high = 0;
  for (let j = 1; j < 5; j++) {
    for (let i = 1; i < 5; i++) {
      const v = data[rows[j] + k + columns[i]];
      if (v > high) high = v;
    }
  }
  return high;
}

function lowest(data: ArrayLike<number>, columns: Int32Array, rows: Int32Array, k: number): number {
  let low = Number.POSITIVE_INFINITY;
  for (let j = 1; j < 5; j++) {
    for (let i = 1; i < 5; i++) {
      const v = data[rows[j] + k + columns[i]];
      if (v < low) low = v;
    }
  }
  return low;
}

type Nine = [number, number, number, number, number, number, number, number, number];

/** Whether all of the 6 × 6 pixels whose coefficients are read are photograph. */
function validAround(valid: Uint8Array, columns: Int32Array, rows: Int32Array): number {
  for (const row of rows) {
    for (const column of columns) if (valid[(row + column) / 3] === 0) return 0;
  }
  return 1;
}
