/**
 * A small layered scene with true occlusion, for tests: a slanted textured wall, a panel, thin bars and discs in
 * front of it, each at its own depth, photographed by a lens with a hard-edged disk (supersampled, not the kernel
 * under test), composited back to front in linear light.
 */
import type { Picture } from '../../../model/picture.js';

export interface LayeredScene {
  /** ln radiance as each focus setting records it. */
  readonly views: Picture[];
  readonly focus: number[];
  readonly kappa: number;
  /** ln radiance with everything in focus. */
  readonly truth: Picture;
  /** Depth of the surface seen at each pixel; larger is nearer. */
  readonly s: Picture;
  /** Local texture contrast of the truth (ln), to tell where depth can be seen at all. */
  readonly texture: Float32Array;
}

interface Surface {
  readonly depth: (x: number, y: number) => number;
  readonly inside: (x: number, y: number) => boolean;
  readonly colour: (x: number, y: number, channel: number) => number;
}

/** A repeatable number in [0, 1) from whole numbers. */
function hash01(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 2147483647);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  h = Math.imul(h ^ (h >>> 16), 2246822519);
  return ((h ^ (h >>> 13)) >>> 0) / 4294967296;
}

/** Smooth value noise in [0, 1] of the given wavelength in pixels. */
function valueNoise(x: number, y: number, wavelength: number, seed: number): number {
  const u = x / wavelength;
  const v = y / wavelength;
  const i = Math.floor(u);
  const j = Math.floor(v);
  const fx = (u - i) * (u - i) * (3 - 2 * (u - i));
  const fy = (v - j) * (v - j) * (3 - 2 * (v - j));
  const top = hash01(i, j, seed) * (1 - fx) + hash01(i + 1, j, seed) * fx;
  const bottom = hash01(i, j + 1, seed) * (1 - fx) + hash01(i + 1, j + 1, seed) * fx;
  return top * (1 - fy) + bottom * fy;
}

/** A roughly normal number of unit variance. */
function gauss(x: number, y: number, seed: number): number {
  let sum = 0;
  for (let k = 0; k < 4; k++) sum += hash01(x, y, seed * 16 + k) - 0.5;
  return sum * Math.sqrt(3);
}

function texture(seed: number, contrast: number, base: readonly number[]) {
  return (x: number, y: number, c: number): number => {
    const n =
      0.5 * valueNoise(x, y, 13, seed) +
      0.3 * valueNoise(x, y, 4.5, seed + 1) +
      0.2 * valueNoise(x, y, 2.2, seed + 2 + c) -
      0.5;
    return base[c] * Math.exp(contrast * n);
  };
}

function surfaces(width: number, height: number, seed: number): Surface[] {
  const u = Math.min(width / 225, height / 150);
  const disc = (cx: number, cy: number, r: number) => (x: number, y: number) =>
    (x - cx * width) ** 2 + (y - cy * height) ** 2 < (r * u) ** 2;
  return [
    {
      depth: (x) => -1 + 0.7 * (x / width),
      inside: () => true,
      colour: texture(seed, 4, [0.2, 0.25, 0.3]),
    },
    {
      depth: () => 0.1,
      inside: (x, y) => x > 0.5 * width && x < 0.85 * width && y > 0.35 * height,
      colour: texture(seed + 10, 3, [0.5, 0.3, 0.15]),
    },
    {
      depth: () => 0.6,
      inside: (x, y) => Math.abs(x - 0.18 * width - 0.25 * y) < 5 * u,
      colour: texture(seed + 20, 2.5, [0.05, 0.06, 0.05]),
    },
    { depth: () => 0.95, inside: disc(0.42, 0.62, 27), colour: texture(seed + 30, 3, [0.8, 0.6, 0.3]) },
    { depth: () => 0.75, inside: disc(0.75, 0.28, 18), colour: texture(seed + 40, 3, [0.3, 0.6, 0.9]) },
  ];
}

/** A hard-edged disk of radius r, its pixels' coverage measured on an 8 × 8 grid, summing to 1. */
function hardDisk(r: number): { reach: number; weights: Float64Array } {
  const reach = Math.max(0, Math.ceil(Math.max(r, 0.05) - 0.5));
  const side = 2 * reach + 1;
  const weights = new Float64Array(side * side);
  let total = 0;
  for (let y = 0; y < side * 8; y++)
    for (let x = 0; x < side * 8; x++) {
      const dx = (x + 0.5) / 8 - reach - 0.5;
      const dy = (y + 0.5) / 8 - reach - 0.5;
      if (dx * dx + dy * dy > Math.max(r, 0.1) ** 2) continue;
      weights[(y >> 3) * side + (x >> 3)]++;
      total++;
    }
  for (let i = 0; i < weights.length; i++) weights[i] /= total;
  return { reach, weights };
}

/** Photographs the scene. `focus` are the depths in focus, `kappa` the blur in pixels per unit of depth. */
export function layeredScene(
  options: {
    width?: number;
    height?: number;
    focus?: readonly number[];
    kappa?: number;
    noise?: number;
    seed?: number;
  } = {},
): LayeredScene {
  const { width = 225, height = 150, focus = [-1, 0, 1], kappa = 2.5, noise = 0.01, seed = 7 } = options;
  const count = width * height;
  const list = surfaces(width, height, seed);
  const s = new Float32Array(count);
  const truth = new Float32Array(count * 3);
  const slices = sliceSurfaces(list, width, height, s, truth);
  const views = focus.map((f, index) => {
    const light = new Float32Array(count * 3);
    for (const slice of slices)
      composite(light, slice, hardDisk(kappa * Math.abs(slice.depth - f)), width, height);
    for (let i = 0; i < light.length; i++) {
      const sigma = noise * (0.5 + 0.5 / Math.sqrt(light[i] / 0.2 + 0.02));
      light[i] = Math.log(light[i] + 1e-5) + sigma * gauss(i, index, seed);
    }
    return { width, height, channels: 3, data: light };
  });
  for (let i = 0; i < truth.length; i++) truth[i] = Math.log(truth[i] + 1e-5);
  return {
    views,
    focus: [...focus],
    kappa,
    truth: { width, height, channels: 3, data: truth },
    s: { width, height, channels: 1, data: s },
    texture: contrast(truth, width, height),
  };
}

interface Slice {
  readonly depth: number;
  readonly mask: Uint8Array;
  readonly colour: Float32Array;
}

/**
 * Far to near. A slanted surface becomes slices that each cover all that is at least as near, so that their
 * blurred edges blend into one another instead of letting the background through.
 */
function sliceSurfaces(
  list: readonly Surface[],
  width: number,
  height: number,
  s: Float32Array,
  truth: Float32Array,
): Slice[] {
  const step = 0.06;
  const slices: Slice[] = [];
  for (const surface of list) {
    const colour = new Float32Array(s.length * 3);
    const depth = new Float32Array(s.length);
    const inside = new Uint8Array(s.length);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let y = 0, p = 0; y < height; y++)
      for (let x = 0; x < width; x++, p++) {
        if (!surface.inside(x + 0.5, y + 0.5)) continue;
        inside[p] = 1;
        depth[p] = surface.depth(x + 0.5, y + 0.5);
        low = Math.min(low, depth[p]);
        high = Math.max(high, depth[p]);
        s[p] = depth[p];
        for (let c = 0; c < 3; c++)
          truth[p * 3 + c] = colour[p * 3 + c] = surface.colour(x + 0.5, y + 0.5, c);
      }
    for (let from = low; from <= high; from += step) {
      const mask = new Uint8Array(s.length);
      for (let p = 0; p < mask.length; p++) mask[p] = inside[p] && depth[p] >= from - 1e-6 ? 1 : 0;
      slices.push({ depth: Math.min(from + step / 2, high), mask, colour });
    }
  }
  return slices;
}

function composite(
  light: Float32Array,
  slice: Slice,
  disk: { reach: number; weights: Float64Array },
  width: number,
  height: number,
): void {
  const { reach, weights } = disk;
  const { mask, colour } = slice;
  const side = 2 * reach + 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let a = 0;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let j = -reach; j <= reach; j++) {
        const row = Math.min(Math.max(y + j, 0), height - 1) * width;
        for (let i = -reach; i <= reach; i++) {
          const q = row + Math.min(Math.max(x + i, 0), width - 1);
          const w = weights[(j + reach) * side + i + reach];
          if (mask[q] === 0 || w === 0) continue;
          a += w;
          r += w * colour[q * 3];
          g += w * colour[q * 3 + 1];
          b += w * colour[q * 3 + 2];
        }
      }
      const p = (y * width + x) * 3;
      light[p] = r + (1 - a) * light[p];
      light[p + 1] = g + (1 - a) * light[p + 1];
      light[p + 2] = b + (1 - a) * light[p + 2];
    }
}

/** Standard deviation of ln luminance over 7 × 7 pixels. */
function contrast(truth: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let n = 0;
      let sum = 0;
      let squares = 0;
      for (let j = Math.max(0, y - 3); j <= Math.min(height - 1, y + 3); j++)
        for (let i = Math.max(0, x - 3); i <= Math.min(width - 1, x + 3); i++) {
          const q = (j * width + i) * 3;
          const v = (truth[q] + truth[q + 1] + truth[q + 2]) / 3;
          n++;
          sum += v;
          squares += v * v;
        }
      out[y * width + x] = Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
    }
  return out;
}

/** Pearson correlation of two planes where `keep` says so. */
export function correlation(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  keep: (p: number) => boolean = () => true,
): number {
  let n = 0;
  let sa = 0;
  let sb = 0;
  let saa = 0;
  let sbb = 0;
  let sab = 0;
  for (let p = 0; p < a.length; p++) {
    if (!keep(p)) continue;
    n++;
    sa += a[p];
    sb += b[p];
    saa += a[p] * a[p];
    sbb += b[p] * b[p];
    sab += a[p] * b[p];
  }
  return (sab - (sa * sb) / n) / Math.sqrt((saa - (sa * sa) / n) * (sbb - (sb * sb) / n));
}
