import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImplicamError } from '../../model/errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.js';

const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
const size = (s: readonly number[]) => s.reduce((a, b) => a * b, 1);
const filled = <T>(array: (n: number) => fc.Arbitrary<T>) =>
  shape.chain((s) => array(size(s)).map((data) => ({ shape: s, data })));
const exactly = (n: number) => ({ minLength: n, maxLength: n });

const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  filled((n) => fc.float32Array(exactly(n))).map((t) => ({ dtype: 'F32' as const, ...t })),
  filled((n) => fc.float64Array(exactly(n))).map((t) => ({ dtype: 'F64' as const, ...t })),
  filled((n) => fc.uint16Array(exactly(n))).map((t) => ({ dtype: 'F16' as const, ...t })),
  filled((n) => fc.uint8Array(exactly(n))).map((t) => ({ dtype: 'U8' as const, ...t })),
  filled((n) => fc.int32Array(exactly(n))).map((t) => ({ dtype: 'I32' as const, ...t })),
  filled((n) => fc.bigInt64Array(exactly(n))).map((t) => ({ dtype: 'I64' as const, ...t })),
);

const file = (header: string, body = new Uint8Array(0)) => {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
};

const refusal = (bytes: Uint8Array) => {
  try {
    decodeSafetensors(bytes, 'model.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(ImplicamError);
    expect((error as ImplicamError).code).toBe('file-corrupt');
    return (error as ImplicamError).message;
  }
  return undefined;
};

describe('safetensors', () => {
  it('gives back every tensor and string, to the bit', () => {
    const name = fc.string({ minLength: 1 }).filter((s) => s !== '__metadata__');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, tensor), { selector: ([n]) => n, maxLength: 6 }),
        fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([n]) => n, maxLength: 3 }),
        fc.nat(7),
        (tensors, metadata, shift) => {
          const bytes = encodeSafetensors(tensors, metadata);
          // As a part of a larger buffer, at any alignment.
          const within = new Uint8Array(bytes.length + shift).subarray(shift);
          within.set(bytes);
          const read = decodeSafetensors(within, 'x');
          expect(read.metadata).toEqual(new Map(metadata));
          expect([...read.tensors.keys()].sort()).toEqual(tensors.map(([n]) => n).sort());
          for (const [n, t] of tensors) {
            const back = read.tensors.get(n)!;
            expect(back.dtype).toBe(t.dtype);
            expect(back.shape).toEqual(t.shape);
            expect(Buffer.from(back.data.buffer, back.data.byteOffset, back.data.byteLength)).toEqual(
              Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength),
            );
          }
        },
      ),
    );
  });

  it('writes the same bytes whatever the order of the tensors, aligned to their width', () => {
    const a: Tensor = { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) };
    const b: Tensor = { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) };
    const bytes = encodeSafetensors([
      ['a', a],
      ['b', b],
    ]);
    expect(
      encodeSafetensors([
        ['b', b],
        ['a', a],
      ]),
    ).toEqual(bytes);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(8, bytes.length - 11));
    expect(JSON.parse(header)).toEqual({
      b: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
      a: { dtype: 'U8', shape: [3], data_offsets: [8, 11] },
    });
  });

  it('refuses to write what it could not read', () => {
    const data = Float32Array.of(1, 2);
    const write = (name: string, shape: number[]) => () =>
      encodeSafetensors([[name, { dtype: 'F32', shape, data }]]);
    expect(write('a', [3])).toThrow(/shape \[3\]/);
    expect(write('__metadata__', [2])).toThrow(/reserved/);
    expect(write('a', [2, 1])).not.toThrow();
  });

  const one = (entry: object) => JSON.stringify({ a: entry });
  const four = new Uint8Array(4);
  it.each([
    ['nothing', new Uint8Array(0), /shorter/],
    ['a header beyond the end', file('{}').subarray(0, 9), /ends within/],
    ['a header of 2^63 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d), /claims/],
    ['no JSON', file('{"a":'), /no JSON/],
    ['no UTF-8', file('"').map((b, i) => (i === 8 ? 0xff : b)), /no JSON/],
    ['a list', file('[]'), /names no tensors/],
    ['null', file('null'), /names no tensors/],
    ['a number for a tensor', file('{"a":1}'), /not described/],
    ['metadata that are numbers', file('{"__metadata__":{"x":1}}'), /no string/],
    ['an unknown type', file(one({ dtype: 'F8', shape: [4], data_offsets: [0, 4] }), four), /unknown type/],
    [
      'an inherited type',
      file(one({ dtype: 'toString', shape: [4], data_offsets: [0, 4] }), four),
      /unknown/,
    ],
    ['a negative size', file(one({ dtype: 'U8', shape: [-4], data_offsets: [0, 4] }), four), /no shape/],
    ['a fraction', file(one({ dtype: 'U8', shape: [4], data_offsets: [0.5, 4] }), four), /no place/],
    ['offsets back to front', file(one({ dtype: 'U8', shape: [4], data_offsets: [4, 0] }), four), /beyond/],
    ['offsets beyond the end', file(one({ dtype: 'U8', shape: [8], data_offsets: [0, 8] }), four), /beyond/],
    [
      'a shape of another size',
      file(one({ dtype: 'F32', shape: [2], data_offsets: [0, 4] }), four),
      /4 bytes/,
    ],
    [
      'a shape that overflows',
      file(one({ dtype: 'U8', shape: [2 ** 52, 2 ** 52], data_offsets: [0, 4] }), four),
      /4 bytes/,
    ],
    ['bytes of no tensor', file('{}', four), /4 bytes belong/],
    [
      'tensors that overlap',
      file(
        JSON.stringify({
          a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
          b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] },
        }),
        four,
      ),
      /"b" overlaps/,
    ],
    [
      'a hole',
      file(
        JSON.stringify({
          a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
          b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] },
        }),
        four,
      ),
      /hole before/,
    ],
  ])('refuses %s, naming the file', (_, bytes, expected) => {
    const message = refusal(bytes);
    expect(message).toMatch(expected);
    expect(message).toContain('model.safetensors');
  });

  it('survives damage: a file either reads or is refused as corrupt', () => {
    const whole = encodeSafetensors(
      [
        ['w', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ['n', { dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) }],
      ],
      [['version', '1']],
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        (edits, cut) => {
          const bytes = whole.slice(0, cut > 0 ? cut : whole.length);
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          const message = refusal(bytes);
          if (cut > 0 && cut < whole.length) expect(message).toBeDefined();
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void refusal(bytes)));
    fc.assert(fc.property(fc.json(), (text) => void refusal(file(text, four))));
  });
});
