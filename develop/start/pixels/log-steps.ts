/** Steps of the 16-bit logarithms per unit of ln. */
export const LOG_STEPS = 1024;

/** How many mixes of the three channels there are (see focus-stack.ts). */
export const MIXES = 2;

/** Bits of the mantissa that quantisedLog looks at: an error of half a step at most. */
const MANTISSA_BITS = 11;
/** LOG_STEPS · ln of the middle of each class of mantissas. */
export const MANTISSA_LOG = Float64Array.from(
  { length: 1 << MANTISSA_BITS },
  (_, m) => LOG_STEPS * Math.log1p((m + 0.5) / (1 << MANTISSA_BITS)),
);
/** The same of 2^(e − 127) for e = 0 … 255. */
export const EXPONENT_LOG = Float64Array.from(
  { length: 256 },
  (_, e) => LOG_STEPS * Math.LN2 * Math.max(e - 127, -45),
);

/** ln(plane + floor) in 16-bit steps, for plane ≥ 0 and floor > 0: looked up by exponent and leading mantissa bits. */
export function quantisedLog(plane: Float32Array, floor: number): Int16Array {
  const shifted = new Float32Array(plane.length);
  for (let p = 0; p < plane.length; p++) shifted[p] = plane[p] + floor;
  const bits = new Int32Array(shifted.buffer);
  const out = new Int16Array(plane.length);
  const drop = 23 - MANTISSA_BITS;
  const mask = (1 << MANTISSA_BITS) - 1;
  for (let p = 0; p < out.length; p++) {
    const b = bits[p];
    out[p] = EXPONENT_LOG[(b >> 23) & 255] + MANTISSA_LOG[(b >> drop) & mask];
  }
  return out;
}
