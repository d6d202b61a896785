/** Changing the size of planes and pictures. Pixel (x, y) covers [x, x+1) × [y, y+1) in both sizes. */
import { createPicture, type Picture } from '../../../model/picture.js';

/** Size that keeps the proportions and has at most `pixels` pixels; never larger than the original. */
export function fitWithin(width: number, height: number, pixels: number): { width: number; height: number } {
  const scale = Math.sqrt(pixels / (width * height));
  if (scale >= 1) return { width, height };
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** For each output pixel the first source pixel it covers, and the weights of those it covers, summing to 1. */
export function coverage(from: number, to: number): { first: Int32Array; weights: Float64Array[] } {
  const first = new Int32Array(to);
  const weights: Float64Array[] = [];
  const ratio = from / to;
  for (let i = 0; i < to; i++) {
    const lo = i * ratio;
    const hi = (i + 1) * ratio;
    const a = Math.floor(lo + 1e-9);
    const b = Math.min(from, Math.max(a + 1, Math.ceil(hi - 1e-9)));
    const w = new Float64Array(b - a);
    for (let k = a; k < b; k++) w[k - a] = (Math.min(hi, k + 1) - Math.max(lo, k)) / ratio;
    first[i] = a;
    weights.push(w);
  }
  return { first, weights };
}

/**
 * One channel of an interleaved picture (`stride` samples a pixel, from `offset`), each sample passed through
 * `apply` when given, averaged over the area of each output pixel. For sizes at most as large as the source.
 */
export function areaResize(
  source: Float32Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
  options: { stride?: number; offset?: number; apply?: (value: number) => number } = {},
): Float32Array {
  const { stride = 1, offset = 0, apply } = options;
  if (toWidth === width && toHeight === height)
    return channelOf(source, width * height, stride, offset, apply);
  const columns = coverage(width, toWidth);
  const rows = coverage(height, toHeight);
  const out = new Float32Array(toWidth * toHeight);
  const line = new Float64Array(width);
  const sums = new Float64Array(toWidth);
  for (let j = 0; j < toHeight; j++) {
    const weights = rows.weights[j];
    line.fill(0);
    for (let k = 0; k < weights.length; k++) {
      const row = (rows.first[j] + k) * width * stride + offset;
      const weight = weights[k];
      if (apply) for (let x = 0; x < width; x++) line[x] += weight * apply(source[row + x * stride]);
      else for (let x = 0; x < width; x++) line[x] += weight * source[row + x * stride];
    }
    for (let i = 0; i < toWidth; i++) {
      const w = columns.weights[i];
      const at = columns.first[i];
      let sum = 0;
      for (let k = 0; k < w.length; k++) sum += w[k] * line[at + k];
      sums[i] = sum;
    }
    for (let i = 0; i < toWidth; i++) out[j * toWidth + i] = sums[i];
  }
  return out;
}

/** One channel of an interleaved picture at its own size. */
function channelOf(
  source: Float32Array,
  pixels: number,
  stride: number,
  offset: number,
  apply: ((value: number) => number) | undefined,
): Float32Array {
  const out = new Float32Array(pixels);
  if (apply) for (let p = 0, i = offset; p < pixels; p++, i += stride) out[p] = apply(source[i]);
  else for (let p = 0, i = offset; p < pixels; p++, i += stride) out[p] = source[i];
  return out;
}

/** A picture averaged to another width, its height in proportion; itself where it has that width or none is given. */
export function resizedTo(picture: Picture, width: number | undefined): Picture {
  if (width === undefined || width === picture.width) return picture;
  const height = Math.max(1, Math.round((picture.height * width) / picture.width));
  const { channels } = picture;
  const out = createPicture(width, height, channels);
  for (let offset = 0; offset < channels; offset++) {
    const plane = areaResize(picture.data, picture.width, picture.height, width, height, {
      stride: channels,
      offset,
    });
    for (let i = 0; i < plane.length; i++) out.data[i * channels + offset] = plane[i];
  }
  return out;
}

/** Source position of each output pixel along one axis: the lower neighbour, clamped, and the fraction. */
function positions(from: number, to: number): { low: Int32Array; high: Int32Array; fraction: Float64Array } {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const fraction = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    low[i] = Math.min(Math.floor(at), Math.max(from - 2, 0));
    high[i] = Math.min(low[i] + 1, from - 1);
    fraction[i] = at - low[i];
  }
  return { low, high, fraction };
}

/** Bilinear interpolation of an interleaved picture of `channels` channels to another size. */
export function bilinearResize(
  source: Float32Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
  channels = 1,
): Float32Array {
  const out = new Float32Array(toWidth * toHeight * channels);
  const xs = positions(width, toWidth);
  const ys = positions(height, toHeight);
  for (let j = 0; j < toHeight; j++) {
    const upper = ys.low[j] * width;
    const lower = ys.high[j] * width;
    const fy = ys.fraction[j];
    for (let i = 0; i < toWidth; i++) {
      const a = xs.low[i];
      const b = xs.high[i];
      const fx = xs.fraction[i];
      for (let c = 0; c < channels; c++) {
        const top = source[(upper + a) * channels + c] * (1 - fx) + source[(upper + b) * channels + c] * fx;
        const bottom =
          source[(lower + a) * channels + c] * (1 - fx) + source[(lower + b) * channels + c] * fx;
        out[(j * toWidth + i) * channels + c] = top * (1 - fy) + bottom * fy;
      }
    }
  }
  return out;
}

/** Half the size in both directions (rounded up) by a 2 × 2 mean. */
export function halve(source: Float32Array | Int32Array, width: number, height: number): Float32Array {
  const w = (width + 1) >> 1;
  const h = (height + 1) >> 1;
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const a = 2 * x;
      const b = Math.min(a + 1, width - 1);
      out[y * w + x] = 0.25 * (source[upper + a] + source[upper + b] + source[lower + a] + source[lower + b]);
    }
  }
  return out;
}

/**
 * Twice the size by bilinear interpolation of whole numbers; `width` and `height` are halves (rounded up) of
 * `toWidth` and `toHeight`.
 */
export function doubleInt16(
  source: Int16Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Int16Array {
  const out = new Int16Array(toWidth * toHeight);
  const line = new Int32Array(width + 2);
  for (let y = 0; y < toHeight; y++) {
    // Output centres lie a quarter of a source pixel from the nearer source centre.
    const near = y >> 1;
    const far = Math.min(Math.max((y & 1) === 0 ? near - 1 : near + 1, 0), height - 1);
    const a = near * width;
    const b = far * width;
    for (let x = 0; x < width; x++) line[x + 1] = 3 * source[a + x] + source[b + x];
    line[0] = line[1];
    line[width + 1] = line[width];
    const row = y * toWidth;
    const pairs = toWidth >> 1;
    for (let x = 0; x < pairs; x++) {
      const centre = 3 * line[x + 1] + 8;
      out[row + 2 * x] = (centre + line[x]) >> 4;
      out[row + 2 * x + 1] = (centre + line[x + 2]) >> 4;
    }
    if (toWidth & 1) out[row + toWidth - 1] = (3 * line[width] + line[width - 1] + 8) >> 4;
  }
  return out;
}
