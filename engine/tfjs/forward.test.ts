import { beforeAll, describe, expect, test } from 'vitest';
import { readCamera } from '../../model/camera/camera.js';
import type { LossConfig } from '../../model/config.js';
import { AFFINE, findGroup, freeBlurWidths } from '../../model/layout.js';
import { createPlan, type Plan, type View } from '../../model/plan.js';
import { composeRefocus } from '../../model/render/render.js';
import { drawCells } from '../../model/sampler.js';
import { type CaseName, type RandomModel, randomModel } from '../conformance/random-models.js';
import { type Engine, freshState } from '../engine.js';
import { createTfjsEngine } from './tfjs-engine.js';

/**
 * The reference engine's loss against docs/reference/MODEL.md written down once more, pixel by pixel in plain numbers: what a
 * view sees comes from the renderer of baked scenes (lens), or from the start pictures alone (kernels, with networks that
 * say nothing).
 */

let engine: Engine;
beforeAll(async () => {
  engine = await createTfjsEngine();
});

/** A case without penalties and without weights: the loss is the plain data term. */
function dataOnly(name: CaseName): RandomModel {
  const model = randomModel(name, { plainLoss: true });
  const none: Partial<LossConfig> = { smoothDefocus: 0, toneSmooth: 0, inequality: false };
  const config = { ...model.plan.config, loss: { ...model.plan.config.loss, ...none } };
  return { ...model, plan: createPlan(model.plan.capture, config, model.plan.seed) };
}

/** A pixel that a step compares with the frames. */
interface Sample {
  readonly x: number;
  readonly y: number;
}

function samplesOf({ plan, step }: RandomModel): { samples: Sample[]; patch: number } {
  const { blur } = plan.config;
  const patch = blur.form === 'lens' ? blur.patch : 1;
  const samples: Sample[] = [];
  for (const [index, shard] of plan.shards.entries()) {
    const cells = drawCells(plan.seed, step, shard, index, patch);
    for (let j = 0; j < shard.draws; j++) {
      for (let k = 0; k < patch ** 2; k++) {
        const y = cells[2 * j + 1] + Math.floor(k / patch);
        samples.push({ x: cells[2 * j] + (k % patch), y });
      }
    }
  }
  return { samples, patch };
}

/** ln radiance of a view at a sample, by channel; undefined where the sample does not count. */
type Seen = (view: View, index: number, sample: Sample) => number[] | undefined;

/** 4/(N·F·3) Σ e² over the step's samples. */
function dataTerm(model: RandomModel, seen: Seen): number {
  const { plan, data, parameters } = model;
  const { width, height, frames } = plan.capture;
  const { samples } = samplesOf(model);
  const camera = readCamera(plan, parameters);
  let sum = 0;
  for (const sample of samples) {
    const { x, y } = sample;
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    for (const [v, view] of plan.views.entries()) {
      const u = seen(view, v, sample);
      if (!u) continue;
      for (const i of view.frames) {
        if (data.frames[i].mask?.[y * width + x] === 0) continue;
        for (let c = 0; c < 3; c++) {
          const value = data.frames[i].data[3 * (y * width + x) + c] / 255;
          sum += (camera.tone(c, u[c] + Math.LN2 * camera.ev[i]) - value) ** 2;
        }
      }
    }
  }
  return (4 * sum) / (samples.length * frames.length * 3);
}

describe('a lens sees what the renderer shows', () => {
  test.each([
    'values, not inequalities',
    'masks',
    'apertures',
    'patches beyond the picture',
    'tone mlp',
  ] as CaseName[])('%s', async (name) => {
    const model = dataOnly(name);
    const { plan, data, parameters, step } = model;
    const { blur } = plan.config;
    if (blur.form !== 'lens') throw new Error('this case has no lens');
    const trainer = await engine.open(plan, data, freshState(parameters));
    const { width, height } = plan.capture;
    const baked = { width, height, ...(await trainer.bake()) };
    const camera = readCamera(plan, parameters);
    const pictures = plan.views.map((view) => {
      const focus = camera.focus[view.focus];
      return composeRefocus(baked, {
        focus,
        aperture: view.aperture,
        kappa: camera.kappa,
        reach: blur.reach,
      });
    });
    const pin = plan.config.loss.tonePin * meanPin(plan, parameters);
    /** |c_v| at a pixel: wider than the halo, and it does not count. */
    const circle = (v: number, i: number) => {
      const view = plan.views[v];
      return Math.abs(camera.kappa * view.aperture * (baked.defocus[i] - camera.focus[view.focus]));
    };
    const expected = dataTerm(model, (_, v, { x, y }) => {
      const i = y * width + x;
      if (circle(v, i) > blur.reach - 0.6) return undefined;
      return [0, 1, 2].map((c) => Math.log(pictures[v].data[3 * i + c] + 1e-8));
    });
    const { loss } = await trainer.gradient(step);
    expect((loss - pin) / expected).toBeCloseTo(1, 4);
  });

  function meanPin(plan: Plan, parameters: Float32Array): number {
    const { tone } = readCamera(plan, parameters);
    return [0, 1, 2].reduce((sum, c) => sum + Math.abs(tone(c, 0) - 0.5), 0) / 3;
  }
});

describe('kernels see the start picture where networks say nothing', () => {
  /** A network of zeros: the scene is the start picture. */
  function silent(name: CaseName): RandomModel {
    const model = dataOnly(name);
    const parameters = model.parameters.slice();
    const { offset, size } = findGroup(model.plan.layout, 'atlas.mlp')!;
    parameters.fill(0, offset, offset + size);
    return { ...model, parameters };
  }

  /** The start picture, bilinear between pixel centres. */
  function reader({ plan, data }: RandomModel) {
    const { width, height } = plan.capture;
    const planes = data.start!.radiance;
    return (plane: number, px: number, py: number) => {
      const x = Math.max(0, Math.min(width - 1, px - 0.5));
      const y = Math.max(0, Math.min(height - 1, py - 0.5));
      const [i, j] = [Math.floor(x), Math.floor(y)];
      let sum = 0;
      for (const [u, v] of [
        [i, j],
        [i + 1, j],
        [i, j + 1],
        [i + 1, j + 1],
      ] as const) {
        const weight = (1 - Math.abs(x - u)) * (1 - Math.abs(y - v));
        if (weight > 0) sum += weight * planes[(plane * height + v) * width + u];
      }
      return Math.max(-14, Math.min(8, sum));
    };
  }

  /** D_v: frame to scene, in pixels. */
  function mapper({ plan, parameters }: RandomModel) {
    const { width, height } = plan.capture;
    const long = Math.max(width, height);
    const group = findGroup(plan.layout, 'registration');
    return (v: number, px: number, py: number): [number, number] => {
      const m = plan.views[v].homography.map((base, k) => {
        const j = (AFFINE as readonly number[]).indexOf(k);
        return group && v > 0 && j >= 0
          ? base + parameters[group.offset + (v - 1) * AFFINE.length + j]
          : base;
      });
      const [x, y] = [(2 * px - width) / long, (2 * py - height) / long];
      const z = m[6] * x + m[7] * y + 1;
      return [
        (((m[0] * x + m[1] * y + m[2]) / z) * long + width) / 2,
        (((m[3] * x + m[4] * y + m[5]) / z) * long + height) / 2,
      ];
    };
  }

  function freeKernel(model: RandomModel): Seen {
    const { plan, parameters } = model;
    const { config, capture } = plan;
    const { blur } = config;
    if (blur.form !== 'free') throw new Error('this case has no kernel');
    const [read, map, camera] = [reader(model), mapper(model), readCamera(plan, parameters)];
    const long = Math.max(capture.width, capture.height);
    const widths = freeBlurWidths(config);
    const generate = (input: number[]) => {
      let at = findGroup(plan.layout, 'blur.mlp')!.offset;
      let x = input;
      for (let l = 1; l < widths.length; l++) {
        const [inputs, outputs] = [widths[l - 1], widths[l]];
        const bias = at + inputs * outputs;
        const y = Array.from({ length: outputs }, (_, o) =>
          x.reduce((sum, value, i) => sum + value * parameters[at + o * inputs + i], parameters[bias + o]),
        );
        x = l < widths.length - 1 ? y.map((value) => Math.max(0, value)) : y;
        at = bias + outputs;
      }
      return x;
    };
    return (view, v, sample) => {
      const [px, py] = [sample.x + 0.5, sample.y + 0.5];
      const focus = camera.focus[view.focus];
      const out = generate([focus, (2 * px - capture.width) / long, (2 * py - capture.height) / long]);
      const weights = out.slice(0, blur.taps).map(Math.exp);
      const total = weights.reduce((sum, w) => sum + w, 0);
      const sums = [0, 0, 0];
      for (let k = 0; k < blur.taps; k++) {
        let [dx, dy] = [0, 1].map((d) => blur.maxShift * Math.tanh(out[blur.taps + 2 * k + d])) as [
          number,
          number,
        ];
        if (blur.grid) {
          dx += (k % 3) - 1;
          dy += Math.floor(k / 3) - 1;
          if (k === 4) dx = dy = 0;
        }
        const at = map(v, px + dx, py + dy);
        for (let c = 0; c < 3; c++) {
          const value = read(c, ...at);
          sums[c] += (weights[k] / total) * (config.light === 'log' ? value : Math.exp(value));
        }
      }
      return config.light === 'log' ? sums : sums.map((r) => Math.log(r + 1e-8));
    };
  }

  test.each([
    'free, linear light',
    'free, sum of logarithms',
    'free, grid of taps',
    'affine, free',
    'registered beyond a pixel, free',
    'taps outside the picture',
    'masks, free',
  ] as CaseName[])('%s', async (name) => {
    const model = silent(name);
    const trainer = await engine.open(model.plan, model.data, freshState(model.parameters));
    const { loss } = await trainer.gradient(model.step);
    expect(loss / dataTerm(model, freeKernel(model))).toBeCloseTo(1, 4);
  });
});
