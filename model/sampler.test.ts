import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema } from './config.js';
import { cellCounts, drawCells, drawNumber, randomGamma, sequenceKey } from './sampler.js';
import { planShards, type Rect, type Shard } from './shards.js';

/** A shard that draws all of its sequence: one epoch is `cells` draws. */
function alone(own: Rect, draws: number, tiled = true): Shard {
  return { tiled, own, grid: own, drawOffset: 0, draws, drawStride: draws };
}

const rect = fc.record({
  x: fc.integer({ min: 0, max: 50 }),
  y: fc.integer({ min: 0, max: 50 }),
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
});
const patch = fc.constantFrom(1, 4, 8, 16);
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('drawCells', () => {
  test('an epoch visits every cell once', () => {
    fc.assert(
      fc.property(rect, patch, seed, fc.nat(1000), (own, patch, seed, epoch) => {
        const [across, down] = cellCounts(alone(own, 1), patch);
        const origins = drawCells(seed, epoch, alone(own, across * down), 3, patch);
        const seen = new Set<string>();
        for (let j = 0; j < origins.length; j += 2) seen.add(`${origins[j]},${origins[j + 1]}`);
        expect(seen.size).toBe(across * down);
      }),
    );
  });

  test('an epoch visits every pixel once: its patches tile the rectangle', () => {
    fc.assert(
      fc.property(rect, patch, seed, fc.nat(1000), (own, patch, seed, epoch) => {
        const [across, down] = cellCounts(alone(own, 1), patch);
        const origins = drawCells(seed, epoch, alone(own, across * down), 0, patch);
        const visits = new Uint16Array(own.width * own.height);
        for (let j = 0; j < origins.length; j += 2) {
          for (let k = 0; k < patch * patch; k++) {
            const x = origins[j] + (k % patch) - own.x;
            const y = origins[j + 1] + Math.floor(k / patch) - own.y;
            if (x >= 0 && y >= 0 && x < own.width && y < own.height) visits[y * own.width + x]++;
          }
        }
        expect(visits.every((n) => n === 1)).toBe(true);
      }),
    );
  });

  test('a patch begins less than its side outside the rectangle', () => {
    fc.assert(
      fc.property(rect, patch, seed, fc.nat(1000), (own, patch, seed, step) => {
        const origins = drawCells(seed, step, alone(own, 25), 1, patch);
        const [xs, ys] = [0, 1].map((axis) => origins.filter((_, i) => i % 2 === axis));
        expect(Math.min(...xs)).toBeGreaterThan(own.x - patch);
        expect(Math.max(...xs)).toBeLessThan(own.x + own.width + patch);
        expect(Math.min(...ys)).toBeGreaterThan(own.y - patch);
        expect(Math.max(...ys)).toBeLessThan(own.y + own.height + patch);
      }),
    );
  });

  test('shards part the batch: together they draw what one would draw alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), seed, fc.nat(500), (patches, seed, step) => {
        const config = configSchema.parse({ train: { patches } });
        const shards = planShards(config, 37, 23);
        const parts = shards.flatMap((shard, i) => [...drawCells(seed, step, shard, i, 16)]);
        const whole = drawCells(seed, step, alone(shards[0].own, patches, false), 0, 16);
        expect(parts).toEqual([...whole]);
      }),
    );
  });

  test('steps go on where the last one ended, across epochs', () => {
    const own = { x: 0, y: 0, width: 13, height: 7 };
    const one = drawCells(5, 0, alone(own, 400), 0, 1);
    const many = [0, 1, 2, 3].flatMap((step) => [...drawCells(5, step, alone(own, 100), 0, 1)]);
    expect(many).toEqual([...one]);
  });

  test('is a pure function: other calls between change nothing', () => {
    const shard = alone({ x: 2, y: 3, width: 20, height: 11 }, 64);
    const first = drawCells(9, 40, shard, 2, 4);
    drawCells(8, 41, shard, 1, 16);
    randomGamma(1, 2);
    expect(drawCells(9, 40, shard, 2, 4)).toEqual(first);
  });

  test('epochs, seeds and tiles have orders of their own', () => {
    const shard = alone({ x: 0, y: 0, width: 30, height: 30 }, 900);
    const orders = [
      drawCells(1, 0, shard, 0, 1),
      drawCells(1, 1, shard, 0, 1),
      drawCells(2, 0, shard, 0, 1),
      drawCells(1, 0, shard, 1, 1),
    ].map((o) => o.join());
    expect(new Set(orders).size).toBe(4);
  });

  test('an epoch begins anywhere', () => {
    const shard = alone({ x: 0, y: 0, width: 6, height: 6 }, 1);
    const [first, last] = [0, 35].map((draw) =>
      Array.from({ length: 400 }, (_, epoch) => drawCells(1, 36 * epoch + draw, shard, 0, 1).join()),
    );
    expect(new Set(first).size).toBe(36);
    expect(new Set(last).size).toBe(36);
  });

  test('patches lie on another grid every epoch: every shift occurs', () => {
    const shard = alone({ x: 0, y: 0, width: 9, height: 9 }, 9);
    const shifts = new Set<number>();
    for (let epoch = 0; epoch < 200; epoch++) {
      const origins = drawCells(1, epoch, shard, 0, 4);
      shifts.add(4 * (((origins[0] % 4) + 4) % 4) + (((origins[1] % 4) + 4) % 4));
    }
    expect(shifts.size).toBe(16);
  });

  test('gives nothing to a shard without draws', () => {
    expect(drawCells(1, 7, alone({ x: 0, y: 0, width: 5, height: 5 }, 0), 0, 4)).toHaveLength(0);
  });
});

test('running numbers of a step are in one piece, shard after shard', () => {
  const shards = planShards(configSchema.parse({ train: { patches: 11 } }), 8, 8);
  const numbers = shards.flatMap((s) => Array.from({ length: s.draws }, (_, j) => drawNumber(s, 3, j)));
  expect(numbers).toEqual(Array.from({ length: 11 }, (_, i) => 33 + i));
});

test('data-parallel shards share one sequence, tiles have their own', () => {
  const own = { x: 0, y: 0, width: 4, height: 4 };
  expect([0, 1, 2].map((i) => sequenceKey(alone(own, 1, false), i))).toEqual([0, 0, 0]);
  expect([0, 1, 2].map((i) => sequenceKey(alone(own, 1, true), i))).toEqual([1, 2, 3]);
});

describe('random numbers of a step', () => {
  test('the random gamma covers 1 to 101', () => {
    const gammas = Array.from({ length: 2000 }, (_, step) => randomGamma(1, step));
    expect(Math.min(...gammas)).toBeGreaterThanOrEqual(1);
    expect(Math.min(...gammas)).toBeLessThan(2);
    expect(Math.max(...gammas)).toBeLessThan(101);
    expect(Math.max(...gammas)).toBeGreaterThan(100);
    expect(gammas.reduce((a, g) => a + g, 0) / 2000).toBeCloseTo(51, -1);
  });
});
