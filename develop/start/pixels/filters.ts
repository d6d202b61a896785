/**
 * Linear filters on single-channel planes: row-major `Float32Array` of `width × height`. Beyond the border the
 * nearest pixel repeats. Every filter may write over its source unless it says otherwise. Cost does not depend
 * on the radius, except for Gaussians of σ ≤ 3.
 */

/** Mean over a (2·radius+1)² window, by running sums. `radius` is a whole number ≥ 0. */
export function boxMean(
  source: Float32Array,
  width: number,
  height: number,
  radius: number,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  if (radius < 1) {
    if (out !== source) out.set(source);
    return out;
  }
  const mid = new Float32Array(source.length);
  boxRows(source, width, height, radius, mid);
  boxColumns(mid, width, height, radius, out);
  return out;
}

function boxRows(
  source: Float32Array,
  width: number,
  height: number,
  radius: number,
  out: Float32Array,
): void {
  const scale = 1 / (2 * radius + 1);
  const last = width - 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const first = source[row];
    const final = source[row + last];
    let sum = first * (radius + 1);
    for (let x = 1; x <= radius; x++) sum += source[row + (x < last ? x : last)];
    for (let x = 0; x < width; x++) {
      out[row + x] = sum * scale;
      const enter = x + radius + 1;
      const leave = x - radius;
      sum += (enter < width ? source[row + enter] : final) - (leave > 0 ? source[row + leave] : first);
    }
  }
}

function boxColumns(
  source: Float32Array,
  width: number,
  height: number,
  radius: number,
  out: Float32Array,
): void {
  const scale = 1 / (2 * radius + 1);
  const last = height - 1;
  const sum = new Float64Array(width);
  for (let x = 0; x < width; x++) sum[x] = source[x] * (radius + 1);
  for (let k = 1; k <= radius; k++) {
    const row = (k < last ? k : last) * width;
    for (let x = 0; x < width; x++) sum[x] += source[row + x];
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const enter = (y + radius + 1 < last ? y + radius + 1 : last) * width;
    const leave = (y - radius > 0 ? y - radius : 0) * width;
    for (let x = 0; x < width; x++) {
      const s = sum[x];
      out[row + x] = s * scale;
      sum[x] = s + source[enter + x] - source[leave + x];
    }
  }
}

/**
 * Gaussian of standard deviation `sigma` pixels: a separable kernel cut at 3σ, and for σ > 3 three running means of
 * the same variance (their error stays below 3 % of the peak).
 */
export function gaussian(
  source: Float32Array,
  width: number,
  height: number,
  sigma: number,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  if (!(sigma > 0.05)) {
    if (out !== source) out.set(source);
    return out;
  }
  const kernel = gaussianKernel(sigma);
  if (!kernel) return gaussianByBoxes(source, width, height, sigma, out);
  return convolveSeparable(source, width, height, kernel, out);
}

/** The kernel of a Gaussian, its centre and one side; undefined where σ is too small or too large for one. */
export function gaussianKernel(sigma: number): Float64Array | undefined {
  if (!(sigma > 0.05 && sigma <= 3)) return undefined;
  const radius = Math.max(1, Math.ceil(3 * sigma));
  const kernel = new Float64Array(radius + 1);
  let total = 0;
  for (let k = 0; k <= radius; k++) {
    kernel[k] = Math.exp((-0.5 * k * k) / (sigma * sigma));
    total += k === 0 ? kernel[k] : 2 * kernel[k];
  }
  for (let k = 0; k <= radius; k++) kernel[k] /= total;
  return kernel;
}

function gaussianByBoxes(
  source: Float32Array,
  width: number,
  height: number,
  sigma: number,
  out: Float32Array,
): Float32Array {
  // Three boxes of radii r, r, r' whose variances Σ ((2r+1)² − 1)/12 come closest to σ².
  const wanted = 12 * sigma * sigma;
  const radius = Math.max(1, Math.round((Math.sqrt(wanted / 3 + 1) - 1) / 2));
  const rest = wanted - 2 * ((2 * radius + 1) ** 2 - 1);
  const lastRadius = Math.max(1, Math.round((Math.sqrt(Math.max(rest, 0) + 1) - 1) / 2));
  boxMean(source, width, height, radius, out);
  boxMean(out, width, height, radius, out);
  return boxMean(out, width, height, lastRadius, out);
}

/** Convolves rows and columns with a symmetric kernel given by its centre and one side. */
export function convolveSeparable(
  source: Float32Array,
  width: number,
  height: number,
  kernel: Float64Array,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  const radius = kernel.length - 1;
  const mid = new Float32Array(source.length);
  const padded = new Float64Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) padded[radius + x] = source[row + x];
    padded.fill(source[row], 0, radius);
    padded.fill(source[row + width - 1], radius + width);
    for (let x = 0; x < width; x++) {
      let sum = kernel[0] * padded[x + radius];
      for (let k = 1; k <= radius; k++) sum += kernel[k] * (padded[x + radius - k] + padded[x + radius + k]);
      mid[row + x] = sum;
    }
  }
  const sums = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const centre = kernel[0];
    for (let x = 0; x < width; x++) sums[x] = centre * mid[row + x];
    for (let k = 1; k <= radius; k++) {
      const above = Math.max(y - k, 0) * width;
      const below = Math.min(y + k, height - 1) * width;
      const weight = kernel[k];
      for (let x = 0; x < width; x++) sums[x] += weight * (mid[above + x] + mid[below + x]);
    }
    for (let x = 0; x < width; x++) out[row + x] = sums[x];
  }
  return out;
}

/** Five-point Laplacian (sum of the four neighbours − 4 × centre). `out` must not be `source`. */
export function laplacian(
  source: Float32Array,
  width: number,
  height: number,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const above = y > 0 ? row - width : row;
    const below = y < height - 1 ? row + width : row;
    for (let x = 0; x < width; x++) {
      const left = x > 0 ? x - 1 : x;
      const right = x < width - 1 ? x + 1 : x;
      out[row + x] =
        source[row + left] +
        source[row + right] +
        source[above + x] +
        source[below + x] -
        4 * source[row + x];
    }
  }
  return out;
}

/** Magnitude of the central-difference gradient, per pixel. `out` must not be `source`. */
export function gradientMagnitude(
  source: Float32Array,
  width: number,
  height: number,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const above = y > 0 ? row - width : row;
    const below = y < height - 1 ? row + width : row;
    for (let x = 0; x < width; x++) {
      const left = x > 0 ? x - 1 : x;
      const right = x < width - 1 ? x + 1 : x;
      const gx = source[row + right] - source[row + left];
      const gy = source[below + x] - source[above + x];
      out[row + x] = 0.5 * Math.sqrt(gx * gx + gy * gy);
    }
  }
  return out;
}
