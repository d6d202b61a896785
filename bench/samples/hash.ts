/**
 * Stateless pseudo-random numbers for procedural texture and sensor noise: the value at a place is a pure function of
 * the place and a seed, so that a picture does not depend on the order in which its pixels are painted.
 * (Philox of `model/philox.ts` is five times slower and its quality is not needed here.)
 */

/** Mixes 32 bits (C. Wellons' "lowbias32"). */
export function mix32(v: number): number {
  let h = v | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** An unsigned 32-bit word for a place on the integer lattice. */
export function hash2(x: number, y: number, seed: number): number {
  return mix32(Math.imul(x, 0x9e3779b1) ^ mix32(Math.imul(y, 0x85ebca77) ^ Math.imul(seed, 0xc2b2ae3d)));
}

/** Uniform in [0, 1) for a place on the integer lattice. */
export function unit2(x: number, y: number, seed: number): number {
  return hash2(x, y, seed) * 2 ** -32;
}

/** Uniform in [low, high) for a place on the integer lattice. */
export function between(low: number, high: number, x: number, y: number, seed: number): number {
  return low + (high - low) * unit2(x, y, seed);
}

const NORMAL_BITS = 16;
const normalTable = inverseNormalTable();

/** A standard normal number for a counter and a seed, from 65536 equally likely values (within ±4.3). */
export function normal(counter: number, seed: number): number {
  return normalTable[mix32(counter ^ Math.imul(seed, 0x9e3779b1)) >>> (32 - NORMAL_BITS)];
}

function inverseNormalTable(): Float32Array {
  const n = 2 ** NORMAL_BITS;
  const table = new Float32Array(n);
  for (let i = 0; i < n; i++) table[i] = inverseNormal((i + 0.5) / n);
  return table;
}

/** Inverse of the normal distribution function, P. Acklam's rational approximation (relative error 1e-9). */
function inverseNormal(p: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716];
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
  ];
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const tail = Math.min(p, 1 - p);
  if (tail < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(tail));
    const num = ((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + 4.374664141464968) * q + 2.938163982698783;
    const den = (((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1;
    return (p < 0.5 ? 1 : -1) * (num / den);
  }
  const q = p - 0.5;
  const r = q * q;
  const num = ((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + 2.506628277459239;
  const den = ((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1;
  return (num * q) / den;
}
