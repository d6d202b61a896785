import { describe, expect, test } from 'vitest';
import type { Engine } from '../../engine/engine.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine, nativeIsas } from '../../engine/native/native-engine.js';
import { createTfjsEngine } from '../../engine/tfjs/tfjs-engine.js';
import { readCamera } from '../../model/camera/camera.js';
import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { ImplicamError } from '../../model/errors.js';
import { initialParameters } from '../../model/initial.js';
import { encodeKept } from '../../model/kept.js';
import { mapWidths } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import type { Picture } from '../../model/picture.js';
import { type Capture, createPlan } from '../../model/plan.js';
import { encodeSrgb } from '../../model/render/display-curves.js';
import { parseRenderQuery, type RenderQueryInput } from '../../model/render/query.js';
import { type BakedScene, composeAllInFocus, composeRefocus } from '../../model/render/render.js';
import type { TrainedModel } from '../options.js';
import { bakeScene, holdScene, renderScene } from './scene-renderer.js';

const GRID = { levels: 3, base: 4, finest: 1, log2Table: 8, hidden: [8] };
const LENS: ModelConfigInput = {
  atlas: { form: 'hash', ...GRID },
  blur: { form: 'lens', ...GRID, patch: 4, reach: 4 },
};

interface Learned {
  readonly config?: ModelConfigInput;
  readonly width?: number;
  readonly height?: number;
  /** How far parameters are from their start values. */
  readonly spread?: number;
  /** Exposures of the two frames, in stops. */
  readonly ev?: readonly [number, number];
}

/** A model as if trained: a textured start, parameters moved from theirs, no moments. */
function learned({
  config = LENS,
  width = 21,
  height = 13,
  spread = 0.3,
  ev = [0, 0],
}: Learned = {}): TrainedModel {
  const capture: Capture = {
    width,
    height,
    frames: ev.map((stops, i) => ({ focus: i, exposure: stops === ev[0] ? 0 : 1, ev: stops, aperture: 1 })),
    focus: [-1, 1],
    kappa: 2,
  };
  const plan = createPlan(capture, configSchema.parse(config), 1);
  const random = new RandomStream(5, Stream.scene);
  const some = (length: number, low: number, high: number) =>
    Float32Array.from({ length }, () => low + (high - low) * random.unit());
  const area = width * height;
  const start = {
    radiance: some(3 * area, -4, 1),
    defocus: some((mapWidths(plan.config).at(-1) ?? 0) * area, -1, 1),
  };
  const parameters = initialParameters(plan);
  for (const g of plan.layout.groups) {
    for (let i = 0; i < g.size; i++) parameters[g.offset + i] += spread * (2 * random.unit() - 1);
  }
  const none = new Float32Array(0);
  return {
    capture,
    config: plan.config,
    seed: 1,
    start,
    state: { step: 9, parameters, m: none, v: none },
    framesSha256: '0'.repeat(64),
    info: { preset: 'focus', quality: 'draft', engine: '', device: '', frames: [], notes: [] },
  };
}

const ENGINES: [string, () => Promise<Engine>][] = [['tfjs', createTfjsEngine]];
if (nativeIsas().length > 0) ENGINES.unshift(['native', async () => createNativeEngine({ threads: 2 })]);

/** Largest difference, each value relative to its own size plus `floor`; NaN if any of them is. */
function worst(actual: Picture, expected: Picture, floor = 1e-3): number {
  expect([actual.width, actual.height, actual.channels]).toEqual([
    expected.width,
    expected.height,
    expected.channels,
  ]);
  let largest = 0;
  for (const [i, e] of expected.data.entries()) {
    largest = Math.max(largest, Math.abs(actual.data[i] - e) / (Math.abs(e) + floor));
  }
  return largest;
}

function cropOf(picture: Picture, at: { x: number; y: number; width: number; height: number }): Picture {
  const { channels } = picture;
  const data = new Float32Array(at.width * at.height * channels);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / channels) % at.width, Math.floor(i / channels / at.width)];
    data[i] = picture.data[((at.y + y) * picture.width + at.x + x) * channels + (i % channels)];
  }
  return { width: at.width, height: at.height, channels, data };
}

/** What the function refuses, by code. */
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ImplicamError) return error.code;
    throw error;
  }
  return expect.fail('it was not refused');
}

describe.each(ENGINES)('on %s', (_, create) => {
  test('a baked scene is what was learned on top of the start', async () => {
    const quiet = learned({ spread: 0 });
    const baked = await bakeScene(quiet, await create());
    expect(baked).toMatchObject({ width: 21, height: 13 });
    // The networks say nothing yet.
    for (const plane of ['radiance', 'defocus'] as const) {
      const [got, start] = [baked[plane], quiet.start![plane]];
      expect(got).toHaveLength(start.length);
      expect(Math.max(...got.map((v, i) => Math.abs(v - start[i])))).toBeLessThan(1e-6);
    }
    const moved = await bakeScene(learned(), await create());
    expect(moved.radiance).not.toEqual(baked.radiance);
  });

  describe('renders', () => {
    const model = learned();
    const scene = async () => bakeScene(model, await create());
    const render = (baked: BakedScene, query: RenderQueryInput) =>
      renderScene(baked, model, parseRenderQuery(query));
    const { kappa } = readCamera(createPlan(model.capture, model.config, model.seed), model.state.parameters);
    const linear = { tone: 'linear' } as const;

    test('everything in focus, and through the learned lens', async () => {
      const baked = await scene();
      expect(worst(render(baked, linear), composeAllInFocus(baked))).toBeLessThan(1e-4);
      expect(kappa).not.toBe(2);
      const query = { kind: 'refocus', focus: 0.4, aperture: 0.7, ...linear } as const;
      const expected = composeRefocus(baked, { focus: 0.4, aperture: 0.7, kappa });
      expect(worst(render(baked, query), expected)).toBeLessThan(1e-4);
    });

    test('focus on the tapped pixel, or on the middle', async () => {
      const baked = await scene();
      const at = (x: number, y: number) => baked.defocus[y * 21 + x];
      const refocused = (query: RenderQueryInput) => render(baked, { kind: 'refocus', ...linear, ...query });
      expect(refocused({ tap: { x: 20.9, y: 0.2 } })).toEqual(refocused({ focus: at(20, 0) }));
      expect(refocused({})).toEqual(refocused({ focus: at(10, 6) }));
      expect(refocused({ focus: at(20, 0) })).not.toEqual(refocused({ focus: at(10, 6) }));
      expect(codeOf(() => refocused({ tap: { x: 21, y: 3 } }))).toBe('render-query');
    });

    test('through a pinhole everything is in focus', async () => {
      const baked = await scene();
      const pinhole = render(baked, { kind: 'refocus', focus: 3, aperture: 0 });
      expect(pinhole).toEqual(render(baked, {}));
    });

    test('exposure in stops', async () => {
      const baked = await scene();
      const brighter = render(baked, { ...linear, ev: 2 });
      const expected = render(baked, linear);
      expect(worst(brighter, { ...expected, data: expected.data.map((v) => 4 * v) })).toBeLessThan(1e-6);
    });

    test.each(['srgb', 'filmic', 'learned', 'local'] as const)(
      'tone %s stays within what is shown',
      async (tone) => {
        const baked = await scene();
        for (const ev of [-8, 0, 8]) {
          const { data } = render(baked, { tone, ev });
          expect(data.every((v) => v >= 0 && v <= 1)).toBe(true);
        }
        const [dark, light] = [-2, 2].map((ev) => render(baked, { tone, ev }).data);
        expect(light.every((v, i) => v >= dark[i])).toBe(true);
      },
    );

    test('a default picture suits the photographs: their camera for one exposure, local for a bracket', async () => {
      for (const more of [{}, { ev: 1.5 }, { kind: 'refocus' }] satisfies RenderQueryInput[]) {
        const shownOf = async (ev: readonly [number, number]) => {
          const model = learned({ ev });
          const baked = await bakeScene(model, await create());
          return (query: RenderQueryInput) => renderScene(baked, model, parseRenderQuery(query));
        };
        const single = await shownOf([0, 0]);
        expect(single(more)).toEqual(single({ ...more, tone: 'learned' }));
        const bracket = await shownOf([-1.5, 1.5]);
        expect(bracket(more)).toEqual(bracket({ ...more, tone: 'local' }));
        const narrow = await shownOf([-0.75, 0.75]);
        const [mixed, local] = [narrow(more), narrow({ ...more, tone: 'local' })];
        expect(mixed).not.toEqual(local);
        expect(mixed).not.toEqual(narrow({ ...more, tone: 'learned' }));
      }
    });

    test.each<[string, RenderQueryInput]>([
      ['everything in focus', { tone: 'filmic' }],
      ['everything in focus, local', { tone: 'local', ev: 1 }],
      ['refocused', { kind: 'refocus', focus: 0.3, ...linear }],
      ['refocused, local', { kind: 'refocus', focus: 0.3, tone: 'local' }],
      ['depth', { kind: 'depth' }],
    ])('a region is a part of the whole: %s', async (_, query) => {
      const baked = await scene();
      const whole = render(baked, query);
      for (const region of [
        { x: 0, y: 0, width: 21, height: 13 },
        { x: 4, y: 3, width: 9, height: 7 },
        { x: 20, y: 12, width: 1, height: 1 },
        { x: 0, y: 5, width: 21, height: 2 },
      ]) {
        expect(worst(render(baked, { ...query, region }), cropOf(whole, region))).toBeLessThan(1e-5);
      }
    });

    test('a region that leaves the picture is refused', async () => {
      const baked = await scene();
      for (const kind of ['all-in-focus', 'refocus', 'depth'] as const) {
        const region = { x: 15, y: 0, width: 7, height: 4 };
        expect(codeOf(() => render(baked, { kind, region }))).toBe('render-query');
      }
    });

    test('the width asked for, the proportions of the region', async () => {
      const baked = await scene();
      const sizeOf = (query: RenderQueryInput) => {
        const { width, height, channels } = render(baked, query);
        return [width, height, channels];
      };
      const region = { x: 2, y: 2, width: 16, height: 8 };
      expect(sizeOf({ width: 7 })).toEqual([7, 4, 3]);
      expect(sizeOf({ width: 1 })).toEqual([1, 1, 3]);
      expect(sizeOf({ width: 8, region })).toEqual([8, 4, 3]);
      expect(sizeOf({ width: 63, kind: 'refocus' })).toEqual([63, 39, 3]);
      expect(sizeOf({ width: 4, kind: 'depth', region })).toEqual([4, 2, 1]);
      expect(render(baked, { width: 16, region })).toEqual(render(baked, { region }));
    });

    test('a smaller picture is the mean of the light, not of what is shown', async () => {
      const baked = await scene();
      const light = composeAllInFocus(baked).data;
      const region = { x: 3, y: 1, width: 2, height: 2 };
      const { data } = render(baked, { width: 1, region, tone: 'srgb', ev: -1 });
      for (let c = 0; c < 3; c++) {
        const sum = [24, 25, 45, 46].reduce((a, pixel) => a + light[3 * pixel + c], 0);
        expect(data[c]).toBeCloseTo(Math.min(1, encodeSrgb(sum / 8)), 4);
      }
    });

    test('depth is the learned defocus map', async () => {
      const baked = await scene();
      const depth = render(baked, { kind: 'depth' });
      expect(depth.channels).toBe(1);
      expect(depth.data).toEqual(baked.defocus);
    });
  });

  test.each<[string, RenderQueryInput]>([
    ['depth', { kind: 'depth' }],
    ['another focus', { kind: 'refocus' }],
    ['another focus by its number', { kind: 'refocus', focus: 0.5 }],
    ['another focus, smaller', { kind: 'refocus', focus: 0.5, width: 5 }],
  ])('a scene that was learned without a lens is not asked for %s', async (_, query) => {
    const model = learned({ config: { ...LENS, blur: { form: 'none' } } });
    const baked = await bakeScene(model, await create());
    expect(baked.defocus).toHaveLength(0);
    expect(renderScene(baked, model, parseRenderQuery({})).data.every(Number.isFinite)).toBe(true);
    expect(codeOf(() => renderScene(baked, model, parseRenderQuery(query)))).toBe('no-defocus-map');
  });

  test('as the renders in plain TypeScript', async () => {
    const model = learned({ config: LENS });
    const baked = await bakeScene(model, await create());
    expect(baked.defocus).toHaveLength(21 * 13);
    const { kappa } = readCamera(createPlan(model.capture, model.config, 1), model.state.parameters);
    const query = parseRenderQuery({ kind: 'refocus', focus: -0.5, tone: 'linear' });
    const expected = composeRefocus(baked, { focus: -0.5, aperture: 1, kappa });
    expect(worst(renderScene(baked, model, query), expected)).toBeLessThan(1e-4);
    expect(
      worst(renderScene(baked, model, parseRenderQuery({ tone: 'linear' })), composeAllInFocus(baked)),
    ).toBeLessThan(1e-4);
  });
});

describeNative('both engines', () => {
  test.each<[string, ModelConfigInput]>([
    ['a hash grid', LENS],
    ['a SIREN without a start', { ...LENS, atlas: { form: 'siren', width: 12, layers: 2 }, residual: false }],
  ])('show the same: %s', async (_, config) => {
    const model = learned({ config });
    const [native, tfjs] = [
      await bakeScene(model, createNativeEngine({ threads: 2 })),
      await bakeScene(model, await createTfjsEngine()),
    ];
    for (const query of [
      {},
      { tone: 'learned', ev: 1 },
      { kind: 'refocus', focus: -0.2, tone: 'filmic' },
      { kind: 'refocus', tone: 'srgb', width: 9 },
      { tone: 'local', ev: -1 },
      { kind: 'refocus', focus: -0.2, tone: 'local', width: 9 },
      { kind: 'depth' },
    ] satisfies RenderQueryInput[]) {
      const [a, b] = [native, tfjs].map((baked) => renderScene(baked, model, parseRenderQuery(query)));
      // Half a step of 8 bits: the native renderer reads its display curve from a table.
      expect(worst(a, b, 1)).toBeLessThan(1 / 512);
    }
  });

  test('a scene is held once and rendered many times', async () => {
    const model = learned();
    const engine = createNativeEngine({ threads: 2 });
    const baked = await bakeScene(model, engine);
    const query = parseRenderQuery({ kind: 'refocus', focus: 0.1 });
    const first = renderScene(baked, model, query);
    expect(holdScene(baked, engine)).toBe(baked);
    renderScene(baked, model, parseRenderQuery({ ev: 3 }));
    expect(renderScene(baked, model, query)).toEqual(first);
    // The result is the caller's: what is done to it changes no other.
    renderScene(baked, model, query).data.fill(0);
    expect(renderScene(baked, model, query)).toEqual(first);
  });
});

describe('the response chart', () => {
  const model = learned();
  const scene: BakedScene = {
    width: 21,
    height: 13,
    radiance: new Float32Array(3 * 21 * 13),
    defocus: new Float32Array(0),
  };
  const chartOf = (width?: number) =>
    renderScene(scene, model, parseRenderQuery({ kind: 'response', ...(width ? { width } : {}) }));
  const { tone } = readCamera(createPlan(model.capture, model.config, 1), model.state.parameters);

  test('is white paper three wide and two high', () => {
    expect(chartOf()).toMatchObject({ width: 512, height: 341, channels: 3 });
    expect(chartOf(90)).toMatchObject({ width: 90, height: 64 });
    const { data } = chartOf();
    expect(data.filter((v) => v === 1).length / data.length).toBeGreaterThan(0.95);
  });

  test.each([0, 1, 2])('draws the curve of channel %d in its colour, rising to the right', (c) => {
    const { width, height, data } = chartOf(300);
    const other = (c + 1) % 3;
    for (let x = 0; x < width; x += 13) {
      const value = Math.min(1, Math.max(0, tone(c, -9 + (9 * x) / (width - 1))));
      const y = Math.round((1 - value) * (height - 1));
      // A line of another colour may cross; this one takes its own two channels from the white.
      expect(data[3 * (y * width + x) + other]).toBeCloseTo(0.1, 6);
    }
    expect(data[3 * (width - 1) + other]).toBeCloseTo(0.1, 6);
  });

  const columnOf = (data: Float32Array, width: number, x: number) =>
    data.filter((_, i) => Math.floor(i / 3) % width === x);

  test.each([1, 2, 3])('may be %d pixels wide', (width) => {
    const { data } = chartOf(width);
    // Every column holds a line.
    for (let x = 0; x < width; x++) expect(columnOf(data, width, x)).toContain(Math.fround(0.1));
  });
});

describe.each(ENGINES)('a model that keeps its start in part, on %s', (_, make) => {
  test('shows the start there, and what was learned elsewhere', async () => {
    const [width, height] = [48, 32];
    const model = learned({ width, height });
    const share = Float32Array.from({ length: width * height }, (_, p) => (p % width < 24 ? 1 : 0));
    const keeping = { ...model, capture: { ...model.capture, kept: encodeKept(share, width, height) } };
    const engine = await make();
    const [own, kept] = [await bakeScene(model, engine), await bakeScene(keeping, engine)];
    const linear = parseRenderQuery({ tone: 'linear' });
    const [shown, all] = [renderScene(kept, keeping, linear), renderScene(own, model, linear)];
    const light = (p: number, c: number) => Math.exp(model.start!.radiance[c * width * height + p]);
    let [most, change] = [0, 0];
    for (let p = 0; p < width * height; p++) {
      if (p % width < 20) {
        expect(kept.defocus[p]).toBe(model.start!.defocus[p]);
        for (let c = 0; c < 3; c++) {
          most = Math.max(most, Math.abs(shown.data[3 * p + c] / light(p, c) - 1));
          change = Math.max(change, Math.abs(all.data[3 * p + c] / light(p, c) - 1));
        }
      } else if (p % width >= 28) {
        for (let c = 0; c < 3; c++) expect(shown.data[3 * p + c]).toBe(all.data[3 * p + c]);
      }
    }
    expect(most).toBeLessThan(1e-4);
    expect(change).toBeGreaterThan(0.01);
  });
});
