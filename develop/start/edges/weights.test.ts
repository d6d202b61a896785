import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { WEIGHTS } from './layers.js';
import { edgeNetwork, floatsOf } from './weights.js';

test('16-bit floats', () => {
  const halves = Uint16Array.of(0x0000, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x8400);
  expect(Array.from(floatsOf(halves))).toEqual([
    0,
    1,
    -2,
    expect.closeTo(1 / 3, 3),
    65504,
    2 ** -24,
    -(2 ** -14),
  ]);
});

test('the network is small, whole and finite', () => {
  const file = fileURLToPath(new URL('./edges.safetensors', import.meta.url));
  expect(statSync(file).size).toBeLessThan(400_000);
  const network = edgeNetwork();
  expect(network).toHaveLength(WEIGHTS);
  expect(network.every((v) => Math.abs(v) < 10)).toBe(true);
  expect(network.some((v) => v !== 0)).toBe(true);
});
