import { expect, test } from 'vitest';
import { fillUnknown } from './fill.js';

const W = 37;
const H = 23;

test('what is known stays, what is not lies between its surroundings', () => {
  const plane = Float32Array.from({ length: W * H }, (_, p) => (p % W) / W);
  const known = Uint8Array.from({ length: W * H }, (_, p) => {
    const x = p % W;
    const y = Math.floor(p / W);
    return x > 10 && x < 20 && y > 5 && y < 15 ? 0 : 1;
  });
  const hidden = plane.map((v, p) => (known[p] ? v : 1e9));
  const out = fillUnknown(hidden, known, W, H);
  for (let p = 0; p < out.length; p++) {
    if (known[p]) expect(out[p]).toBe(plane[p]);
    else expect(Math.abs(out[p] - plane[p])).toBeLessThan(0.12);
  }
});

test('one known pixel fills all, none leaves all as it is', () => {
  const plane = new Float32Array(W * H).fill(5);
  plane[100] = 2;
  const known = new Uint8Array(W * H);
  expect(fillUnknown(plane, known, W, H)).toBe(plane);
  known[100] = 1;
  expect(fillUnknown(plane, known, W, H).every((v) => Math.abs(v - 2) < 1e-6)).toBe(true);
});
