import { expect, test } from 'vitest';
import { configSchema } from '../../model/config.js';
import { createPlan } from '../../model/plan.js';
import { updateParameters } from './adam.js';

const plan = createPlan(
  { width: 8, height: 6, frames: [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }], focus: [0], kappa: 1 },
  configSchema.parse({
    blur: { form: 'none' },
    atlas: { form: 'hash', levels: 1, hidden: [] },
    train: {
      steps: 10,
      warmup: 0,
      floor: 0,
      beta1: 0.8,
      beta2: 0.9,
      rates: { atlasMlp: 0.1, atlasGrid: 0.3 },
    },
  }),
  1,
);
const zeros = () => new Float32Array(plan.layout.size);
const group = (name: string) => plan.layout.groups.find((g) => g.name === name)!;

test('the first step moves every parameter by its rate, against the gradient', () => {
  const state = { parameters: zeros(), m: zeros(), v: zeros() };
  const gradient = zeros();
  const at = group('atlas.mlp').offset;
  gradient.set([1e-6, -400], at);
  updateParameters(plan, state, gradient, 0);
  expect(state.parameters[at]).toBeCloseTo(-0.1, 6);
  expect(state.parameters[at + 1]).toBeCloseTo(0.1, 6);
  expect(state.parameters[at + 2]).toBe(0);
});

test('moments decay and are corrected for their start; the rate follows the schedule', () => {
  const state = { parameters: zeros(), m: zeros(), v: zeros() };
  const at = group('atlas.mlp').offset;
  const [first, second] = [zeros(), zeros()];
  first[at] = 2;
  second[at] = -1;
  updateParameters(plan, state, first, 4);
  updateParameters(plan, state, second, 5);
  const m = 0.8 * (0.2 * 2) - 0.2;
  const v = 0.9 * (0.1 * 4) + 0.1;
  const rate = (step: number) => 0.1 * 0.5 * (1 + Math.cos((Math.PI * step) / 10));
  const move = (step: number, m1: number, v1: number) =>
    (rate(step) * (m1 / (1 - 0.8 ** (step + 1)))) / Math.sqrt(v1 / (1 - 0.9 ** (step + 1)));
  expect(state.m[at]).toBeCloseTo(m, 6);
  expect(state.v[at]).toBeCloseTo(v, 6);
  expect(state.parameters[at]).toBeCloseTo(-move(4, 0.4, 0.4) - move(5, m, v), 6);
});

test('an entry of a grid without a gradient is left alone, of a network it is not', () => {
  const filled = () => zeros().fill(0.5);
  const state = { parameters: filled(), m: filled(), v: filled() };
  updateParameters(plan, state, zeros(), 3);
  const [grid, network] = [group('atlas.grid').offset, group('atlas.mlp').offset];
  expect([state.parameters[grid], state.m[grid], state.v[grid]]).toEqual([0.5, 0.5, 0.5]);
  expect(state.parameters[network]).toBeLessThan(0.5);
  expect(state.m[network]).toBeCloseTo(0.4, 6);
});
