/** The value of a node of the reduction tree, read and sealed in TypeScript: runner/native/reduction.h, independently. */

export const HEADER = 80;
const CHECKSUM = 72;
const LINE = 16;

export interface NodeValue {
  readonly numberBytes: number;
  readonly step: number;
  readonly shard: number;
  readonly shards: number;
  readonly loss: number;
  readonly dense: Float32Array[];
  /** Lines that are not zero, by number. */
  readonly atlas: Map<number, Float32Array>;
  readonly map: Map<number, Float32Array>;
}

export function readNode(bytes: Uint8Array): NodeValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number) => view.getUint32(at, true);
  const numberBytes = u32(4);
  const [dense, atlas, map] = [u32(32), u32(36), u32(40)];
  const lineBytes = numberBytes === 2 ? 34 : numberBytes * LINE;
  const line = (at: number) =>
    Float32Array.from({ length: LINE }, (_, i) =>
      numberBytes === 2 ? halfNumber(view, at, i) : view.getFloat32(at + 4 * i, true),
    );
  const numbers = HEADER + dense * lineBytes;
  const lines = numbers + 4 * (atlas + map);
  const sparse = (from: number, count: number) =>
    new Map(
      Array.from({ length: count }, (_, i) => [
        u32(numbers + 4 * (from + i)),
        line(lines + (from + i) * lineBytes),
      ]),
    );
  return {
    numberBytes,
    step: Number(view.getBigInt64(16, true)),
    shard: view.getInt32(24, true),
    shards: view.getInt32(28, true),
    loss: view.getFloat64(48, true),
    dense: Array.from({ length: dense }, (_, i) => line(HEADER + i * lineBytes)),
    atlas: sparse(0, atlas),
    map: sparse(atlas, map),
  };
}

function halfNumber(view: DataView, at: number, i: number): number {
  const exponent = view.getInt16(at, true);
  return exponent === -32768 ? 0 : view.getInt16(at + 2 + 2 * i, true) * 2 ** exponent;
}

/** Sixteen numbers with one exponent and 16-bit mantissas, to nearest even. */
export function roundLine(line: Float32Array): Float32Array {
  const top = line.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  if (top < 2 ** -100) return new Float32Array(LINE);
  let e = Math.floor(Math.log2(top)) - 14;
  // The logarithm may be off by one beside a power of two.
  while (top < 2 ** (e + 14)) e--;
  while (top >= 2 ** (e + 15)) e++;
  if (nearestEven(top / 2 ** e) === 2 ** 15) e++;
  return line.map((x) => nearestEven(x / 2 ** e) * 2 ** e);
}

function nearestEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** The bytes with the checksum that belongs to them, whatever they say. */
export function seal(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const head = checksum(out.subarray(0, CHECKSUM), 0x31444e49n);
  new DataView(out.buffer).setBigUint64(CHECKSUM, checksum(out.subarray(HEADER), head), true);
  return out;
}

const U64 = (1n << 64n) - 1n;

function mix(h: bigint, word: bigint): bigint {
  const x = ((h ^ word) * 0x9e3779b97f4a7c15n) & U64;
  return x ^ (x >> 29n);
}

function checksum(bytes: Uint8Array, seed: bigint): bigint {
  const whole = bytes.length - (bytes.length % 32);
  const padded = new Uint8Array(whole + 32);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const h = [0n, 1n, 2n, 3n].map((k) => (seed + k) & U64);
  for (let at = 0; at < whole; at += 32) {
    for (let k = 0; k < 4; k++) h[k] = mix(h[k]!, view.getBigUint64(at + 8 * k, true));
  }
  for (let k = 0; k < 4; k++) h[0] = mix(mix(h[0]!, view.getBigUint64(whole + 8 * k, true)), h[k]!);
  return mix(h[0]!, BigInt(bytes.length));
}
