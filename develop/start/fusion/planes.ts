/**
 * Single-channel planes in float arithmetic: every operation is rounded to 32 bits, in an order that the compiled form
 * repeats (engine/native/start/fusion.cpp), so that both give the same bits and vectors of four to sixteen floats may do
 * it. Beyond the border a plane goes on as it ends.
 */
const { fround } = Math;

/** A side at half the size: pixel i of it stands on pixel 2i. */
export const halfOf = (side: number): number => (side + 1) >> 1;

/** Low-pass (1 4 6 4 1)/16 in both directions, every other pixel of it. */
export function halve(source: Float32Array, width: number, height: number): Float32Array {
  const [columns, rows] = [halfOf(width), halfOf(height)];
  const out = new Float32Array(columns * rows);
  const line = new Float32Array(width);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const at = (k: number) => source[Math.min(Math.max(2 * y + k, 0), height - 1) * width + x];
      line[x] = lowPass(at(-2), at(-1), at(0), at(1), at(2));
    }
    for (let x = 0; x < columns; x++) {
      const at = (k: number) => line[Math.min(Math.max(2 * x + k, 0), width - 1)];
      out[y * columns + x] = lowPass(at(-2), at(-1), at(0), at(1), at(2));
    }
  }
  return out;
}

function lowPass(a: number, b: number, c: number, d: number, e: number): number {
  return fround(fround(fround(fround(6 * c) + fround(4 * fround(b + d))) + fround(a + e)) * 0.0625);
}

/** The half-size plane at `width` × `height` again, by the same low-pass: what {@link halve} is undone with. */
export function double(half: Float32Array, width: number, height: number): Float32Array {
  const [columns, rows] = [halfOf(width), halfOf(height)];
  const tall = new Float32Array(columns * height);
  for (let y = 0; y < height; y++) {
    const i = y >> 1;
    const [above, below] = [Math.max(i - 1, 0) * columns, Math.min(i + 1, rows - 1) * columns];
    for (let x = 0; x < columns; x++) {
      const here = half[i * columns + x];
      tall[y * columns + x] =
        y % 2 === 0 ? onto(half[above + x], here, half[below + x]) : between(here, half[below + x]);
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = y * columns;
    for (let x = 0; x < width; x++) {
      const i = x >> 1;
      const here = tall[row + i];
      const right = tall[row + Math.min(i + 1, columns - 1)];
      out[y * width + x] =
        x % 2 === 0 ? onto(tall[row + Math.max(i - 1, 0)], here, right) : between(here, right);
    }
  }
  return out;
}

const onto = (a: number, b: number, c: number) => fround(fround(fround(6 * b) + fround(a + c)) * 0.125);
const between = (a: number, b: number) => fround(fround(a + b) * 0.5);

/** Half of a Gaussian of standard deviation `sigma` pixels: its centre and one side, up to 3 σ, of sum 1 with both sides. */
export function windowOf(sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const weights = Float64Array.from({ length: radius + 1 }, (_, k) =>
    Math.exp(-(k * k) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((total, w, k) => total + (k === 0 ? w : 2 * w), 0);
  return Float32Array.from(weights, (w) => w / sum);
}

/** Convolved with a symmetric window in both directions; see {@link windowOf}. */
export function smoothed(
  source: Float32Array,
  width: number,
  height: number,
  window: Float32Array,
): Float32Array {
  const out = new Float32Array(source.length);
  const line = new Float32Array(width);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = fround(window[0] * source[y * width + x]);
      for (let k = 1; k < window.length; k++) {
        const above = source[Math.max(y - k, 0) * width + x];
        const both = fround(above + source[Math.min(y + k, height - 1) * width + x]);
        sum = fround(sum + fround(window[k] * both));
      }
      line[x] = sum;
    }
    for (let x = 0; x < width; x++, p++) {
      let sum = fround(window[0] * line[x]);
      for (let k = 1; k < window.length; k++) {
        const both = fround(line[Math.max(x - k, 0)] + line[Math.min(x + k, width - 1)]);
        sum = fround(sum + fround(window[k] * both));
      }
      out[p] = sum;
    }
  }
  return out;
}

/** How many blocks of `side` pixels cover `length`. */
export const blocksOf = (length: number, side: number): number => Math.ceil(length / side);

/** Means of blocks of `side` × `side` pixels; those along the right and lower border may be smaller. */
export function blockMeans(source: Float32Array, width: number, height: number, side: number): Float32Array {
  const [columns, rows] = [blocksOf(width, side), blocksOf(height, side)];
  const out = new Float32Array(columns * rows);
  const line = new Float32Array(width);
  for (let j = 0; j < rows; j++) {
    const tall = Math.min(side, height - j * side);
    line.fill(0);
    for (let y = j * side; y < j * side + tall; y++) {
      for (let x = 0; x < width; x++) line[x] += source[y * width + x];
    }
    for (let i = 0; i < columns; i++) {
      const wide = Math.min(side, width - i * side);
      let sum = 0;
      for (let x = i * side; x < i * side + wide; x++) sum = fround(sum + line[x]);
      out[j * columns + i] = sum / (tall * wide);
    }
  }
  return out;
}

/** Where an axis of `length` pixels stands between the centres of blocks of `side`: the block before, the one after, and the share of that. */
export interface Between {
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly share: Float32Array;
}

/** For {@link enlargedRow}: centres on centres. */
export function betweenBlocks(length: number, side: number): Between {
  const blocks = blocksOf(length, side);
  const before = new Int32Array(length);
  const after = new Int32Array(length);
  const share = new Float32Array(length);
  for (let x = 0; x < length; x++) {
    const at = Math.min(Math.max((x + 0.5) / side - 0.5, 0), blocks - 1);
    before[x] = Math.floor(at);
    after[x] = Math.min(before[x] + 1, blocks - 1);
    share[x] = at - before[x];
  }
  return { before, after, share };
}

/** Row `y` of blocks brought to `out.length` pixels, by straight lines between their centres. */
export function enlargedRow(
  blocks: Float32Array,
  y: number,
  across: Between,
  down: Between,
  out: Float32Array,
): void {
  const columns = across.after[across.after.length - 1] + 1;
  const [upper, lower] = [down.before[y] * columns, down.after[y] * columns];
  const t = down.share[y];
  const line = (i: number) =>
    fround(blocks[upper + i] + fround(t * fround(blocks[lower + i] - blocks[upper + i])));
  for (let x = 0; x < out.length; x++) {
    const left = line(across.before[x]);
    out[x] = left + fround(across.share[x] * fround(line(across.after[x]) - left));
  }
}
