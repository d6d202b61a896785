/** The value of a node of the reduction tree, read and sealed in TypeScript: engine/native/reduction/reduction.h, independently. */

export const HEADER = 80;
const CHECKSUM = 72;
const LINE = 16;

export interface NodeValue {
  readonly numberBytes: number;
  readonly step: number;
  readonly shard: number;
  readonly shards: number;
  readonly lane: number;
  readonly lanes: number;
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
  const lineBytes = numberBytes * LINE;
  const line = (at: number) =>
    Float32Array.from({ length: LINE }, (_, i) => view.getFloat32(at + 4 * i, true));
  const listed: { number: number; nodes: number[] }[] = [];
  let at = HEADER + dense * lineBytes;
  for (let i = 0, before = -1; i < atlas + map; i++) {
    if (i === atlas) before = -1;
    let [gap, shift, byte] = [0, 0, 128];
    for (; byte >= 128; shift += 7) {
      byte = bytes[at++];
      gap += (byte & 127) << shift;
    }
    before += 1 + gap;
    const mask = bytes[at++];
    listed.push({
      number: before,
      nodes: Array.from({ length: 8 }, (_, k) => k).filter((k) => (mask >> k) & 1),
    });
  }
  const sparse = listed.map(({ number, nodes }): [number, Float32Array] => {
    const values = new Float32Array(LINE);
    for (const [i, node] of nodes.entries()) {
      for (const f of [0, 1]) values[2 * node + f] = view.getFloat32(at + (2 * i + f) * numberBytes, true);
    }
    at += 2 * nodes.length * numberBytes;
    return [number, values];
  });
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes are left over`);
  return {
    numberBytes,
    step: Number(view.getBigInt64(16, true)),
    shard: view.getInt32(24, true),
    shards: view.getInt32(28, true),
    lane: view.getUint16(44, true),
    lanes: view.getUint16(46, true),
    loss: view.getFloat64(48, true),
    dense: Array.from({ length: dense }, (_, i) => line(HEADER + i * lineBytes)),
    atlas: new Map(sparse.slice(0, atlas)),
    map: new Map(sparse.slice(atlas)),
  };
}

/** The bytes with the checksum that belongs to them, whatever they say. */
export function seal(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const head = checksum(out.subarray(0, CHECKSUM), 0x32444e49n);
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
    for (let k = 0; k < 4; k++) h[k] = mix(h[k], view.getBigUint64(at + 8 * k, true));
  }
  for (let k = 0; k < 4; k++) h[0] = mix(mix(h[0], view.getBigUint64(whole + 8 * k, true)), h[k]);
  return mix(h[0], BigInt(bytes.length));
}
