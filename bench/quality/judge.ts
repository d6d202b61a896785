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
  /**
   * What they are compared by, dB: `muPsnr`; of a single exposure, which does not tell the response, PSNR as displayed after
   * the curve that suits each best.
   */
  readonly decibels: {
    readonly ours: number;
    readonly baselines: Readonly<Partial<Record<Baseline, number>>>;
  };
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
  const pictures: Partial<Record<Baseline, Picture>> = {
    bestFrame: bestFrame(stack, known.radiance).picture,
    debevec: classicalRadiance(stack),
    ...(stack.brackets.length > 1
      ? { laplacian: laplacianChoice(stack), pyramid: pyramidFusion(stack) }
      : {}),
  };
  const baselines = mapBaselines(pictures, score);
  const shown = displayedPair(radiance, known.radiance);
  const asShown = (picture: Picture) => {
    const pair = displayedPair(picture, known.radiance);
    return afterBestCurve(pair.picture, pair.truth);
  };
  const toldResponse = stack.brackets.some((bracket) => bracket.evs.length > 1);
  const decibels = toldResponse
    ? { ours: ours.muPsnr, baselines: mapBaselines(baselines, (s) => s.muPsnr) }
    : { ours: asShown(radiance), baselines: mapBaselines(pictures, asShown) };
  return {
    name,
    width: known.radiance.width,
    height: known.radiance.height,
    frames: frames.length,
    preset: model.info.preset,
    seconds,
    ours,
    baselines,
    decibels,
    display: {
      ours: afterBestCurve(shown.picture, shown.truth),
      mertens: afterBestCurve(exposureFusion(stack), shown.truth),
    },
    ...lossOf(
      ours,
      baselines,
      decibels,
      development,
      truth,
      isStill(truth) && start ? score(start) : undefined,
    ),
  };
}

/** Whether the start is in the truth's view, whatever frame that was made in. */
const isStill = (truth: Truth | undefined) =>
  truth === undefined ||
  truth.frames.every(({ homography }) => homography.every((v, i) => v === IDENTITY[i]));

function mapBaselines<A, B>(
  of: Readonly<Partial<Record<Baseline, A>>>,
  map: (value: A) => B,
): Partial<Record<Baseline, B>> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value)]));
}

function lossOf(
  ours: RadianceScores,
  baselines: Judgement['baselines'],
  decibels: Judgement['decibels'],
  development: Development,
  truth: Truth | undefined,
  start: RadianceScores | undefined,
): Pick<Judgement, 'lost'> {
  const present = BASELINES.filter((b) => baselines[b] !== undefined);
  const to = present.reduce((a, b) => (decibels.baselines[b]! > decibels.baselines[a]! ? b : a));
  const by = decibels.baselines[to]! - decibels.ours;
  if (!(by > 0)) return {};
  return { lost: { to, by, why: reasons(ours, baselines[to]!, development, truth, start) } };
}
