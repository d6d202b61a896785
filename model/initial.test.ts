import { describe, expect, test } from 'vitest';
import { configSchema, type ModelConfigInput } from './config.js';
import { defaultTone, initialParameters } from './initial.js';
import { findGroup } from './layout.js';
import { type Capture, createPlan, type Plan } from './plan.js';
import { encodeSrgb } from './render/display-curves.js';

const capture: Capture = {
  width: 40,
  height: 30,
  frames: [
    { focus: 0, exposure: 0, ev: -2, aperture: 1 },
    { focus: 0, exposure: 1, ev: 0.5, aperture: 1 },
    { focus: 1, exposure: 2, ev: 4, aperture: 1 },
  ],
  focus: [-0.75, 0.5],
  kappa: 2.5,
};
const GRID = { levels: 3, base: 4, finest: 1, log2Table: 9, hidden: [8] };
const LENS: ModelConfigInput = { atlas: { form: 'hash', ...GRID }, blur: { form: 'lens', ...GRID } };
const FREE: ModelConfigInput = {
  atlas: { form: 'siren', width: 32, layers: 3, omega: 20 },
  residual: false,
  blur: { form: 'free', taps: 5, hidden: [16] },
  exposure: 'free',
};

const planOf = (config: ModelConfigInput, seed = 3, tilePixels?: number): Plan =>
  createPlan(capture, configSchema.parse(config), seed, tilePixels);

function group(plan: Plan, parameters: Float32Array, name: string): Float32Array {
  const { offset, size } = findGroup(plan.layout, name)!;
  return parameters.subarray(offset, offset + size);
}

const largest = (values: Float32Array) => values.reduce((a, v) => Math.max(a, Math.abs(v)), 0);

describe('initialParameters', () => {
  test('are a pure function of plan and seed', () => {
    for (const config of [LENS, FREE]) {
      expect(initialParameters(planOf(config))).toEqual(initialParameters(planOf(config)));
      expect(initialParameters(planOf(config, 4))).not.toEqual(initialParameters(planOf(config)));
    }
  });

  test('are finite, and zero between the groups', () => {
    for (const config of [LENS, FREE, { ...LENS, tone: { form: 'mlp' as const } }]) {
      const plan = planOf(config);
      const parameters = initialParameters(plan);
      expect(parameters.every(Number.isFinite)).toBe(true);
      const padding = parameters.slice();
      for (const g of plan.layout.groups) padding.fill(0, g.offset, g.offset + g.size);
      expect(largest(padding)).toBe(0);
    }
  });

  test('leave a residual scene at its start: the last layers say nothing', () => {
    const plan = planOf(LENS);
    const parameters = initialParameters(plan);
    for (const [name, inputs, outputs] of [
      ['atlas.mlp', 8, 3],
      ['map.mlp', 8, 1],
    ] as const) {
      const network = group(plan, parameters, name);
      const last = outputs * (inputs + 1);
      expect(largest(network.subarray(network.length - last)), name).toBe(0);
      // The layer before it does: with both silent nothing would ever be learned.
      const first = network.subarray(0, network.length - last);
      expect(largest(first), name).toBeGreaterThan(0.5 / Math.sqrt(6));
      expect(largest(first), name).toBeLessThanOrEqual(1 / Math.sqrt(6));
    }
  });

  test('give a scene without a start something to say', () => {
    const plan = planOf({ ...LENS, residual: false });
    const network = group(plan, initialParameters(plan), 'atlas.mlp');
    expect(largest(network.subarray(network.length - 27))).toBeGreaterThan(0.1);
    // The defocus map begins at its start in any case.
    expect(largest(group(plan, initialParameters(plan), 'map.mlp').subarray(-9))).toBe(0);
  });

  test('fill the grids with little noise, of its own for each', () => {
    const plan = planOf(LENS, 3, 300);
    const parameters = initialParameters(plan);
    const grids = plan.layout.groups.filter((g) => g.sparse);
    expect(grids.length).toBeGreaterThan(4);
    const heads = new Set<string>();
    for (const { name } of grids) {
      const values = group(plan, parameters, name);
      expect(largest(values)).toBeLessThanOrEqual(1e-4);
      expect(largest(values)).toBeGreaterThan(0.9e-4);
      expect(Math.abs(values.reduce((a, v) => a + v, 0) / values.length)).toBeLessThan(1e-5);
      heads.add(values.subarray(0, 8).join());
    }
    expect(heads.size).toBe(grids.length);
  });

  test('of some shards are theirs and the shared ones', () => {
    const plan = planOf(LENS, 3, 400);
    const [all, some] = [initialParameters(plan), initialParameters(plan, undefined, [1])];
    expect(plan.shards.length).toBeGreaterThan(2);
    for (const { name, scope } of plan.layout.groups) {
      const held = scope === 'shared' || scope.shard === 1;
      const part = group(plan, some, name);
      expect(part, name).toEqual(held ? group(plan, all, name) : new Float32Array(part.length));
    }
  });

  test("follow Sitzmann's bounds in a SIREN", () => {
    const plan = planOf(FREE);
    const network = group(plan, initialParameters(plan), 'atlas.mlp');
    // W[32][2] b[32], twice W[32][32] b[32], W[3][32] b[3].
    const first = network.subarray(0, 64);
    expect(largest(first)).toBeLessThanOrEqual(1 / 2);
    expect(largest(first)).toBeGreaterThan(0.45);
    const bound = Math.sqrt(6 / 32) / 20;
    for (const [at, size] of [
      [96, 1024],
      [96 + 1056, 1024],
      [96 + 2112, 96],
    ] as const) {
      const weights = network.subarray(at, at + size);
      expect(largest(weights)).toBeLessThanOrEqual(bound);
      expect(largest(weights)).toBeGreaterThan(0.9 * bound);
    }
  });

  test('take focus and blur scale from the capture', () => {
    const plan = planOf(LENS);
    const parameters = initialParameters(plan);
    expect([...group(plan, parameters, 'focus')]).toEqual([-0.75, 0.5]);
    expect(Math.exp(group(plan, parameters, 'kappa')[0])).toBeCloseTo(2.5, 6);
  });

  test('begin exposures where the capture says', () => {
    const tied = planOf(LENS);
    expect(largest(group(tied, initialParameters(tied), 'exposure'))).toBe(0);
    const free = planOf(FREE);
    const ev = [...group(free, initialParameters(free), 'exposure')].map((d) => 3 * Math.tanh(d));
    expect(ev[0]).toBeCloseTo(-2, 5);
    expect(ev[1]).toBeCloseTo(0.5, 5);
    // Beyond what the squash reaches: its end, where there is still a gradient.
    expect(ev[2]).toBeCloseTo(2.85, 5);
  });

  test('begin registration at what is known', () => {
    const plan = planOf({ ...LENS, registration: 'affine' });
    const registration = group(plan, initialParameters(plan), 'registration');
    expect(registration).toHaveLength(12);
    expect(largest(registration)).toBe(0);
  });
});

describe('defaultTone', () => {
  test('is an sRGB curve from 0 to 1 in ln exposure', () => {
    const [red, green, blue] = defaultTone(40, -9).curves;
    expect(red).toHaveLength(40);
    expect(green).toEqual(red);
    expect(blue).toEqual(red);
    expect([red[0], red[39]]).toEqual([0, 1]);
    for (let j = 1; j < 40; j++) {
      expect(red[j]).toBeGreaterThan(red[j - 1]);
      expect(red[j]).toBeCloseTo(encodeSrgb(Math.exp(-9 + (9 * j) / 39)), 2);
    }
  });
});
