import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import type { Group } from '../../model/layout.js';
import { RandomStream, Stream } from '../../model/philox.js';
import { type Capture, createPlan, type FrameSetting, type Homography, type Plan } from '../../model/plan.js';
import type { SceneData } from '../engine.js';

/**
 * Small random models for tests of an engine against another and against finite differences: every form of the model,
 * and the edges of the data. A case's plan, pixels and parameters are a pure function of its name and a seed.
 */
export interface RandomModel {
  readonly plan: Plan;
  readonly data: SceneData;
  /** Well away from their start values: no group is zero. */
  readonly parameters: Float32Array;
  /** A step at which every loss is active. */
  readonly step: number;
}

export interface RandomModelOptions {
  readonly seed?: number;
  /**
   * Without the weights that are not differentiated (slope, sharpness): then the gradient is that of the loss alone, as
   * finite differences measure it.
   */
  readonly plainLoss?: boolean;
}

/** What a case changes of the common small model. */
interface Case {
  readonly width?: number;
  readonly height?: number;
  readonly config?: ModelConfigInput;
  /** Exposures in stops of each focus setting's frames. */
  readonly stops?: readonly number[];
  readonly focus?: readonly number[];
  readonly apertures?: readonly number[];
  /** Known homographies, one a frame in turn. */
  readonly homographies?: readonly Homography[];
  readonly bits?: 8 | 16;
  /** Share of pixels that are black or white in every frame. */
  readonly clipped?: number;
  readonly masks?: boolean;
  /** What of the classical start there is. */
  readonly start?: 'both' | 'radiance' | 'none';
  /** ln radiance of the start: from, to. */
  readonly range?: readonly [number, number];
  readonly tilePixels?: number;
}

const ATLAS = { form: 'hash' as const, levels: 4, base: 3, finest: 1.6, log2Table: 8, hidden: [8, 8] };
const SIREN = { form: 'siren' as const, width: 12, layers: 2, omega: 6 };
const LENS = {
  form: 'lens' as const,
  patch: 4,
  reach: 3,
  levels: 3,
  base: 3,
  finest: 1.7,
  log2Table: 8,
  hidden: [8],
};
const FREE = { form: 'free' as const, taps: 5, hidden: [8, 8], maxShift: 2.5 };
const MLP_TONE = { form: 'mlp' as const, hidden: 8 };
const SHIFTS: readonly Homography[] = [
  [1, 0, 0, 0, 1, 0, 0, 0],
  [1.01, 0.006, 0.031, -0.008, 0.99, -0.024, 0.004, -0.006],
];
/** More than a pixel for every picture here. */
const FAR: readonly Homography[] = [
  [1, 0, 0.213, 0, 1, -0.045, 0, 0],
  [1.004, 0.002, 0.035, 0.003, 1.002, -0.261, 0.002, 0.001],
];
const ALL_LOSSES = {
  randomGamma: 0.3,
  smoothDefocus: 0.05,
  toneSmooth: 0.02,
  tonePin: 0.1,
  exposureAnchor: 0.07,
  rigidity: 0.002,
};

const CASES = {
  'hash lens': { config: { blur: LENS } },
  'siren lens': { config: { blur: LENS, atlas: SIREN } },
  'siren free': { config: { blur: FREE, atlas: SIREN, residual: false, light: 'log' } },
  'free, linear light': { config: { blur: FREE } },
  'free, sum of logarithms': { config: { blur: FREE, light: 'log' } },
  'free, grid of taps': { config: { blur: { ...FREE, taps: 9, grid: true } } },
  'no blur': { config: { blur: { form: 'none' } } },
  'no blur, logarithms': { config: { blur: { form: 'none' }, light: 'log' } },
  'no hidden layers': { config: { blur: { ...LENS, hidden: [] }, atlas: { ...ATLAS, hidden: [] } } },
  'not residual': { config: { blur: LENS, residual: false } },
  'no start': { config: { blur: LENS }, start: 'none' },
  'start without defocus': { config: { blur: LENS }, start: 'radiance' },
  'tone mlp': { config: { blur: LENS, tone: MLP_TONE, loss: { tonePin: 0.1 } } },
  'tone mlp, free, random gamma': {
    config: { blur: FREE, tone: MLP_TONE, loss: { randomGamma: 0.4, tonePin: 0.2 } },
  },
  'exposures known': { config: { blur: LENS, exposure: 'known' } },
  'exposures free': { config: { blur: LENS, exposure: 'free', loss: { exposureAnchor: 0.1 } } },
  apertures: { config: { blur: LENS }, apertures: [1, 0.5] },
  'affine, lens': {
    config: { blur: LENS, registration: 'affine', loss: { rigidity: 0.01 } },
    homographies: SHIFTS,
  },
  'affine, free': { config: { blur: FREE, registration: 'affine' } },
  'affine, no blur': { config: { blur: { form: 'none' }, registration: 'affine' } },
  'affine, free, siren, on a homography': {
    config: { blur: FREE, registration: 'affine', atlas: SIREN },
    homographies: SHIFTS,
  },
  'registered, nothing learned': { config: { blur: LENS }, homographies: SHIFTS },
  'registered beyond a pixel, lens': { config: { blur: LENS, registration: 'affine' }, homographies: FAR },
  'registered beyond a pixel, free': { config: { blur: FREE }, homographies: FAR },
  'all losses, lens': { config: { blur: LENS, registration: 'affine', loss: ALL_LOSSES } },
  'all losses, free': { config: { blur: FREE, registration: 'affine', loss: ALL_LOSSES } },
  'values, not inequalities': { config: { blur: LENS, loss: { inequality: false } }, clipped: 0.3 },
  'before sharpness begins': { config: { blur: LENS, loss: { sharpnessStart: 0.9 } } },
  'taps outside the picture': { width: 5, height: 4, config: { blur: FREE } },
  'patches beyond the picture': { width: 6, height: 3, config: { blur: LENS } },
  'clipped pixels': { config: { blur: LENS }, clipped: 0.5, range: [-8, 3] },
  'fully clipped': { config: { blur: FREE, loss: { randomGamma: 0.3 } }, clipped: 1, range: [-10, 3] },
  'radiance beyond its bounds': { config: { blur: LENS }, range: [-22, 9] },
  'one frame': { config: { blur: LENS }, stops: [0.3], focus: [0.4] },
  'one frame, registration': { config: { blur: FREE, registration: 'affine' }, stops: [0], focus: [0.4] },
  'one pixel row': { width: 17, height: 1, config: { blur: FREE, registration: 'affine' } },
  'one pixel row, lens': { width: 17, height: 1, config: { blur: LENS } },
  'one pixel column': { width: 1, height: 12, config: { blur: LENS, registration: 'affine' } },
  'one pixel': { width: 1, height: 1, config: { blur: FREE } },
  'one pixel, lens': { width: 1, height: 1, config: { blur: LENS } },
  masks: { config: { blur: LENS }, masks: true },
  'masks, free': { config: { blur: FREE }, masks: true },
  '16 bits': { config: { blur: LENS }, bits: 16 },
  '16 bits, clipped, masks': { config: { blur: FREE }, bits: 16, clipped: 0.4, masks: true, range: [-8, 3] },
  'tiled lens': { width: 40, height: 37, config: { blur: LENS }, tilePixels: 400 },
  'tiled lens, affine': {
    width: 40,
    height: 22,
    config: { blur: LENS, registration: 'affine' },
    tilePixels: 500,
  },
  'tiled free': { width: 41, height: 20, config: { blur: FREE }, tilePixels: 500 },
  'tiled free, affine': {
    width: 40,
    height: 22,
    config: { blur: FREE, registration: 'affine' },
    tilePixels: 500,
  },
} satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as CaseName[];

/** Steps done of the plan's 100: past `sharpnessStart`. */
const STEP = 37;

/** The random model of a case. */
export function randomModel(name: CaseName, options: RandomModelOptions = {}): RandomModel {
  const { seed = 1, plainLoss = false } = options;
  const spec: Case = CASES[name];
  const random = new RandomStream(seed, Stream.scene, CASE_NAMES.indexOf(name));
  const capture = captureOf(spec);
  const config = configSchema.parse({
    atlas: ATLAS,
    tone: { form: 'knots', knots: 12 },
    ...spec.config,
    // Neither divides by the number of shards: they are not all alike.
    train: { steps: 100, patches: 6, pixels: 42, ...spec.config?.train },
    loss: {
      smoothDefocus: 0.02,
      toneSmooth: 0.01,
      ...spec.config?.loss,
      ...(plainLoss ? { slope: false, sharpness: 0 } : {}),
    },
  });
  const plan = createPlan(capture, config, seed, spec.tilePixels);
  const data = dataOf(spec, plan, random);
  return { plan, data, parameters: parametersOf(plan, data, random), step: STEP };
}

function captureOf(spec: Case): Capture {
  const { stops = [-1.4, 0.2, 1.1], focus = [-0.7, 0.6], apertures = [1], homographies } = spec;
  const frames: FrameSetting[] = [];
  for (const f of focus.keys()) {
    for (const [e, ev] of stops.entries()) {
      frames.push({
        focus: f,
        exposure: e,
        ev,
        aperture: apertures[f % apertures.length],
        homography: homographies?.[f % homographies.length],
      });
    }
  }
  return { width: spec.width ?? 14, height: spec.height ?? 11, frames, focus, kappa: 1.7 };
}

function dataOf(spec: Case, plan: Plan, random: RandomStream): SceneData {
  const { width, height } = plan.capture;
  const area = width * height;
  const { clipped = 0, bits = 8 } = spec;
  const white = bits === 16 ? 65535 : 255;
  const extreme = Float32Array.from({ length: area }, () =>
    random.unit() < clipped ? Math.round(random.unit()) : -1,
  );
  const frames = plan.capture.frames.map(() => {
    const data = bits === 16 ? new Uint16Array(3 * area) : new Uint8Array(3 * area);
    for (let i = 0; i < data.length; i++) {
      const end = extreme[Math.floor(i / 3)];
      data[i] = end >= 0 ? end * white : Math.round((0.05 + 0.9 * random.unit()) * white);
    }
    const mask = spec.masks
      ? Uint8Array.from({ length: area }, () => (random.unit() < 0.6 ? 1 : 0))
      : undefined;
    return { data, mask };
  });
  return { frames, start: startOf(spec, plan, random) };
}

function startOf(spec: Case, plan: Plan, random: RandomStream): SceneData['start'] {
  const { start = 'both', range = [-4.5, 0.4] } = spec;
  if (start === 'none') return undefined;
  const area = plan.capture.width * plan.capture.height;
  const [from, to] = range;
  const radiance = Float32Array.from({ length: 3 * area }, () => from + (to - from) * random.unit());
  const maps = plan.config.blur.form === 'lens' && start === 'both' ? 1 : 0;
  const defocus = Float32Array.from({ length: maps * area }, () => 1.6 * random.unit() - 0.8);
  return { radiance, defocus };
}

/** Half the width of the random change of each kind of parameter. */
const SPREAD = {
  atlasGrid: 0.5,
  atlasMlp: 0.35,
  mapGrid: 0.5,
  mapMlp: 0.35,
  blur: 0.5,
  tone: 0.4,
  exposure: 0.3,
  focus: 0.15,
  kappa: 0.2,
  registration: 0.02,
} as const satisfies Record<Group['kind'], number>;

function parametersOf(plan: Plan, data: SceneData, random: RandomStream): Float32Array {
  const parameters = initialParameters(plan);
  const alone = !plan.config.residual || !data.start;
  for (const group of plan.layout.groups) {
    // Without a start picture all contrast is the grid's.
    const spread = SPREAD[group.kind] * (alone && group.kind === 'atlasGrid' ? 4 : 1);
    for (let i = group.offset; i < group.offset + group.size; i++) {
      parameters[i] += (2 * random.unit() - 1) * spread;
    }
  }
  if (alone) darken(plan, parameters);
  return parameters;
}

/** Moves a network that has no start picture to where the response is steep: biases of ln radiance to about −2. */
function darken(plan: Plan, parameters: Float32Array): void {
  const group = plan.layout.groups.find((g) => g.name === 'atlas.mlp')!;
  const first = group.offset + group.size - 3;
  for (let i = 0; i < 3; i++) parameters[first + i] -= 2;
}
