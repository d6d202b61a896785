import { expect, test } from 'vitest';
import { aggregatePaths, lowestLabels, MAXIMUM_COST } from './semi-global.js';

const W = 7;
const H = 5;
const L = 6;
const P1 = 90;

/** Each direction by itself, straight from the recurrence. */
function reference(cost: Uint16Array, p2: Uint16Array): Float64Array {
  const sum = new Float64Array(cost.length);
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
    [1, 1],
    [-1, 1],
    [1, -1],
    [-1, -1],
  ] as const) {
    const path = new Float64Array(cost.length).fill(Number.NaN);
    const visit = (x: number, y: number): void => {
      const p = y * W + x;
      if (!Number.isNaN(path[p * L])) return;
      const px = x - dx;
      const py = y - dy;
      const inside = px >= 0 && px < W && py >= 0 && py < H;
      if (inside) visit(px, py);
      const q = (py * W + px) * L;
      const before = inside ? [...path.subarray(q, q + L)] : [];
      const least = Math.min(...before);
      for (let l = 0; l < L; l++) {
        const best = Math.min(
          before[l],
          (before[l - 1] ?? Number.POSITIVE_INFINITY) + P1,
          (before[l + 1] ?? Number.POSITIVE_INFINITY) + P1,
          least + p2[p],
        );
        path[p * L + l] = cost[p * L + l] + (inside ? best - least : 0);
      }
    };
    for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) visit(x, y);
    for (let i = 0; i < sum.length; i++) sum[i] += path[i];
  }
  return sum;
}

test('the eight paths are those of the recurrence', () => {
  const cost = Uint16Array.from({ length: W * H * L }, (_, i) => (i * 7919 + ((i * i) % 997)) % MAXIMUM_COST);
  const p2 = Uint16Array.from({ length: W * H }, (_, p) => 200 + ((p * 577) % 3000));
  const sum = aggregatePaths({ width: W, height: H, labels: L, cost }, P1, p2);
  expect([...sum]).toEqual([...reference(cost, p2)]);
});

test('the largest costs still fit sixteen bits', () => {
  const cost = new Uint16Array(W * H * L).fill(MAXIMUM_COST);
  for (let p = 0; p < W * H; p++) cost[p * L + (p % 2 === 0 ? 0 : L - 1)] = 0;
  const p2 = new Uint16Array(W * H).fill(MAXIMUM_COST);
  const sum = aggregatePaths({ width: W, height: H, labels: L, cost }, P1, p2);
  expect([...sum]).toEqual([...reference(cost, p2)]);
});

test('a surface is carried across pixels that say nothing', () => {
  const cost = new Uint16Array(W * H * L).fill(1000);
  for (let p = 0; p < W * H; p++) {
    const x = p % W;
    for (let l = 0; l < L; l++) cost[p * L + l] = x === 3 ? 500 : l === 2 ? 0 : 1000;
  }
  const sum = aggregatePaths({ width: W, height: H, labels: L, cost }, P1, new Uint16Array(W * H).fill(800));
  expect([...lowestLabels(sum, L).position].every((l) => Math.abs(l - 2) < 1e-6)).toBe(true);
});

test('between labels the minimum is that of the parabola', () => {
  const at = (l: number): number => Math.round(100 * (l - 2.3) ** 2 + 50);
  const { position, lowest } = lowestLabels(Uint16Array.from([0, 1, 2, 3, 4], at), 5);
  expect(position[0]).toBeCloseTo(2.3, 2);
  expect(lowest[0]).toBe(59);
  expect(lowestLabels(Uint16Array.of(1, 5, 9), 3).position[0]).toBe(0);
});
