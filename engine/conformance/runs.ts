import { createHash } from 'node:crypto';
import { renderCapture } from '../../bench/samples/capture.js';
import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan, type Plan } from '../../model/plan.js';
import { freshState, type SceneData, type TrainingState } from '../engine.js';
import { type CaseName, randomModel } from './random-models.js';

/** Training runs for tests that compare bits. */

export interface Run {
  readonly plan: Plan;
  readonly data: SceneData;
  readonly state: TrainingState;
}

/** SHA-256 of everything that a trainer holds. */
export function hash({ step, parameters, m, v }: TrainingState): string {
  const sum = createHash('sha256').update(`${step};`);
  for (const a of [parameters, m, v]) sum.update(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  return sum.digest('hex');
}

export function randomRun(name: CaseName, seed = 1): Run {
  const { plan, data, parameters } = randomModel(name, { seed });
  return { plan, data, state: freshState(parameters) };
}

const capture = renderCapture({ width: 96, height: 64 });

/**
 * Nine photographs of 96 × 64 pixels and a model with every kind of grid level: dense, hashed, and large ones, of which
 * a step updates only what it touched.
 */
export function sampleRun(blur: NonNullable<ModelConfigInput['blur']>, seed = 1, tilePixels?: number): Run {
  const config = configSchema.parse({
    atlas: { form: 'hash', levels: 8, base: 8, finest: 2, log2Table: 14, hidden: [16, 16] },
    blur,
    registration: 'affine',
    loss: { rigidity: 1e-4, sharpnessStart: 0.3 },
    train: { steps: 30, patches: 6, pixels: 90 },
  });
  const frames = capture.frames.map((f) => ({
    focus: f.focusIndex,
    exposure: f.exposureIndex,
    ev: f.ev,
    aperture: 1,
  }));
  const { width, height } = capture.options;
  const plan = createPlan({ width, height, frames, focus: [1, 0, -1], kappa: 1.5 }, config, seed, tilePixels);
  const data = { frames: capture.frames.map((f) => ({ data: f.pixels })) };
  return { plan, data, state: freshState(initialParameters(plan)) };
}

export const MAP = { levels: 5, base: 6, finest: 1.6, log2Table: 14, hidden: [8] };
const LENS = { form: 'lens' as const, patch: 8, reach: 4, ...MAP };
const FREE = { form: 'free' as const, taps: 8, hidden: [8], maxShift: 3 };
export const SAMPLES: [string, () => Run][] = [
  ['lens', () => sampleRun(LENS)],
  ['free', () => sampleRun(FREE)],
  ['lens, tiled', () => sampleRun(LENS, 1, 1500)],
  ['free, tiled', () => sampleRun(FREE, 1, 1500)],
];
const RANDOM: CaseName[] = [
  'siren lens',
  'free, sum of logarithms',
  'tone mlp, free, random gamma',
  'all losses, lens',
  'masks, free',
  'tiled lens',
  'tiled free',
];
export const RUNS: [string, () => Run][] = [
  ...SAMPLES,
  ...RANDOM.map((name): [string, () => Run] => [name, () => randomRun(name)]),
];

/** One of every kind, for tests that spread its shards over several trainers. */
export const SPREAD: [string, () => Run][] = [
  ...SAMPLES.slice(0, 3),
  ['all losses', () => randomRun('all losses, lens')],
  ['siren, free', () => randomRun('siren free')],
  ['tiled free', () => randomRun('tiled free')],
];
