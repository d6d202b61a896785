import { test } from 'vitest';
import { type Engine, freshState } from '../engine.js';
import { createReference, describeEngines } from './engines.js';
import { expectParity } from './parity.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/** Loss, gradient of every group of parameters, and the baked scene are the reference engine's, on every form of the model. */

async function resultOf(name: CaseName, engine: Engine) {
  const { plan, data, parameters, step } = randomModel(name);
  const trainer = await engine.open(plan, data, freshState(parameters));
  const result = { result: await trainer.gradient(step), baked: await trainer.bake() };
  trainer.close();
  return result;
}

const known = new Map<CaseName, ReturnType<typeof resultOf>>();

function referenceOf(name: CaseName) {
  const result = known.get(name) ?? createReference().then((engine) => resultOf(name, engine));
  known.set(name, result);
  return result;
}

describeEngines(
  'computes what the reference computes',
  (engine) => {
    test.each(CASE_NAMES)('%s', async (name) => {
      const actual = await resultOf(name, await engine.create());
      expectParity(randomModel(name).plan, actual, await referenceOf(name));
    });
  },
  { everyKernel: true, but: 'the reference' },
);
