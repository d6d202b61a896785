import { expect } from 'vitest';
import type { Plan } from '../../model/plan.js';
import type { BakedPlanes, Progress } from '../engine.js';

/** How far two engines' gradients and pictures may be apart, relative. */
const TOLERANCE = 1e-4;

interface EngineResult {
  readonly result: Progress & { readonly gradient: Float32Array };
  readonly baked: BakedPlanes;
}

/** ‖actual − expected‖ / ‖expected‖; `least` is the norm below which single precision says nothing. */
function relativeError(actual: Float32Array, expected: Float32Array, least = 1e-6): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), least);
}

/** Expects the same loss, gradient of every group of parameters, and baked scene. */
export function expectParity(plan: Plan, actual: EngineResult, expected: EngineResult): void {
  const [a, e] = [actual.result, expected.result];
  expect(Math.abs(a.loss - e.loss) / e.loss).toBeLessThanOrEqual(TOLERANCE);
  expect(a.psnr).toBeCloseTo(e.psnr, 3);
  const whole = Math.sqrt(e.gradient.reduce((sum, g) => sum + g * g, 0));
  for (const group of plan.layout.groups) {
    const run = (g: Float32Array) => g.subarray(group.offset, group.offset + group.size);
    expect(relativeError(run(a.gradient), run(e.gradient), 1e-3 * whole), group.name).toBeLessThanOrEqual(
      TOLERANCE,
    );
  }
  expect(relativeError(actual.baked.radiance, expected.baked.radiance)).toBeLessThanOrEqual(TOLERANCE);
  expect(relativeError(actual.baked.defocus, expected.baked.defocus)).toBeLessThanOrEqual(TOLERANCE);
}
