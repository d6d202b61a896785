/** The median of single-channel planes. Beyond the border the nearest pixel repeats. */

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
          const value = source[row + columns[k]!]!;
          let at = filled++;
          while (at > 0 && window[at - 1]! > value) {
            window[at] = window[at - 1]!;
            at--;
          }
          window[at] = value;
        }
      }
      out[y * width + x] = window[middle]!;
    }
  }
  return out;
}
