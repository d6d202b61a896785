import { expect, test } from 'vitest';
import { farSurface } from './far-surface.js';

const W = 180;
const H = 120;
const wall = (x: number, y: number): number => -1 + 0.6 * (x / W) + 0.3 * (y / H) ** 2;

test('the surface behind is found under what stands in front of it', () => {
  const s = Float32Array.from({ length: W * H }, (_, p) => {
    const x = p % W;
    const y = Math.floor(p / W);
    const disc = (x - 60) ** 2 + (y - 50) ** 2 < 22 ** 2;
    const bar = Math.abs(x - 130) < 6;
    return disc ? 0.8 : bar ? 0.6 : wall(x, y);
  });
  const z = farSurface(s, W, H, 2);
  let worst = 0;
  for (let p = 0; p < z.length; p++) worst = Math.max(worst, Math.abs(z[p] - wall(p % W, Math.floor(p / W))));
  expect(worst).toBeLessThan(0.17);
});

test('a plane is its own far surface', () => {
  const s = Float32Array.from({ length: W * H }, (_, p) => (p % W) / W - Math.floor(p / W) / H);
  const z = farSurface(s, W, H, 2);
  let worst = 0;
  for (let y = 4; y < H - 4; y++)
    for (let x = 4; x < W - 4; x++) worst = Math.max(worst, Math.abs(z[y * W + x] - s[y * W + x]));
  expect(worst).toBeLessThan(0.02);
});

test('a tiny map is returned', () => {
  const s = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect(farSurface(s, 3, 2, 2)).toEqual(s);
});
