/**
 * Takes noise of known variance out of a plane: every 4 × 4 window is transformed (cosines), each coefficient is kept in
 * proportion to how far it stands out of the noise, and the overlapping windows are averaged, the simplest of them
 * counting most. (Translation-invariant shrinkage: Coifman & Donoho 1995; DCT windows and their weights: Guleryuz 2007.)
 */

/** Side of the windows. 6 and 8 pixels gain less (0.2 dB) and cost more. */
export const SIDE = 4;
export const AREA = SIDE * SIDE;
/**
 * A coefficient c of noise variance v is scaled by 1 − (T·v/c²)², by 0 below T·v. 5 gains 0.1 dB on the sample scenes and
 * loses more of the texture that is about as strong as the noise. Other powers and hard thresholds of 2.7 σ are within
 * 0.1 dB; a second pass, Wiener's filter by the first, gains nothing.
 */
export const THRESHOLD = 4;

/** Orthonormal cosines of length 4: ½, cos(π/8)/√2, sin(π/8)/√2. */
export const HALF = 0.5;
export const WIDE = 0.6532814824381883;
export const NARROW = 0.2705980500730985;

/**
 * @param plane width × height samples; planes less than 4 pixels wide or high come back as they are
 * @param variance of the noise at each sample, ≥ 0; a window has that of its second sample in its second row
 * @returns a new plane. Linear in pixels.
 */
export function shrinkDetail(
  plane: Float32Array,
  width: number,
  height: number,
  variance: Float32Array,
): Float32Array {
  if (width < SIDE || height < SIDE) return plane.slice();
  const out = new Float32Array(plane.length);
  // Rows are transformed once, for the four windows that share them; so are the sums back.
  const rows = Array.from({ length: SIDE }, () => new Float64Array(SIDE * width));
  const sums = Array.from({ length: SIDE }, () => new Float64Array(SIDE * width));
  const weights = Array.from({ length: SIDE }, () => new Float64Array(width));
  for (let y = 0; y < SIDE - 1; y++) transformRow(plane, y * width, width, rows[y]);
  for (let top = 0; top + SIDE <= height; top++) {
    const [r, s, w] = [rotated(rows, top), rotated(sums, top), rotated(weights, top)];
    transformRow(plane, (top + SIDE - 1) * width, width, r[SIDE - 1]);
    shrinkWindows(r, variance, (top + 1) * width + 1, width, s, w);
    finishRow(s[0], w[0], width, out, top * width);
  }
  const last = height - SIDE;
  for (let j = 1; j < SIDE; j++) {
    finishRow(rotated(sums, last)[j], rotated(weights, last)[j], width, out, (last + j) * width);
  }
  return out;
}

/** Rings of rows, from that of window row `top` on. */
function rotated<T>(ring: readonly T[], top: number): T[] {
  return ring.map((_, j) => ring[(top + j) % SIDE]);
}

/** Cosine transform of every four neighbours of a row, coefficients side by side. */
function transformRow(plane: Float32Array, from: number, width: number, out: Float64Array): void {
  for (let x = 0, i = from; x + SIDE <= width; x++, i++) {
    const outer = plane[i] + plane[i + 3];
    const inner = plane[i + 1] + plane[i + 2];
    const wide = plane[i] - plane[i + 3];
    const narrow = plane[i + 1] - plane[i + 2];
    out[SIDE * x] = HALF * (outer + inner);
    out[SIDE * x + 1] = WIDE * wide + NARROW * narrow;
    out[SIDE * x + 2] = HALF * (outer - inner);
    out[SIDE * x + 3] = NARROW * wide - WIDE * narrow;
  }
}

/** Shrinks all windows of four transformed rows, and adds them and their weights to the rows' sums. */
function shrinkWindows(
  rows: readonly Float64Array[],
  variance: Float32Array,
  from: number,
  width: number,
  sums: readonly Float64Array[],
  weights: readonly Float64Array[],
): void {
  const [r0, r1, r2, r3] = rows as [Float64Array, Float64Array, Float64Array, Float64Array];
  const [s0, s1, s2, s3] = sums as [Float64Array, Float64Array, Float64Array, Float64Array];
  const [w0, w1, w2, w3] = weights as [Float64Array, Float64Array, Float64Array, Float64Array];
  const c = new Float64Array(AREA);
  for (let x = 0; x + SIDE <= width; x++) {
    for (let k = 0, i = SIDE * x; k < SIDE; k++, i++) {
      const outer = r0[i] + r3[i];
      const inner = r1[i] + r2[i];
      const wide = r0[i] - r3[i];
      const narrow = r1[i] - r2[i];
      c[k] = HALF * (outer + inner);
      c[SIDE + k] = WIDE * wide + NARROW * narrow;
      c[2 * SIDE + k] = HALF * (outer - inner);
      c[3 * SIDE + k] = NARROW * wide - WIDE * narrow;
    }
    const limit = THRESHOLD * variance[from + x];
    let kept = 1;
    for (let k = 1; k < AREA; k++) {
      const power = c[k] * c[k];
      if (power > limit) {
        const ratio = limit / power;
        const share = 1 - ratio * ratio;
        c[k] *= share;
        kept += share * share;
      } else {
        c[k] = 0;
      }
    }
    // What is left of the noise is in proportion to `kept`.
    const weight = 1 / kept;
    w0[x] += weight;
    w1[x] += weight;
    w2[x] += weight;
    w3[x] += weight;
    for (let k = 0, i = SIDE * x; k < SIDE; k++, i++) {
      const even = HALF * (c[k] + c[2 * SIDE + k]);
      const odd = HALF * (c[k] - c[2 * SIDE + k]);
      const a = c[SIDE + k];
      const b = c[3 * SIDE + k];
      const outer = WIDE * a + NARROW * b;
      const inner = NARROW * a - WIDE * b;
      s0[i] += weight * (even + outer);
      s1[i] += weight * (odd + inner);
      s2[i] += weight * (odd - inner);
      s3[i] += weight * (even - outer);
    }
  }
}

/** Writes one row from its windows' sums, and clears them. */
function finishRow(
  sums: Float64Array,
  weights: Float64Array,
  width: number,
  out: Float32Array,
  from: number,
): void {
  const values = new Float64Array(width);
  const total = new Float64Array(width);
  for (let x = 0, i = 0; x + SIDE <= width; x++, i += SIDE) {
    const even = HALF * (sums[i] + sums[i + 2]);
    const odd = HALF * (sums[i] - sums[i + 2]);
    const outer = WIDE * sums[i + 1] + NARROW * sums[i + 3];
    const inner = NARROW * sums[i + 1] - WIDE * sums[i + 3];
    values[x] += even + outer;
    values[x + 1] += odd + inner;
    values[x + 2] += odd - inner;
    values[x + 3] += even - outer;
    for (let j = 0; j < SIDE; j++) total[x + j] += weights[x];
  }
  for (let x = 0; x < width; x++) out[from + x] = values[x] / total[x];
  sums.fill(0);
  weights.fill(0);
}
