import { createHash } from 'node:crypto';
import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan, type Plan } from '../../model/plan.js';
import { composeRefocus } from '../../model/render/render.js';
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

export function randomRun(name: CaseName): Run {
  const { plan, data, parameters } = randomModel(name);
  return { plan, data, state: freshState(parameters) };
}

const [WIDTH, HEIGHT] = [96, 64];
const KAPPA = 1.5;
const FOCUS = [1, 0, -1];
const STOPS = [-3, 0, 3];
const FRAMES = FOCUS.flatMap((_, focus) =>
  STOPS.map((ev, exposure) => ({ focus, exposure, ev, aperture: 1 })),
);

/** Photographs of waves on a slope that has a step: near and far, dark and clipped, with detail down to two pixels. */
function photographs(): Uint8Array[] {
  const area = WIDTH * HEIGHT;
  const [radiance, defocus] = [new Float32Array(3 * area), new Float32Array(area)];
  for (let i = 0; i < area; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    defocus[i] = (x < 40 ? 1 : -0.2) - (0.8 * y) / HEIGHT;
    for (let c = 0; c < 3; c++) {
      const broad = 1.5 * Math.sin(x / 9 + c) * Math.cos(y / 7 - c);
      radiance[c * area + i] = -2 + broad + 0.5 * Math.sin(2.5 * x + 1.3 * y + c);
    }
  }
  const scene = { width: WIDTH, height: HEIGHT, radiance, defocus };
  const seen = FOCUS.map((focus) => composeRefocus(scene, { focus, aperture: 1, kappa: KAPPA }).data);
  return FRAMES.map(({ focus, ev }) =>
    Uint8Array.from(seen[focus], (light) => Math.round(255 * Math.min(1, light * 2 ** ev) ** (1 / 2.2))),
  );
}

const PHOTOGRAPHS = photographs();

/**
 * Nine photographs of 96 × 64 pixels and a model with every kind of grid level: dense, hashed, and large ones, of which
 * a step updates only what it touched.
 */
function sampleRun(blur: NonNullable<ModelConfigInput['blur']>, tilePixels?: number): Run {
  const config = configSchema.parse({
    atlas: { form: 'hash', levels: 8, base: 8, finest: 2, log2Table: 14, hidden: [16, 16] },
    blur,
    registration: 'affine',
    loss: { rigidity: 1e-4, sharpnessStart: 0.3 },
    train: { steps: 30, patches: 6, pixels: 90 },
  });
  const capture = { width: WIDTH, height: HEIGHT, frames: FRAMES, focus: FOCUS, kappa: KAPPA };
  const plan = createPlan(capture, config, 1, tilePixels);
  const data = { frames: PHOTOGRAPHS.map((pixels) => ({ data: pixels })) };
  return { plan, data, state: freshState(initialParameters(plan)) };
}

const MAP = { levels: 5, base: 6, finest: 1.6, log2Table: 14, hidden: [8] };
const LENS = { form: 'lens' as const, patch: 8, reach: 4, ...MAP };
const FREE = { form: 'free' as const, taps: 8, hidden: [8], maxShift: 3 };
export const SAMPLES: [string, () => Run][] = [
  ['lens', () => sampleRun(LENS)],
  ['free', () => sampleRun(FREE)],
  ['lens, tiled', () => sampleRun(LENS, 1500)],
  ['free, tiled', () => sampleRun(FREE, 1500)],
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
/** Models of a few hundred pixels. */
export const SMALL = RANDOM.map((name): [string, () => Run] => [name, () => randomRun(name)]);
export const RUNS = [...SAMPLES, ...SMALL];

/** One of every kind, for tests that spread its shards over several trainers. */
export const SPREAD: [string, () => Run][] = [
  ...SAMPLES.slice(0, 3),
  ['all losses', () => randomRun('all losses, lens')],
  ['siren, free', () => randomRun('siren free')],
  ['tiled free', () => randomRun('tiled free')],
];
