import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema } from './config.js';
import { createPlan } from './plan.js';
import { type Effort, type PresetFacts, presetConfig, type StillPreset } from './presets.js';

const PRESETS: StillPreset[] = ['focus', 'exposure', 'focus-exposure', 'neucam'];
const EFFORTS: Effort[] = ['draft', 'standard', 'best'];
const ALL = PRESETS.flatMap((preset) => EFFORTS.map((effort) => [preset, effort] as const));

const facts: PresetFacts = {
  pixels: 135_000,
  focusSettings: 3,
  exposureSettings: 3,
  widestCircle: 6,
  moved: false,
  kept: 0,
  exposuresKnown: false,
};

const anyFacts = fc.record({
  // Ten times the largest picture that is taken in.
  pixels: fc.integer({ min: 4, max: 2e9 }),
  focusSettings: fc.integer({ min: 1, max: 40 }),
  exposureSettings: fc.integer({ min: 1, max: 20 }),
  widestCircle: fc.double({ min: 0, max: 500, noNaN: true }),
  moved: fc.boolean(),
  exposuresKnown: fc.boolean(),
  kept: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe.each(ALL)('%s, %s', (preset, effort) => {
  test('is a complete configuration for any capture', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const config = presetConfig(preset, effort, facts);
        expect(configSchema.parse(config)).toEqual(config);
      }),
    );
  });

  test('can be planned', () => {
    const frames = [0, 1, 2].map((i) => ({ focus: i, exposure: i, ev: i - 1, aperture: 1 }));
    const capture = { width: 450, height: 300, frames, focus: [-1, 0, 1], kappa: 4 };
    const plan = createPlan(capture, presetConfig(preset, effort, facts), 1);
    expect(plan.layout.size).toBeGreaterThan(1000);
  });
});

describe('no training', () => {
  test.each(['focus', 'exposure', 'focus-exposure'] as const)('instant takes no step of %s', (preset) => {
    expect(presetConfig(preset, 'instant', facts).train.steps).toBe(0);
  });

  test('the paper has no picture to show at once', () => {
    expect(() => presetConfig('neucam', 'instant', facts)).toThrow(/learns its picture from nothing/);
  });

  test('a picture that is to stay as it is is not trained, a half costs half', () => {
    const steps = (kept: number) =>
      presetConfig('focus', 'standard', { ...facts, pixels: 4e6, kept }).train.steps;
    expect(steps(0.95)).toBe(0);
    expect(steps(0.5) / steps(0)).toBeCloseTo(0.5, 2);
  });
});

describe('effort', () => {
  test.each(PRESETS)('%s: more effort is more steps', (preset) => {
    const steps = EFFORTS.map((effort) => presetConfig(preset, effort, facts).train.steps);
    expect(steps[1]).toBeGreaterThan(steps[0]);
    expect(steps[2]).toBeGreaterThan(steps[1]);
  });

  /** How often a pixel is looked at in training. */
  const visits = (preset: StillPreset, effort: Effort, pixels: number) => {
    const { train, blur } = presetConfig(preset, effort, { ...facts, pixels });
    const batch = blur.form === 'lens' ? train.patches * blur.patch ** 2 : train.pixels;
    return (train.steps * batch) / pixels;
  };

  test.each(['focus', 'exposure', 'focus-exposure'] as const)(
    '%s: steps grow with the picture, so that every pixel is seen as often',
    (preset) => {
      for (const effort of EFFORTS) {
        const small = visits(preset, effort, 300_000);
        for (const pixels of [1e6, 12e6, 48e6]) {
          expect(visits(preset, effort, pixels) / small).toBeCloseTo(1, 1);
        }
      }
      const steps = [3e5, 3e6, 3e7].map(
        (pixels) => presetConfig(preset, 'standard', { ...facts, pixels }).train.steps,
      );
      expect(steps[1]).toBeGreaterThan(steps[0]);
      expect(steps[2]).toBeGreaterThan(steps[1]);
    },
  );

  test.each(ALL)('%s, %s: two gigapixels are no more than a configuration may ask for', (preset, effort) => {
    const config = presetConfig(preset, effort, { ...facts, pixels: 2e9 });
    expect(config.train.steps).toBeLessThanOrEqual(10_000_000);
  });

  test.each(PRESETS)('%s: the smallest picture still trains', (preset) => {
    expect(presetConfig(preset, 'draft', { ...facts, pixels: 4 }).train.steps).toBeGreaterThanOrEqual(50);
  });
});

describe('what is learned', () => {
  test.each(['focus', 'exposure', 'focus-exposure'] as const)(
    '%s: exposures only where they are in doubt and can be told',
    (preset) => {
      const exposure = (change: Partial<PresetFacts>) =>
        presetConfig(preset, 'standard', { ...facts, ...change }).exposure;
      expect(exposure({})).toBe('tied');
      expect(exposure({ kept: 0, exposuresKnown: true })).toBe('known');
      expect(exposure({ exposureSettings: 2 })).toBe('known');
    },
  );

  test.each(['focus', 'exposure', 'focus-exposure'] as const)(
    '%s: registration only where frames had moved',
    (preset) => {
      expect(presetConfig(preset, 'standard', facts).registration).toBe('none');
      const { registration, loss } = presetConfig(preset, 'standard', { ...facts, moved: true });
      expect(registration).not.toBe('none');
      expect(loss.rigidity).toBeGreaterThan(0);
    },
  );

  test('the patches reach as far as the widest circle, up to a limit', () => {
    const reach = (widestCircle: number) => {
      const { blur } = presetConfig('focus', 'standard', { ...facts, widestCircle });
      return blur.form === 'lens' ? blur.reach : expect.fail('no lens');
    };
    for (const circle of [0, 1.7, 5, 7.9]) expect(reach(circle) - 0.6).toBeGreaterThan(circle);
    expect(reach(300)).toBe(reach(100));
  });

  test('a bracket has no blur, a focus stack has a lens', () => {
    expect(presetConfig('exposure', 'standard', facts).blur.form).toBe('none');
    expect(presetConfig('focus', 'standard', facts).blur.form).toBe('lens');
    expect(presetConfig('focus-exposure', 'standard', facts).blur.form).toBe('lens');
  });

  test("neucam is the paper's: SIREN, free blur on a grid, logarithms, at its published length", () => {
    expect(presetConfig('neucam', 'best', facts)).toMatchObject({
      atlas: { form: 'siren', width: 512, layers: 4, omega: 30 },
      residual: false,
      blur: { form: 'free', taps: 9, grid: true },
      light: 'log',
      tone: { form: 'mlp', hidden: 128 },
      exposure: 'free',
      train: { steps: 150_000 },
    });
  });
});
