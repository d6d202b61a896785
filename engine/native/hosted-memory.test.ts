import { expect, test } from 'vitest';
import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan } from '../../model/plan.js';
import { describeNative, unless } from '../engines.fixture.js';
import { createNativeEngine } from './native-engine.js';

/** Arrays keep the whole training's size: what is not hosted must cost addresses, not memory. */
const otherSystem = process.platform === 'linux' ? undefined : 'memory is read from /proc, which Linux has';

unless(otherSystem, describeNative)('memory', () => {
  test('of a trainer that hosts one tile of many is a small part of the whole', async () => {
    const [width, height] = [1200, 1000];
    const frames = [0, 1].map((focus) => ({ focus, exposure: 0, ev: 0, aperture: 1 }));
    const config = configSchema.parse({ train: { steps: 10 } });
    const plan = createPlan({ width, height, frames, focus: [1, -1], kappa: 2 }, config, 1, 100_000);
    expect(plan.shards.length).toBeGreaterThanOrEqual(12);
    const pixels = () => new Uint8Array(3 * width * height);
    /** Megabytes that opening, a step, saving and baking leave in memory. */
    const grown = async (shards: number[]) => {
      const before = process.memoryUsage.rss();
      const parameters = initialParameters(plan, undefined, shards);
      const state = { step: 0, parameters, m: new Float32Array(0), v: new Float32Array(0) };
      const data = { frames: frames.map(() => ({ data: pixels() })) };
      const trainer = await createNativeEngine({ threads: 1 }).open(plan, data, state, { shards });
      const kept = [await trainer.save(), await trainer.bake()];
      await trainer.compute(0);
      const after = process.memoryUsage.rss();
      trainer.close();
      return { megabytes: (after - before) / 2 ** 20, kept };
    };
    const one = await grown([5]);
    const all = await grown([...plan.shards.keys()]);
    expect(all.megabytes).toBeGreaterThan(100);
    expect(one.megabytes).toBeLessThan(all.megabytes / 3);
  });
});
