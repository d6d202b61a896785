import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema, type ModelConfig, type ModelConfigInput } from './config.js';
import { DATA_PARALLEL_SHARDS, haloWidth, planShards } from './shards.js';

const config = (input: ModelConfigInput = {}): ModelConfig => configSchema.parse(input);
const sum = (values: number[]) => values.reduce((a, v) => a + v, 0);

/** Blurs of every form, with halos of their own. */
const CONFIGS = [
  config({ blur: { form: 'none' }, train: { pixels: 1000 } }),
  config({ blur: { form: 'lens', reach: 3 }, train: { patches: 777 } }),
  config({ blur: { form: 'lens', reach: 10 }, train: { patches: 48 } }),
  config({ blur: { form: 'free', maxShift: 4.2 }, train: { pixels: 5000 } }),
];

/** Pictures that are cut into tiles, however odd their sizes. */
const tiled = fc
  .record({
    config: fc.constantFrom(...CONFIGS),
    width: fc.integer({ min: 1, max: 300 }),
    height: fc.integer({ min: 1, max: 300 }),
    tilePixels: fc.integer({ min: 1, max: 4000 }),
  })
  // Thousands of tiles show nothing that hundreds do not.
  .filter((p) => p.width * p.height > p.tilePixels && p.width * p.height < 400 * p.tilePixels);

describe('pictures cut into tiles', () => {
  test('every pixel belongs to exactly one tile', () => {
    fc.assert(
      fc.property(tiled, ({ config, width, height, tilePixels }) => {
        const owners = new Uint8Array(width * height);
        for (const { own } of planShards(config, width, height, tilePixels)) {
          expect(own.width).toBeGreaterThan(0);
          expect(own.height).toBeGreaterThan(0);
          for (let y = own.y; y < own.y + own.height; y++) {
            for (let x = own.x; x < own.x + own.width; x++) {
              if (x >= width || y >= height) throw new Error(`(${x}, ${y}) lies outside the picture`);
              owners[y * width + x]++;
            }
          }
        }
        expect(owners.every((n) => n === 1)).toBe(true);
      }),
    );
  });

  test('tiles are no larger than asked', () => {
    fc.assert(
      fc.property(tiled, ({ config, width, height, tilePixels }) => {
        const shards = planShards(config, width, height, tilePixels);
        expect(shards.length).toBeGreaterThan(1);
        for (const { own } of shards) expect(own.width * own.height).toBeLessThanOrEqual(tilePixels);
      }),
    );
  });

  test('grids are of one size, lie in the picture, and see a halo beyond their tile where there is one', () => {
    fc.assert(
      fc.property(tiled, ({ config, width, height, tilePixels }) => {
        const shards = planShards(config, width, height, tilePixels);
        const halo = haloWidth(config);
        for (const { own, grid } of shards) {
          const { width: w, height: h } = shards[0].grid;
          const ends = [grid.x + grid.width, grid.y + grid.height] as const;
          const fits = grid.width === w && grid.height === h && ends[0] <= width && ends[1] <= height;
          const before = grid.x >= 0 && grid.x <= Math.max(0, own.x - halo);
          const above = grid.y >= 0 && grid.y <= Math.max(0, own.y - halo);
          const after = ends[0] >= Math.min(width, own.x + own.width + halo);
          const below = ends[1] >= Math.min(height, own.y + own.height + halo);
          if (!(fits && before && above && after && below)) {
            expect.fail(`tile ${JSON.stringify(own)} has grid ${JSON.stringify(grid)}`);
          }
        }
      }),
    );
  });

  test('tiles draw alike, each in a sequence of its own', () => {
    const shards = planShards(CONFIGS[2], 300, 200, 20_000);
    expect(shards).toHaveLength(6);
    for (const shard of shards) {
      expect(shard).toMatchObject({ tiled: true, drawOffset: 0, draws: 8, drawStride: 8 });
    }
  });

  test('every tile draws something, however many there are', () => {
    for (const shard of planShards(config({ train: { patches: 2 } }), 100, 100, 100)) {
      expect(shard.draws).toBe(1);
    }
  });
});

describe('pictures in one piece', () => {
  test('shards see all of the picture and share the draws of a step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), (patches) => {
        const shards = planShards(config({ train: { patches } }), 31, 17);
        expect(shards).toHaveLength(DATA_PARALLEL_SHARDS);
        expect(sum(shards.map((s) => s.draws))).toBe(patches);
        let next = 0;
        for (const shard of shards) {
          expect(shard).toMatchObject({ tiled: false, drawOffset: next, drawStride: patches });
          expect(shard.own).toEqual({ x: 0, y: 0, width: 31, height: 17 });
          expect(shard.grid).toEqual(shard.own);
          next += shard.draws;
        }
      }),
    );
  });

  test('what a step draws is what the form of the blur trains on', () => {
    const train = { patches: 12, pixels: 333 };
    const draws = (blur: ModelConfigInput['blur']) =>
      sum(planShards(config({ blur, train }), 8, 8).map((s) => s.draws));
    expect(draws({ form: 'lens' })).toBe(12);
    expect(draws({ form: 'free' })).toBe(333);
    expect(draws({ form: 'none' })).toBe(333);
  });

  test('how many there are depends on the picture alone: small ones and SIRENs are never cut', () => {
    const of = (input: ModelConfigInput, pixels: number) => planShards(config(input), pixels, 1)[0].tiled;
    expect(of({}, 2_000_000)).toBe(false);
    expect(of({}, 2_000_000 + 1)).toBe(true);
    expect(of({ atlas: { form: 'siren' }, residual: false }, 2_000_000 + 1)).toBe(false);
  });
});

test('the halo is as wide as the widest blur and a margin', () => {
  expect(CONFIGS.map(haloWidth)).toEqual([8, 11, 18, 13]);
});

test('real pictures are cut into about square tiles', () => {
  const twelve = planShards(config(), 4000, 3000);
  expect(twelve).toHaveLength(9);
  for (const { own } of twelve) expect(own.width / own.height).toBeCloseTo(4 / 3, 1);
  const panorama = planShards(config(), 40_000, 900);
  expect(new Set(panorama.map((s) => s.own.y))).toEqual(new Set([0]));
});
