import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema, type ModelConfigInput } from '../config.js';
import { defaultTone, initialParameters, type ToneStart } from '../initial.js';
import { findGroup } from '../layout.js';
import { type Capture, createPlan, type Plan } from '../plan.js';
import { type Camera, knotValues, readCamera } from './camera.js';

const capture: Capture = {
  width: 12,
  height: 9,
  frames: [-2, 0, 1, 2].map((ev, exposure) => ({ focus: exposure % 2, exposure, ev, aperture: 1 })),
  focus: [-1, 1],
  kappa: 3,
};
const GRID = { levels: 2, base: 3, finest: 1, log2Table: 8, hidden: [8] };

function planOf(config: ModelConfigInput = {}): Plan {
  const atlas = { form: 'hash' as const, ...GRID };
  return createPlan(capture, configSchema.parse({ atlas, blur: { form: 'lens', ...GRID }, ...config }), 1);
}

/** The camera with some groups of parameters replaced. */
function cameraWith(plan: Plan, values: Record<string, readonly number[]>, tone?: ToneStart): Camera {
  const parameters = initialParameters(plan, tone);
  for (const [name, v] of Object.entries(values)) parameters.set(v, findGroup(plan.layout, name)!.offset);
  return readCamera(plan, parameters);
}

/** Responses as cameras have them, one a channel: power laws with a shoulder. */
const RESPONSES: ToneStart = {
  curves: [0.35, 0.45, 0.6].map((power) =>
    Array.from({ length: 40 }, (_, j) => {
      const value = (x: number) => 1 - (1 - x ** power) ** 1.3;
      const [low, at] = [Math.exp(-9), Math.exp(-9 + (9 * j) / 39)];
      return (value(at) - value(low)) / (1 - value(low));
    }),
  ),
};

const logits = fc.array(fc.double({ min: -200, max: 200, noNaN: true }), { minLength: 2, maxLength: 127 });

describe('knotValues', () => {
  test('rise from 0 to 1', () => {
    fc.assert(
      fc.property(logits, (logits) => {
        const values = knotValues(logits, logits.length + 1);
        expect(values).toHaveLength(logits.length + 1);
        expect(values[0]).toBe(0);
        expect(values.at(-1)).toBe(1);
        for (let j = 1; j < values.length; j++) expect(values[j] >= values[j - 1]).toBe(true);
      }),
    );
  });

  test('are sums of a softmax: a common shift of the logits changes nothing', () => {
    const values = knotValues([0, Math.log(3), Math.log(4)], 4);
    for (const [j, v] of [0, 1 / 8, 4 / 8, 1].entries()) expect(values[j]).toBeCloseTo(v, 14);
    const shifted = knotValues([700, 700 + Math.log(3), 700 + Math.log(4)], 4);
    for (const [j, v] of values.entries()) expect(shifted[j]).toBeCloseTo(v, 12);
  });
});

describe('a response of knots', () => {
  test('passes through its knots, is straight between, and goes on straight beyond', () => {
    const plan = planOf({ tone: { form: 'knots', knots: 4, low: -3 } });
    const rises = [0.2, 0.5, 0.3];
    const { tone } = cameraWith(plan, { tone: [...rises, 0.1, 0.1, 0.8, 1, 1, 1].map(Math.log) });
    for (const [z, value] of [
      [-3, 0],
      [-2, 0.2],
      [-1.5, 0.45],
      [-1, 0.7],
      [0, 1],
      [1, 1.3],
      [-5, -0.4],
    ] as const) {
      expect(tone(0, z)).toBeCloseTo(value, 5);
    }
    expect(tone(1, -1)).toBeCloseTo(0.2, 5);
    expect(tone(2, -1)).toBeCloseTo(2 / 3, 5);
  });

  test('rises everywhere, from 0 at its lowest knot to 1 at unit exposure', () => {
    const plan = planOf();
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 117, maxLength: 117 }),
        (logits) => {
          const { tone } = cameraWith(plan, { tone: logits });
          for (let c = 0; c < 3; c++) {
            expect(tone(c, -9)).toBe(0);
            expect(tone(c, 0)).toBeCloseTo(1, 12);
            let last = tone(c, -11);
            for (let z = -10.9; z < 2; z += 0.1) {
              const value = tone(c, z);
              if (!(value > last)) expect.fail(`falls at ${z}: ${last}, ${value}`);
              last = value;
            }
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each([
    ['sRGB', undefined],
    ['as measured', RESPONSES],
  ])('begins at the curve of the start: %s', (_, start) => {
    const { tone } = cameraWith(planOf(), {}, start);
    const { curves } = start ?? defaultTone(40, -9);
    for (let c = 0; c < 3; c++) {
      for (let j = 0; j < 40; j++) expect(tone(c, -9 + (9 * j) / 39)).toBeCloseTo(curves[c][j], 3);
    }
  });
});

describe('a response by a network', () => {
  test('is the sigmoid of a sum of hinges', () => {
    const plan = planOf({ tone: { form: 'mlp', hidden: 4 } });
    // a[4], b[4], c[4], d of the first channel.
    const { tone } = cameraWith(plan, { tone: [1, 2, -1, 0, 3, 1, -1, 0, 0.1, -0.2, 0.5, 9, -0.4] });
    const sum = (z: number) =>
      0.1 * Math.max(0, z + 3) - 0.2 * Math.max(0, 2 * z + 1) + 0.5 * Math.max(0, -z - 1) - 0.4;
    for (const z of [-5, -2, -0.7, 0, 1.3]) {
      expect(tone(0, z)).toBeCloseTo(1 / (1 + Math.exp(-2 * sum(z))), 6);
    }
  });

  test.each([
    ['sRGB', undefined],
    ['as measured', RESPONSES],
  ])('begins close to the curve of the start: %s', (_, start) => {
    const { tone } = cameraWith(planOf({ tone: { form: 'mlp', hidden: 128 } }), {}, start);
    const { curves } = start ?? defaultTone(40, -9);
    for (let c = 0; c < 3; c++) {
      for (let z = -9; z <= 0; z += 0.05) {
        const at = Math.min(38.999, ((z + 9) * 39) / 9);
        const j = Math.floor(at);
        const value = curves[c][j] + (at - j) * (curves[c][j + 1] - curves[c][j]);
        // A sigmoid never reaches its ends: it is held 0.005 away from them.
        expect(Math.abs(tone(c, z) - value)).toBeLessThan(0.01);
      }
    }
  });

  test('begins with a response that never falls', () => {
    const { tone } = cameraWith(planOf({ tone: { form: 'mlp', hidden: 16 } }), {}, RESPONSES);
    for (let c = 0; c < 3; c++) {
      for (let z = -10; z < 1; z += 0.05) expect(tone(c, z + 0.05)).toBeGreaterThan(tone(c, z) - 1e-6);
    }
  });
});

describe('focus, blur scale and exposures', () => {
  test('are what was learned', () => {
    const camera = cameraWith(planOf(), { focus: [-0.9, 1.2], kappa: [Math.log(4.5)] });
    expect(camera.focus).toEqual([Math.fround(-0.9), Math.fround(1.2)]);
    expect(camera.kappa).toBeCloseTo(4.5, 6);
  });

  test('are as given where nothing is learned', () => {
    const blur = { form: 'free' as const, taps: 3, hidden: [8] };
    const camera = cameraWith(planOf({ blur, exposure: 'known' }), {});
    expect(camera).toMatchObject({ focus: [-1, 1], kappa: 3, ev: [-2, 0, 1, 2] });
    expect(cameraWith(planOf({ blur: { form: 'none' } }), {})).toMatchObject({ focus: [-1, 1], kappa: 3 });
  });

  test('tied exposures move off mean and range only', () => {
    const { ev } = cameraWith(planOf(), { exposure: [0.4, -0.3, 0.2, 0.9] });
    expect(ev).not.toEqual([-2, 0, 1, 2]);
    expect(ev.reduce((a, v) => a + v, 0)).toBeCloseTo(1, 6);
    const range = [-2.25, -0.25, 0.75, 1.75];
    expect(ev.reduce((a, v, i) => a + v * range[i], 0)).toBeCloseTo(4.5 + 0.75 + 3.5, 6);
  });

  test('free exposures are squashed into three stops', () => {
    const { ev } = cameraWith(planOf({ exposure: 'free' }), { exposure: [0, 0.5, -20, 20] });
    for (const [i, v] of [0, 3 * Math.tanh(0.5), -3, 3].entries()) expect(ev[i]).toBeCloseTo(v, 6);
    expect(cameraWith(planOf({ exposure: 'free' }), {}).ev[0]).toBeCloseTo(-2, 5);
  });
});
