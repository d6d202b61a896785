import { describe, expect, test } from 'vitest';
import {
  configSchema,
  lossSchema,
  type ModelConfigInput,
  storedConfigSchema,
  trainSchema,
} from './config.js';

const refusal = (input: unknown) => {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return expect.fail(`accepted ${JSON.stringify(input)}`);
  return parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('\n');
};

describe('configSchema', () => {
  test('fills in everything from nothing', () => {
    expect(configSchema.parse({})).toMatchObject({
      atlas: { form: 'hash', levels: 16 },
      blur: { form: 'lens', patch: 16 },
      light: 'linear',
      tone: { form: 'knots', knots: 40, low: -9 },
      exposure: 'tied',
      registration: 'none',
      loss: lossSchema.parse({}),
      train: trainSchema.parse({}),
    });
  });

  test.each<[string, ModelConfigInput]>([
    ['defaults', {}],
    ['a SIREN', { atlas: { form: 'siren' }, residual: false, blur: { form: 'free' }, light: 'log' }],
    ['the other tone mapper', { blur: { form: 'free' }, tone: { form: 'mlp' } }],
  ])('is its own value: parsed once, as JSON, or twice: %s', (_, input) => {
    const config = configSchema.parse(input);
    expect(configSchema.parse(config)).toEqual(config);
    expect(configSchema.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test('parsing does not change what was given, nor share it', () => {
    const input = { train: { rates: { tone: 0.5 } } };
    const config = configSchema.parse(input);
    expect(input).toEqual({ train: { rates: { tone: 0.5 } } });
    expect(config.train.rates).toMatchObject({ tone: 0.5, kappa: 1e-3 });
    expect(configSchema.parse({}).train.rates.tone).toBe(1e-3);
  });

  test.each<[string, unknown, RegExp]>([
    ['a form that is no longer there', { layers: 1 }, /layers/],
    ['a grid of offsets of 8 taps', { blur: { form: 'free', taps: 8, grid: true } }, /needs 9 taps/],
    ['logarithms behind a lens', { light: 'log' }, /lens sums in linear light/],
    ['an unknown option', { atlas: { form: 'hash', width: 3 } }, /width/],
    ['an unknown loss', { loss: { sharpnes: 1 } }, /sharpnes/],
    ['an option of another form', { tone: { form: 'mlp', knots: 40 } }, /knots/],
    ['an unknown form', { blur: { form: 'gauss' } }, /blur\.form/],
    ['a width that is no multiple of four', { atlas: { form: 'hash', hidden: [30] } }, /atlas\.hidden\.0/],
    ['a patch that is no multiple of four', { blur: { form: 'lens', patch: 10 } }, /blur\.patch/],
    ['half a step', { train: { steps: 10.5 } }, /train\.steps/],
    ['steps without end', { train: { steps: 1e9 } }, /train\.steps/],
    ['a negative weight', { loss: { rigidity: -1 } }, /loss\.rigidity/],
    ['no number', { train: { rates: { tone: Number.NaN } } }, /train\.rates\.tone/],
    ['a bright lowest knot', { tone: { form: 'knots', low: 0 } }, /tone\.low/],
    ['a sharpness of no width', { loss: { sharpnessTau: 0 } }, /loss\.sharpnessTau/],
    ['nothing at all', null, /expected object/],
  ])('refuses %s and says where', (_, input, expected) => {
    expect(refusal(input)).toMatch(expected);
  });
});

describe('storedConfigSchema', () => {
  /** As earlier versions wrote it. */
  const stored = (change: { blur?: object; train?: object } = {}, more: object = {}) => ({
    layers: 1,
    focus: 'learned',
    exposure: 'tied',
    blur: { form: 'lens', render: 'patches', taps: 16, patch: 8, ...change.blur },
    loss: { sharpness: 0.7, smoothOpacity: 5e-4, sparseOpacity: 0.1 },
    train: { steps: 70, hold: 0, reduction: 'single', ...change.train },
    ...more,
  });

  test('reads what earlier versions wrote, and changes nothing that it was given', () => {
    const input = stored();
    expect(storedConfigSchema.parse(input)).toEqual(
      configSchema.parse({
        blur: { form: 'lens', patch: 8 },
        loss: { sharpness: 0.7 },
        train: { steps: 70 },
      }),
    );
    expect(input).toEqual(stored());
  });

  test('reads what this version writes, taps of a free blur included', () => {
    for (const input of [{}, { blur: { form: 'free', taps: 5 } }, { blur: { form: 'none' } }] as const) {
      const config = configSchema.parse(input);
      expect(storedConfigSchema.parse(config)).toEqual(config);
    }
  });

  test.each<[string, unknown, RegExp]>([
    ['two layers', stored({}, { layers: 2 }), /trained with layers: 2, a form that is no longer there/],
    ['a lens by taps', stored({ blur: { render: 'taps' } }), /trained with blur\.render: "taps"/],
    ['sums of 16 bits', stored({ train: { reduction: 'half' } }), /trained with train\.reduction: "half"/],
    ['a pause before the decay', stored({ train: { hold: 0.5 } }), /trained with train\.hold: 0.5/],
    ['focus that is known', stored({}, { focus: 'known' }), /trained with focus: "known"/],
    ['exposures by frame', stored({}, { exposure: 'frame' }), /exposure|option/],
    ['another registration', stored({}, { registration: 'homography' }), /registration|option/],
    ['nothing', undefined, /expected object/],
    ['no object', { blur: 3, train: null }, /expected object/],
  ])('refuses %s and says so', (_, input, expected) => {
    expect(storedConfigSchema.safeParse(input).error?.issues[0]?.message).toMatch(expected);
  });
});
