import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Group } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { describeEngines, type LossInDoubles } from './engines.js';
import { CASE_NAMES, type RandomModel, randomModel } from './random-models.js';

/**
 * The gradient against central finite differences of the engine's own loss, in double precision: every form of the model,
 * every group of parameters. Where an engine has no double precision its gradient is compared with one that is right by
 * these tests, the reference's (parity.test.ts).
 */

/** Two steps: a kink (of a relu, a grid cell, a clamp) may lie within the wider one, rounding blurs the narrower. */
const STEPS = [1e-6, 1e-7];
/** Along a direction no parameter moves by more. */
const FARTHEST = [1e-4, 1e-5];
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

/** Relative errors of the gradient's entries, by group. */
async function alongParameters(
  { plan, parameters, step }: RandomModel,
  loss: LossInDoubles,
): Promise<Record<string, number>> {
  const at = Float64Array.from(parameters);
  const { gradient } = await loss(at, step);
  const random = new RandomStream(7, Stream.scene);
  const errors: Record<string, number> = {};
  for (const group of plan.layout.groups) {
    let difference = 0;
    let norm = 0;
    for (const i of sample(group, gradient, random)) {
      const lossAt = async (delta: number) => {
        const moved = at.slice();
        moved[i] += delta;
        return (await loss(moved, step)).loss;
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

/** A direction along which every group changes the loss at about the rate one, and only in part by its own gradient. */
function directionOf({ plan }: RandomModel, gradient: Float64Array): { d: Float64Array; longest: number } {
  const random = new RandomStream(5, Stream.scene);
  const d = new Float64Array(gradient.length);
  let longest = 0;
  for (const group of plan.layout.groups) {
    const slice = gradient.subarray(group.offset, group.offset + group.size);
    const norm = Math.hypot(...slice);
    const noise = Float64Array.from(slice, () => 2 * random.unit() - 1);
    if (norm === 0) continue;
    const scale = 1 / Math.hypot(...noise);
    for (const [i, g] of slice.entries()) d[group.offset + i] = (g / norm + noise[i] * scale) / norm;
    longest = Math.max(longest, 2 / norm);
  }
  return { d, longest };
}

/** Relative error of the gradient along that direction. */
async function alongDirection(model: RandomModel, loss: LossInDoubles): Promise<Record<string, number>> {
  const at = Float64Array.from(model.parameters);
  const { gradient } = await loss(at, model.step);
  const { d, longest } = directionOf(model, gradient);
  const expected = d.reduce((sum, v, i) => sum + v * gradient[i], 0);
  const lossAt = async (delta: number) =>
    (
      await loss(
        at.map((p, i) => p + delta * d[i]),
        model.step,
      )
    ).loss;
  let error = Number.POSITIVE_INFINITY;
  for (const most of FARTHEST) {
    const h = most / longest;
    const slope = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
    error = Math.min(error, Math.abs(slope / expected - 1));
    if (error <= 1e-6) break;
  }
  return { 'all groups': error };
}

describeEngines(
  'the gradient is the slope of the loss',
  ({ double }) => {
    let open: (model: RandomModel) => Promise<LossInDoubles>;
    beforeAll(async () => {
      open = await double!.start();
    });
    afterAll(() => {
      vi.unstubAllGlobals();
    });
    const errorsOf = double!.along === 'parameters' ? alongParameters : alongDirection;

    test.each(CASE_NAMES)('%s', async (name) => {
      const model = randomModel(name, { plainLoss: true });
      for (const [group, error] of Object.entries(await errorsOf(model, await open(model)))) {
        expect(error, group).toBeLessThanOrEqual(1e-5);
      }
    });
  },
  { if: ({ double }) => double },
);
