import { beforeAll, describe, expect, test } from 'vitest';
import type { LossConfig } from '../../model/config.js';
import type { Group } from '../../model/layout.js';
import { createPlan } from '../../model/plan.js';
import { drawCells } from '../../model/sampler.js';
import { type CaseName, type RandomModel, randomModel } from '../conformance/random-models.js';
import { type Engine, freshState, type Trainer } from '../engine.js';
import { createDoubleEngine } from './double-precision.fixture.js';

/** What automatic differentiation must not follow: the loss' own weights, which are taken as given. */

let engine: Engine;
beforeAll(async () => {
  engine = await createDoubleEngine();
});

const open = ({ plan, data, parameters }: RandomModel) => engine.open(plan, data, freshState(parameters));

async function lossAt(trainer: Trainer, parameters: Float32Array, step: number): Promise<number> {
  await trainer.load(freshState(parameters));
  return (await trainer.gradient(step)).loss;
}

describe('weights of the data term are not differentiated', () => {
  /**
   * One pixel of one frame, its channels all alike: the loss is one weight times the plain loss, and if the weight is
   * taken as given, so is the gradient.
   */
  function greyPixel(name: CaseName, loss: Partial<LossConfig>): RandomModel {
    const model = randomModel(name);
    const { plan, data, step } = model;
    const none = { smoothDefocus: 0, toneSmooth: 0, slope: false, sharpness: 0 };
    const config = { ...plan.config, loss: { ...plan.config.loss, ...none, ...loss } };
    const area = plan.capture.width * plan.capture.height;
    const [x, y] = seenPixel(model);
    const frames = data.frames.map((frame, i) => {
      const mask = new Uint8Array(area);
      if (i === 1) mask[y * plan.capture.width + x] = 1;
      return { data: frame.data.map((_, k) => frame.data[k - (k % 3)]), mask };
    });
    const radiance = data.start!.radiance.map((_, k, all) => all[k % area]);
    const parameters = model.parameters.slice();
    const group = (n: string) => plan.layout.groups.find((g) => g.name === n)!;
    sameRows(parameters, group('tone'), 0, 3);
    const last = plan.config.atlas.form === 'hash' ? plan.config.atlas.hidden.at(-1)! : 0;
    sameRows(parameters, group('atlas.mlp'), group('atlas.mlp').size - 3 * (last + 1), 3, 3 * last);
    sameRows(parameters, group('atlas.mlp'), group('atlas.mlp').size - 3, 3);
    return {
      plan: createPlan(plan.capture, config, plan.seed),
      data: { frames, start: { radiance, defocus: data.start!.defocus } },
      parameters,
      step,
    };
  }

  /** A pixel that the step looks at. */
  function seenPixel({ plan, step }: RandomModel): [number, number] {
    const { blur } = plan.config;
    const patch = blur.form === 'lens' ? blur.patch : 1;
    const { width, height } = plan.capture;
    for (const [index, shard] of plan.shards.entries()) {
      const cells = drawCells(plan.seed, step, shard, index, patch);
      for (let j = 0; j < cells.length; j += 2) {
        const [x, y] = [cells[j] + patch - 1, cells[j + 1] + patch - 1];
        if (x >= 0 && y >= 0 && x < width && y < height) return [x, y];
      }
    }
    throw new Error('this step sees no pixel');
  }

  /** Makes `count` equal parts of a group's run, from `first` on and `length` long, copies of the first. */
  function sameRows(
    parameters: Float32Array,
    group: Group,
    first: number,
    count: number,
    length = group.size - first,
  ) {
    const each = length / count;
    const at = group.offset + first;
    for (let k = 1; k < count; k++) parameters.copyWithin(at + k * each, at, at + each);
  }

  test.each([
    ['hash lens', { slope: true }],
    ['free, linear light', { slope: true }],
    ['tone mlp', { slope: true, tonePin: 0 }],
    ['hash lens', { sharpness: 0.9 }],
  ] as [CaseName, Partial<LossConfig>][])('%s, %j', async (name, loss) => {
    const weighted = greyPixel(name, loss);
    const plain = greyPixel(name, { tonePin: 0 });
    const a = await open(weighted);
    const b = await open(plain);
    const [weightedAt, plainAt] = [await a.gradient(weighted.step), await b.gradient(plain.step)];
    const weight = weightedAt.loss / plainAt.loss;
    expect(plainAt.loss).toBeGreaterThan(0);
    const difference = weightedAt.gradient.map((g, i) => g - weight * plainAt.gradient[i]);
    expect(Math.hypot(...difference) / Math.hypot(...weightedAt.gradient)).toBeLessThan(1e-9);

    // The weight does depend on the parameters: differentiating it would show.
    const elsewhere = weighted.parameters.map((p, i) => p + 0.05 * Math.sin(i));
    const other = (await lossAt(a, elsewhere, weighted.step)) / (await lossAt(b, elsewhere, plain.step));
    expect(Math.abs(other / weight - 1)).toBeGreaterThan(1e-3);
  });
});
