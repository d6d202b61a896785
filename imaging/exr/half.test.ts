import fc from 'fast-check';
import { expect, it } from 'vitest';
import { floatToHalf, halfTable } from './half.js';

it('every half comes back from its float', () => {
  const table = halfTable();
  let wrong = 0;
  for (let bits = 0; bits < 65536; bits++) {
    const back = floatToHalf(table[bits]);
    if (Number.isNaN(table[bits]) ? (back & 0x7fff) <= 0x7c00 : back !== bits) wrong++;
  }
  expect(wrong).toBe(0);
  expect([table[0x3c00], table[0x7bff], table[1], table[0xc000]]).toEqual([1, 65504, 2 ** -24, -2]);
});

it('a float becomes the nearest half', () => {
  const table = halfTable();
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = floatToHalf(value);
      const error = Math.abs(table[bits] - value);
      for (const neighbour of [bits - 1, bits + 1]) {
        const other = table[neighbour & 0xffff];
        if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
      }
    }),
    { numRuns: 2000 },
  );
});

it('ties go to even, and what is too large becomes infinite', () => {
  expect(floatToHalf(2049)).toBe(floatToHalf(2048));
  expect(floatToHalf(2051)).toBe(floatToHalf(2052));
  expect(floatToHalf(65519)).toBe(0x7bff);
  expect(floatToHalf(65520)).toBe(0x7c00);
  expect(floatToHalf(Number.NEGATIVE_INFINITY)).toBe(0xfc00);
  expect(floatToHalf(2 ** -25)).toBe(0);
  expect(floatToHalf(1.5 * 2 ** -24)).toBe(2);
});
