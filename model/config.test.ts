import { describe, expect, test } from 'vitest';
import { configSchema, lossSchema, type ModelConfigInput, trainSchema } from './config.js';

const refusal = (input: unknown) => {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return expect.fail(`accepted ${JSON.stringify(input)}`);
  return parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('\n');
};

describe('configSchema', () => {
  test('fills in everything from nothing', () => {
    expect(configSchema.parse({})).toMatchObject({
      layers: 1,
      atlas: { form: 'hash', levels: 16 },
      blur: { form: 'lens', render: 'patches' },
      light: 'linear',
      tone: { form: 'knots', knots: 40, low: -9 },
      exposure: 'tied',
      focus: 'learned',
      registration: 'none',
      loss: lossSchema.parse({}),
      train: trainSchema.parse({}),
    });
  });

  test.each<[string, ModelConfigInput]>([
    ['defaults', {}],
    ['a SIREN', { atlas: { form: 'siren' }, residual: false, blur: { form: 'free' }, light: 'log' }],
    ['taps, two layers', { layers: 2, blur: { form: 'lens', render: 'taps' }, tone: { form: 'mlp' } }],
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
    ['two layers without a lens', { layers: 2, blur: { form: 'none' } }, /two layers need the lens/],
    ['two layers behind a free blur', { layers: 2, blur: { form: 'free' } }, /two layers need the lens/],
    ['three layers', { layers: 3 }, /layers/],
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
