import { develop } from '../../develop/develop.js';
import type { Development, DevelopOptions, Quality, TrainedModel } from '../../develop/options.js';
import type { Picture } from '../../model/picture.js';
import { type CaptureOptions, renderCapture } from '../samples/capture.js';
import { recover } from '../scores/recover.js';
import { scoreRadiance } from '../scores/scores.js';
import { framesOf } from './frames.js';

export interface TrainReport {
  /** Seconds count from decoded photographs: registration, classical start, training; not the scoring. */
  readonly curve: readonly { readonly seconds: number; readonly step: number; readonly muPsnr: number }[];
  /** When the picture was first within half a decibel of the last one. */
  readonly secondsToWithinHalfDb: number;
}

export interface TrainBenchOptions extends Pick<DevelopOptions, 'engine' | 'threads' | 'seed' | 'steps'> {
  readonly capture?: CaptureOptions;
  /** @default 'standard' */
  readonly quality?: Quality;
  /** Where the run is stopped to be scored, as fractions of its steps. @default closer together at first */
  readonly stops?: readonly number[];
}

/** Closer together at first, where most is learned. */
const STOPS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * PSNR over time of a development. The run is stopped, scored and resumed, which by design changes nothing of what it
 * learns: the very code that people run is measured.
 */
export async function benchTrain(options: TrainBenchOptions = {}): Promise<TrainReport> {
  const { capture: captureOptions, quality, stops = STOPS, ...rest } = options;
  const capture = renderCapture(captureOptions ?? {});
  const { radiance: truth } = capture.truth;
  const frames = framesOf(capture);
  const curve: { seconds: number; step: number; muPsnr: number }[] = [];
  const score = (picture: Picture) => scoreRadiance(picture, truth).muPsnr;
  const spent: number[] = [];
  let previous: Development | undefined;
  for (const stop of [...stops, 1]) {
    let preview: Picture | undefined;
    const development = await runUntil(stop, frames, previous?.model, {
      ...rest,
      ...(quality ? { quality } : {}),
      onPreview: (radiance) => {
        preview = radiance;
      },
    });
    const { register, start, train } = development.seconds;
    // Registration and start are done once by those who do not stop.
    spent.push(previous ? train : register + start + train);
    const seconds = spent.reduce((a, b) => a + b, 0);
    if (!previous && preview) curve.push({ seconds: register + start, step: 0, muPsnr: score(preview) });
    const { radiance } = recover(development.model, development.baked);
    if (!previous || development.steps > previous.steps) {
      curve.push({ seconds, step: development.steps, muPsnr: score(radiance) });
    }
    previous = development;
    if (!development.interrupted) break;
  }
  const last = curve.at(-1)!.muPsnr;
  return { curve, secondsToWithinHalfDb: curve.find((p) => p.muPsnr >= last - 0.5)!.seconds };
}

/** Develops, or goes on, until a fraction of all steps is done; to the end at 1. */
async function runUntil(
  stop: number,
  frames: Parameters<typeof develop>[0],
  resume: TrainedModel | undefined,
  options: DevelopOptions,
): Promise<Development> {
  const controller = new AbortController();
  return develop(frames, {
    ...options,
    ...(resume ? { resume } : {}),
    signal: controller.signal,
    onProgress: ({ step, steps }) => {
      if (stop < 1 && step >= stop * steps) controller.abort();
    },
  });
}
