/**
 * Matrix products in plain JavaScript, for the cpu backend: its own walks with strides through general index
 * arithmetic (0.4 GFLOP/s here); these keep four rows in registers over contiguous runs (about four times that).
 */

/** Columns worked on at a time: four accumulators of this length stay in the first-level cache. */
const COLUMNS = 512;

/** C [m, n] = A B of A [m, k] (or [k, m] transposed) and B [k, n] (or [n, k] transposed), all row-major. */
export function multiply(
  a: Float32Array,
  b: Float32Array,
  m: number,
  k: number,
  n: number,
  transposeA: boolean,
  transposeB: boolean,
): Float32Array {
  const left = transposeA ? transposed(a, k, m) : a;
  const out = new Float32Array(m * n);
  if (!transposeB) multiplyRows(left, b, out, m, k, n);
  // A product with a thin transposed B is a handful of long inner products, otherwise rows again.
  else if (k >= n) multiplyDots(left, b, out, m, k, n);
  else multiplyRows(left, transposed(b, n, k), out, m, k, n);
  return out;
}

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j];
  }
  return out;
}

/** Four rows of C at a time as sums of scaled rows of B, in double precision. */
function multiplyRows(
  a: Float32Array,
  b: Float32Array,
  out: Float32Array,
  m: number,
  k: number,
  n: number,
): void {
  const sums = [0, 1, 2, 3].map(() => new Float64Array(Math.min(n, COLUMNS)));
  const [s0, s1, s2, s3] = sums as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let from = 0; from < n; from += COLUMNS) {
    const width = Math.min(COLUMNS, n - from);
    for (let i = 0; i < m; i += 4) {
      const rows = Math.min(4, m - i);
      // Rows beyond the last repeat it, and are not written.
      const [r0, r1, r2, r3] = [i, i + Math.min(1, rows - 1), i + Math.min(2, rows - 1), i + rows - 1];
      for (const s of sums) s.fill(0);
      for (let p = 0; p < k; p++) {
        const a0 = a[r0 * k + p];
        const a1 = a[r1 * k + p];
        const a2 = a[r2 * k + p];
        const a3 = a[r3 * k + p];
        const row = p * n + from;
        for (let j = 0; j < width; j++) {
          const v = b[row + j];
          s0[j] += a0 * v;
          s1[j] += a1 * v;
          s2[j] += a2 * v;
          s3[j] += a3 * v;
        }
      }
      for (let r = 0; r < rows; r++) {
        const s = sums[r];
        const to = (i + r) * n + from;
        for (let j = 0; j < width; j++) out[to + j] = s[j];
      }
    }
  }
}

/** C as inner products of rows of A and rows of B, four columns at a time. */
function multiplyDots(
  a: Float32Array,
  b: Float32Array,
  out: Float32Array,
  m: number,
  k: number,
  n: number,
): void {
  for (let j = 0; j < n; j += 4) {
    const columns = Math.min(4, n - j);
    const [b0, b1] = [j * k, (j + Math.min(1, columns - 1)) * k];
    const [b2, b3] = [(j + Math.min(2, columns - 1)) * k, (j + columns - 1) * k];
    for (let i = 0; i < m; i++) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      const row = i * k;
      for (let p = 0; p < k; p++) {
        const v = a[row + p];
        s0 += v * b[b0 + p];
        s1 += v * b[b1 + p];
        s2 += v * b[b2 + p];
        s3 += v * b[b3 + p];
      }
      const to = i * n + j;
      out[to] = s0;
      if (columns > 1) out[to + 1] = s1;
      if (columns > 2) out[to + 2] = s2;
      if (columns > 3) out[to + 3] = s3;
    }
  }
}
