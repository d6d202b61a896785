/** Order filters on single-channel planes: minimum and median. Beyond the border the nearest pixel repeats. */

/** Minimum over a (2·radius+1)² window, by van Herk's two running passes: cost independent of the radius. */
export function minimumFilter(
  source: Float32Array,
  width: number,
  height: number,
  radius: number,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  const longest = Math.max(width, height) + 2 * radius;
  const line = new Float64Array(longest);
  const forward = new Float64Array(longest);
  const backward = new Float64Array(longest);
  const pass = (from: Float32Array, start: number, step: number, count: number): void => {
    const span = 2 * radius + 1;
    const length = count + 2 * radius;
    for (let i = 0; i < length; i++) {
      const k = i < radius ? 0 : i >= count + radius ? count - 1 : i - radius;
      line[i] = from[start + k * step];
    }
    for (let i = 0; i < length; i++) {
      const v = line[i];
      forward[i] = i % span === 0 || v < forward[i - 1] ? v : forward[i - 1];
    }
    for (let i = length - 1; i >= 0; i--) {
      const v = line[i];
      backward[i] = i === length - 1 || i % span === span - 1 || v < backward[i + 1] ? v : backward[i + 1];
    }
    for (let i = 0; i < count; i++) {
      const a = backward[i];
      const b = forward[i + span - 1];
      out[start + i * step] = a < b ? a : b;
    }
  };
  for (let y = 0; y < height; y++) pass(source, y * width, 1, width);
  for (let x = 0; x < width; x++) pass(out, x, width, height);
  return out;
}

/** Median over a square window of `size` 3 or 5 pixels. `out` must not be `source`. */
export function medianFilter(
  source: Float32Array,
  width: number,
  height: number,
  size: 3 | 5,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  const radius = (size - 1) / 2;
  const count = size * size;
  const middle = count >> 1;
  const window = new Float64Array(count);
  const columns = new Int32Array(size);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < size; k++) {
        const c = x + k - radius;
        columns[k] = c < 0 ? 0 : c >= width ? width - 1 : c;
      }
      // Insertion into a sorted window; most windows are nearly constant, where this is a plain copy.
      let filled = 0;
      for (let j = -radius; j <= radius; j++) {
        const r = y + j;
        const row = (r < 0 ? 0 : r >= height ? height - 1 : r) * width;
        for (let k = 0; k < size; k++) {
          const value = source[row + columns[k]];
          let at = filled++;
          while (at > 0 && window[at - 1] > value) {
            window[at] = window[at - 1];
            at--;
          }
          window[at] = value;
        }
      }
      out[y * width + x] = window[middle];
    }
  }
  return out;
}
