import type { Frame } from '../picture.js';
import { fullScale } from '../picture.js';
import { type Homography, invert } from './align-homography.js';

/** A frame as the reference sees it. */
export interface WarpedFrame {
  readonly frame: Frame;
  /** One byte a pixel, 0 = outside the photograph (or where its own mask is 0). */
  readonly mask: Uint8Array;
}

/**
 * Resamples a frame into the geometry of the reference by Catmull–Rom interpolation of its encoded values (Keys 1981,
 * a = −½); beyond its border the nearest pixel repeats and the mask is 0.
 *
 * @param homography maps pixel positions of the frame to those of the reference
 * @param valid one byte a pixel of the frame, 0 = no photograph there
 */
export function warpFrame(frame: Frame, homography: Homography, valid?: Uint8Array): WarpedFrame {
  const { width, height, data } = frame;
  const out = data instanceof Uint16Array ? new Uint16Array(data.length) : new Uint8Array(data.length);
  const mask = new Uint8Array(width * height);
  const top = fullScale(frame);
  const [a, b, c, d, e, f, g, h, i] = invert(homography) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsets = new Int32Array(8);
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
      const sx = px > -2 ? (px < width + 1 ? px : width + 1) : -2;
      const sy = py > -2 ? (py < height + 1 ? py : height + 1) : -2;
      const ix = Math.floor(sx);
      const iy = Math.floor(sy);
      const t = sx - ix;
      const s = sy - iy;
      for (let k = 0; k < 4; k++) {
        const xx = ix - 1 + k;
        const yy = iy - 1 + k;
        offsets[k] = 3 * (xx < 0 ? 0 : xx < width ? xx : width - 1);
        offsets[4 + k] = 3 * width * (yy < 0 ? 0 : yy < height ? yy : height - 1);
      }
      if (inside) mask[to] = valid ? validAround(valid, offsets) : 1;
      const x0 = offsets[0]!;
      const x1 = offsets[1]!;
      const x2 = offsets[2]!;
      const x3 = offsets[3]!;
      const wx0 = ((2 - t) * t - 1) * t * 0.5;
      const wx1 = ((3 * t - 5) * t * t + 2) * 0.5;
      const wx2 = ((4 - 3 * t) * t + 1) * t * 0.5;
      const wx3 = (t - 1) * t * t * 0.5;
      const wy0 = ((2 - s) * s - 1) * s * 0.5;
      const wy1 = ((3 * s - 5) * s * s + 2) * 0.5;
      const wy2 = ((4 - 3 * s) * s + 1) * s * 0.5;
      const wy3 = (s - 1) * s * s * 0.5;
      for (let k = 0; k < 3; k++) {
        let row = offsets[4]! + k;
        let sum =
          wy0 *
          (wx0 * data[row + x0]! + wx1 * data[row + x1]! + wx2 * data[row + x2]! + wx3 * data[row + x3]!);
        row = offsets[5]! + k;
        sum +=
          wy1 *
          (wx0 * data[row + x0]! + wx1 * data[row + x1]! + wx2 * data[row + x2]! + wx3 * data[row + x3]!);
        row = offsets[6]! + k;
        sum +=
          wy2 *
          (wx0 * data[row + x0]! + wx1 * data[row + x1]! + wx2 * data[row + x2]! + wx3 * data[row + x3]!);
        row = offsets[7]! + k;
        sum +=
          wy3 *
          (wx0 * data[row + x0]! + wx1 * data[row + x1]! + wx2 * data[row + x2]! + wx3 * data[row + x3]!);
        const rounded = Math.floor(sum + 0.5);
        out[3 * to + k] = rounded < 0 ? 0 : rounded > top ? top : rounded;
      }
    }
  }
  return { frame: { ...frame, data: out }, mask };
}

/** Whether all of the 4 × 4 pixels that interpolation reads are photograph. */
function validAround(valid: Uint8Array, offsets: Int32Array): number {
  for (let j = 4; j < 8; j++) {
    for (let i = 0; i < 4; i++) if (valid[(offsets[i]! + offsets[j]!) / 3] === 0) return 0;
  }
  return 1;
}
