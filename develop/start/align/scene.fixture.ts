import { RandomStream } from '../../../model/philox.js';
import type { Frame } from '../../../model/picture.js';
import { encodeSrgb } from '../../../model/render/display-curves.js';
import { type Homography, IDENTITY, project } from './homography.js';

/**
 * A textured picture of which every blurred, exposed and moved view is known exactly: log-spaced waves in all
 * directions, whose Gaussian blur is a factor each.
 */
export interface View {
  readonly width: number;
  readonly height: number;
  /** Frame positions to reference positions. */
  readonly homography?: Homography;
  /** Stops. */
  readonly ev?: number;
  /** Standard deviation of the defocus in pixels, on the left and on the right half of the scene. */
  readonly blur?: readonly [number, number];
  /** Standard deviation of the noise in codes of 255. */
  readonly noise?: number;
  /** Where a dark square is, in reference positions: something that moves by itself. */
  readonly square?: readonly [number, number];
  readonly seed?: number;
}

const WAVES = 70;
const SHORTEST = 5;
const LONGEST = 90;

interface Wave {
  readonly u: number;
  readonly v: number;
  readonly phase: number;
  readonly amplitude: number;
}

function waves(): Wave[] {
  const random = new RandomStream(11, 1);
  return Array.from({ length: WAVES }, () => {
    const length = SHORTEST * (LONGEST / SHORTEST) ** random.unit();
    const angle = 2 * Math.PI * random.unit();
    const frequency = (2 * Math.PI) / length;
    return {
      u: frequency * Math.cos(angle),
      v: frequency * Math.sin(angle),
      phase: 2 * Math.PI * random.unit(),
      amplitude: 0.0065 * Math.sqrt(length / SHORTEST),
    };
  });
}
const SCENE = waves();
const AMBIENT = 0.3;

/** Linear light of the scene at a reference position. */
function radiance(x: number, y: number, blur: number): number {
  let sum = AMBIENT;
  for (const { u, v, phase, amplitude } of SCENE) {
    const kept = blur > 0 ? Math.exp(-0.5 * blur * blur * (u * u + v * v)) : 1;
    if (kept > 1e-3) sum += kept * amplitude * Math.cos(u * x + v * y + phase);
  }
  return Math.max(0.004, sum);
}

/** Photographs the scene with 8 bits and the sRGB curve. */
export function photograph(name: string, view: View): Frame {
  const { width, height, homography = IDENTITY, ev = 0, blur = [0, 0], noise = 0, square, seed = 1 } = view;
  const random = new RandomStream(seed, 2);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [px, py] = project(homography, x + 0.5, y + 0.5);
      let light = radiance(px, py, px < width / 2 ? blur[0] : blur[1]);
      if (square && Math.abs(px - square[0]) < 18 && Math.abs(py - square[1]) < 18) light = 0.02;
      const code = 255 * encodeSrgb(Math.min(1, light * 2 ** ev));
      for (let c = 0; c < 3; c++) {
        // Sum of three uniforms: nearly normal, variance 1/4.
        const grain = noise > 0 ? 2 * noise * (random.unit() + random.unit() + random.unit() - 1.5) : 0;
        data[3 * (y * width + x) + c] = Math.min(255, Math.max(0, Math.round(code + grain)));
      }
    }
  }
  return { name, width, height, data, camera: {} };
}

/** Similarity about the middle of the picture, and a trace of perspective. */
export function motion(
  { width, height }: { readonly width: number; readonly height: number },
  { x = 0, y = 0, roll = 0, scale = 1, tilt = 0 },
): Homography {
  const [c, s] = [scale * Math.cos(roll), scale * Math.sin(roll)];
  const [mx, my] = [width / 2, height / 2];
  const g = tilt / mx;
  // [c −s x; s c y; g 0 1] in coordinates about the middle, taken to pixels.
  const a = [c + mx * g, -s, x + mx, s + my * g, c, y + my, g, 0, 1];
  const m = [0, 3, 6].flatMap((r) => [a[r], a[r + 1], a[r + 2] - a[r] * mx - a[r + 1] * my]);
  return m.map((value) => value / m[8]);
}
