import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel, saveModel } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import { createPlan } from '../../model/plan.js';
import { describeEngines, type Subject } from './engines.js';
import { hash, RUNS, type Run, randomRun, SAMPLES, SMALL } from './runs.js';

/**
 * Training gives the same bits in all of an engine's ways (any number of threads, any order of blocks), interrupted or not,
 * from memory or from a file: what the program promises of `--resume` and of its reports' hashes.
 */

const runsOf = ({ effort }: Subject) => (effort === 'small' ? SMALL : RUNS);

/** The state after so many further steps. */
async function trained({ create }: Subject, { plan, data, state }: Run, steps: number, way?: string) {
  const trainer = await (await create(way)).open(plan, data, state);
  const progress = await trainer.train(steps);
  const end = await trainer.save();
  trainer.close();
  return { ...progress, state: end };
}

describeEngines(
  'the same bits in any way',
  (engine) => {
    test.each(runsOf(engine))('%s', async (_, make) => {
      const run = make();
      const ends = await Promise.all(engine.ways.map((way) => trained(engine, run, engine.steps, way)));
      const [first, ...others] = ends.map((e) => hash(e.state));
      expect(first).not.toBe(hash(run.state));
      for (const other of others) expect(other).toBe(first);
      expect(new Set(ends.map((e) => e.loss)).size).toBe(1);
      expect(new Set(ends.map((e) => e.psnr)).size).toBe(1);
      expect(ends[0].loss).toSatisfy(Number.isFinite);
      expect(ends[0].state.parameters.every(Number.isFinite)).toBe(true);
    });
  },
  { everyKernel: true },
);

describeEngines('the same bits', (engine) => {
  const { steps, ways, create } = engine;
  const runs = runsOf(engine);
  const [, makeFirst] = runs[0];
  const half = Math.floor(0.6 * steps);

  test.each(runs)('in one piece, or interrupted and continued elsewhere: %s', async (_, make) => {
    const run = make();
    const whole = await trained(engine, run, steps);
    const before = await trained(engine, run, half, ways[2]);
    expect(before.state.step).toBe(half);
    const rest = await trained(engine, { ...run, state: before.state }, steps - half, ways[1]);
    expect(hash(rest.state)).toBe(hash(whole.state));
    expect(rest.loss).toBe(whole.loss);
  });

  test.each(runs)('gradients and bakes in any way: %s', async (_, make) => {
    const { plan, data, state } = make();
    const of = async (way: string) => {
      const trainer = await (await create(way)).open(plan, data, state);
      const { loss, gradient } = await trainer.gradient(3);
      const result = { loss, gradient, ...(await trainer.bake()) };
      trainer.close();
      return result;
    };
    const [first, ...others] = await Promise.all(ways.slice(0, 3).map(of));
    for (const other of others) {
      expect(other.loss).toBe(first.loss);
      for (const key of ['gradient', 'radiance', 'defocus'] as const) {
        expect(Buffer.compare(Buffer.from(other[key].buffer), Buffer.from(first[key].buffer)), key).toBe(0);
      }
    }
  });

  test('after going back to a snapshot in the same trainer', async () => {
    const { plan, data, state } = makeFirst();
    const trainer = await (await create()).open(plan, data, state);
    await trainer.train(steps - half);
    const snapshot = await trainer.save();
    await trainer.train(half);
    const first = hash(await trainer.save());
    await trainer.load(snapshot);
    expect(hash(await trainer.save())).toBe(hash(snapshot));
    await trainer.train(half);
    expect(hash(await trainer.save())).toBe(first);
  });

  test('whatever is asked of the trainer between steps', async () => {
    const run = makeFirst();
    const whole = await trained(engine, run, steps);
    const trainer = await (await create()).open(run.plan, run.data, run.state);
    for (let step = 0; step < steps; step++) {
      await trainer.train(1);
      await trainer.gradient(40);
      await trainer.bake();
    }
    expect(hash(await trainer.save())).toBe(hash(whole.state));
  });

  test('aborted at any step and continued', async () => {
    const run = runs[2][1]();
    const trainer = await (await create()).open(run.plan, run.data, run.state);
    const controller = new AbortController();
    // Far more steps than fit into the time between two reports.
    const progress = await trainer.train(100_000, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    const state = await trainer.save();
    expect(progress.step).toBe(state.step);
    expect(state.step).toBeGreaterThan(0);
    expect(state.step).toBeLessThan(100_000);
    expect(hash((await trained(engine, run, state.step, ways[1])).state)).toBe(hash(state));
  });

  test('not for another seed', async () => {
    const run = makeFirst();
    const { capture, config, seed } = run.plan;
    // From the same parameters: the batches alone differ.
    const other = { ...run, plan: createPlan(capture, config, seed + 1) };
    const ends = [await trained(engine, run, 3), await trained(engine, other, 3)];
    expect(hash(ends[0].state)).not.toBe(hash(ends[1].state));
  });
});

describeEngines('the same bits through a model file', (engine) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-determinism-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each<[string, () => Run]>([
    ...(engine.effort === 'small' ? [] : SAMPLES.slice(0, 2)),
    ['no start', () => randomRun('siren free')],
    ['two layers and a start', () => randomRun('all losses, free')],
  ])('%s', async (name, make) => {
    const run = make();
    const { capture, config, seed } = run.plan;
    const [more, half] = [engine.steps + 8, 9].map((n) => (engine.effort ? Math.ceil(n / 3) : n));
    const whole = await trained(engine, run, more);
    const before = await trained(engine, run, half);
    const model: TrainedModel = {
      capture,
      config,
      seed,
      start: run.data.start,
      state: before.state,
      framesSha256: '0'.repeat(64),
      info: { preset: 'focus', quality: 'draft', engine: 'native', device: '', frames: [], notes: [] },
    };
    const path = join(folder, `${name.replaceAll(' ', '-')}.safetensors`);
    await saveModel(path, model, { training: true });
    const loaded = await loadModel(path);
    const plan = createPlan(loaded.capture, loaded.config, loaded.seed);
    const data = { frames: run.data.frames, start: loaded.start };
    const rest = await trained(engine, { plan, data, state: loaded.state }, more - half);
    expect(hash(rest.state)).toBe(hash(whole.state));
  });
});
