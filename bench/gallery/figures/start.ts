import sharp from 'sharp';
import { recoverLight, withoutNoise } from '../../../develop/light.js';
import { registerFrames } from '../../../develop/register.js';
import { sharpByContrast } from '../../../develop/start/depth/all-in-focus.js';
import { blurLadder } from '../../../develop/start/depth/blur-ladder.js';
import { sweepFocus } from '../../../develop/start/depth/focus.js';
import { focusStack } from '../../../develop/start/depth/focus-stack.js';
import { costVolume } from '../../../develop/start/depth/plane-sweep.js';
import { MAXIMUM_COST } from '../../../develop/start/depth/semi-global.js';
import { TRUNCATION } from '../../../develop/start/depth/sweep-loops.js';
import { groupFrames } from '../../../develop/start/grouping/frames.js';
import { portableKernels } from '../../../develop/start/kernels.js';
import { jointHistograms } from '../../../develop/start/response/joint-histogram.js';
import { responseValue } from '../../../develop/start/response/response.js';
import type { Frame, Picture } from '../../../model/picture.js';
import { encodeSrgb } from '../../../model/render/display-curves.js';
import { response } from '../../samples/sensor.js';
import { COLOURS, charts, INK, type Line } from '../plot.js';
import { framePanel, mapPanel, type Panel } from '../sheet.js';
import { once, photograph } from './developed.js';
import { captioned, type Figure } from './figure.js';

/** Figures of what the photographs tell, and of the classical start, step by step, on the study. */

const study = () => photograph('study');

const steps = () => {
  const { frames } = once(study);
  const grouping = groupFrames(frames);
  const registered = registerFrames(frames, grouping, () => undefined);
  const light = recoverLight(registered, grouping, () => undefined, portableKernels);
  const aperture = grouping.focus.map(() => 1);
  const sweep = sweepFocus(light.views, grouping.focus, aperture);
  const allInFocus = withoutNoise(sweep.allInFocus, light, grouping, portableKernels);
  return { grouping, light, sweep, aperture, allInFocus };
};

const NAMES = ['near', 'middle', 'far'];

/** All nine frames; white pixels that are clipped in red, black ones in blue. */
const photographs: Figure = () => {
  const { frames, capture } = once(study);
  const rows = [0, 1, 2].map((focus) =>
    frames.slice(3 * focus, 3 * focus + 3).map((frame, exposure) => {
      const { ev } = capture.frames[3 * focus + exposure];
      const stops = ev > 0 ? `+${ev}` : String(ev).replace('-', '−');
      return { panel: markClipped(frame), caption: `focus ${NAMES[focus]}, exposure ${stops} stops` };
    }),
  );
  return captioned(rows);
};

function markClipped(frame: Frame): Panel {
  const panel = framePanel(frame);
  const data = panel.data.slice();
  for (let p = 0; p < data.length; p += 3) {
    const codes = [0, 1, 2].map((c) => frame.data[p + c]);
    if (codes.some((v) => v === 255)) data.set([0.86, 0.16, 0.14], p);
    else if (codes.every((v) => v === 0)) data.set([0.15, 0.35, 0.85], p);
  }
  return { ...panel, data };
}

/** A comparagram, and the response that all of them give, against the true one. */
const responses: Figure = async () => {
  const { frames, capture } = once(study);
  const { light } = once(steps);
  const pair = { stack: 0, first: 0, second: 1 };
  const green = jointHistograms([[frames[3], frames[4]]], [pair])[1];
  const { curves } = capture.camera.sensor;
  const between = 2 ** (capture.frames[4].ev - capture.frames[3].ev);
  const zs = Array.from({ length: 181 }, (_, i) => -9 + i * 0.05);
  const expected = zs.map((z): [number, number] => [
    255 * response(curves[1], Math.exp(z)),
    255 * response(curves[1], between * Math.exp(z)),
  ]);
  const stops = (z: number) => z / Math.LN2;
  const curve = (f: (z: number) => number) => zs.map((z): [number, number] => [stops(z), f(z)]);
  const codes = [0, 64, 128, 192, 255];
  return charts([
    {
      title: 'One pair of frames, 3 stops apart',
      x: { label: 'value in the darker frame', from: 0, to: 128, ticks: [0, 32, 64, 96, 128] },
      y: { label: 'value in the brighter frame', from: 0, to: 255, ticks: codes },
      background: await density(green.first, green.second, green.count),
      lines: [
        {
          points: expected,
          colour: COLOURS.orange,
          width: 1.5,
          label: { text: 'as the true response has it', at: [50, 150] },
        },
      ],
    },
    {
      title: 'The response that all pairs agree on',
      x: { label: 'stops below saturation', from: -12, to: 0, ticks: [-12, -9, -6, -3, 0] },
      y: { label: 'pixel value', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] },
      lines: [
        {
          points: curve((z) => responseValue(light.response, 1, z)),
          colour: '#7dbf8f',
          width: 6,
          label: { text: 'found (green channel)', at: [-11.3, 0.87] },
        },
        {
          points: curve((z) => response(curves[1], Math.exp(z))),
          colour: INK,
          width: 1.5,
          dashed: true,
          label: { text: 'true', at: [-11.3, 0.78] },
        },
        {
          points: curve((z) => encodeSrgb(Math.exp(z))),
          colour: COLOURS.grey,
          width: 1.5,
          label: { text: 'sRGB, which it is not', at: [-11.3, 0.69] },
        },
      ],
    },
  ]);
};

/** How often each pair of codes occurs, dark where often; of the darker frame the lower half. */
function density(first: Uint8Array, second: Uint8Array, count: Float64Array): Promise<Uint8Array> {
  const grey = new Uint8Array(256 * 128 * 2);
  const most = Math.log1p(400);
  for (let i = 0; i < first.length; i++) {
    if (first[i] >= 128) continue;
    const at = 2 * ((255 - second[i]) * 128 + first[i]);
    grey[at + 1] = Math.round(255 * Math.min(1, Math.log1p(count[i]) / most));
  }
  return sharp(grey, { raw: { width: 128, height: 256, channels: 2 } })
    .png({ palette: true })
    .toBuffer();
}

const exponential = (ln: Picture): Picture => ({ ...ln, data: ln.data.map((v) => Math.exp(v)) });

/** The merge of each focus setting, and everything in focus of them. */
const merge: Figure = () => {
  const { show } = once(study);
  const { light, allInFocus } = once(steps);
  const views = light.views.map((view, i) => ({
    panel: show(exponential(view)),
    caption: `merged: three exposures, focus ${NAMES[i]}`,
  }));
  const all = { panel: show(exponential(allInFocus)), caption: 'the sharpest of them at every pixel' };
  return captioned([views.slice(0, 2), [views[2], all]]);
};

/** Three places of the study, by their pixels, and where their names stand among the costs. */
const PLACES = [
  { name: 'pencils', x: 402, y: 250, colour: COLOURS.orange, at: [0.7, 0.04] },
  { name: 'letter', x: 236, y: 168, colour: COLOURS.green, at: [0.7, 0.1] },
  { name: 'books', x: 336, y: 52, colour: COLOURS.blue, at: [0.6, 0.34] },
] as const;

function around(map: Picture, x: number, y: number): number {
  const values: number[] = [];
  for (let dy = -3; dy <= 3; dy++)
    for (let dx = -3; dx <= 3; dx++) values.push(map.data[(y + dy) * map.width + x + dx]);
  return values.sort((a, b) => a - b)[24];
}

/** The circle of confusion of each focus setting over the defocus. */
const circles: Figure = async () => {
  const { grouping, sweep } = once(steps);
  const [low, high] = [-1.3, 1.3];
  const colours = [COLOURS.orange, COLOURS.green, COLOURS.blue];
  const labels = [
    { at: [-0.72, 5], anchor: 'start' },
    { at: [0, 0.9], anchor: 'middle' },
    { at: [0.72, 5], anchor: 'end' },
  ] as const;
  const lines = grouping.focus.map((f, v): Line => {
    const at = (s: number) => sweep.kappa * Math.abs(s - f);
    return {
      points: [low, f, high].map((s) => [s, at(s)]),
      colour: colours[v],
      label: { text: `focus ${NAMES[v]}`, ...labels[v] },
    };
  });
  const depths = Array.from({ length: 41 }, (_, i) => low + (i * (high - low)) / 40);
  return charts([
    {
      title: 'Radius of the circle of confusion',
      x: { label: 'defocus s: far −1 … near +1', from: low, to: high, ticks: [-1, -0.5, 0, 0.5, 1] },
      y: { label: 'pixels', from: 0, to: 8, ticks: [0, 2, 4, 6, 8] },
      lines,
      marks: PLACES.map(({ name, x, y }) => ({ x: around(sweep.s, x, y), text: name })),
    },
    {
      title: 'How badly each defocus explains the frames',
      x: { label: 'defocus s: far −1 … near +1', from: low, to: high, ticks: [-1, -0.5, 0, 0.5, 1] },
      y: { label: 'mean difference of ln light', from: 0, to: 0.4, ticks: [0, 0.1, 0.2, 0.3, 0.4] },
      lines: costs(depths),
    },
  ]);
};

/** Cost of every depth around the three places. */
function costs(depths: readonly number[]): Line[] {
  const { light, grouping, sweep, aperture } = once(steps);
  const { stack } = focusStack(light.views, grouping.focus, aperture, 3e5);
  const sharpest = sharpByContrast(stack);
  const ladder = blurLadder(stack, sharpest.light, sweep.kappa * 2.5);
  const { cost, width } = costVolume(stack, ladder, sharpest.source, sweep.kappa, depths, 3);
  const unit = TRUNCATION / MAXIMUM_COST;
  return PLACES.map(({ name, x, y, colour, at }) => {
    const points = depths.map((s, l): [number, number] => [
      s,
      unit * cost[(y * width + x) * depths.length + l],
    ]);
    return { points, colour, label: { text: name, at } };
  });
}

/** The defocus map against the true one. */
const defocus: Figure = () => {
  const { capture } = once(study);
  const { sweep } = once(steps);
  const { depth } = capture.truth;
  const inverse = { ...depth, data: depth.data.map((z) => 1 / z) };
  return captioned([
    [
      { panel: mapPanel(sweep.s), caption: 'defocus map of the start: near is bright' },
      { panel: mapPanel(inverse), caption: 'the truth' },
    ],
  ]);
};

export const startFigures: Readonly<Record<string, Figure>> = {
  'learn/photographs.jpg': photographs,
  'learn/response.svg': responses,
  'learn/merge.jpg': merge,
  'learn/circles.svg': circles,
  'learn/defocus.jpg': defocus,
};
