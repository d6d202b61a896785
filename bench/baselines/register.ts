import { type Homography, IDENTITY, invert, project } from '../samples/motion.js';

/**
 * A photograph as the reference view sees it, by Catmull-Rom interpolation of its pixel values; beyond its border the
 * nearest pixel repeats.
 *
 * @param homography maps pixel positions of the photograph to those of the reference.
 */
export function registered(
  pixels: Uint8Array,
  width: number,
  height: number,
  homography: Homography,
): Uint8Array {
  if (homography.every((v, i) => v === IDENTITY[i])) return pixels;
  const back = invert(homography);
  const at = new Float64Array(2);
  const wx = new Float64Array(4);
  const wy = new Float64Array(4);
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      project(back, x + 0.5, y + 0.5, at);
      const u = at[0] - 0.5;
      const v = at[1] - 0.5;
      const iu = Math.floor(u);
      const iv = Math.floor(v);
      catmullRom(u - iu, wx);
      catmullRom(v - iv, wy);
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let j = 0; j < 4; j++) {
          const row = Math.min(Math.max(iv - 1 + j, 0), height - 1) * width;
          let line = 0;
          for (let i = 0; i < 4; i++) {
            line += wx[i] * pixels[3 * (row + Math.min(Math.max(iu - 1 + i, 0), width - 1)) + c];
          }
          sum += wy[j] * line;
        }
        out[3 * (y * width + x) + c] = Math.min(Math.max(Math.round(sum), 0), 255);
      }
    }
  }
  return out;
}

function catmullRom(t: number, w: Float64Array): void {
  w[0] = ((2 - t) * t - 1) * t * 0.5;
  w[1] = ((3 * t - 5) * t * t + 2) * 0.5;
  w[2] = ((4 - 3 * t) * t + 1) * t * 0.5;
  w[3] = (t - 1) * t * t * 0.5;
}
