import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox4x32, RandomStream, Stream, toUnit } from './philox.js';

type Counter = [number, number, number, number];

function philox(counter: Counter, key: [number, number]): number[] {
  const out = new Uint32Array(4);
  philox4x32(out, ...counter, ...key);
  return [...out];
}

/** The paper's ten rounds in integers of any length: nothing shared with the code under test. */
function philoxSlowly(counter: Counter, key: [number, number]): number[] {
  const mask = 0xffffffffn;
  let [x0, x1, x2, x3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * x0, 0xcd9e8d57n * x2];
    [x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, p1 & mask, (p0 >> 32n) ^ x3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [x0, x1, x2, x3].map(Number);
}

const word = fc.integer({ min: 0, max: 0xffffffff });

describe('philox4x32', () => {
  // The known answers of the authors' Random123 library, file kat_vectors.
  test.each<[string, Counter, [number, number], number[]]>([
    ['zeros', [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      'digits of π',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the published words: %s', (_, counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });

  test('multiplies exactly, whatever the words', () => {
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(philox(counter, key)).toEqual(philoxSlowly(counter, key));
      }),
      { numRuns: 300 },
    );
  });

  test('takes negative words for what they are in 32 bits', () => {
    expect(philox([-1, -1, -1, -1], [-1, -1])[0]).toBe(0x408f276d);
  });
});

describe('toUnit', () => {
  test('lies in [0, 1) and is exact in single precision', () => {
    expect(toUnit(0)).toBe(0);
    expect(toUnit(0xffffffff)).toBe(1 - 2 ** -24);
    fc.assert(
      fc.property(word, (w) => {
        const u = toUnit(w);
        expect(Math.fround(u)).toBe(u);
        expect(Math.abs(u - w / 2 ** 32)).toBeLessThan(2 ** -24);
      }),
    );
  });
});

describe('RandomStream', () => {
  const first = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.word());

  test('reads the blocks of its counter in order', () => {
    const stream = new RandomStream(7, Stream.scene, 3);
    expect(first(stream, 12)).toEqual([0, 1, 2].flatMap((c) => philox([c, 3, 0, 0], [7, Stream.scene])));
    expect(stream.unit()).toBe(toUnit(philox([3, 3, 0, 0], [7, Stream.scene])[0]));
  });

  test('shares nothing with streams of another seed, use or part', () => {
    const all = [
      new RandomStream(1, Stream.initial),
      new RandomStream(2, Stream.initial),
      new RandomStream(1, Stream.scene),
      new RandomStream(1, Stream.initial, 1),
    ].flatMap((stream) => first(stream, 64));
    expect(new Set(all).size).toBe(all.length);
  });

  test('is even: mean, variance and the halves of every bit', () => {
    const stream = new RandomStream(11, Stream.scene);
    const count = 20_000;
    const words = first(stream, count);
    const units = words.map(toUnit);
    const mean = units.reduce((a, u) => a + u, 0) / count;
    // Five standard deviations of a fair generator.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 / Math.sqrt(12 * count));
    const variance = units.reduce((a, u) => a + (u - mean) ** 2, 0) / count;
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.004);
    for (let bit = 0; bit < 32; bit++) {
      const set = words.reduce((a, w) => a + ((w >>> bit) & 1), 0);
      expect(Math.abs(set / count - 0.5), `bit ${bit}`).toBeLessThan(2.5 / Math.sqrt(count));
    }
  });
});

test('no two uses of random numbers share a stream', () => {
  const ids = Object.values(Stream);
  expect(new Set(ids).size).toBe(ids.length);
});
