/**
 * Quintic spline interpolation (Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing
 * Magazine 1999): coefficients from a recursive filter, then 6 × 6 taps. Half way between pixels it keeps 0.97 of a wave
 * three pixels long, a cubic spline 0.88, Catmull–Rom 0.69: frames that are moved stay nearly as sharp as they were.
 */

/** Coefficients that are read around a position, along each axis; position t lies past the third of them. */
export const SPLINE_TAPS = 6;

/** Poles of the filter that turns samples into coefficients, and its gain. */
const POLES = [-0.430575347099973, -0.0430962882032647] as const;
const GAIN = 120;
/** Pixels after which the filter has forgotten (0.43¹⁹ ≈ 10⁻⁷). */
const MEMORY = 19;

/** Weights of the coefficients around a position `t` ∈ [0, 1) past the third of them; they sum to 1. */
export function splineWeights(t: number, out: Float64Array): void {
  const s = 1 - t;
  const tt = t * t;
  const ss = s * s;
  out[0] = (ss * ss * s) / 120;
  out[1] = outer(1 + t);
  out[2] = 0.55 - tt * (0.5 - tt * (0.25 - t / 12));
  out[3] = 0.55 - ss * (0.5 - ss * (0.25 - s / 12));
  out[4] = outer(1 + s);
  out[5] = (tt * tt * t) / 120;
}

/** The quintic B-spline between 1 and 2. */
function outer(x: number): number {
  return 0.425 + x * (0.625 - x * (1.75 - x * (1.25 - x * (0.375 - x / 24))));
}

/** Place of index `i` in a row of `count` that is mirrored about its end samples; clamped beyond that. */
export function mirrored(i: number, count: number): number {
  const within = i < 0 ? -i : i >= count ? 2 * count - 2 - i : i;
  return within < 0 ? 0 : within >= count ? count - 1 : within;
}

/**
 * Coefficients of the spline through an interleaved picture, mirrored at its borders; of the size of `data`.
 *
 * @param data samples, [height][width][channels]
 */
export function splineCoefficients(
  data: ArrayLike<number>,
  width: number,
  height: number,
  channels: number,
): Float32Array {
  const out = Float32Array.from(data);
  const line = width * channels;
  for (const pole of POLES) {
    if (width > 1)
      for (let y = 0; y < height; y++)
        alongRow(out.subarray(y * line, (y + 1) * line), width, channels, pole);
    if (height > 1) downColumns(out, line, height, pole);
  }
  const gain = (width > 1 ? GAIN : 1) * (height > 1 ? GAIN : 1);
  for (let i = 0; i < out.length; i++) out[i] *= gain;
  return out;
}

function alongRow(row: Float32Array, width: number, channels: number, pole: number): void {
  const last = row.length - channels;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let k = Math.min(MEMORY, width - 1); k >= 0; k--) sum = sum * pole + row[c + k * channels];
    row[c] = sum;
  }
  for (let i = channels; i < row.length; i++) row[i] += pole * row[i - channels];
  const end = pole / (pole * pole - 1);
  for (let i = last; i < row.length; i++) row[i] = end * (row[i] + pole * row[i - channels]);
  for (let i = last - 1; i >= 0; i--) row[i] = pole * (row[i + channels] - row[i]);
}

/** The same down all columns at once, row by row: in the order in which they lie in memory. */
function downColumns(data: Float32Array, line: number, height: number, pole: number): void {
  const sum = new Float64Array(line);
  for (let k = Math.min(MEMORY, height - 1); k >= 0; k--)
    for (let x = 0; x < line; x++) sum[x] = sum[x] * pole + data[k * line + x];
  data.set(sum);
  for (let i = line; i < data.length; i++) data[i] += pole * data[i - line];
  const last = data.length - line;
  const end = pole / (pole * pole - 1);
  for (let i = last; i < data.length; i++) data[i] = end * (data[i] + pole * data[i - line]);
  for (let i = last - 1; i >= 0; i--) data[i] = pole * (data[i + line] - data[i]);
}
