import { cameraOf } from '../../../develop/render/response.js';
import { encodeSrgb, filmic } from '../../../model/render/display-curves.js';
import { COLOURS, charts } from '../plot.js';
import { contactSheet, framePanel, mapPanel } from '../sheet.js';
import { developed, once } from './developed.js';
import { captioned, type Figure } from './figure.js';

/** Figures of what is rendered from a learned study; the picture of the README among them. */

const study = () => developed('study', { quality: 'best' });

/** Frames of the 3 × 3 capture that are shown: near and dark, middle, far and bright. */
const SHOWN = [0, 4, 8];

const readme: Figure = async () => {
  const { frames, render } = await once(study);
  const near = render({ kind: 'refocus', focus: 0.95, aperture: 1.6 });
  return contactSheet([
    { title: 'three of nine photographs', panels: SHOWN.map((i) => framePanel(frames[i])) },
    {
      title: 'learned: all in focus in full range, refocused at a wider aperture, defocus map',
      panels: [render({}), near, mapPanel(render({ kind: 'depth' }))],
    },
  ]);
};

const signed = (v: number) => (v > 0 ? `+${v}` : String(v).replace('-', '−'));

/** The plane in focus moves from near to far. */
const refocus: Figure = async () => {
  const { show, light } = await once(study);
  const panels = [0.95, 0.4, -0.1, -0.9].map((focus) => ({
    panel: show(light({ kind: 'refocus', focus, aperture: 2 })),
    caption: `focus ${signed(focus)}, aperture 2`,
  }));
  return captioned([panels.slice(0, 2), panels.slice(2)]);
};

/** The same focus through wider and wider openings. */
const aperture: Figure = async () => {
  const { show, light } = await once(study);
  const words = ['a pinhole', 'half as wide', 'as photographed', 'three times as wide'];
  const panels = [0, 0.5, 1, 3].map((a, i) => ({
    panel: show(light({ kind: 'refocus', focus: 0.2, aperture: a })),
    caption: `aperture ${a}: ${words[i]}`,
  }));
  return captioned([panels.slice(0, 2), panels.slice(2)]);
};

/** Exposures through the learned response, and one picture for the whole range. */
const exposure: Figure = async () => {
  const { show, light, render } = await once(study);
  const panels = [-4, -2, 0, 2, 4].map((ev) => ({
    panel: render({ tone: 'learned', ev }),
    caption: `learned response, ${signed(ev)} stops`,
  }));
  return captioned([
    panels.slice(0, 3),
    [...panels.slice(3), { panel: show(light()), caption: 'local: the whole range at once' }],
  ]);
};

/** Curves from light to what is shown. */
const tones: Figure = async () => {
  const { development } = await once(study);
  const { tone } = cameraOf(development.model);
  const stops = Array.from({ length: 141 }, (_, i) => -10 + i * 0.1);
  const clip = (v: number) => Math.min(1, Math.max(0, v));
  const line = (f: (x: number) => number) => stops.map((s): [number, number] => [s, clip(f(2 ** s))]);
  return charts([
    {
      title: 'From light to a pixel value',
      x: {
        label: 'light, in stops; 0: the sensor is full',
        from: -10,
        to: 4,
        ticks: [-10, -8, -6, -4, -2, 0, 2, 4],
      },
      y: { label: 'pixel value', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] },
      lines: [
        {
          points: line((x) => tone(1, Math.log(x))),
          colour: COLOURS.green,
          label: { text: 'learned', at: [-3.4, 0.2] },
        },
        {
          points: line(encodeSrgb),
          colour: COLOURS.blue,
          label: { text: 'srgb', at: [-4.1, 0.3], anchor: 'end' },
        },
        {
          points: line((x) => encodeSrgb(filmic(x))),
          colour: COLOURS.orange,
          label: { text: 'filmic', at: [0.9, 0.83] },
        },
      ],
    },
  ]);
};

export const renderFigures: Readonly<Record<string, Figure>> = {
  'study.png': readme,
  'learn/refocus.jpg': refocus,
  'learn/aperture.jpg': aperture,
  'learn/exposure.jpg': exposure,
  'learn/tones.svg': tones,
};
