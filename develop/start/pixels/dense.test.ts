import { describe, expect, it } from 'vitest';
import { gaussian } from '../response/synthetic-capture.fixture.js';
import { choleskyFactor, choleskySolve, eliminate } from './dense.js';

const n = 12;
/** B·Bᵀ + I. */
function positive(seed: number): Float64Array {
  const b = Float64Array.from({ length: n * n }, (_, i) => gaussian(seed, i));
  return Float64Array.from({ length: n * n }, (_, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let sum = row === column ? 1 : 0;
    for (let k = 0; k < n; k++) sum += b[row * n + k] * b[column * n + k];
    return sum;
  });
}
function times(a: Float64Array, x: Float64Array): number[] {
  return Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + a[i * n + j] * value, 0));
}
const truth = Float64Array.from({ length: n }, (_, i) => gaussian(9, i));

describe('dense linear algebra', () => {
  it('solves positive definite systems by Cholesky', () => {
    const a = positive(1);
    const b = Float64Array.from([7, ...times(a, truth)]);
    choleskyFactor(a, n);
    choleskySolve(a, n, b, 1);
    expect(b[0]).toBe(7);
    for (let i = 0; i < n; i++) expect(b[1 + i]).toBeCloseTo(truth[i], 10);
  });

  it('solves indefinite systems with a zero on the diagonal', () => {
    const a = positive(2);
    a[0] = 0;
    a[n * n - 1] = -3;
    const b = Float64Array.from(times(a, truth));
    eliminate(a, n, b);
    for (let i = 0; i < n; i++) expect(b[i]).toBeCloseTo(truth[i], 9);
  });

  it('says when a system has no solution', () => {
    expect(() => choleskyFactor(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/not positive definite at pivot 1/);
    expect(() => eliminate(Float64Array.of(1, 2, 2, 4), 2, new Float64Array(2))).toThrow(
      /singular at column 1/,
    );
  });
});
