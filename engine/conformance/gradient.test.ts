import { expect, test } from 'vitest';
import type { Group } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { freshState } from '../engine.js';
import { describeNative } from '../engines.fixture.js';
import { createNativeEngine } from '../native/native-engine.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/**
 * The native engine's hand-written gradient, compiled in double precision, against central finite differences of its
 * own loss: every form of the model, every group of parameters.
 */

/** Two steps: a kink (of a relu, a grid cell, a clamp) may lie within the wider one, rounding blurs the narrower. */
const STEPS = [1e-6, 1e-7];
const SAMPLES = 8;
/** What rounding alone does to a difference of losses: nothing smaller is a slope. */
const NOISE = 5e-9;

/** Entries of a group to perturb: random ones among those whose gradient is not zero. */
function sample(group: Group, gradient: Float64Array, random: RandomStream): number[] {
  const alive: number[] = [];
  for (let i = group.offset; i < group.offset + group.size; i++) if (gradient[i] !== 0) alive.push(i);
  const picks = new Set<number>();
  while (picks.size < Math.min(SAMPLES, alive.length)) picks.add(alive[random.word() % alive.length]);
  return [...picks];
}

async function relativeErrors(name: CaseName): Promise<Record<string, number>> {
  const { plan, data, parameters, step } = randomModel(name, { plainLoss: true });
  const engine = createNativeEngine({ isa: 'f64', threads: 1 });
  const trainer = await engine.open(plan, data, freshState(parameters));
  const at = Float64Array.from(parameters);
  const { gradient } = await trainer.gradientAt(at, step);
  const random = new RandomStream(7, Stream.scene);
  const errors: Record<string, number> = {};
  for (const group of plan.layout.groups) {
    let difference = 0;
    let norm = 0;
    for (const i of sample(group, gradient, random)) {
      const lossAt = async (delta: number) => {
        const moved = at.slice();
        moved[i] += delta;
        return (await trainer.gradientAt(moved, step)).loss;
      };
      let error = Number.POSITIVE_INFINITY;
      for (const h of STEPS) {
        const slope = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
        error = Math.min(error, Math.abs(slope - gradient[i]));
        if (error <= 1e-6 * Math.abs(gradient[i])) break;
      }
      difference += error ** 2;
      norm += gradient[i] ** 2;
    }
    errors[group.name] = Math.max(0, Math.sqrt(difference) - NOISE) / Math.max(Math.sqrt(norm), 1e-12);
  }
  return errors;
}

describeNative('native gradient against finite differences', () => {
  test.each(CASE_NAMES)('%s', async (name) => {
    for (const [group, error] of Object.entries(await relativeErrors(name))) {
      expect(error, group).toBeLessThanOrEqual(1e-5);
    }
  });
});
