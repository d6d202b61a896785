/**
 * Display curves: linear light ↔ what a display expects. Linear 1 is display white. The array forms are for whole
 * pictures: they read a table instead of calling `pow` for each sample (about 10 × faster) and stay within 1e-6 of
 * the scalar forms.
 */

/** Where sRGB goes from its linear toe to its power law, on the linear and on the encoded side. */
const TOE_LINEAR = 0.0031308;
const TOE_ENCODED = 0.04045;

/** The sRGB value of linear light x; 0 → 0, 1 → 1 (IEC 61966-2-1). Not clipped: negative x continues the toe. */
export function encodeSrgb(x: number): number {
  return x <= TOE_LINEAR ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
}

/** The linear light of an sRGB value: the inverse of `encodeSrgb`. */
export function decodeSrgb(value: number): number {
  return value <= TOE_ENCODED ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/**
 * A film-like curve, linear light → linear display light in [0, 1]: a toe, a straight middle, a long shoulder that
 * reaches white at x = 10 (3.3 stops above display white). It is Narkowicz' fit of the ACES reference transform
 * ("ACES Filmic Tone Mapping Curve", 2015), (y (2.51 y + 0.03)) / (y (2.43 y + 0.59) + 0.14), at y = 0.7232 x: with
 * that gain mid-grey, 0.18, maps to itself, so that filmic and plain sRGB renders of one picture look equally bright.
 */
export function filmic(x: number): number {
  if (!(x > 0)) return 0;
  // The quotient of two overflown polynomials would be NaN.
  const y = FILMIC_GAIN * Math.min(x, FILMIC_WHITE);
  return Math.min(1, (y * (2.51 * y + 0.03)) / (y * (2.43 * y + 0.59) + 0.14));
}

const FILMIC_GAIN = 0.7232;
const FILMIC_WHITE = 16;

/**
 * Encodes linear samples for an sRGB display: `target[i] = encodeSrgb(source[i])`, clipped to [0, 1]; NaN gives 0.
 * `target` may be `source`.
 */
export function encodeSrgbArray(
  source: Float32Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const table = encodeTable();
  for (let i = 0; i < source.length; i++) {
    const x = source[i];
    if (x >= 1) target[i] = 1;
    else if (x >= TABLE_FROM) target[i] = interpolateByBits(table, bits[i]);
    else target[i] = x > 0 ? 12.92 * x : 0;
  }
  return target;
}

/** Linear samples through `filmic` and then the sRGB curve, as `encodeSrgbArray`. `target` may be `source`. */
export function encodeFilmicArray(
  source: Float32Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  for (let i = 0; i < source.length; i++) target[i] = filmic(source[i]);
  return encodeSrgbArray(target, target);
}

/** Linear light of sRGB samples in [0, 1] (clipped; NaN gives 0). `target` may be `source`. */
export function decodeSrgbArray(
  source: Float32Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const table = decodeTable();
  for (let i = 0; i < source.length; i++) {
    const v = source[i];
    if (v >= 1) target[i] = 1;
    else if (v <= TOE_ENCODED) target[i] = v > 0 ? v / 12.92 : 0;
    else if (v > 0) {
      const at = v * DECODE_CELLS;
      const cell = at | 0;
      const low = table[cell];
      target[i] = low + (at - cell) * (table[cell + 1] - low);
    } else target[i] = 0;
  }
  return target;
}

/** Linear light of every sample value of an sRGB frame: `table[k] = decodeSrgb(k / fullScale)`. */
export function srgbSampleTable(fullScale: 255 | 65535): Float32Array {
  const cached = sampleTables.get(fullScale);
  if (cached) return cached;
  const table = Float32Array.from({ length: fullScale + 1 }, (_, k) => decodeSrgb(k / fullScale));
  sampleTables.set(fullScale, table);
  return table;
}

const sampleTables = new Map<number, Float32Array>();

/**
 * The encoding table is indexed by the bits of a float: exponent and the first eight bits of the mantissa name the
 * cell, the other fifteen interpolate within it. Cells so grow with x, as the curve's radius of curvature does: the
 * error stays below 5e-7 from 2^-9 (below which the curve is its linear toe) to 1.
 */
const TABLE_FROM = 2 ** -9;
const TABLE_FROM_BITS = 0x3b000000;
const CELL_BITS = 15;
const CELLS = 9 << 8;

function interpolateByBits(table: Float32Array, bits: number): number {
  const offset = bits - TABLE_FROM_BITS;
  const cell = offset >>> CELL_BITS;
  const low = table[cell];
  return low + ((offset & 0x7fff) / 0x8000) * (table[cell + 1] - low);
}

let encodeCells: Float32Array | undefined;

function encodeTable(): Float32Array {
  if (encodeCells) return encodeCells;
  encodeCells = new Float32Array(CELLS + 1);
  for (let cell = 0; cell <= CELLS; cell++) {
    const octave = 2 ** ((cell >> 8) - 9);
    encodeCells[cell] = encodeSrgb(octave * (1 + (cell & 255) / 256));
  }
  return encodeCells;
}

const DECODE_CELLS = 4096;
let decodeCells: Float32Array | undefined;

function decodeTable(): Float32Array {
  decodeCells ??= Float32Array.from({ length: DECODE_CELLS + 1 }, (_, i) => decodeSrgb(i / DECODE_CELLS));
  return decodeCells;
}
