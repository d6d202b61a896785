import { percentile } from '../../model/percentile.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { createPicture, type Frame, luminance, type Picture } from '../../model/picture.js';
import type { PhotoStack } from '../baselines/stack.js';
import { expose, sensorFor } from '../samples/sensor.js';
import { DiskSpread } from '../samples/spread.js';
import type { KnownTruth } from '../scores/evaluate.js';

/** A capture simulated from a real photograph in linear light (and its depth), with the truth that it was made from. */
export interface Simulated {
  readonly frames: Frame[];
  readonly truth: KnownTruth;
}

export interface SimulateOptions {
  /** Exposures in stops; 0 shows the log-average as mid-grey. */
  readonly evs: readonly number[];
  /** Focus planes, evenly spaced in inverse depth; 1 without defocus. */
  readonly focus: number;
  /** Radius in pixels of the largest circle of confusion. */
  readonly radius: number;
  readonly seed: number;
}

/** Photographs linear light as the sample captures are: thin lens, noise, clipping, an untold response, 8 bits. */
export function simulate(radiance: Picture, inverseDepth: Picture, options: SimulateOptions): Simulated {
  const { evs, focus, radius, seed } = options;
  const { width, height } = radiance;
  const light = { ...radiance, data: exposed(radiance) };
  const sensor = sensorFor(new RandomStream(seed, Stream.scene, 1));
  const [low, high] = [percentile(inverseDepth.data, 1), percentile(inverseDepth.data, 99)];
  // From near to far, as focus-bracketing cameras go.
  const plane = (i: number) => (focus === 1 ? low : high - (high - low) * (0.1 + (0.8 * i) / (focus - 1)));
  const scale = radius / Math.max(0.9 * (high - low), 1e-9);
  const brackets = Array.from({ length: focus }, (_, i) => {
    const seen = focus === 1 ? light : defocus(light, inverseDepth, plane(i), scale, radius);
    const pixels = evs.map((ev, j) => expose(seen.data, sensor, ev, seed * 4096 + i * evs.length + j + 1));
    return { pixels, evs };
  });
  const stack: PhotoStack = { width, height, brackets };
  const frames = brackets.flatMap(({ pixels }, i) =>
    pixels.map((data, j) => ({
      name: `focus${i + 1}-exposure${j + 1}`,
      width,
      height,
      data,
      camera: { exposureTime: 2 ** evs[j] / 60, fNumber: 8, iso: 100 },
    })),
  );
  return { frames, truth: { radiance: light, inverseDepth, stack } };
}

/** Scales radiance so that its log-average is mid-grey of the exposure 0. */
function exposed(radiance: Picture): Float32Array {
  // What is no light at all (around a rendered object) is not what a photographer exposes for.
  const y = luminance(radiance).data.filter((v) => v > 0);
  if (y.length === 0) return radiance.data;
  const floor = Math.max(percentile(y, 1), 1e-9);
  let sum = 0;
  for (const v of y) sum += Math.log(Math.max(v, floor));
  const gain = 0.18 / Math.exp(sum / y.length);
  return radiance.data.map((v) => Math.max(v * gain, 0));
}

/** Slices of depth that are laid over one another. */
const SLICES = 24;

/**
 * What a lens shows: slices of depth from far to near, each spread by its own circles of confusion and laid over what
 * is behind. A slice goes on behind nearer ones, with the colours of its nearest pixels: a photograph with depth does
 * not know what it hides.
 */
function defocus(light: Picture, depth: Picture, inFocus: number, scale: number, largest: number): Picture {
  const { width, height } = light;
  const [low, high] = [percentile(depth.data, 0), percentile(depth.data, 100)];
  const slice = Uint8Array.from(depth.data, (q) =>
    Math.min(SLICES - 1, Math.floor(((q - low) / Math.max(high - low, 1e-9)) * SLICES)),
  );
  const out = createPicture(width, height, 3);
  const values = new Float64Array(4);
  for (let k = 0; k < SLICES; k++) {
    const source = extended(slice, k, width, height, Math.ceil(2 * largest) + 2);
    // The picture goes on beyond its border, where light comes from, too.
    const border = Math.ceil(largest) + 2;
    const spread = new DiskSpread(largest + 1, -border, width + border);
    const { reach } = spread;
    for (let y = -border; y < height + border + reach; y++) {
      const row = Math.min(Math.max(y, 0), height - 1) * width;
      for (let x = -border; y < height + border && x < width + border; x++) {
        const from = source[row + Math.min(Math.max(x, 0), width - 1)];
        if (from < 0) continue;
        for (let c = 0; c < 3; c++) values[c] = light.data[3 * from + c];
        values[3] = 1;
        spread.add(x, y, Math.min(Math.abs(scale * (depth.data[from] - inFocus)), largest), values, 0);
      }
      const done = y - reach;
      if (done >= 0 && done < height) spread.finish(done, out.data, 3 * done * width, width);
      else spread.drop(done);
    }
  }
  return out;
}

/** For each pixel the pixel whose light slice `k` has there, or −1: its own, or below nearer slices the nearest. */
function extended(slice: Uint8Array, k: number, width: number, height: number, reach: number): Int32Array {
  const source = new Int32Array(slice.length).fill(-1);
  const distance = new Int32Array(slice.length);
  const queue = new Int32Array(slice.length);
  let tail = 0;
  for (let i = 0; i < slice.length; i++) {
    if (slice[i] !== k) continue;
    source[i] = i;
    queue[tail++] = i;
  }
  for (let head = 0; head < tail; head++) {
    const i = queue[head];
    if (distance[i] >= reach) continue;
    const x = i % width;
    const visit = (j: number) => {
      if (source[j] >= 0 || slice[j] < k) return;
      source[j] = source[i];
      distance[j] = distance[i] + 1;
      queue[tail++] = j;
    };
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < width * (height - 1)) visit(i + width);
  }
  return source;
}
