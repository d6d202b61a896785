import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel, saveModel } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import { createPlan } from '../../model/plan.js';
import { describeNative } from '../engines.fixture.js';
import { createNativeEngine, nativeIsas } from '../native/native-engine.js';
import { hash, MAP, RUNS, type Run, randomRun, SAMPLES, sampleRun } from './runs.js';

/**
 * Training gives the same bits for any number of threads, interrupted or not, from memory or from a file: what the
 * program promises of `--resume` and of its reports' hashes.
 */

interface Machine {
  readonly isa?: string;
  readonly threads?: number;
}

/** The state after so many further steps. */
async function trained({ plan, data, state }: Run, steps: number, machine: Machine = {}) {
  const trainer = await createNativeEngine({ threads: 2, ...machine }).open(plan, data, state);
  const progress = await trainer.train(steps);
  return { ...progress, state: await trainer.save() };
}

/** Past the step at which the sharpest view begins to count. */
const STEPS = 12;

describeNative('the same bits', () => {
  describe.each(nativeIsas())('with the kernels %s', (isa) => {
    test.each(RUNS)('for any number of threads: %s', async (_, make) => {
      const run = make();
      const ends = await Promise.all([1, 2, 3, 1].map((threads) => trained(run, STEPS, { isa, threads })));
      const [first, ...others] = ends.map((e) => hash(e.state));
      expect(first).not.toBe(hash(run.state));
      for (const other of others) expect(other).toBe(first);
      expect(new Set(ends.map((e) => e.loss)).size).toBe(1);
      expect(new Set(ends.map((e) => e.psnr)).size).toBe(1);
      expect(ends[0].loss).toSatisfy(Number.isFinite);
      expect(ends[0].state.parameters.every(Number.isFinite)).toBe(true);
    });
  });

  test.each(RUNS)('in one piece, or interrupted and continued elsewhere: %s', async (_, make) => {
    const run = make();
    const whole = await trained(run, STEPS);
    const half = await trained(run, 7, { threads: 3 });
    expect(half.state.step).toBe(7);
    const rest = await trained({ ...run, state: half.state }, STEPS - 7, { threads: 1 });
    expect(hash(rest.state)).toBe(hash(whole.state));
    expect(rest.loss).toBe(whole.loss);
  });

  test.each(RUNS)('gradients and bakes for any number of threads: %s', async (_, make) => {
    const { plan, data, state } = make();
    const of = async (threads: number) => {
      const trainer = await createNativeEngine({ threads }).open(plan, data, state);
      const { loss, gradient } = await trainer.gradient(3);
      return { loss, gradient, ...(await trainer.bake()) };
    };
    const [one, three] = [await of(1), await of(3)];
    expect(three.loss).toBe(one.loss);
    for (const key of ['gradient', 'radiance', 'defocus'] as const) {
      expect(Buffer.compare(Buffer.from(three[key].buffer), Buffer.from(one[key].buffer)), key).toBe(0);
    }
  });

  test('after going back to a snapshot in the same trainer', async () => {
    const { plan, data, state } = SAMPLES[0][1]();
    const trainer = await createNativeEngine({ threads: 2 }).open(plan, data, state);
    await trainer.train(5);
    const snapshot = await trainer.save();
    await trainer.train(11);
    const first = hash(await trainer.save());
    await trainer.load(snapshot);
    expect(hash(await trainer.save())).toBe(hash(snapshot));
    await trainer.train(11);
    expect(hash(await trainer.save())).toBe(first);
  });

  test('whatever is asked of the trainer between steps', async () => {
    const run = SAMPLES[0][1]();
    const whole = await trained(run, 10);
    const trainer = await createNativeEngine({ threads: 2 }).open(run.plan, run.data, run.state);
    for (let step = 0; step < 10; step++) {
      await trainer.train(1);
      await trainer.gradient(40);
      await trainer.bake();
    }
    expect(hash(await trainer.save())).toBe(hash(whole.state));
  });

  test('aborted at any step and continued', async () => {
    const run = SAMPLES[2][1]();
    const long = { ...run, plan: createPlan(run.plan.capture, run.plan.config, run.plan.seed, 1500) };
    const trainer = await createNativeEngine({ threads: 2 }).open(long.plan, long.data, long.state);
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
    expect(hash((await trained(long, state.step, { threads: 1 })).state)).toBe(hash(state));
  });

  test('not for another seed', async () => {
    const patches = { form: 'lens' as const, patch: 8, reach: 4, ...MAP };
    const [one, other] = [sampleRun(patches, 1), sampleRun(patches, 2)];
    // From the same parameters: the batches alone differ.
    const ends = [await trained(one, 3), await trained({ ...other, state: one.state }, 3)];
    expect(hash(ends[0].state)).not.toBe(hash(ends[1].state));
  });
});

describeNative('the same bits through a model file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-determinism-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each<[string, () => Run]>([
    SAMPLES[0],
    SAMPLES[1],
    ['no start', () => randomRun('siren free')],
    ['two layers and a start', () => randomRun('all losses, free')],
  ])('%s', async (name, make) => {
    const run = make();
    const { capture, config, seed } = run.plan;
    const whole = await trained(run, 20);
    const half = await trained(run, 9);
    const model: TrainedModel = {
      capture,
      config,
      seed,
      start: run.data.start,
      state: half.state,
      framesSha256: '0'.repeat(64),
      info: { preset: 'focus', quality: 'draft', engine: 'native', device: '', frames: [], notes: [] },
    };
    const path = join(folder, `${name.replaceAll(' ', '-')}.safetensors`);
    await saveModel(path, model, { training: true });
    const loaded = await loadModel(path);
    const plan = createPlan(loaded.capture, loaded.config, loaded.seed);
    const data = { frames: run.data.frames, start: loaded.start };
    const rest = await trained({ plan, data, state: loaded.state }, 11);
    expect(hash(rest.state)).toBe(hash(whole.state));
  });
});
