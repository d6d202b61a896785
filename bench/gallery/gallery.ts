import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { develop } from '../../develop/develop.js';
import { type Development, QUALITIES, type Quality } from '../../develop/options.js';
import { chooseDisplay, showRadiance } from '../../develop/render/display.js';
import { cameraOf } from '../../develop/render/response.js';
import { renderScene } from '../../develop/render/scene-renderer.js';
import { writeFileWhole, writeImage } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { Picture } from '../../model/picture.js';
import { parseRenderQuery, type RenderQueryInput } from '../../model/render/query.js';
import { type Evaluation, evaluateAgainst } from '../scores/evaluate.js';
import { recover } from '../scores/recover.js';
import { sharpnessRatio } from '../scores/sharpness.js';
import { GALLERY, type GalleryCapture } from './sets.js';
import { contactSheet, framePanel, mapPanel, type Panel, type SheetRow } from './sheet.js';

/**
 * `npm run gallery -- --data DIR`: develops captures that nobody of this project made, and captures simulated from
 * such photographs, whose truth is known. Pictures stay on this machine (they are other people's); the numbers go to
 * docs/reference/QUALITY.md.
 */

interface Result {
  readonly name: string;
  readonly capture: GalleryCapture;
  readonly development: Development;
  readonly sharpness: { readonly median: number; readonly low: number } | undefined;
  readonly scores: Evaluation | undefined;
  readonly row: SheetRow;
}

async function main(): Promise<void> {
  const options = readOptions();
  await mkdir(options.out, { recursive: true });
  const results: Result[] = [];
  for (const { name, load } of GALLERY.filter((set) => set.name.includes(options.only))) {
    try {
      const result = await developSet(name, await load(options.data, options.size), options.quality);
      results.push(result);
      await writeImage(join(options.out, `${name}.png`), result.row.panels.at(PICTURE_PANEL)!);
      console.log(tableRow(result).join('  '));
    } catch (error) {
      // One capture that cannot be developed says so and does not cost the others.
      if (!(error instanceof ImplicamError)) throw error;
      console.error(`${name} failed: ${error.message}`);
      process.exitCode = 1;
    }
  }
  if (results.length === 0) {
    throw new ImplicamError(
      'bad-option',
      `no set that could be developed has "${options.only}" in its name: ${GALLERY.map((s) => s.name).join(', ')}`,
    );
  }
  await writeFileWhole(join(options.out, 'contact-sheet.png'), await contactSheet(results.map((r) => r.row)));
  if (options.only === '') await writeTable(options.table, tableOf(results, options));
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      size: { type: 'string', default: '800' },
      quality: { type: 'string', default: 'standard' },
      only: { type: 'string', default: '' },
      out: { type: 'string', default: 'out/gallery' },
      table: { type: 'string', default: 'docs/reference/QUALITY.md' },
    },
  });
  const { data, quality } = values;
  const size = Number(values.size);
  const usage = (message: string) => new ImplicamError('bad-option', message, { exitCode: 2 });
  if (!data) throw usage('name the folder of the test photographs: npm run gallery -- --data DIR');
  if (!Number.isInteger(size) || size < 64)
    throw usage(`--size is the long side in pixels, not ${values.size}`);
  if (!QUALITIES.includes(quality as Quality)) throw usage(`--quality is one of ${QUALITIES.join(', ')}`);
  return { ...values, data, size, quality: quality as Quality };
}

/** Place of the all-in-focus picture in a row of the sheet. */
const PICTURE_PANEL = 2;

async function developSet(name: string, capture: GalleryCapture, quality: Quality): Promise<Result> {
  const { frames, truth } = capture;
  const development = await develop(frames, { quality });
  const { model, baked } = development;
  const render = (query: RenderQueryInput) => renderScene(baked, model, parseRenderQuery(query));
  const radiance = render({ tone: 'linear' });
  const camera = cameraOf(model);
  const display = chooseDisplay(radiance, camera);
  const show = (light: Picture) => showRadiance(light, display, camera);
  const panels: Panel[] = [framePanel(frames[0]), framePanel(frames.at(-1)!), show(radiance)];
  const focused = model.config.blur.form === 'lens' && model.capture.focus.length > 1;
  if (focused) {
    panels.push(mapPanel(render({ kind: 'depth' })));
    for (const focus of [1, -1])
      panels.push(show(render({ kind: 'refocus', focus, aperture: 2, tone: 'linear' })));
  }
  const single = display.local === 0;
  return {
    name,
    capture,
    development,
    sharpness: focused && single ? sharpnessRatio(panels[PICTURE_PANEL], frames.map(framePanel)) : undefined,
    scores: truth && evaluateAgainst(recover(model, baked), truth),
    row: { title: name, panels },
  };
}

const HEAD = [
  'capture',
  'frames',
  'pixels',
  'preset',
  'seconds',
  'frame PSNR',
  'sharpness',
  'its worst tenth',
  'μ-law PSNR',
  'classical',
  'best frame',
  'SSIM',
  'depth',
];

function tableRow({ name, capture, development, sharpness, scores }: Result): string[] {
  const { frames } = capture;
  const { seconds, framePsnr, model } = development;
  const number = (value: number | null | undefined, decimals: number) =>
    value === undefined || value === null || !Number.isFinite(value) ? '' : value.toFixed(decimals);
  return [
    name,
    String(frames.length),
    `${frames[0].width} × ${frames[0].height}`,
    model.info.preset,
    number(
      Object.values(seconds).reduce((a, b) => a + b, 0),
      0,
    ),
    number(framePsnr, 1),
    number(sharpness?.median, 2),
    number(sharpness?.low, 2),
    number(scores?.muPsnr, 1),
    number(scores?.baselines.classical.muPsnr, 1),
    number(scores?.baselines.bestFrame.muPsnr, 1),
    number(scores?.ssim, 3),
    number(scores?.depthCorrelation && Math.abs(scores.depthCorrelation), 2),
  ];
}

const [BEGIN, END] = ['<!-- real captures -->', '<!-- /real captures -->'];

/** Puts the table in its place on a page. */
async function writeTable(page: string, table: string): Promise<void> {
  const [before, rest] = (await readFile(page, 'utf8')).split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) {
    throw new ImplicamError('bad-option', `${page} has no place for the table: ${BEGIN} … ${END}`);
  }
  await writeFileWhole(page, `${before}${BEGIN}\n\n${table}\n${END}${after}`);
}

function tableOf(results: readonly Result[], { size, quality }: { size: number; quality: Quality }): string {
  const { device } = results[0].development.model.info;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `Captures that nobody of this project made, developed as they are: \`npm run gallery -- --data DIR --size ${size} --quality ${quality}\`,
long side at most ${size} pixels, on ${device}. The pictures are other people's and not part of this repository.

- frame PSNR, dB: how well the learned scene and camera explain the photographs, where one surface can explain them: pixels
  beside depth edges that training leaves out, and what moved while a bracket was taken, do not count.
- sharpness: strength of second differences by tiles of 32 pixels, against the sharpest frame of each tile (1: as sharp as
  the best frame there); median, and the tenth percentile. Frames are compared as they were taken, before registration.
- μ-law PSNR, dB, SSIM and correlation of the defocus map with inverse depth (its size: frames without focus distances do
  not tell near from far) where a truth is known: ray-traced
  (\`blender_wood\`), or the photograph that a bracket or focus stack was simulated from (\`…_of_…\`: thin lens, sensor noise,
  clipping, an untold response, 8 bits). \`classical\` is Debevec's merge per focus, then the sharpest focus, with exact
  exposures; \`best frame\` the best single photograph.

${[line(HEAD), line(HEAD.map(() => '---')), ...results.map((r) => line(tableRow(r)))].join('\n')}
`;
}

main().catch((error: unknown) => {
  const known = error instanceof ImplicamError;
  console.error(known ? `implicam: ${error.message}` : error);
  process.exitCode = known ? error.exitCode : 1;
});
