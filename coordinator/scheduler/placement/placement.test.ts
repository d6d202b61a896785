import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, exchangeMs, place, predictStepMs, type Work } from './placement.js';

const work = (count: number, over: Partial<Work> = {}): Work => ({
  shards: Array.from({ length: count }, () => ({ memoryBytes: 100, cost: 1 })),
  sharedMemoryBytes: 10,
  hopMs: 0,
  ...over,
});

const candidate = (runner: string, speed = 10, memoryBytes = 10_000): Candidate => ({
  runner,
  speed,
  memoryBytes,
  order: 0,
});

const candidates = fc
  .array(fc.record({ speed: fc.double({ min: 0.5, max: 50, noNaN: true }), memoryBytes: fc.nat(1500) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all) => all.map((one, i): Candidate => ({ ...one, runner: `r${i}`, order: i % 3 })));

describe('place', () => {
  test('deals shards out in proportion to speed', () => {
    const placement = place(work(8), [candidate('a', 30), candidate('b', 10)]);
    expect(placement!.shares.map(({ runner, shards }) => [runner, shards.count])).toEqual([
      ['a', 6],
      ['b', 2],
    ]);
    expect(placement!.stepMs).toBeCloseTo(200);
  });

  test('stays on one runner where the exchange costs more than a second runner saves', () => {
    const two = [candidate('a'), candidate('b')];
    expect(place(work(4, { hopMs: 10 }), two)!.shares).toHaveLength(2);
    expect(place(work(4, { hopMs: 200 }), two)!.shares).toHaveLength(1);
  });

  test('takes slow runners too where memory demands it', () => {
    const small = [candidate('a', 30, 210), candidate('b', 10, 210)];
    expect(place(work(4, { hopMs: 500 }), small)!.shares.map(({ shards }) => shards.count)).toEqual([2, 2]);
    expect(place(work(5), small)).toBeNull();
  });

  test('no runner, no place', () => {
    expect(place(work(1), [])).toBeNull();
  });

  test('every shard once, in contiguous runs, within memory, as long as predicted', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 12 }), fc.nat(100), (all, count, hopMs) => {
        const task = work(count, { hopMs });
        const placement = place(task, all);
        if (placement === null) {
          const room = all.reduce(
            (sum, { memoryBytes }) => sum + Math.max(0, Math.floor((memoryBytes - 10) / 100)),
            0,
          );
          expect(room).toBeLessThan(count);
          return;
        }
        let next = 0;
        for (const { runner, shards } of placement.shares) {
          expect(shards.first).toBe(next);
          expect(shards.count).toBeGreaterThan(0);
          next += shards.count;
          const { memoryBytes } = all.find((one) => one.runner === runner)!;
          expect(10 + 100 * shards.count).toBeLessThanOrEqual(memoryBytes);
        }
        expect(next).toBe(count);
        expect(placement.stepMs).toBeCloseTo(predictStepMs(task, placement.shares, all));
      }),
    );
  });

  test('no other placement of a few shards on two runners is more than a hundredth faster', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(300),
        (costs, speed, hopMs) => {
          const shards = costs.map((cost) => ({ cost, memoryBytes: 1 }));
          const task = { shards, sharedMemoryBytes: 0, hopMs };
          const row = [candidate('a', 10), candidate('b', speed)];
          // The row's order is fixed: a's shards come before b's.
          let best = Number.POSITIVE_INFINITY;
          for (let cut = 0; cut <= costs.length; cut++) {
            const sum = (part: number[]) => part.reduce((all, cost) => all + cost, 0);
            const ms = Math.max(sum(costs.slice(0, cut)) / 10, sum(costs.slice(cut)) / speed) * 1000;
            const runners = cut === 0 || cut === costs.length ? 1 : 2;
            best = Math.min(best, ms + exchangeMs(runners, hopMs));
          }
          expect(place(task, row)!.stepMs).toBeLessThanOrEqual((best / 0.99) * (1 + 1e-5));
        },
      ),
    );
  });
});

test('the exchange goes up and down a binary tree', () => {
  expect([1, 2, 3, 4, 5, 8].map((runners) => exchangeMs(runners, 1))).toEqual([0, 2, 4, 4, 6, 6]);
});
