/**
 * Exact Euclidean distance transform with the nearest feature of every pixel, after Felzenszwalb and Huttenlocher,
 * "Distance Transforms of Sampled Functions" (2012), and the morphology that follows from it.
 */

export interface NearestFeature {
  /** Index of the nearest feature pixel of each pixel; −1 everywhere when there is no feature. */
  readonly index: Int32Array;
  /** Squared distance to it in pixels; Infinity when there is none. */
  readonly squared: Float32Array;
}

/** The nearest pixel where `mask` is not 0, for every pixel of a `width × height` mask. */
export function nearestFeature(mask: Uint8Array, width: number, height: number): NearestFeature {
  const index = new Int32Array(mask.length).fill(-1);
  const squared = new Float32Array(mask.length).fill(Number.POSITIVE_INFINITY);
  // Columns first: the nearest feature above or below.
  for (let x = 0; x < width; x++) {
    let last = -1;
    for (let y = 0; y < height; y++) {
      const p = y * width + x;
      if (mask[p] !== 0) last = y;
      if (last >= 0) {
        index[p] = last * width + x;
        squared[p] = (y - last) * (y - last);
      }
    }
    last = -1;
    for (let y = height - 1; y >= 0; y--) {
      const p = y * width + x;
      if (mask[p] !== 0) last = y;
      if (last >= 0 && (last - y) * (last - y) < squared[p]) {
        index[p] = last * width + x;
        squared[p] = (last - y) * (last - y);
      }
    }
  }
  lowerEnvelopeOfRows(index, squared, width, height);
  return { index, squared };
}

/** Along each row: min over x' of (x − x')² + g(x'), as the lower envelope of parabolas. */
function lowerEnvelopeOfRows(index: Int32Array, squared: Float32Array, width: number, height: number): void {
  const apex = new Int32Array(width);
  const start = new Float64Array(width + 1);
  const values = new Float64Array(width);
  const features = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let count = 0;
    for (let x = 0; x < width; x++) {
      values[x] = squared[row + x];
      features[x] = index[row + x];
      if (features[x] < 0) continue;
      let from = Number.NEGATIVE_INFINITY;
      while (count > 0) {
        const k = apex[count - 1];
        from = (values[x] + x * x - values[k] - k * k) / (2 * (x - k));
        if (from > start[count - 1]) break;
        count--;
        from = Number.NEGATIVE_INFINITY;
      }
      apex[count] = x;
      start[count++] = from;
    }
    if (count === 0) continue;
    let at = 0;
    for (let x = 0; x < width; x++) {
      while (at + 1 < count && start[at + 1] < x) at++;
      const k = apex[at];
      squared[row + x] = (x - k) * (x - k) + values[k];
      index[row + x] = features[k];
    }
  }
}

/** 1 where the nearest pixel of `mask` is at most `radius` pixels away. */
export function dilate(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const { squared } = nearestFeature(mask, width, height);
  const limit = radius * radius + 1e-6;
  const out = new Uint8Array(mask.length);
  for (let p = 0; p < out.length; p++) out[p] = squared[p] <= limit ? 1 : 0;
  return out;
}

/** 1 where no pixel outside `mask` is within `radius` pixels; the picture's border does not erode. */
export function erode(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  return invert(dilate(invert(mask), width, height, radius));
}

/** Erosion, then dilation: removes what is thinner than 2·radius. */
export function open(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  return dilate(erode(mask, width, height, radius), width, height, radius);
}

/** 1 where the mask is 0 and the other way round. */
export function invert(mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(mask.length);
  for (let p = 0; p < out.length; p++) out[p] = mask[p] === 0 ? 1 : 0;
  return out;
}

/** Numbers the 4-connected components of a mask from 1; 0 outside. Returns the labels and how many there are. */
export function components(mask: Uint8Array, width: number): { labels: Int32Array; count: number } {
  const labels = new Int32Array(mask.length);
  const stack = new Int32Array(mask.length);
  let count = 0;
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] === 0 || labels[seed] !== 0) continue;
    count++;
    let top = 0;
    stack[top++] = seed;
    labels[seed] = count;
    while (top > 0) {
      const p = stack[--top];
      const x = p % width;
      if (x > 0 && mask[p - 1] !== 0 && labels[p - 1] === 0) {
        labels[p - 1] = count;
        stack[top++] = p - 1;
      }
      if (x < width - 1 && mask[p + 1] !== 0 && labels[p + 1] === 0) {
        labels[p + 1] = count;
        stack[top++] = p + 1;
      }
      if (p >= width && mask[p - width] !== 0 && labels[p - width] === 0) {
        labels[p - width] = count;
        stack[top++] = p - width;
      }
      if (p + width < mask.length && mask[p + width] !== 0 && labels[p + width] === 0) {
        labels[p + width] = count;
        stack[top++] = p + width;
      }
    }
  }
  return { labels, count };
}
