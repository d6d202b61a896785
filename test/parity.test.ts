import { describe, expect, test } from 'vitest';
import { freshState } from '../runner/engines/engine.js';
import { createNativeEngine, nativeIsas } from '../runner/engines/native.js';
import { createTfjsEngine } from '../runner/engines/tfjs.js';
import { CASE_NAMES, type CaseName, randomModel } from './random-models.js';

/**
 * The native engine against the reference engine: loss, gradient of every group of parameters, and the baked scene,
 * on every form of the model, with every kernel that this processor runs.
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

const reference = new Map<CaseName, Promise<Awaited<ReturnType<typeof runReference>>>>();

async function runReference(name: CaseName) {
  const { plan, data, parameters, step } = randomModel(name);
  const engine = await createTfjsEngine();
  const session = await engine.open(plan, data, freshState(parameters));
  const result = { ...(await session.gradient(step)), baked: await session.bake() };
  session.close();
  return result;
}

function referenceOf(name: CaseName) {
  const known = reference.get(name) ?? runReference(name);
  reference.set(name, known);
  return known;
}

describe.skipIf(nativeIsas().length === 0)('native against tfjs', () => {
  describe.each(nativeIsas())('%s', (isa) => {
    test.each(CASE_NAMES)('%s', async (name) => {
      const expected = await referenceOf(name);
      const { plan, data, parameters, step } = randomModel(name);
      const session = await createNativeEngine({ isa, threads: 2 }).open(plan, data, freshState(parameters));
      const actual = await session.gradient(step);
      expect(Math.abs(actual.loss - expected.loss) / expected.loss).toBeLessThanOrEqual(TOLERANCE);
      const whole = Math.sqrt(expected.gradient.reduce((sum, g) => sum + g * g, 0));
      for (const group of plan.layout.groups) {
        const run = (g: Float32Array) => g.subarray(group.offset, group.offset + group.size);
        const error = relativeError(run(actual.gradient), run(expected.gradient), 1e-3 * whole);
        expect(error, group.name).toBeLessThanOrEqual(TOLERANCE);
      }
      const baked = await session.bake();
      expect(relativeError(baked.radiance, expected.baked.radiance)).toBeLessThanOrEqual(TOLERANCE);
      expect(relativeError(baked.defocus, expected.baked.defocus)).toBeLessThanOrEqual(TOLERANCE);
    });
  });
});
