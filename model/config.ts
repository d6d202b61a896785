import { z } from 'zod';

/**
 * The configuration of a model and its training. This schema is the one place where an option, its default and
 * its help text are declared; presets are values of it, the model file stores it, the documentation is printed from it.
 */

const hashAtlas = z.strictObject({
  form: z.literal('hash'),
  levels: z.int().min(1).max(20).default(16).describe('resolutions of the hash grid'),
  base: z.number().min(1).max(512).default(16).describe('cells along the long side at the coarsest level'),
  finest: z.number().min(0.01).max(4).default(1).describe('cells per pixel at the finest level'),
  log2Table: z.int().min(8).max(22).default(17).describe('log2 of the largest number of nodes of a level'),
  hidden: z.array(z.int().min(4).max(256).multipleOf(4)).max(4).default([64, 64]).describe('hidden widths'),
});

const sirenAtlas = z.strictObject({
  form: z.literal('siren'),
  width: z.int().min(4).max(1024).multipleOf(4).default(512).describe('width of the sine layers'),
  layers: z.int().min(1).max(8).default(4).describe('number of sine layers'),
  omega: z.number().min(1).max(100).default(30).describe('frequency factor of every sine'),
});

const noBlur = z.strictObject({ form: z.literal('none') });

const lensBlur = z.strictObject({
  form: z.literal('lens'),
  patch: z.int().min(4).max(32).multipleOf(4).default(16).describe('pixels along a patch'),
  reach: z.int().min(1).max(24).default(7).describe('largest blur radius in pixels: the halo of a patch'),
  levels: z.int().min(1).max(20).default(10).describe('resolutions of the defocus map'),
  base: z.number().min(1).max(512).default(8).describe('coarsest cells of the defocus map'),
  finest: z.number().min(0.01).max(4).default(0.7).describe('finest cells per pixel of the defocus map'),
  log2Table: z.int().min(8).max(22).default(17).describe('log2 of the largest level of the defocus map'),
  hidden: z
    .array(z.int().min(4).max(128).multipleOf(4))
    .max(3)
    .default([32])
    .describe('hidden widths of the map'),
});

const freeBlur = z.strictObject({
  form: z.literal('free'),
  taps: z.int().min(1).max(32).default(9).describe('taps of the generated kernel'),
  hidden: z
    .array(z.int().min(4).max(256).multipleOf(4))
    .max(4)
    .default([64, 64, 64])
    .describe('hidden widths'),
  maxShift: z.number().min(0).max(64).default(5).describe('largest offset of a tap, in pixels'),
  grid: z.boolean().default(false).describe('offsets start from a 3 × 3 grid with a fixed centre (9 taps)'),
});

const knotsTone = z.strictObject({
  form: z.literal('knots'),
  knots: z.int().min(3).max(128).default(40).describe('knots of the monotone response'),
  low: z.number().min(-20).max(-1).default(-9).describe('ln exposure of the first knot; the last is at 0'),
});

const mlpTone = z.strictObject({
  form: z.literal('mlp'),
  hidden: z.int().min(4).max(512).multipleOf(4).default(128).describe('hidden width, per channel'),
});

const weight = (value: number, text: string) => z.number().min(0).max(1e6).default(value).describe(text);

export const lossSchema = z.strictObject({
  inequality: z.boolean().default(true).describe('a clipped pixel is an inequality, not a value'),
  slope: z.boolean().default(true).describe('weight residuals by the inverse variance of ln radiance'),
  sharpness: weight(0.95, 'how far the sharpest view of a pixel outweighs the others, 0 to 1'),
  sharpnessTau: z.number().positive().default(1).describe('softness of that choice, in pixels of blur'),
  sharpnessStart: z.number().min(0).max(1).default(0.1).describe('fraction of training before it begins'),
  randomGamma: weight(0, "the paper's random-gamma term"),
  smoothDefocus: weight(1e-3, 'edge-aware total variation of the defocus map'),
  toneSmooth: weight(1e-4, 'second differences of the knots'),
  tonePin: weight(0, 'tone mapper at unit exposure stays at mid grey'),
  exposureAnchor: weight(0, 'mean exposure stays at zero (free exposures)'),
  rigidity: weight(0, 'learned registration stays small'),
});

export const trainSchema = z.strictObject({
  // The longest preset looks at every pixel 60 times: far fewer steps than this for any picture that can be read.
  steps: z.int().min(0).max(100_000_000).default(600).describe('optimisation steps'),
  patches: z.int().min(1).max(16_384).default(16).describe('patches a step, behind a lens'),
  pixels: z.int().min(16).max(1_048_576).default(4096).describe('pixel positions a step, without a lens'),
  tilePixels: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(2_000_000)
    .describe('larger pictures are cut into tiles of at most this many pixels, each with its own grids'),
  warmup: z.int().min(0).max(10_000).default(20).describe('steps of linear warm-up'),
  floor: z.number().min(0).max(1).default(0.02).describe('final learning rate, relative'),
  beta1: z.number().min(0).max(0.9999).default(0.9),
  beta2: z.number().min(0).max(0.99999).default(0.99),
  rates: z
    .strictObject({
      atlasGrid: z.number().min(0).default(1e-2),
      atlasMlp: z.number().min(0).default(2e-3),
      mapGrid: z.number().min(0).default(2e-3),
      mapMlp: z.number().min(0).default(2e-3),
      blur: z.number().min(0).default(1e-3),
      tone: z.number().min(0).default(1e-3),
      exposure: z.number().min(0).default(5e-3),
      focus: z.number().min(0).default(3e-3),
      kappa: z.number().min(0).default(1e-3),
      registration: z.number().min(0).default(1e-4),
    })
    .prefault({})
    .describe('learning rate of each kind of parameter'),
});

export const configSchema = z
  .strictObject({
    atlas: z.discriminatedUnion('form', [hashAtlas, sirenAtlas]).prefault({ form: 'hash' }),
    residual: z.boolean().default(true).describe('the networks correct the classical start'),
    blur: z.discriminatedUnion('form', [noBlur, lensBlur, freeBlur]).prefault({ form: 'lens' }),
    light: z
      .enum(['linear', 'log'])
      .default('linear')
      .describe("log: sum logarithms, as the paper's code does"),
    tone: z.discriminatedUnion('form', [knotsTone, mlpTone]).prefault({ form: 'knots' }),
    exposure: z
      .enum(['known', 'tied', 'free'])
      .default('tied')
      .describe('known: as given; tied: per exposure setting; free: per frame, not pinned'),
    registration: z
      .enum(['none', 'affine'])
      .default('none')
      .describe('what is learned per frame on top of the classical registration'),
    loss: lossSchema.prefault({}),
    train: trainSchema.prefault({}),
  })
  .refine((c) => c.blur.form !== 'free' || !c.blur.grid || c.blur.taps === 9, {
    message: 'the 3 × 3 grid of offsets needs 9 taps',
    path: ['blur', 'grid'],
  })
  .refine((c) => c.light === 'linear' || c.blur.form !== 'lens', {
    message: 'the lens sums in linear light',
    path: ['light'],
  });

/**
 * What earlier versions wrote into a configuration and this one has no choice of any more, by its path, and the value for
 * which the model is what it was; absent where any is.
 */
const RETIRED: readonly { readonly path: readonly string[]; readonly is?: unknown }[] = [
  { path: ['layers'], is: 1 },
  { path: ['focus'], is: 'learned' },
  { path: ['blur', 'render'], is: 'patches' },
  { path: ['loss', 'smoothOpacity'] },
  { path: ['loss', 'sparseOpacity'] },
  { path: ['train', 'hold'], is: 0 },
  { path: ['train', 'reduction'], is: 'single' },
];

/** A configuration as model files and prepared scenes hold it, also those of earlier versions. */
export const storedConfigSchema = z.preprocess((stored, context) => {
  const config = structuredClone(stored);
  for (const { path, is } of RETIRED) {
    const value = takeAt(config, path);
    if (value === undefined || is === undefined || value === is) continue;
    const message = `the model was trained with ${path.join('.')}: ${JSON.stringify(value)}, a form that is no longer there`;
    context.addIssue({ code: 'custom', path: [...path], message });
  }
  // Taps of a free blur are still there.
  if (objectAt(config, ['blur'])?.form === 'lens') takeAt(config, ['blur', 'taps']);
  return config;
}, configSchema);

/** Removes what stands at a path, and answers with it. */
function takeAt(config: unknown, path: readonly string[]): unknown {
  const holder = objectAt(config, path.slice(0, -1));
  const key = path.at(-1)!;
  const value = holder?.[key];
  if (holder) delete holder[key];
  return value;
}

function objectAt(config: unknown, path: readonly string[]): Record<string, unknown> | undefined {
  let at = config;
  for (const key of path) at = (at as Record<string, unknown> | null | undefined)?.[key];
  return typeof at === 'object' && at !== null ? (at as Record<string, unknown>) : undefined;
}

/** A complete configuration, every default filled in. */
export type ModelConfig = z.output<typeof configSchema>;
/** What a person or preset writes: anything left out takes its default. */
export type ModelConfigInput = z.input<typeof configSchema>;
export type LossConfig = ModelConfig['loss'];
export type FreeConfig = Extract<ModelConfig['blur'], { form: 'free' }>;
