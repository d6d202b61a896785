import { Module } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan } from '../../model/plan.js';
import { composeRefocus } from '../../model/render/render.js';
import { type CaseName, type RandomModel, randomModel } from '../conformance/random-models.js';
import { type Engine, freshState, type SceneData } from '../engine.js';
import { StepEvaluator } from './step.js';
import { loadBackend } from './tensorflow/backend.js';
import type { Tf } from './tensorflow/tensorflow.js';
import { createTfjsEngine } from './tfjs-engine.js';

const loadedPackages = () =>
  Object.keys((Module as unknown as { _cache: object })._cache).filter((file) =>
    file.includes('@tensorflow'),
  );
const before = loadedPackages();

let engine: Engine;
let tf: Tf;
beforeAll(async () => {
  engine = await createTfjsEngine();
  tf = (await loadBackend()).tf;
});

const open = ({ plan, data, parameters }: RandomModel) => engine.open(plan, data, freshState(parameters));

/** ‖a − b‖ / ‖b‖. */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((v, i) => v - b[i])) / Math.hypot(...b);
}

test('nothing of TensorFlow.js is loaded before the engine is asked for', () => {
  expect(before).toEqual([]);
  expect(loadedPackages().length).toBeGreaterThan(0);
});

describe('shards', () => {
  test.each(['hash lens', 'free, linear light', 'all losses, lens'] as CaseName[])(
    'sum to the whole: %s',
    async (name) => {
      const { plan, data, parameters, step } = randomModel(name);
      const evaluate = (units?: { shards: number[] }[]) =>
        new StepEvaluator(tf, plan, data, units).evaluate(parameters, step);
      const [whole, each] = [
        await evaluate([{ shards: [0, 1, 2, 3] }]),
        await evaluate([0, 1, 2, 3].map((s) => ({ shards: [s] }))),
      ];
      expect(each.loss / whole.loss).toBeCloseTo(1, 5);
      expect(each.psnr).toBeCloseTo(whole.psnr, 4);
      expect(distance(each.gradient, whole.gradient)).toBeLessThan(1e-5);
      const one = await evaluate([{ shards: [2] }]);
      expect(distance(one.gradient, whole.gradient)).toBeGreaterThan(0.1);
    },
  );

  test('a tile touches its own grids and the shared parameters, nothing else', async () => {
    const { plan, data, parameters, step } = randomModel('tiled lens');
    const { gradient } = await new StepEvaluator(tf, plan, data, [{ shards: [1] }]).evaluate(
      parameters,
      step,
    );
    for (const group of plan.layout.groups) {
      const slice = gradient.subarray(group.offset, group.offset + group.size);
      const touched = slice.some((g) => g !== 0);
      expect(touched, group.name).toBe(group.scope === 'shared' || group.scope.shard === 1);
    }
  });
});

describe('baked planes', () => {
  test('are the start, within bounds, where the networks say nothing', async () => {
    const model = randomModel('radiance beyond its bounds');
    const { plan, data } = model;
    const parameters = model.parameters.slice();
    for (const g of plan.layout.groups)
      if (g.name.endsWith('.mlp')) parameters.fill(0, g.offset, g.offset + g.size);
    const baked = await (await open({ ...model, parameters })).bake();
    const area = plan.capture.width * plan.capture.height;
    const expected = data.start!.radiance.map((v, i) => (i < 6 * area ? Math.max(-14, Math.min(8, v)) : v));
    expect(baked.radiance).toEqual(expected);
    expect(baked.defocus).toEqual(data.start!.defocus);
  });

  test('of a tile come from its own grids', async () => {
    const model = randomModel('tiled free, affine');
    const { plan } = model;
    const baked = await (await open(model)).bake();
    const parameters = model.parameters.slice();
    const grid = plan.layout.groups.find((g) => g.name === 'atlas.grid/1')!;
    parameters.fill(0, grid.offset, grid.offset + grid.size);
    const without = await (await open({ ...model, parameters })).bake();
    const { own } = plan.shards[1];
    const changed = baked.radiance.map((v, i) => (v === without.radiance[i] ? 0 : 1));
    const { width, height } = plan.capture;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = x >= own.x && y >= own.y && x < own.x + own.width && y < own.y + own.height;
        expect(changed[y * width + x]).toBe(inside ? 1 : 0);
      }
    }
  });
});

describe('a trainer', () => {
  test('gives the same bits every time, in one go or with a pause', async () => {
    const model = randomModel('hash lens');
    const [a, b] = [await open(model), await open(model)];
    const end = await a.train(4);
    await b.train(2);
    const middle = await b.save();
    expect(middle.step).toBe(2);
    const c = await open(randomModel('hash lens'));
    await c.load(middle);
    expect(await c.train(2)).toEqual(end);
    expect(await c.save()).toEqual(await a.save());
    expect((await a.save()).parameters).not.toEqual(model.parameters);
  });

  test('computing a gradient changes nothing', async () => {
    const model = randomModel('free, linear light');
    const trainer = await open(model);
    const first = await trainer.gradient(3);
    expect(first.step).toBe(3);
    expect(await trainer.gradient(3)).toEqual(first);
    expect(await trainer.save()).toEqual(freshState(model.parameters));
  });

  test('stops when asked to, reports progress, and lets others run meanwhile', async () => {
    const trainer = await open(randomModel('no blur'));
    const stop = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks === 3) stop.abort();
    }, 1);
    const reports: number[] = [];
    const last = await trainer.train(100_000, {
      signal: stop.signal,
      onProgress: ({ step }) => reports.push(step),
    });
    clearInterval(timer);
    expect(last.step).toBeLessThan(100_000);
    expect((await trainer.save()).step).toBe(last.step);
    const report: number[] = [];
    await trainer.train(2, { onProgress: ({ step }) => report.push(step) });
    expect(report.at(-1)).toBe(last.step + 2);
    expect(await trainer.train(5, { signal: AbortSignal.abort() })).toMatchObject({ step: last.step + 2 });
  });

  test('runs one call after the other and refuses calls once closed', async () => {
    const trainer = await open(randomModel('no blur'));
    const [first, state, second] = await Promise.all([trainer.train(1), trainer.save(), trainer.train(1)]);
    expect([first.step, state.step, second.step]).toEqual([1, 1, 2]);
    trainer.close();
    await expect(trainer.save()).rejects.toThrow(/closed/);
  });

  test('refuses data and states of another plan, and says what differs', async () => {
    const model = randomModel('hash lens');
    const { data } = model;
    const withData = (other: SceneData) => open({ ...model, data: other });
    const [first, ...rest] = data.frames;
    await expect(withData({ ...data, frames: rest })).rejects.toThrow(/6 frames, the data 5/);
    await expect(withData({ ...data, frames: [{ data: new Uint8Array(5) }, ...rest] })).rejects.toThrow(
      /frame 0 has 5 samples/,
    );
    await expect(
      withData({ ...data, frames: [{ ...first, mask: new Uint8Array(5) }, ...rest] }),
    ).rejects.toThrow(/mask of frame 0/);
    const short = { ...data.start!, radiance: new Float32Array(7) };
    await expect(withData({ ...data, start: short })).rejects.toThrow(/start radiance/);
    await expect(open({ ...model, parameters: new Float32Array(3) })).rejects.toThrow(/parameters have 3/);
  });

  test('keeps no memory from step to step', async () => {
    const trainer = await open(randomModel('free, linear light'));
    await trainer.train(1);
    const { numTensors } = tf.memory();
    await trainer.train(3);
    await trainer.bake();
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('training', () => {
  /** A small capture rendered from a known scene: two planes of depth, two focus settings, two exposures. */
  function capture(config: ModelConfigInput, steps: number): RandomModel {
    const [width, height] = [32, 24];
    const area = width * height;
    const radiance = new Float32Array(3 * area);
    const defocus = new Float32Array(area);
    for (let i = 0; i < area; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      for (let c = 0; c < 3; c++) {
        radiance[c * area + i] = -2 + 1.2 * Math.sin(x / 3 + c) * Math.cos(y / 4 - c);
      }
      defocus[i] = x < width / 2 ? -0.8 : 0.8;
    }
    const focus = [-0.8, 0.8];
    const settings = focus.flatMap((_, f) =>
      [-1, 1].map((ev, e) => ({ focus: f, exposure: e, ev, aperture: 1 })),
    );
    const frames = settings.map((setting) => {
      const lens = { focus: focus[setting.focus], aperture: 1, kappa: 1.5 };
      const seen = composeRefocus({ width, height, radiance, defocus }, lens);
      return {
        data: Uint8Array.from(seen.data, (r) =>
          Math.round(255 * Math.min(1, r * 2 ** setting.ev) ** (1 / 2.2)),
        ),
      };
    });
    const plan = createPlan(
      { width, height, frames: settings, focus, kappa: 1.5 },
      configSchema.parse({
        atlas: { form: 'hash', levels: 5, base: 6, hidden: [16], log2Table: 11 },
        residual: false,
        ...config,
        train: { steps, warmup: 5, pixels: 120, patches: 4, rates: { atlasGrid: 2e-2, atlasMlp: 1e-2 } },
      }),
      3,
    );
    return { plan, data: { frames }, parameters: initialParameters(plan), step: 0 };
  }

  const lens = { form: 'lens' as const, levels: 3, hidden: [8], log2Table: 10 };
  test.each([
    ['lens', { blur: { ...lens, patch: 8, reach: 3 } }],
    ['siren, free', { blur: { form: 'free', hidden: [8] }, atlas: { form: 'siren', width: 16, layers: 2 } }],
    ['no blur', { blur: { form: 'none' } }],
  ] as [string, ModelConfigInput][])('brings the frames closer: %s', async (_, config) => {
    const steps = 40;
    const trainer = await open(capture(config, steps));
    const first = await trainer.train(1);
    const last = await trainer.train(steps - 1);
    expect(last.step).toBe(steps);
    expect(last.loss).toBeLessThan(0.4 * first.loss);
    expect(last.psnr).toBeGreaterThan(first.psnr + 7);
  });
});
