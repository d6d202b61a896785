import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { develop } from '../../develop/develop.js';
import type { Development, Quality } from '../../develop/options.js';
import { readFrames } from '../../imaging/capture.js';
import type { Frame, Picture } from '../../model/picture.js';
import { bestFrame } from '../baselines/best-frame.js';
import { classicalRadiance } from '../baselines/classical.js';
import { exposureFusion, laplacianChoice, pyramidFusion } from '../baselines/fusion.js';
import { IDENTITY } from '../samples/motion.js';
import type { Truth } from '../samples/truth.js';
import { writeSample } from '../samples/write.js';
import { type KnownTruth, readKnownTruth } from '../scores/evaluate.js';
import { recover } from '../scores/recover.js';
import { displayedPair, type RadianceScores, scoreRadiance } from '../scores/scores.js';
import { commandOf, type QualityCapture } from './captures.js';
import { afterBestCurve } from './display.js';
import { reasons } from './reasons.js';

/** The simpler methods that radiance is compared with; the last two choose between focus settings. */
export const BASELINES = ['bestFrame', 'debevec', 'laplacian', 'pyramid'] as const;
export type Baseline = (typeof BASELINES)[number];

/** How one capture went. */
export interface Judgement {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly preset: string;
  readonly seconds: number;
  /** What photographs it again, where it was generated. */
  readonly command?: string;
  readonly ours: RadianceScores;
  /** Of those that apply. */
  readonly baselines: Readonly<Partial<Record<Baseline, RadianceScores>>>;
  /** PSNR in dB of the pictures as displayed, each after the curve that suits it best. */
  readonly display: { readonly ours: number; readonly mertens: number };
  /** The best baseline, where it is better, and what can be told of why. */
  readonly lost?: { readonly to: Baseline; readonly by: number; readonly why: readonly string[] };
}

/** Photographs a generated scene into files, develops these as a person's, and scores the result and the baselines. */
export async function judge(capture: QualityCapture, quality: Quality): Promise<Judgement> {
  const folder = await mkdtemp(join(tmpdir(), 'implicam-quality-'));
  try {
    const truth = await writeSample(folder, capture.options);
    const frames = await readFrames(truth.frames.map(({ file }) => join(folder, file)));
    const known = await readKnownTruth(folder);
    const judgement = await judgeFrames(capture.name, frames, known, quality, truth);
    return { ...judgement, command: commandOf(capture) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same for frames that are there, and their truth. */
export async function judgeFrames(
  name: string,
  frames: readonly Frame[],
  known: KnownTruth,
  quality: Quality,
  truth?: Truth,
): Promise<Judgement> {
  const began = performance.now();
  let start: Picture | undefined;
  const onPreview = (light: Picture) => {
    start = light;
  };
  const development = await develop(frames, { quality, onPreview });
  const seconds = (performance.now() - began) / 1000;
  const { model, baked } = development;
  const { radiance } = recover(model, baked, truth?.referenceFrame);
  const score = (picture: Picture) => scoreRadiance(picture, known.radiance, known.inverseDepth);
  const ours = score(radiance);
  const { stack } = known;
  const baselines: Partial<Record<Baseline, RadianceScores>> = {
    bestFrame: score(bestFrame(stack, known.radiance).picture),
    debevec: score(classicalRadiance(stack)),
    ...(stack.brackets.length > 1
      ? { laplacian: score(laplacianChoice(stack)), pyramid: score(pyramidFusion(stack)) }
      : {}),
  };
  const shown = displayedPair(radiance, known.radiance);
  return {
    name,
    width: known.radiance.width,
    height: known.radiance.height,
    frames: frames.length,
    preset: model.info.preset,
    seconds,
    ours,
    baselines,
    display: {
      ours: afterBestCurve(shown.picture, shown.truth),
      mertens: afterBestCurve(exposureFusion(stack), shown.truth),
    },
    ...lossOf(ours, baselines, development, truth, isStill(truth) && start ? score(start) : undefined),
  };
}

/** Whether the start is in the truth's view, whatever frame that was made in. */
const isStill = (truth: Truth | undefined) =>
  truth === undefined ||
  truth.frames.every(({ homography }) => homography.every((v, i) => v === IDENTITY[i]));

function lossOf(
  ours: RadianceScores,
  baselines: Judgement['baselines'],
  development: Development,
  truth: Truth | undefined,
  start: RadianceScores | undefined,
): Pick<Judgement, 'lost'> {
  const present = BASELINES.filter((b) => baselines[b] !== undefined);
  const to = present.reduce((a, b) => (baselines[b]!.muPsnr > baselines[a]!.muPsnr ? b : a));
  const by = baselines[to]!.muPsnr - ours.muPsnr;
  if (!(by > 0)) return {};
  return { lost: { to, by, why: reasons(ours, baselines[to]!, development, truth, start) } };
}
