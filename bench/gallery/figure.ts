import { develop } from '../../develop/develop.js';
import { chooseDisplay } from '../../develop/render/display.js';
import { renderScene } from '../../develop/render/scene-renderer.js';
import { writeFileWhole } from '../../imaging/write.js';
import { parseRenderQuery, type RenderQueryInput } from '../../model/render/query.js';
import { framesOf } from '../benchmarks/frames.js';
import { renderCapture } from '../samples/capture.js';
import { contactSheet, framePanel, mapPanel } from './sheet.js';

/** `npm run figure`: the picture of the README, photographed and developed from nothing. */

const OUT = 'docs/images/study.png';

/** Frames of the 3 × 3 capture that are shown: near and dark, middle, far and bright. */
const SHOWN = [0, 4, 8];

const capture = renderCapture({ scene: 'study' });
const frames = framesOf(capture);
const { baked, model } = await develop(frames, { quality: 'best' });
const render = (query: RenderQueryInput) => renderScene(baked, model, parseRenderQuery(query));
const light = render({ tone: 'linear' });
const { tone, ev } = chooseDisplay(
  light,
  model.info.frames.map((f) => f.ev),
);
const near = render({ kind: 'refocus', focus: 0.95, aperture: 1.6, tone, ev });
const sheet = await contactSheet([
  { title: 'three of nine photographs', panels: SHOWN.map((i) => framePanel(frames[i]!)) },
  {
    title: 'learned: all in focus in full range, refocused at a wider aperture, defocus map',
    panels: [render({ tone, ev }), near, mapPanel(render({ kind: 'depth' }))],
  },
]);
await writeFileWhole(OUT, sheet);
console.log(`${OUT}: ${Math.round(sheet.length / 1024)} KiB`);
