import { beforeAll, expect, test } from 'vitest';
import { framesOf } from '../../bench/benchmarks/frames.js';
import { renderCapture } from '../../bench/samples/capture.js';
import { type Preparation, prepare } from '../../develop/prepare.js';
import { freshState } from '../../engine/engine.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan, type Plan } from '../../model/plan.js';

/** Tiles with networks of their own make one picture. */
describeNative('a tiled picture', () => {
  const [width, height, steps] = [192, 128, 150];
  let preparation: Preparation;
  let tiled: { plan: Plan; radiance: Float32Array };
  let whole: { plan: Plan; radiance: Float32Array };

  const train = async (tilePixels?: number) => {
    const { capture, config, data, tone } = preparation;
    const plan = createPlan(capture, config, 1, tilePixels);
    const state = freshState(initialParameters(plan, tone));
    const session = await createNativeEngine().open(plan, data, state);
    try {
      await session.train(steps);
      return { plan, radiance: (await session.bake()).radiance };
    } finally {
      session.close();
    }
  };
  beforeAll(async () => {
    const capture = renderCapture({ width, height, focus: 3, exposures: 2 });
    preparation = await prepare(framesOf(capture), { quality: 'standard', steps });
    tiled = await train(5000);
    whole = await train();
  }, 120_000);

  /** Mean difference from each column to the one before it. */
  const jumps = (planes: Float32Array) =>
    Array.from({ length: width }, (_, x) => {
      let sum = 0;
      for (let i = x; i < 3 * width * height && x > 0; i += width) sum += Math.abs(planes[i] - planes[i - 1]);
      return sum / (3 * height);
    });
  /** Excess of jumps over those of the picture that is not tiled, at the borders of tiles and elsewhere. */
  const excess = (planes: Float32Array) => {
    const plain = jumps(whole.radiance);
    const ratio = jumps(planes).map((jump, x) => (x === 0 ? 1 : jump / plain[x]));
    const borders = new Set(tiled.plan.shards.map(({ own }) => own.x).filter((x) => x > 0));
    return {
      borders: ratio.filter((_, x) => borders.has(x)),
      elsewhere: ratio.filter((_, x) => x > 0 && !borders.has(x)),
    };
  };

  test('has no seams: it changes no more across borders than elsewhere', () => {
    expect(tiled.plan.shards.length).toBeGreaterThanOrEqual(6);
    const { borders, elsewhere } = excess(tiled.radiance);
    expect(Math.max(...borders)).toBeLessThan(1.05 * Math.max(...elsewhere));
    expect(Math.max(...elsewhere)).toBeLessThan(1.3);
  });

  test('would show one of a twentieth of the light', () => {
    const shifted = tiled.radiance.slice();
    const { x: from } = tiled.plan.shards.find(({ own }) => own.x > 0)!.own;
    for (let i = 0; i < shifted.length; i++) if (i % width >= from) shifted[i] = shifted[i] + 0.05;
    const { borders, elsewhere } = excess(shifted);
    expect(Math.max(...borders)).toBeGreaterThan(1.05 * Math.max(...elsewhere));
  });
});
