import { expect, test } from 'vitest';
import { circleOfVariance, diskBlurPlane, kernelVariance } from './disk-blur.js';

const W = 41;
const H = 33;
const source = Float32Array.from({ length: W * H }, (_, p) => ((p * 7919) % 1009) / 1009);

/** The kernel as the equation has it, pixel by pixel. */
function direct(plane: Float32Array, circle: number): Float32Array {
  const rho = Math.sqrt(circle ** 4 / (circle * circle + 2 / 3) + 0.25);
  const reach = Math.ceil(rho + 0.5);
  const out = new Float32Array(plane.length);
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      let sum = 0;
      let total = 0;
      for (let j = -reach; j <= reach; j++)
        for (let i = -reach; i <= reach; i++) {
          const k = Math.min(1, Math.max(0, rho + 0.5 - Math.hypot(i, j)));
          const xx = Math.min(Math.max(x + i, 0), W - 1);
          const yy = Math.min(Math.max(y + j, 0), H - 1);
          total += k;
          sum += k * plane[yy * W + xx];
        }
      out[y * W + x] = sum / total;
    }
  return out;
}

/** Largest difference, counting pixels at least `margin` inside. */
function worst(a: Float32Array, b: Float32Array, width: number, height: number, margin = 0): number {
  let most = 0;
  for (let y = margin; y < height - margin; y++)
    for (let p = y * width + margin; p < (y + 1) * width - margin; p++)
      most = Math.max(most, Math.abs(a[p] - b[p]));
  return most;
}

test.each([0, 0.2, 0.5, 0.9, 1.3, 2, 2.2, 2.44, 2.6, 4, 7.3, 12, 19])(
  'a circle of %s pixels blurs as its equation says',
  (circle) => {
    const fast = diskBlurPlane(source, W, H, circle, undefined, 100);
    expect(worst(fast, direct(source, circle), W, H)).toBeLessThan(2e-6);
  },
);

test('in focus nothing changes', () => {
  expect(diskBlurPlane(source, W, H, 0)).toEqual(source);
});

test('large circles at half size differ from exact ones by little', () => {
  const n = 160;
  const plane = Float32Array.from({ length: n * n }, (_, p) => {
    const x = p % n;
    const y = Math.floor(p / n);
    return (Math.sin(x / 9) > 0 ? 1 : 0) + (Math.cos((x + 2 * y) / 23) > 0.2 ? 1 : 0);
  });
  const exact = diskBlurPlane(plane, n, n, 18, undefined, 100);
  const fast = diskBlurPlane(plane, n, n, 18, undefined, 16);
  // At the border the half-sized picture repeats another pixel.
  expect(worst(exact, fast, n, n, 20)).toBeLessThan(0.015);
});

test('variance grows as c²/4 and can be turned back into a circle', () => {
  expect(kernelVariance(0)).toBe(0);
  expect(kernelVariance(10)).toBeGreaterThan(25);
  expect(kernelVariance(10)).toBeLessThan(25.3);
  for (const circle of [0.4, 1, 2.7, 9])
    expect(circleOfVariance(kernelVariance(circle))).toBeCloseTo(circle, 3);
});
