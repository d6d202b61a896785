/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * The same (key, counter) gives the same four words in every language and on every machine, so the batch of a step is
 * a pure function of (seed, step, draw) and no generator state has to be shipped or stored.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16);
  const mid2 = a0 * b1 + (mid % 0x10000);
  return (a1 * b1 + Math.floor(mid / 0x10000) + Math.floor(mid2 / 0x10000)) >>> 0;
}

/** Four unsigned 32-bit words for a 128-bit counter and a 64-bit key, written to `out`. */
export function philox4x32(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  let [x0, x1, x2, x3] = [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
  let [a, b] = [k0 >>> 0, k1 >>> 0];
  for (let round = 0; round < 10; round++) {
    const h0 = multiplyHigh(M0, x0);
    const l0 = Math.imul(M0, x0) >>> 0;
    const h1 = multiplyHigh(M1, x2);
    const l1 = Math.imul(M1, x2) >>> 0;
    x0 = (h1 ^ x1 ^ a) >>> 0;
    x1 = l1;
    x2 = (h0 ^ x3 ^ b) >>> 0;
    x3 = l0;
    a = (a + W0) >>> 0;
    b = (b + W1) >>> 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** What a random number is for: the second key word, so that no two uses share a stream. */
export const Stream = {
  initial: 1,
  epoch: 2,
  gamma: 4,
  scene: 5,
} as const;

/** A random word to [0, 1) with 24 bits, exact in single precision. */
export function toUnit(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** A sequential view of one stream, for code that draws one number after the other. */
export class RandomStream {
  private readonly words = new Uint32Array(4);
  private counter = 0;
  private at = 4;
  private readonly seed: number;
  private readonly stream: number;
  private readonly part: number;

  constructor(seed: number, stream: number, part = 0) {
    this.seed = seed;
    this.stream = stream;
    this.part = part;
  }

  /** The next unsigned 32-bit word. */
  word(): number {
    if (this.at === 4) {
      philox4x32(this.words, this.counter++, this.part, 0, 0, this.seed, this.stream);
      this.at = 0;
    }
    return this.words[this.at++];
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return toUnit(this.word());
  }
}
