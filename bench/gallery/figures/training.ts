import { prepareModel } from '../../../develop/develop.js';
import type { TrainFunction } from '../../../develop/options.js';
import { prepare } from '../../../develop/prepare.js';
import { chooseEngine } from '../../../engine/choose.js';
import { freshState } from '../../../engine/engine.js';
import { configSchema } from '../../../model/config.js';
import { FEATURES } from '../../../model/hash-grid.js';
import { initialParameters } from '../../../model/initial.js';
import { findGroup } from '../../../model/layout.js';
import type { Picture } from '../../../model/picture.js';
import { createPlan } from '../../../model/plan.js';
import { composeAllInFocus } from '../../../model/render/render.js';
import { scoreRadiance } from '../../scores/scores.js';
import { COLOURS, charts } from '../plot.js';
import { framePanel, mapPanel } from '../sheet.js';
import { classicalOf, developed, once, photograph } from './developed.js';
import { type Captioned, captioned, crop, type Figure } from './figure.js';

/** Figures of the model and of its training, on the study. */

interface Curve {
  readonly step: number;
  readonly psnr: number;
}

/** The study, trained in this process a few steps at a time, with its score against the truth on the way. */
const study = async () => {
  const { truth } = photograph('study').capture;
  const samples: Curve[] = [];
  const scores: Curve[] = [];
  const train: TrainFunction = async ({ model, frames, engine }) => {
    const plan = createPlan(model.capture, model.config, model.seed);
    const trainer = await engine.open(plan, { frames, start: model.start }, model.state);
    const { width, height } = model.capture;
    const picture = async () => composeAllInFocus({ width, height, ...(await trainer.bake()) });
    try {
      scores.push({ step: 0, psnr: scoreRadiance(await picture(), truth.radiance).muPsnr });
      const { steps } = plan.config.train;
      let progress = { step: 0, loss: 0, psnr: 0 };
      while (progress.step < steps) {
        progress = await trainer.train(Math.min(5, steps - progress.step));
        samples.push({ step: progress.step, psnr: progress.psnr });
        if (progress.step % 50 !== 0 && progress.step < steps) continue;
        const { muPsnr } = scoreRadiance(await picture(), truth.radiance);
        scores.push({ step: progress.step, psnr: muPsnr });
      }
      return { state: await trainer.save(), progress, seconds: { train: 0, bake: 0 } };
    } finally {
      trainer.close();
    }
  };
  const done = await developed('study', { train });
  return { ...done, samples, scores };
};

/** Focus near, middle exposure. */
const SHOWN = 1;

/** The way of the light: scene model, blur generator, tone mapper, and the photograph that it must equal. */
const camera: Figure = async () => {
  const { frames, show, render, light, development } = await once(study);
  const { ev, focus } = development.model.info.frames[SHOWN];
  const query = { kind: 'refocus', focus, aperture: 1 } as const;
  const seen = render({ ...query, tone: 'learned', ev });
  const photo = framePanel(frames[SHOWN]);
  const off = { ...seen, data: seen.data.map((v, i) => 0.5 + 4 * (v - photo.data[i])) };
  return captioned([
    [
      { panel: show(light()), caption: 'scene model: light, all in focus' },
      { panel: mapPanel(render({ kind: 'depth' })), caption: 'and the defocus map' },
      { panel: show(light(query)), caption: 'blur generator: focus near' },
    ],
    [
      { panel: seen, caption: 'tone mapper: pixel values' },
      { panel: photo, caption: 'the photograph' },
      { panel: off, caption: 'four times their difference' },
    ],
  ]);
};

const KEPT = [3, 7, 11, 16];

/** Without the classical start colours take longer to come. */
const FROM_NOTHING = { steps: 2500, patches: 16 };

/** What a hash grid holds: trained without the classical start, with its finer levels silenced. */
const grid: Figure = async () => {
  const { frames, show } = photograph('study');
  const engine = await chooseEngine();
  const { model, preparation } = await prepareModel(frames, {}, engine);
  const config = configSchema.parse({ ...model.config, residual: false, train: FROM_NOTHING });
  const plan = createPlan(model.capture, config, model.seed);
  const start = freshState(initialParameters(plan, preparation.tone));
  const trainer = await engine.open(plan, preparation.data, start);
  try {
    await trainer.train(config.train.steps);
    const state = await trainer.save();
    const { offset, size } = findGroup(plan.layout, 'atlas.grid')!;
    const panels: Captioned[] = [];
    for (const kept of KEPT) {
      const parameters = state.parameters.slice();
      const next = plan.layout.atlasLevels[kept];
      if (next) parameters.fill(0, offset + FEATURES * next.offset, offset + size);
      await trainer.load({ ...state, parameters });
      const { width, height } = model.capture;
      const picture = composeAllInFocus({ width, height, ...(await trainer.bake()) });
      const { scale } = plan.layout.atlasLevels[kept - 1];
      const cell = 1 / scale;
      const cells = cell >= 10 ? cell.toFixed(0) : cell.toFixed(1);
      panels.push({
        panel: show(picture),
        caption: `levels 1 to ${kept}, the finest with cells of ${cells} pixels`,
      });
    }
    return captioned([panels.slice(0, 2), panels.slice(2)]);
  } finally {
    trainer.close();
  }
};

/** Means over a few neighbours: each step sees other pixels. */
function smoothed(curve: readonly Curve[], reach: number): [number, number][] {
  return curve.map(({ step }, i) => {
    const near = curve.slice(Math.max(0, i - reach), i + reach + 1);
    return [step, near.reduce((sum, { psnr }) => sum + psnr, 0) / near.length];
  });
}

const training: Figure = async () => {
  const { samples, scores, development, capture } = await once(study);
  const classical = scoreRadiance(classicalOf(capture), capture.truth.radiance).muPsnr;
  const steps = development.model.config.train.steps;
  const ticks = [0, 200, 400, 600];
  const most = Math.ceil(steps / 20) * 20;
  return charts([
    {
      title: 'How well the frames are explained',
      x: { label: 'step', from: 0, to: most, ticks },
      y: { label: 'PSNR of a step’s samples, dB', from: 36, to: 48, ticks: [36, 38, 40, 42, 44, 46, 48] },
      lines: [
        { points: samples.map((s): [number, number] => [s.step, s.psnr]), colour: '#c9d6ea', width: 1 },
        { points: smoothed(samples, 6), colour: COLOURS.blue },
      ],
    },
    {
      title: 'How near the picture is to the truth',
      x: { label: 'step', from: 0, to: most, ticks },
      y: { label: 'μ-law PSNR, dB', from: 36, to: 41, ticks: [36, 37, 38, 39, 40, 41] },
      lines: [
        {
          points: scores.map((s): [number, number] => [s.step, s.psnr]),
          colour: COLOURS.orange,
          dots: true,
        },
        {
          points: [
            [0, classical],
            [most, classical],
          ],
          colour: COLOURS.grey,
          dashed: true,
          label: {
            text: 'Debevec’s merge, sharpest focus',
            at: [most - 10, classical - 0.25],
            anchor: 'end',
          },
        },
      ],
    },
  ]);
};

/** A part of the hall with depth edges, before and after. */
const edge: Figure = async () => {
  const { capture, frames, show, light } = await developed('hall');
  const { allInFocus } = await prepare(frames, {});
  const start = { ...allInFocus, data: allInFocus.data.map(Math.exp) };
  const cut = (picture: Picture) => crop(picture, 120, 96, 96, 64);
  const panel = (picture: Picture, caption: string): Captioned => ({ panel: cut(show(picture)), caption });
  const photo = (i: number, caption: string): Captioned => ({
    panel: cut(framePanel(frames[i])),
    caption,
  });
  return captioned([
    [
      photo(1, 'photograph, focus near'),
      photo(7, 'photograph, focus far'),
      panel(classicalOf(capture), 'sharpest focus by contrast'),
    ],
    [panel(start, 'the start'), panel(light(), 'after training'), panel(capture.truth.radiance, 'the truth')],
  ]);
};

export const trainingFigures: Readonly<Record<string, Figure>> = {
  'learn/camera.jpg': camera,
  'learn/grid.jpg': grid,
  'learn/training.svg': training,
  'learn/edge.jpg': edge,
};
