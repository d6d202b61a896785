import { expect, test } from 'vitest';
import { fastExp, logInPlace } from './fast-math.js';

test('the exponential is exact to 5e-7 over seventy powers of ten', () => {
  for (let x = -80; x <= 80; x += 0.0371) expect(Math.abs(fastExp(x) / Math.exp(x) - 1)).toBeLessThan(5e-7);
});

test('the exponential neither overflows nor goes below zero', () => {
  expect(fastExp(-1e6)).toBe(0);
  expect(fastExp(1e6)).toBeGreaterThan(1e37);
  expect(Number.isFinite(fastExp(1e6))).toBe(true);
});

test('the logarithm is exact to 2e-5 from 1e-30 to 1e30', () => {
  const values = Float32Array.from({ length: 6001 }, (_, i) => 10 ** (-30 + i / 100));
  const exact = Float64Array.from(values, Math.log);
  logInPlace(values).forEach((v, i) => {
    expect(Math.abs(v - exact[i])).toBeLessThan(2e-5);
  });
});
