import { configSchema, type ModelConfig, type ModelConfigInput } from './config.js';
import { ImplicamError } from './errors.js';

/** What a preset is fitted to, all of it known before training. */
export interface PresetFacts {
  readonly pixels: number;
  readonly focusSettings: number;
  readonly exposureSettings: number;
  /** Widest circle of confusion of the start that is worth modelling, in pixels (the 99th percentile). */
  readonly widestCircle: number;
  /** Frames were registered: a little motion may be left. */
  readonly moved: boolean;
  /** Share of the picture that training is to leave as it is; see kept.ts. */
  readonly kept: number;
  /** The exposures are exact (a tripod bracket of one camera with EXIF), not to be touched. */
  readonly exposuresKnown: boolean;
}

/** Points on the curve of quality over time; `instant` is the classical start, without training. */
export const QUALITIES = ['instant', 'draft', 'standard', 'best'] as const;
export type Quality = (typeof QUALITIES)[number];

/** How often each pixel is visited in training. */
const VISITS = { instant: 0, draft: 5, standard: 20, best: 60 } as const;
export type Effort = keyof typeof VISITS;
/**
 * Learning rate of the scene, relative. Many visits at the full rate fit what one surface cannot explain beside depth
 * edges: hall at `best` then ends at 31.4 dB, where it began; at a third of the rate at 32.0.
 */
const PACE = { instant: 1, draft: 1, standard: 1, best: 1 / 3 } as const;

/** Steps of the paper's form, whose batch is fixed; `best` is the published length. */
const NEUCAM_STEPS = { instant: 0, draft: 300, standard: 3000, best: 150_000 } as const;

interface PresetForm {
  /** How many focus settings the frames must have. */
  readonly focus: 'one' | 'several' | 'any';
  readonly config: (effort: Effort, facts: PresetFacts) => ModelConfigInput;
}

/** Every preset: what it asks of a capture, and the configuration that it makes of it. */
const FORMS = {
  focus: { focus: 'several', config: stack },
  exposure: { focus: 'one', config: bracket },
  'focus-exposure': { focus: 'several', config: stack },
  neucam: { focus: 'any', config: neucam },
} as const satisfies Record<string, PresetForm>;

export type StillPreset = keyof typeof FORMS;

/** What a capture can be developed as; `auto` chooses by its pictures. */
export const PRESETS = ['auto', ...(Object.keys(FORMS) as StillPreset[])] as const;
export type Preset = (typeof PRESETS)[number];

/** How many focus settings a preset asks for. */
export function presetFocus(preset: StillPreset): PresetForm['focus'] {
  return FORMS[preset].focus;
}

/**
 * Refuses a preset that has no picture before training where no training is asked for: better before a capture is
 * prepared than after.
 *
 * @throws ImplicamError `preset-mismatch`
 */
export function requirePicture(preset: string, quality: string): void {
  if (preset !== 'neucam' || quality !== 'instant') return;
  throw new ImplicamError(
    'preset-mismatch',
    'preset neucam learns its picture from nothing, so quality instant has none to show: use draft, standard or best',
    { exitCode: 2, status: 422 },
  );
}

/**
 * The configuration of a preset for a capture.
 *
 * @throws ImplicamError `preset-mismatch` as {@link requirePicture}
 */
export function presetConfig(preset: StillPreset, effort: Effort, facts: PresetFacts): ModelConfig {
  requirePicture(preset, effort);
  return configSchema.parse(FORMS[preset].config(effort, facts));
}

const log2Table = (pixels: number) => Math.max(15, Math.min(20, Math.ceil(Math.log2(pixels * 1.05))));

/**
 * Patches a step, more on larger pictures: a step then costs more than its bookkeeping and its exchange between runners,
 * and there are still more steps than a small picture gets. At 1.5 megapixels 112 a step score what 48 do (34.59 dB), in
 * 139 s instead of 170; at 0.1, with few steps anyway, twice as many cost 0.03 to 0.09 dB.
 */
export function patchesFor(pixels: number): number {
  return Math.min(16_384, Math.max(16, 16 * Math.round((pixels / 135_000) ** (2 / 3))));
}

/** Fewer steps do nothing but move what is right already. */
const FEWEST_STEPS = 50;
/** Where less than this share of a picture may be trained, the rest is not worth it. */
const WORTH_TRAINING = 0.1;

/** Steps of an effort, `visit` being what it takes to look at each pixel once. */
function stepsOf(effort: Effort, visit: number, kept = 0): number {
  if (effort === 'instant' || 1 - kept < WORTH_TRAINING) return 0;
  return Math.max(FEWEST_STEPS, Math.round(VISITS[effort] * visit));
}

/** Focus stacks, with or without exposures: a scene behind a lens, on the classical start. */
function stack(effort: Effort, facts: PresetFacts): ModelConfigInput {
  const patches = patchesFor(facts.pixels);
  const table = log2Table(facts.pixels);
  return {
    atlas: { form: 'hash', log2Table: table },
    blur: {
      form: 'lens',
      reach: Math.max(3, Math.min(10, Math.ceil(facts.widestCircle + 1.5))),
      log2Table: table,
    },
    exposure: facts.exposuresKnown || facts.exposureSettings < 3 ? 'known' : 'tied',
    registration: facts.moved ? 'affine' : 'none',
    // The sharpest view counts most: blurred ones disagree with one layer at depth edges, but sharpen what lies between.
    loss: { sharpness: 0.7, rigidity: facts.moved ? 1e-5 : 0 },
    train: {
      // Faster grids fit the noise of a start that is nearly right.
      rates: { atlasGrid: 5e-3 * PACE[effort], atlasMlp: 1.5e-3 * PACE[effort] },
      patches,
      steps: stepsOf(effort, ((1 - facts.kept) * facts.pixels) / (patches * 256), facts.kept),
    },
  };
}

/**
 * Exposure brackets: no blur to undo, and the merge is as likely as a picture gets pixel by pixel. What is left to learn
 * is what pixels share (response, exposures, vignetting, glare), so the network corrects coarsely: with a grid down to
 * the pixel, training fits the noise and loses 1.5 dB of the merge.
 */
function bracket(effort: Effort, facts: PresetFacts): ModelConfigInput {
  const pixels = 4096 * Math.max(1, Math.round(Math.sqrt(facts.pixels / 135_000)));
  return {
    atlas: { form: 'hash', levels: 8, base: 4, finest: 1 / 16, log2Table: 16 },
    blur: { form: 'none' },
    exposure: facts.exposuresKnown || facts.exposureSettings < 3 ? 'known' : 'tied',
    registration: facts.moved ? 'affine' : 'none',
    loss: { sharpness: 0, smoothDefocus: 0, rigidity: facts.moved ? 1e-5 : 0 },
    train: {
      pixels,
      steps: stepsOf(effort, facts.pixels / (4 * pixels)),
      rates: { atlasGrid: 1e-3, atlasMlp: 5e-4, tone: 3e-4, exposure: 1e-3 },
    },
  };
}

/**
 * The paper's configuration as its authors' code runs it: SIREN of four 512-wide sine layers, free blur of 9 taps on a
 * 3 × 3 grid, plain tone mapper, exposures and focus learned, random-gamma term, logarithms summed.
 */
function neucam(effort: Effort): ModelConfigInput {
  return {
    atlas: { form: 'siren' },
    residual: false,
    blur: { form: 'free', taps: 9, hidden: [64, 64, 64], maxShift: 5, grid: true },
    light: 'log',
    tone: { form: 'mlp', hidden: 128 },
    exposure: 'free',
    loss: {
      inequality: false,
      slope: false,
      sharpness: 0,
      randomGamma: 1,
      smoothDefocus: 0,
      toneSmooth: 0,
      tonePin: 1e-3,
      exposureAnchor: 1e-3,
    },
    train: {
      pixels: 1575,
      steps: NEUCAM_STEPS[effort],
      beta2: 0.999,
      rates: { atlasMlp: 1e-4, blur: 1e-4, tone: 1e-4, exposure: 1e-4, focus: 1e-4 },
    },
  };
}
