import { describe, test } from 'vitest';
import { freshState } from '../engine.js';
import { describeNative } from '../engines.fixture.js';
import { createNativeEngine, nativeIsas } from '../native/native-engine.js';
import { createTfjsEngine } from '../tfjs/tfjs-engine.js';
import { expectParity } from './parity.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/**
 * The native engine against the reference engine: loss, gradient of every group of parameters, and the baked scene,
 * on every form of the model, with every kernel that this processor runs.
 */

const reference = new Map<CaseName, Promise<Awaited<ReturnType<typeof runReference>>>>();

async function runReference(name: CaseName) {
  const { plan, data, parameters, step } = randomModel(name);
  const engine = await createTfjsEngine();
  const trainer = await engine.open(plan, data, freshState(parameters));
  const result = { result: await trainer.gradient(step), baked: await trainer.bake() };
  trainer.close();
  return result;
}

function referenceOf(name: CaseName) {
  const known = reference.get(name) ?? runReference(name);
  reference.set(name, known);
  return known;
}

describeNative('native against tfjs', () => {
  describe.each(nativeIsas())('%s', (isa) => {
    test.each(CASE_NAMES)('%s', async (name) => {
      const expected = await referenceOf(name);
      const { plan, data, parameters, step } = randomModel(name);
      const trainer = await createNativeEngine({ isa, threads: 2 }).open(plan, data, freshState(parameters));
      expectParity(plan, { result: await trainer.gradient(step), baked: await trainer.bake() }, expected);
      trainer.close();
    });
  });
});
