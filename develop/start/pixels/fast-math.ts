/**
 * Exponential and logarithm of whole arrays, several times faster than Math.exp and Math.log. Relative error of
 * the exponential below 5e-7, absolute error of the logarithm below 2e-5 (see the tests): enough for comparing and
 * blending pictures; fits of the camera response use the exact functions.
 */

const LN2 = Math.LN2;
const LOG2E = Math.LOG2E;

/** 2^k for k = −1022 … 1023 at index k + 1022. */
const POWERS = new Float64Array(2046);
for (let k = 0; k < POWERS.length; k++) POWERS[k] = 2 ** (k - 1022);

/** exp(x), 0 far below and capped far above the range of Float32. */
export function fastExp(x: number): number {
  const y = x * LOG2E;
  if (y < -150) return 0;
  const z = y > 127 ? 127 : y;
  const whole = Math.floor(z);
  const f = (z - whole) * LN2;
  // Taylor polynomial about the middle of [0, ln 2), where |g| ≤ 0.347.
  const g = f - 0.34657359;
  const p =
    1 + g * (1 + g * (0.5 + g * (0.16666667 + g * (0.041666668 + g * (0.008333334 + g * 0.0013888889)))));
  return Math.SQRT2 * p * POWERS[whole + 1022];
}

/** ln of every element of `values`, in place. Elements must be normal positive numbers. */
export function logInPlace(values: Float32Array): Float32Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const b = bits[i];
    // Mantissa in [√½, √2): ln(1 + m) by the odd series of the inverse hyperbolic tangent.
    let exponent = (b >> 23) - 127;
    let m = (b & 0x7fffff) * 1.1920928955078125e-7;
    if (m > 0.41421356) {
      m = (m - 1) * 0.5;
      exponent++;
    }
    const t = m / (2 + m);
    const t2 = t * t;
    values[i] = exponent * LN2 + t * (2 + t2 * (0.66666667 + t2 * (0.4 + t2 * 0.2857143)));
  }
  return values;
}
