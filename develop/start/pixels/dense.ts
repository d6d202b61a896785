import { assert } from '../../../model/errors.js';

/**
 * Small dense linear algebra (a few hundred unknowns at most), row-major in Float64Array. Plain loops in a fixed
 * order: the same input gives the same bits everywhere.
 */

/**
 * Cholesky factor of a symmetric positive definite n × n matrix, in place: afterwards the lower triangle holds L
 * with A = L·Lᵀ. Only the lower triangle is read.
 */
export function choleskyFactor(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    let d = a[rowJ + j];
    for (let k = 0; k < j; k++) d -= a[rowJ + k] * a[rowJ + k];
    assert(d > 0, `matrix is not positive definite at pivot ${j}`);
    const root = Math.sqrt(d);
    const inverse = 1 / root;
    a[rowJ + j] = root;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let s = a[rowI + j];
      for (let k = 0; k < j; k++) s -= a[rowI + k] * a[rowJ + k];
      a[rowI + j] = s * inverse;
    }
  }
}

/** Solves L·Lᵀ·x = b in place, with the factor of {@link choleskyFactor}; b starts at `offset` and holds n values. */
export function choleskySolve(l: Float64Array, n: number, b: Float64Array, offset = 0): void {
  for (let i = 0; i < n; i++) {
    let s = b[offset + i];
    for (let k = 0; k < i; k++) s -= l[i * n + k] * b[offset + k];
    b[offset + i] = s / l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let s = b[offset + i];
    for (let k = i + 1; k < n; k++) s -= l[k * n + i] * b[offset + k];
    b[offset + i] = s / l[i * n + i];
  }
}

/** Solves A·x = b by elimination with partial pivoting; destroys A, writes x into b. For indefinite (KKT) systems. */
export function eliminate(a: Float64Array, n: number, b: Float64Array): void {
  for (let j = 0; j < n; j++) {
    let pivot = j;
    for (let i = j + 1; i < n; i++) if (Math.abs(a[i * n + j]) > Math.abs(a[pivot * n + j])) pivot = i;
    assert(a[pivot * n + j] !== 0, `matrix is singular at column ${j}`);
    if (pivot !== j) {
      for (let k = j; k < n; k++) {
        const t = a[j * n + k];
        a[j * n + k] = a[pivot * n + k];
        a[pivot * n + k] = t;
      }
      const t = b[j];
      b[j] = b[pivot];
      b[pivot] = t;
    }
    for (let i = j + 1; i < n; i++) {
      const factor = a[i * n + j] / a[j * n + j];
      if (factor === 0) continue;
      for (let k = j; k < n; k++) a[i * n + k] -= factor * a[j * n + k];
      b[i] -= factor * b[j];
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    let s = b[i];
    for (let k = i + 1; k < n; k++) s -= a[i * n + k] * b[k];
    b[i] = s / a[i * n + i];
  }
}
