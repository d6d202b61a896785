import { beforeAll, describe, expect, test } from 'vitest';
import { readCamera } from '../../model/camera/camera.js';
import type { LossConfig } from '../../model/config.js';
import { findGroup, freeBlurWidths } from '../../model/layout.js';
import { createPlan, type Plan, type View } from '../../model/plan.js';
import { composeRefocus } from '../../model/render/render.js';
import { drawCells, drawNumber, drawUnits, sequenceKey } from '../../model/sampler.js';
import { type Engine, freshState } from '../engine.js';
import { createTfjsEngine } from '../tfjs/tfjs-engine.js';
import { type CaseName, type RandomModel, randomModel } from './random-models.js';

/**
 * The reference engine's loss against docs/reference/MODEL.md written down once more, pixel by pixel in plain numbers: what a
 * view sees comes from the renderer of baked scenes (patches), or from the start pictures alone (taps and kernels, with
 * networks that say nothing).
 */

let engine: Engine;
beforeAll(async () => {
  engine = await createTfjsEngine();
});

/** A case without penalties and without weights: the loss is the plain data term. */
function dataOnly(name: CaseName): RandomModel {
  const model = randomModel(name, { plainLoss: true });
  const none: Partial<LossConfig> = { smoothDefocus: 0, smoothOpacity: 0, toneSmooth: 0, inequality: false };
  const config = { ...model.plan.config, loss: { ...model.plan.config.loss, ...none } };
  return { ...model, plan: createPlan(model.plan.capture, config, model.plan.seed) };
}

/** A pixel that a step compares with the frames, with the first random unit of its draw. */
interface Sample {
  readonly x: number;
  readonly y: number;
  readonly unit: number;
}

function samplesOf({ plan, step }: RandomModel): { samples: Sample[]; patch: number } {
  const { blur } = plan.config;
  const patch = blur.form === 'lens' && blur.render === 'patches' ? blur.patch : 1;
  const samples: Sample[] = [];
  for (const [index, shard] of plan.shards.entries()) {
    const cells = drawCells(plan.seed, step, shard, index, patch);
    for (let j = 0; j < shard.draws; j++) {
      const [unit] = drawUnits(plan.seed, drawNumber(shard, step, j), sequenceKey(shard, index));
      for (let k = 0; k < patch ** 2; k++) {
        const y = cells[2 * j + 1]! + Math.floor(k / patch);
        samples.push({ x: cells[2 * j]! + (k % patch), y, unit });
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
        if (data.frames[i]!.mask?.[y * width + x] === 0) continue;
        for (let c = 0; c < 3; c++) {
          const value = data.frames[i]!.data[3 * (y * width + x) + c]! / 255;
          sum += (camera.tone(c, u[c]! + Math.LN2 * camera.ev[i]!) - value) ** 2;
        }
      }
    }
  }
  return (4 * sum) / (samples.length * frames.length * 3);
}

describe('patches see what the renderer shows', () => {
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
    const session = await engine.open(plan, data, freshState(parameters));
    const { width, height } = plan.capture;
    const baked = { width, height, ...(await session.bake()) };
    const camera = readCamera(plan, parameters);
    const pictures = plan.views.map((view) => {
      const focus = camera.focus[view.focus]!;
      return composeRefocus(baked, {
        focus,
        aperture: view.aperture,
        kappa: camera.kappa,
        reach: blur.reach,
      });
    });
    const pin = plan.config.loss.tonePin * meanPin(plan, parameters);
    const area = width * height;
    /** |c_v| at a pixel: wider than the halo, and it does not count. */
    const circle = (v: number, i: number) => {
      const view = plan.views[v]!;
      const [back, front] = [0, area].map((at) =>
        Math.abs(camera.kappa * view.aperture * (baked.defocus[at + i]! - camera.focus[view.focus]!)),
      );
      if (baked.defocus.length === area) return back!;
      const alpha = 1 / (1 + Math.exp(-baked.radiance[6 * area + i]!));
      return alpha * front! + (1 - alpha) * back!;
    };
    const expected = dataTerm(model, (_, v, { x, y }) => {
      const i = y * width + x;
      if (circle(v, i) > blur.reach - 0.6) return undefined;
      return [0, 1, 2].map((c) => Math.log(pictures[v]!.data[3 * i + c]! + 1e-8));
    });
    const { loss } = await session.gradient(step);
    expect((loss - pin) / expected).toBeCloseTo(1, 4);
  });

  function meanPin(plan: Plan, parameters: Float32Array): number {
    const { tone } = readCamera(plan, parameters);
    return [0, 1, 2].reduce((sum, c) => sum + Math.abs(tone(c, 0) - 0.5), 0) / 3;
  }
});

describe('taps see the start pictures where networks say nothing', () => {
  /** Networks of zeros: scene and defocus map are the start pictures. */
  function silent(name: CaseName): RandomModel {
    const model = dataOnly(name);
    const parameters = model.parameters.slice();
    for (const group of ['atlas.mlp', 'map.mlp']) {
      const found = findGroup(model.plan.layout, group);
      if (found) parameters.fill(0, found.offset, found.offset + found.size);
    }
    return { ...model, parameters };
  }

  /** Start planes, bilinear between pixel centres. */
  function reader({ plan, data }: RandomModel) {
    const { width, height } = plan.capture;
    return (planes: Float32Array, plane: number, px: number, py: number) => {
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
        if (weight > 0) sum += weight * planes[(plane * height + v) * width + u]!;
      }
      return plane < 6 || planes !== data.start!.radiance ? Math.max(-14, Math.min(8, sum)) : sum;
    };
  }

  /** D_v: frame to scene, in pixels. */
  function mapper({ plan, parameters }: RandomModel) {
    const { width, height } = plan.capture;
    const long = Math.max(width, height);
    const group = findGroup(plan.layout, 'registration');
    const { dof, basis } = plan.registration;
    return (v: number, px: number, py: number): [number, number] => {
      const m = plan.views[v]!.homography.map((base, k) => {
        let sum = base;
        for (let j = 0; v > 0 && j < dof; j++)
          sum += parameters[group!.offset + (v - 1) * dof + j]! * basis[j]![k]!;
        return sum;
      });
      const [x, y] = [(2 * px - width) / long, (2 * py - height) / long];
      const z = m[6]! * x + m[7]! * y + 1;
      return [
        (((m[0]! * x + m[1]! * y + m[2]!) / z) * long + width) / 2,
        (((m[3]! * x + m[4]! * y + m[5]!) / z) * long + height) / 2,
      ];
    };
  }

  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  function lensTaps(model: RandomModel): Seen {
    const { plan, data, parameters } = model;
    const { blur, layers } = plan.config;
    if (blur.form !== 'lens') throw new Error('this case has no lens');
    const [read, map, camera] = [reader(model), mapper(model), readCamera(plan, parameters)];
    const { radiance, defocus } = data.start!;
    return (view, v, sample) => {
      const [px, py] = [sample.x + 0.5, sample.y + 0.5];
      const at = map(v, px, py);
      const turn = (sample.unit + 0.618034 * v) % 1;
      const taps = Array.from({ length: layers }, (_, l) => {
        const c = camera.kappa * view.aperture * (read(defocus, l, ...at) - camera.focus[view.focus]!);
        return Array.from({ length: blur.taps }, (_, k) => {
          const angle = 2.399963 * (k + 0.5) + 2 * Math.PI * turn;
          const radius = c * Math.sqrt((k + 0.5) / blur.taps);
          return map(v, px + radius * Math.cos(angle), py + radius * Math.sin(angle));
        });
      });
      const mean = (l: number, of: (x: number, y: number) => number) =>
        taps[l]!.reduce((sum, [x, y]) => sum + of(x, y), 0) / blur.taps;
      return [0, 1, 2].map((c) => {
        const behind = mean(0, (x, y) => Math.exp(read(radiance, c, x, y)));
        if (layers === 1) return Math.log(behind + 1e-8);
        const cover = mean(1, (x, y) => sigmoid(read(radiance, 6, x, y)));
        const front = mean(
          1,
          (x, y) => sigmoid(read(radiance, 6, x, y)) * Math.exp(read(radiance, c + 3, x, y)),
        );
        return Math.log(front + (1 - cover) * behind + 1e-8);
      });
    };
  }

  function freeKernel(model: RandomModel): Seen {
    const { plan, data, parameters } = model;
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
        const [inputs, outputs] = [widths[l - 1]!, widths[l]!];
        const bias = at + inputs * outputs;
        const y = Array.from({ length: outputs }, (_, o) =>
          x.reduce((sum, value, i) => sum + value * parameters[at + o * inputs + i]!, parameters[bias + o]!),
        );
        x = l < widths.length - 1 ? y.map((value) => Math.max(0, value)) : y;
        at = bias + outputs;
      }
      return x;
    };
    return (view, v, sample) => {
      const [px, py] = [sample.x + 0.5, sample.y + 0.5];
      const focus = camera.focus[view.focus]!;
      const out = generate([focus, (2 * px - capture.width) / long, (2 * py - capture.height) / long]);
      const weights = out.slice(0, blur.taps).map(Math.exp);
      const total = weights.reduce((sum, w) => sum + w, 0);
      const sums = [0, 0, 0];
      for (let k = 0; k < blur.taps; k++) {
        let [dx, dy] = [0, 1].map((d) => blur.maxShift * Math.tanh(out[blur.taps + 2 * k + d]!)) as [
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
          const value = read(data.start!.radiance, c, ...at);
          sums[c]! += (weights[k]! / total) * (config.light === 'log' ? value : Math.exp(value));
        }
      }
      return config.light === 'log' ? sums : sums.map((r) => Math.log(r + 1e-8));
    };
  }

  test.each([
    ['hash taps', lensTaps],
    ['hash taps, two layers', lensTaps],
    ['similarity, taps', lensTaps],
    ['homography, taps', lensTaps],
    ['taps outside the picture', lensTaps],
    ['free, linear light', freeKernel],
    ['free, sum of logarithms', freeKernel],
    ['free, grid of taps', freeKernel],
    ['affine, free', freeKernel],
  ] as [CaseName, (model: RandomModel) => Seen][])('%s', async (name, seen) => {
    const model = silent(name);
    const session = await engine.open(model.plan, model.data, freshState(model.parameters));
    const { loss } = await session.gradient(model.step);
    expect(loss / dataTerm(model, seen(model))).toBeCloseTo(1, 4);
  });
});
