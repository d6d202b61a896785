import { createPicture, type Frame, type Picture } from '../../../model/picture.js';

/**
 * A small capture with a known truth, for the tests of this folder: radiance of 11 stops, a camera response that
 * follows no standard curve and differs between the channels, shot and read noise, clipping, 8 or 16 bits.
 */

/** Uniform in [0, 1), a fixed function of (seed, index): 32-bit integer hash (Wellons' lowbias32). */
export function uniform(seed: number, index: number): number {
  let h = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** Standard normal, a fixed function of (seed, index) (Box–Muller). */
export function gaussian(seed: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, 2 * index + 1));
}

/** The camera's true response: exposure x ≥ 0 (saturating at 1) → pixel value; toe, gamma and s-curve. */
export function trueResponse(channel: number, x: number): number {
  const gamma = [2.1, 2.25, 2.4][channel];
  const toe = 0.004;
  const base =
    (toe ** (1 / gamma) - (Math.min(x, 1) + toe) ** (1 / gamma)) /
    (toe ** (1 / gamma) - (1 + toe) ** (1 / gamma));
  const curve = base * base * (3 - 2 * base);
  return base + [0.45, 0.5, 0.4][channel] * (curve - base);
}

/** ln radiance of the scene, three channels: wavy ground, fine texture, a dark door and bright lamps. */
export function sceneRadiance(width: number, height: number, seed = 1): Picture {
  const picture = createPicture(width, height, 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [s, t] = [x / width, y / height];
      let level = -3.2 + 2.6 * (s - 0.5) + 1.1 * Math.sin(9 * s + 4 * t) * Math.cos(7 * t - 2 * s);
      if (s > 0.1 && s < 0.3 && t > 0.3 && t < 0.9) level -= 2.4;
      if ((s - 0.75) ** 2 + (t - 0.3) ** 2 < 0.012) level += 3.2;
      const cell = Math.floor(x / 3) * 4096 + Math.floor(y / 3);
      level += 0.5 * (uniform(seed, cell) - 0.5) + 0.25 * (uniform(seed + 1, 4096 * x + y) - 0.5);
      for (let c = 0; c < 3; c++) {
        picture.data[3 * (y * width + x) + c] = level + 0.4 * Math.sin(5 * s + 3 * t + 2 * c) - 0.2 * c;
      }
    }
  }
  return picture;
}

/** Drawn once: a prime number of values, read from a place that depends on the seed. */
const NOISE = Float64Array.from({ length: 65_537 }, (_, i) => gaussian(12_345, i));

export interface ExposeOptions {
  readonly seed?: number;
  readonly bits?: 8 | 16;
  readonly name?: string;
  readonly camera?: Frame['camera'];
  readonly noise?: boolean;
}

/** Photographs ln radiance (0 = saturation at ev 0) with an exposure of `ev` stops. */
export function expose(radiance: Picture, ev: number, options: ExposeOptions = {}): Frame {
  const { width, height, data } = radiance;
  const { seed = 7, bits = 8, noise = true } = options;
  const out = bits === 8 ? new Uint8Array(data.length) : new Uint16Array(data.length);
  const full = bits === 8 ? 255 : 65535;
  const from = Math.floor(uniform(seed, Math.round(1000 * ev) + 50_000) * NOISE.length);
  for (let i = 0; i < data.length; i++) {
    let x = Math.exp(data[i] + Math.LN2 * ev);
    // 10,000 electrons at saturation, read noise of 4.
    if (noise && x < 4) x += Math.sqrt(x / 1e4 + 1.6e-7) * NOISE[(i + from) % NOISE.length];
    out[i] = Math.round(full * trueResponse(i % 3, Math.min(1, Math.max(0, x))));
  }
  return { name: options.name ?? `ev${ev}.png`, width, height, data: out, camera: options.camera ?? {} };
}

/**
 * The scene as a lens focused at `focus` shows it, linear light blurred: three vertical bands at depths 0, 1, 2, each
 * blurred by a box of 3 pixels' radius per step of |depth − focus|.
 */
export function defocus(radiance: Picture, focus: number): Picture {
  const blurred = [0, 1, 2].map((steps) => boxBlur(radiance, 3 * steps));
  const out = createPicture(radiance.width, radiance.height, 3);
  for (let i = 0; i < out.data.length; i++) {
    const x = Math.floor(i / 3) % radiance.width;
    const depth = Math.floor((3 * x) / radiance.width);
    out.data[i] = blurred[Math.min(2, Math.abs(depth - focus))].data[i];
  }
  return out;
}

function boxBlur({ width, height, data }: Picture, radius: number): Picture {
  let current = Float64Array.from(data, Math.exp);
  for (const stride of [3, 3 * width]) {
    const length = stride === 3 ? width : height;
    const next = new Float64Array(current.length);
    for (let i = 0; i < current.length; i++) {
      const position = stride === 3 ? Math.floor(i / 3) % width : Math.floor(i / (3 * width));
      let sum = 0;
      for (let k = -radius; k <= radius; k++) {
        sum += current[i + (Math.min(length - 1, Math.max(0, position + k)) - position) * stride];
      }
      next[i] = sum / (2 * radius + 1);
    }
    current = next;
  }
  return { width, height, channels: 3, data: Float32Array.from(current, Math.log) };
}

/**
 * PSNR in dB of μ-law radiance (μ = 5000, 1 = the truth's 99.9th percentile) after one gain a channel (the median
 * difference in ln radiance), as the project's scores are taken.
 */
export function muLawPsnr(
  estimate: Picture,
  truth: Picture,
  keep: (pixel: number) => boolean = () => true,
): number {
  const white = Math.exp(truth.data.slice().sort()[Math.floor(truth.data.length * 0.999)]);
  const mu = (lnX: number) => Math.log1p(5000 * Math.min(1, Math.exp(lnX) / white)) / Math.log(5001);
  let squares = 0;
  let count = 0;
  for (let c = 0; c < 3; c++) {
    const pixels: number[] = [];
    for (let p = 0; 3 * p < truth.data.length; p++) if (keep(p)) pixels.push(3 * p + c);
    const differences = Float64Array.from(pixels, (i) => truth.data[i] - estimate.data[i]).sort();
    const gain = differences[differences.length >> 1];
    for (const i of pixels) squares += (mu(estimate.data[i] + gain) - mu(truth.data[i])) ** 2;
    count += pixels.length;
  }
  return -10 * Math.log10(squares / count);
}

/** Merge after Debevec & Malik 1997 with the hat weight: what the maximum-likelihood merge is measured against. */
export function hatMerge(
  frames: readonly Frame[],
  g: readonly Float64Array[],
  ev: readonly number[],
): Picture {
  const { width, height } = frames[0];
  const out = createPicture(width, height, 3);
  const darkest = ev.indexOf(Math.min(...ev));
  const brightest = ev.indexOf(Math.max(...ev));
  for (let i = 0; i < out.data.length; i++) {
    let sum = 0;
    let total = 0;
    frames.forEach((frame, e) => {
      const z = frame.data[i];
      const clipped = z <= 3 || z >= 252;
      const bound = (z >= 252 && e === darkest) || (z <= 3 && e === brightest);
      const w = clipped ? (bound ? 1e-3 : 1e-4) : Math.min(z, 255 - z);
      sum += w * (g[i % 3][z] - Math.LN2 * ev[e]);
      total += w;
    });
    out.data[i] = sum / total;
  }
  return out;
}
