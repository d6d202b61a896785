import { test } from 'vitest';
import { freshState } from '../engine.js';
import { describeCuda, describeEmulated } from '../engines.fixture.js';
import { createCudaEngine } from '../native/cuda-engine.js';
import { createNativeEngine } from '../native/native-engine.js';
import { expectParity } from './parity.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/**
 * The device engine against the native engine: loss, gradient of every group of parameters, and the baked scene, on every
 * form of the model. The kernels run emulated on the processor, from the same source, in every test run; and on a device
 * where there is one.
 */

async function compare(name: CaseName, library: 'cuda' | 'emulated') {
  const { plan, data, parameters, step } = randomModel(name);
  const engines = [createCudaEngine({ library }), createNativeEngine({ threads: 1 })];
  const [actual, expected] = await Promise.all(
    engines.map(async (engine) => {
      const trainer = await engine.open(plan, data, freshState(parameters));
      const result = { result: await trainer.gradient(step), baked: await trainer.bake() };
      trainer.close();
      return result;
    }),
  );
  expectParity(plan, actual, expected);
}

describeEmulated('emulated device against native', () => {
  test.each(CASE_NAMES)('%s', (name) => compare(name, 'emulated'));
});

describeCuda('CUDA device against native', () => {
  test.each(CASE_NAMES)('%s', (name) => compare(name, 'cuda'));
});
