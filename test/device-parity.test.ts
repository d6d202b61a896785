import { describe, expect, test } from 'vitest';
import { createCudaEngine, cudaStatus } from '../runner/engines/cuda.js';
import { freshState } from '../runner/engines/engine.js';
import { createNativeEngine, nativeIsas } from '../runner/engines/native.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/**
 * The device engine against the native engine: loss, gradient of every group of parameters, and the baked scene, on every
 * form of the model. The kernels run emulated on the processor, from the same source, in every test run; and on a device
 * where there is one.
 */

const TOLERANCE = 1e-4;

/** ‖actual − expected‖ / ‖expected‖; `least` is the norm below which single precision says nothing. */
function relativeError(actual: Float32Array, expected: Float32Array, least = 1e-6): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), least);
}

async function expectParity(name: CaseName, library: 'cuda' | 'emulated') {
  const { plan, data, parameters, step } = randomModel(name);
  const [reference, session] = await Promise.all([
    createNativeEngine({ threads: 1 }).open(plan, data, freshState(parameters)),
    createCudaEngine({ library }).open(plan, data, freshState(parameters)),
  ]);
  const [expected, actual] = [await reference.gradient(step), await session.gradient(step)];
  expect(Math.abs(actual.loss - expected.loss) / expected.loss).toBeLessThanOrEqual(TOLERANCE);
  expect(actual.psnr).toBeCloseTo(expected.psnr, 3);
  const whole = Math.sqrt(expected.gradient.reduce((sum, g) => sum + g * g, 0));
  for (const group of plan.layout.groups) {
    const run = (g: Float32Array) => g.subarray(group.offset, group.offset + group.size);
    const error = relativeError(run(actual.gradient), run(expected.gradient), 1e-3 * whole);
    expect(error, group.name).toBeLessThanOrEqual(TOLERANCE);
  }
  const [wanted, baked] = [await reference.bake(), await session.bake()];
  expect(relativeError(baked.radiance, wanted.radiance)).toBeLessThanOrEqual(TOLERANCE);
  expect(relativeError(baked.defocus, wanted.defocus)).toBeLessThanOrEqual(TOLERANCE);
  session.close();
  reference.close();
}

describe.skipIf(nativeIsas().length === 0)('emulated device against native', () => {
  test.each(CASE_NAMES)('%s', (name) => expectParity(name, 'emulated'));
});

const { usable, reason } = cudaStatus();
describe.skipIf(!usable)(`CUDA device against native${usable ? '' : ` (skipped: ${reason})`}`, () => {
  test.each(CASE_NAMES)('%s', (name) => expectParity(name, 'cuda'));
});
