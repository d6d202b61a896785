import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema, type ModelConfig, type ModelConfigInput } from './config.js';
import { FEATURES, gridNodes } from './hash-grid.js';
import {
  atlasWidths,
  createLayout,
  findGroup,
  freeBlurWidths,
  gridOffset,
  type Layout,
  mapWidths,
  mlpSize,
  toneSize,
} from './layout.js';
import { planShards } from './shards.js';

const GRID = { levels: 3, base: 4, finest: 1, log2Table: 8 };
const BLURS: Required<ModelConfigInput>['blur'][] = [
  { form: 'none' },
  { form: 'lens', ...GRID, hidden: [8] },
  { form: 'lens', ...GRID, hidden: [] },
  { form: 'free', taps: 5, hidden: [12, 8] },
];
const ATLASES: Required<ModelConfigInput>['atlas'][] = [
  { form: 'hash', ...GRID, hidden: [8, 12] },
  { form: 'siren', width: 12, layers: 3 },
];

const everyForm = fc
  .record({
    atlas: fc.constantFrom(...ATLASES),
    blur: fc.constantFrom(...BLURS),
    tone: fc.constantFrom({ form: 'knots', knots: 17 } as const, { form: 'mlp', hidden: 12 } as const),
    registration: fc.constantFrom('none', 'affine' as const),
  })
  .map((c): ModelConfig => configSchema.parse(c));

const counts = { views: 4, focusSettings: 3, exposureParameters: 5 };

function layoutOf(config: ModelConfig, tilePixels = 1e6): Layout {
  return createLayout({ config, shards: planShards(config, 40, 30, tilePixels), ...counts });
}

describe('createLayout', () => {
  test('groups follow one another without overlap, each on its own cache line of 16 floats', () => {
    fc.assert(
      fc.property(everyForm, fc.constantFrom(1e6, 300), (config, tilePixels) => {
        const { groups, size } = layoutOf(config, tilePixels);
        let end = 0;
        for (const { offset, size } of groups) {
          expect(offset % 16).toBe(0);
          expect(offset).toBeGreaterThanOrEqual(end);
          expect(offset - end).toBeLessThan(16);
          expect(size).toBeGreaterThan(0);
          end = offset + size;
        }
        expect(size).toBe(Math.ceil(end / 16) * 16);
      }),
    );
  });

  test('every group has the size of what it holds', () => {
    fc.assert(
      fc.property(everyForm, (config) => {
        const layout = layoutOf(config);
        const { blur, tone } = config;
        const expected: Record<string, number> = {
          'atlas.mlp': mlpSize(atlasWidths(config)),
          'map.mlp': mlpSize(mapWidths(config)),
          'blur.mlp': mlpSize(freeBlurWidths(config)),
          tone: tone.form === 'knots' ? 3 * 16 : 3 * (3 * 12 + 1),
          exposure: 5,
          focus: blur.form === 'none' ? 0 : 3,
          kappa: blur.form === 'lens' ? 1 : 0,
          // The first of four views does not move.
          registration: config.registration === 'affine' ? 3 * 6 : 0,
          'atlas.grid': FEATURES * gridNodes(layout.atlasLevels),
          'map.grid': FEATURES * gridNodes(layout.mapLevels),
        };
        const there = Object.fromEntries(Object.entries(expected).filter(([, size]) => size > 0));
        expect(Object.fromEntries(layout.groups.map((g) => [g.name, g.size]))).toEqual(there);
        expect(layout.atlasLevels).toHaveLength(config.atlas.form === 'hash' ? 3 : 0);
        expect(layout.mapLevels).toHaveLength(blur.form === 'lens' ? 3 : 0);
      }),
    );
  });

  test('grids alone are sparse, and come last', () => {
    fc.assert(
      fc.property(everyForm, fc.constantFrom(1e6, 300), (config, tilePixels) => {
        const { groups } = layoutOf(config, tilePixels);
        for (const g of groups) expect(g.sparse).toBe(g.kind === 'atlasGrid' || g.kind === 'mapGrid');
        const sparse = groups.map((g) => g.sparse);
        expect(sparse).toEqual([...sparse].sort((a, b) => Number(a) - Number(b)));
      }),
    );
  });

  test('a tile owns its grids, in shard order; all else is shared', () => {
    const config = configSchema.parse({ atlas: ATLASES[0], blur: BLURS[1] });
    const shards = planShards(config, 40, 30, 300);
    const layout = createLayout({ config, shards, ...counts });
    expect(shards.length).toBeGreaterThan(3);
    const owned = layout.groups.filter((g) => g.scope !== 'shared');
    expect(owned.map((g) => g.name)).toEqual(shards.flatMap((_, i) => [`atlas.grid/${i}`, `map.grid/${i}`]));
    expect(owned.map((g) => g.scope)).toEqual(shards.flatMap((_, i) => [{ shard: i }, { shard: i }]));
    for (const i of shards.keys()) {
      expect(gridOffset(layout, 'atlas.grid', i)).toBe(findGroup(layout, `atlas.grid/${i}`)!.offset);
      expect(gridOffset(layout, 'map.grid', i)).toBe(findGroup(layout, `map.grid/${i}`)!.offset);
    }
  });

  test('shards of a picture in one piece see the same grids', () => {
    const layout = layoutOf(configSchema.parse({ atlas: ATLASES[0], blur: { form: 'none' } }));
    const offsets = [0, 1, 2, 3].map((shard) => gridOffset(layout, 'atlas.grid', shard));
    expect(new Set(offsets).size).toBe(1);
    expect(findGroup(layout, 'atlas.grid')?.scope).toBe('shared');
    expect(gridOffset(layout, 'map.grid', 0)).toBe(-1);
    expect(findGroup(layout, 'kappa')).toBeUndefined();
  });
});

describe('sizes', () => {
  const parse = (input: ModelConfigInput) => configSchema.parse(input);

  test('of fully connected networks: weights and biases of every layer', () => {
    expect(mlpSize([])).toBe(0);
    expect(mlpSize([3, 1])).toBe(4);
    expect(mlpSize([32, 64, 64, 3])).toBe(33 * 64 + 65 * 64 + 65 * 3);
  });

  test('of the networks of the scene', () => {
    expect(atlasWidths(parse({}))).toEqual([32, 64, 64, 3]);
    expect(atlasWidths(parse({ atlas: { form: 'hash', levels: 4, hidden: [] } }))).toEqual([8, 3]);
    expect(atlasWidths(parse({ atlas: { form: 'siren' } }))).toEqual([2, 512, 512, 512, 512, 3]);
    expect(mapWidths(parse({}))).toEqual([20, 32, 1]);
  });

  test('of the blur: (focus, x, y) to a weight and two offsets a tap', () => {
    expect(freeBlurWidths(parse({ blur: { form: 'free' } }))).toEqual([3, 64, 64, 64, 27]);
    expect(freeBlurWidths(parse({}))).toEqual([]);
    expect(mapWidths(parse({ blur: { form: 'free' } }))).toEqual([]);
    expect(mapWidths(parse({ blur: { form: 'none' } }))).toEqual([]);
  });

  test('of the response, three channels', () => {
    expect(toneSize(parse({}))).toBe(3 * 39);
    expect(toneSize(parse({ tone: { form: 'mlp' } }))).toBe(3 * (3 * 128 + 1));
  });
});
