import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole, writeImage } from '../imaging/write.js';
import type { Look } from '../model/camera/camera.js';
import { ImplicamError } from '../model/errors.js';
import { percentile } from '../model/percentile.js';
import { createPicture, type Frame, type Picture, type PictureOrigin } from '../model/picture.js';
import { parseRenderQuery, type RenderQueryInput } from '../model/render/query.js';
import { parametersSha256, saveModel } from './model-file/model-file.js';
import type { Development } from './options.js';
import { describeRender } from './origin.js';
import { displayReason } from './render/display.js';
import { makePreview } from './render/preview-picture.js';
import { renderFile } from './render/render-file.js';
import { type LearnedResponse, responseOf } from './render/response.js';
import { renderScene } from './render/scene-renderer.js';

/** The files of a results folder. */
export const OUTPUT_FILES = {
  preview: 'preview.jpg',
  picture: 'all-in-focus.png',
  radiance: 'all-in-focus.exr',
  ultraHdr: 'all-in-focus.jpg',
  defocus: 'defocus.exr',
  near: 'refocus-near.png',
  far: 'refocus-far.png',
  response: 'response.json',
  model: 'model.safetensors',
  report: 'report.json',
} as const;

/** Where an interrupted run is kept. */
export const SNAPSHOT_FILE = 'snapshot.safetensors';

/** The machine-readable line of a development; its keys are stable. */
export interface DevelopReport {
  readonly out: string;
  readonly engine: string;
  readonly device: string;
  readonly preset: string;
  /** Learned exposure in stops and focus in focus units. */
  readonly frames: readonly { readonly file: string; readonly ev: number; readonly focus: number }[];
  readonly steps: number;
  readonly seconds: {
    readonly decode: number;
    readonly register: number;
    readonly train: number;
    readonly render: number;
  };
  /** Of the last step; null where no step was done. */
  readonly loss: number | null;
  readonly framePsnr: number | null;
  readonly parametersSha256: string;
}

/** What is reported beside what a development knows of itself. */
export interface OutputContext {
  /** The photographs, for their focus distances; none where they are not at hand. */
  readonly frames: readonly Pick<Frame, 'camera'>[];
  readonly decodeSeconds: number;
  /** What the run was made with: program, Node, … */
  readonly versions: Readonly<Record<string, string>>;
}

/** Makes sure that results can be written, before hours of work. @throws ImplicamError `write-failed`. */
export async function prepareOutputs(folder: string): Promise<void> {
  const probe = join(folder, '.implicam-probe');
  try {
    await mkdir(folder, { recursive: true });
    await writeFileWhole(probe, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is a file' : 'it cannot be written to';
    throw new ImplicamError(
      'write-failed',
      `${folder} cannot hold the results (${why}): name another folder`,
      { cause },
    );
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** Writes a small picture of the classical start, for those who do not want to wait. @throws ImplicamError `write-failed`. */
export async function writePreview(
  folder: string,
  radiance: Picture,
  look: Look,
  origin: PictureOrigin,
  seen?: Picture,
): Promise<string> {
  const path = join(folder, OUTPUT_FILES.preview);
  await writeFileWhole(path, (await makePreview(radiance, look, origin, seen)).bytes);
  return path;
}

/**
 * Writes everything that a development results in: pictures, model, response, report. Files of an earlier run that
 * this one does not have (a defocus map, say) are taken away.
 */
export async function writeOutputs(
  folder: string,
  development: Development,
  context: OutputContext,
): Promise<DevelopReport> {
  const began = performance.now();
  const { model } = development;
  const learned = responseOf(model);
  const origin = describeRender(model);
  const path = (file: keyof typeof OUTPUT_FILES) => join(folder, OUTPUT_FILES[file]);
  const write = async (file: keyof typeof OUTPUT_FILES, query: RenderQueryInput) => {
    const complete = parseRenderQuery(query);
    await writeFileWhole(path(file), await renderFile(development.baked, model, complete));
  };
  await write('radiance', { format: 'exr' });
  await write('picture', {});
  const notes = [...model.info.notes, `all-in-focus.png: ${displayReason(learned.frames.map((f) => f.ev))}`];
  const ultraHdr = Math.min(model.capture.width, model.capture.height) >= 8;
  if (ultraHdr) {
    await write('ultraHdr', { format: 'ultrahdr' });
  }
  if (!ultraHdr) notes.push('no all-in-focus.jpg: UltraHDR begins at 8 × 8 pixels');

  const kept = new Set<keyof typeof OUTPUT_FILES>([
    'preview',
    'radiance',
    'picture',
    'response',
    'model',
    'report',
  ]);
  if (ultraHdr) kept.add('ultraHdr');
  if (model.config.blur.form === 'lens') {
    const map = renderScene(development.baked, model, parseRenderQuery({ kind: 'depth', tone: 'linear' }));
    const toDepth = inverseDepthFit(learned, context.frames);
    if (toDepth)
      notes.push('defocus.exr: channel Z is depth in metres, from the focus distances of the files');
    await writeDefocus(path('defocus'), map, toDepth, origin);
    kept.add('defocus');
    // Whoever wants a picture at once does not wait for examples of blur.
    if (model.capture.focus.length > 1 && model.info.quality !== 'instant') {
      for (const [file, rank] of [
        ['near', 95],
        ['far', 5],
      ] as const) {
        const focus = percentile(map.data, rank);
        await write(file, { kind: 'refocus', focus, aperture: EXAMPLE_APERTURE });
        kept.add(file);
      }
    }
  }

  await writeFileWhole(path('response'), json(learned));
  await saveModel(path('model'), model, { training: false });
  for (const file of Object.keys(OUTPUT_FILES) as (keyof typeof OUTPUT_FILES)[]) {
    if (!kept.has(file)) await rm(path(file), { force: true });
  }

  const { seconds } = development;
  const report: DevelopReport = {
    out: folder,
    engine: model.info.engine,
    device: model.info.device,
    preset: model.info.preset,
    frames: learned.frames,
    steps: development.steps,
    seconds: {
      decode: context.decodeSeconds,
      register: seconds.register + seconds.start,
      train: seconds.train,
      render: seconds.render + (performance.now() - began) / 1000,
    },
    loss: finite(development.loss),
    framePsnr: finite(development.framePsnr),
    parametersSha256: parametersSha256(model),
  };
  const { quality } = model.info;
  const { versions } = context;
  await writeFileWhole(path('report'), json({ ...report, quality, seed: model.seed, notes, versions }));
  return report;
}

/** How much wider than the widest lens of the capture the refocused examples are: their blur is meant to be seen. */
const EXAMPLE_APERTURE = 2;

const finite = (value: number) => (Number.isFinite(value) ? value : null);
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Inverse depth in 1/m as a line over the defocus map. */
interface InverseDepth {
  readonly offset: number;
  readonly slope: number;
}

/** Largest depth that is written, in metres: what is beyond counts as infinitely far. */
const FARTHEST = 1e4;

/** Channel Y: the signed defocus map in focus units, near positive. Channel Z, where known: depth in metres. */
async function writeDefocus(
  path: string,
  map: Picture,
  fit: InverseDepth | undefined,
  origin: PictureOrigin,
): Promise<void> {
  if (!fit) return writeImage(path, map, { origin });
  const both = createPicture(map.width, map.height, 2);
  for (let i = 0; i < map.data.length; i++) {
    both.data[2 * i] = map.data[i];
    both.data[2 * i + 1] = 1 / Math.max(fit.offset + fit.slope * map.data[i], 1 / FARTHEST);
  }
  return writeImage(path, both, { channels: ['Y', 'Z'], origin });
}

/**
 * A thin lens makes the defocus map a line in inverse depth, so learned focus against 1/distance of the frames fixes
 * it, by least squares. Undefined unless the files know two different distances.
 */
function inverseDepthFit(
  learned: LearnedResponse,
  frames: OutputContext['frames'],
): InverseDepth | undefined {
  const points = frames.flatMap(({ camera }, i) => {
    const distance = camera.focusDistance;
    return distance !== undefined && distance > 0 ? [{ x: learned.frames[i].focus, y: 1 / distance }] : [];
  });
  if (points.length < frames.length || points.length === 0) return undefined;
  const mean = (of: (p: { x: number; y: number }) => number) =>
    points.reduce((sum, p) => sum + of(p), 0) / points.length;
  const [mx, my] = [mean((p) => p.x), mean((p) => p.y)];
  const xx = mean((p) => (p.x - mx) ** 2);
  const xy = mean((p) => (p.x - mx) * (p.y - my));
  // Distances that do not grow with the learned focus are not distances.
  if (!(xy > 1e-9 && xx > 1e-9)) return undefined;
  const slope = xy / xx;
  return { slope, offset: my - slope * mx };
}
