import { expect, test } from 'vitest';
import { configSchema } from '../../../model/config.js';
import { initialParameters } from '../../../model/initial.js';
import { createPlan } from '../../../model/plan.js';
import { hash, type Run, SAMPLES } from '../../conformance/runs.js';
import { freshState } from '../../engine.js';
import { describeEmulated } from '../../engines.fixture.js';
import { createCudaEngine } from '../cuda-engine.js';

/** What a device has of its own that must change no bit; the rest is engine/conformance/determinism.test.ts. */

const engineOf = (order = 'forward') => createCudaEngine({ library: 'emulated', device: order });

async function trained({ plan, data, state }: Run, steps: number, order?: string) {
  const trainer = await engineOf(order).open(plan, data, state);
  await trainer.train(steps);
  const end = await trainer.save();
  trainer.close();
  return hash(end);
}

describeEmulated('the same bits on a device', () => {
  test('timed by phase or not', async () => {
    const run = SAMPLES[0][1]();
    const trainer = await engineOf().open(run.plan, run.data, run.state);
    await trainer.train(1);
    expect(Object.values(trainer.ticks()).every((t) => t === 0)).toBe(true);
    trainer.timePhases(true);
    await trainer.train(2);
    expect(Object.values(trainer.ticks()).every((t) => t > 0)).toBe(true);
    trainer.timePhases(false);
    await trainer.train(1);
    expect(hash(await trainer.save())).toBe(await trained(run, 4));
  });

  // The emulation's batches are small: these need a dozen.
  test.each(SAMPLES.slice(0, 2))('in a step of several batches: %s', async (_, make) => {
    const run = make();
    const { config, capture } = run.plan;
    const large = configSchema.parse({ ...config, train: { ...config.train, patches: 50, pixels: 1000 } });
    const plan = createPlan(capture, large, 3);
    const long = { ...run, plan, state: freshState(initialParameters(plan)) };
    expect(await trained(long, 2, 'shuffled')).toBe(await trained(long, 2));
  });
});
