import { expect, test } from 'vitest';
import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan } from '../../model/plan.js';
import { freshState } from '../engine.js';
import { describeCuda, describeEmulated } from '../engines.fixture.js';
import { createCudaEngine } from '../native/cuda-engine.js';
import { exchange, gather, openGroup, step } from './exchange.js';
import { hash, RUNS, type Run, SAMPLES, SPREAD } from './runs.js';

/**
 * Training on a device gives the same bits whatever order blocks and threads run in, however the shards are spread over
 * trainers, interrupted or not. The emulation runs the kernels forward, backward and shuffled, which shows any sum whose
 * order is left to chance and any phase that reads what another thread of it writes.
 */

const engineOf = (order = 'forward') => createCudaEngine({ library: 'emulated', device: order });

async function trained({ plan, data, state }: Run, steps: number, order?: string) {
  const trainer = await engineOf(order).open(plan, data, state);
  const progress = await trainer.train(steps);
  const end = await trainer.save();
  trainer.close();
  return { ...progress, state: end };
}

const STEPS = 4;

describeEmulated('the same bits on a device', () => {
  test.each(RUNS)('in any order of blocks and threads: %s', async (_, make) => {
    const run = make();
    const [first, ...others] = await Promise.all(
      ['forward', 'reverse', 'shuffled', 'forward'].map((order) => trained(run, STEPS, order)),
    );
    expect(hash(first.state)).not.toBe(hash(run.state));
    for (const other of others) {
      expect(hash(other.state)).toBe(hash(first.state));
      expect([other.loss, other.psnr]).toEqual([first.loss, first.psnr]);
    }
    expect(first.loss).toSatisfy(Number.isFinite);
    expect(first.state.parameters.every(Number.isFinite)).toBe(true);
  });

  // Wide, middle and narrow tiles: chosen by how many multiprocessors there are to fill, and by their shared memory.
  test.each(SAMPLES)('in tiles of any width: %s', async (_, make) => {
    const run = make();
    const ends = await Promise.all(
      ['forward/1/228', 'forward/1/64', 'forward/1000/64'].map((device) => trained(run, STEPS, device)),
    );
    expect(new Set(ends.map(({ state }) => hash(state))).size).toBe(1);
  });

  test('timed by phase or not', async () => {
    const run = SAMPLES[0][1]();
    const trainer = await engineOf().open(run.plan, run.data, run.state);
    await trainer.train(1);
    expect(Object.values(trainer.ticks()).every((t) => t === 0)).toBe(true);
    trainer.timePhases(true);
    await trainer.train(STEPS - 2);
    expect(Object.values(trainer.ticks()).every((t) => t > 0)).toBe(true);
    trainer.timePhases(false);
    await trainer.train(1);
    expect(hash(await trainer.save())).toBe(hash((await trained(run, STEPS)).state));
  });

  test.each(SAMPLES)('interrupted and continued elsewhere: %s', async (_, make) => {
    const run = make();
    const whole = await trained(run, STEPS);
    const half = await trained(run, 2);
    expect(half.state.step).toBe(2);
    const rest = await trained({ ...run, state: half.state }, STEPS - 2);
    expect(hash(rest.state)).toBe(hash(whole.state));
  });

  test.each(SAMPLES)('bakes in any order: %s', async (_, make) => {
    const { plan, data, state } = make();
    const bakes = await Promise.all(
      ['forward', 'shuffled'].map(async (order) => (await engineOf(order).open(plan, data, state)).bake()),
    );
    expect(bakes[1]).toEqual(bakes[0]);
  });
});

describeEmulated('shards spread over device trainers', () => {
  test.each(SPREAD)('%s', async (_, make) => {
    const run = make();
    const one = await trained(run, STEPS);
    const shards = run.plan.shards.length;
    for (const holders of [1, 2, 3]) {
      const placement = Array.from({ length: shards }, (_, s) => Math.floor((s * holders) / shards));
      const group = await openGroup(run, placement, { engine: engineOf() });
      let last = await step(group, 0);
      for (let i = 1; i < STEPS; i++) last = await step(group, i);
      expect(hash(await gather(run, group)), `${placement}`).toBe(hash(one.state));
      for (const progress of last) expect(progress.loss).toBe(one.loss);
      for (const m of group.members) m.close();
    }
  });

  test('a step that was given up leaves nothing behind', async () => {
    const run = SAMPLES[0][1]();
    const placement = run.plan.shards.map((_, s) => s % 2);
    const group = await openGroup(run, placement, { engine: engineOf() });
    await Promise.all(group.members.map((m) => m.compute(0)));
    await exchange(group);
    await Promise.all(group.members.map((m) => m.load(run.state)));
    for (let i = 0; i < STEPS; i++) await step(group, i);
    expect(hash(await gather(run, group))).toBe(hash((await trained(run, STEPS)).state));
  });

  test('what is out of turn is refused', async () => {
    const run = SAMPLES[0][1]();
    const trainer = await engineOf().open(run.plan, run.data, run.state, { shards: [1, 2] });
    await expect(trainer.train(1)).rejects.toThrow(/hosts some of its shards/);
    await expect(trainer.take(1)).rejects.toThrow(/compute one first/);
    await trainer.compute(0);
    await expect(trainer.compute(0)).rejects.toThrow(/under way/);
    await expect(trainer.combine(1, 2)).rejects.toThrow(/plan of the reduction/);
  });
});

describeEmulated('a step of several batches', () => {
  // The emulation's batches are small: these need a dozen.
  test.each(SAMPLES.slice(0, 2))('%s', async (_, make) => {
    const run = make();
    const { capture } = run.plan;
    const config = configSchema.parse({
      ...run.plan.config,
      train: { ...run.plan.config.train, patches: 50, pixels: 1000 },
    });
    const plan = createPlan(capture, config, 3);
    const state = freshState(initialParameters(plan));
    const one = await trained({ ...run, plan, state }, 2);
    expect(hash((await trained({ ...run, plan, state }, 2, 'shuffled')).state)).toBe(hash(one.state));
  });
});

describeCuda('the same bits on a CUDA device', () => {
  test.each(RUNS)('over repeated runs: %s', async (_, make) => {
    const { plan, data, state } = make();
    const hashes = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const trainer = await createCudaEngine().open(plan, data, state);
      await trainer.train(20);
      hashes.add(hash(await trainer.save()));
      trainer.close();
    }
    expect(hashes.size).toBe(1);
  });
});
