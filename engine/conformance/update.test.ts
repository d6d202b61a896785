import { expect, test } from 'vitest';
import { createPlan, type Plan } from '../../model/plan.js';
import { rateFactor } from '../../model/schedule.js';
import { freshState, type TrainingState } from '../engine.js';
import { describeEngines, type Subject } from './engines.js';
import { type CaseName, randomModel } from './random-models.js';

/**
 * A step against docs/reference/MODEL.md, "Update", written down once more: Adam on the gradient that the engine itself
 * reports. The parity test says that this gradient is right.
 */

/** Rounding of an engine's single precision, relative to what is compared. */
const TOLERANCE = 2e-5;

/** The state after Adam with bias correction, in double precision. */
function updated(
  plan: Plan,
  state: TrainingState,
  gradient: Float32Array,
): Record<'parameters' | 'm' | 'v', Float64Array> {
  const { train } = plan.config;
  const next = {
    parameters: Float64Array.from(state.parameters),
    m: Float64Array.from(state.m),
    v: Float64Array.from(state.v),
  };
  const t = state.step + 1;
  for (const group of plan.layout.groups) {
    const rate = train.rates[group.kind] * rateFactor(train, state.step);
    for (let i = group.offset; i < group.offset + group.size; i++) {
      const g = gradient[i];
      if (group.sparse && g === 0) continue;
      next.m[i] = train.beta1 * state.m[i] + (1 - train.beta1) * g;
      next.v[i] = train.beta2 * state.v[i] + (1 - train.beta2) * g * g;
      const mean = next.m[i] / (1 - train.beta1 ** t);
      const spread = Math.sqrt(next.v[i] / (1 - train.beta2 ** t)) + 1e-15;
      next.parameters[i] -= (rate * mean) / spread;
    }
  }
  return next;
}

/** Largest difference of a group, relative to `unit` of each entry. */
function largestError(actual: Float32Array, expected: Float64Array, unit: (i: number) => number): number {
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]) / unit(i));
  }
  return worst;
}

const CASES: CaseName[] = [
  'all losses, lens',
  'free, linear light',
  'siren free',
  'tiled lens',
  'fully clipped',
];

function stepsAreAdam({ create }: Subject) {
  test.each(CASES)('%s', async (name) => {
    const { plan, data, parameters } = randomModel(name);
    const trainer = await (await create()).open(plan, data, freshState(parameters));
    let seenIdle = false;
    for (let step = 0; step < 4; step++) {
      const before = await trainer.save();
      const { gradient, loss } = await trainer.gradient(step);
      const progress = await trainer.train(1);
      expect(progress.loss).toBe(loss);
      const after = await trainer.save();
      expect(after.step).toBe(step + 1);
      const expected = updated(plan, before, gradient);
      for (const group of plan.layout.groups) {
        const of = <T extends Float32Array | Float64Array>(a: T) =>
          a.subarray(group.offset, group.offset + group.size) as T;
        const rate = plan.config.train.rates[group.kind];
        const [old, g] = [of(before.parameters), of(gradient)];
        const error = {
          parameters: largestError(
            of(after.parameters),
            of(expected.parameters),
            (i) => Math.abs(old[i]) * 0.01 + rate,
          ),
          m: largestError(
            of(after.m),
            of(expected.m),
            (i) => Math.abs(of(before.m)[i]) + Math.abs(g[i]) + 1e-30,
          ),
          v: largestError(of(after.v), of(expected.v), (i) => of(before.v)[i] + g[i] ** 2 + 1e-30),
        };
        for (const [what, e] of Object.entries(error)) {
          expect(e, `${what} of ${group.name}`).toBeLessThan(TOLERANCE);
        }
        if (!group.sparse) continue;
        const idle = [...g.keys()].filter((i) => g[i] === 0);
        seenIdle ||= idle.length > 0;
        for (const run of ['parameters', 'm', 'v'] as const) {
          expect(idle.filter((i) => of(after[run])[i] !== of(before[run])[i])).toEqual([]);
        }
      }
    }
    // Else nothing was seen of what is left untouched.
    expect(seenIdle).toBe(name !== 'siren free');
  });

  test('a rate of nothing learns nothing', async () => {
    const { plan, data, parameters } = randomModel('hash lens');
    const { train } = plan.config;
    const rates = Object.fromEntries(Object.keys(train.rates).map((k) => [k, 0])) as typeof train.rates;
    const still = createPlan(plan.capture, { ...plan.config, train: { ...train, rates } }, plan.seed);
    const trainer = await (await create()).open(still, data, freshState(parameters));
    await trainer.train(3);
    expect((await trainer.save()).parameters).toEqual(parameters);
  });
}

describeEngines('a step is Adam on its gradient', stepsAreAdam, { everyKernel: true });
