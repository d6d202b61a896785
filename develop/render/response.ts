import { type Camera, readCamera } from '../../model/camera/camera.js';
import { createPlan } from '../../model/plan.js';
import type { TrainedModel } from '../options.js';

/** The camera that a model learned, as numbers for other programs: `response.json`. */
export interface LearnedResponse {
  /** Pixel value 0…1 of each channel at ln exposures; saturation is at 0. */
  readonly response: {
    readonly lnExposure: readonly number[];
    readonly red: readonly number[];
    readonly green: readonly number[];
    readonly blue: readonly number[];
  };
  /** Exposure in stops and focus in focus units. */
  readonly frames: readonly { readonly file: string; readonly ev: number; readonly focus: number }[];
  /** Pixels of blur radius a focus unit, at the widest aperture of the capture; null without a lens. */
  readonly kappa: number | null;
}

/** ln exposure of the first sample; the last is at 0. */
const LOWEST_EXPOSURE = -9;
const SAMPLES = 181;

/** The camera that a model learned. */
export function cameraOf({ capture, config, seed, state }: TrainedModel): Camera {
  return readCamera(createPlan(capture, config, seed), state.parameters);
}

/** Response, exposures and focus of a model's camera as numbers. */
export function responseOf(model: TrainedModel): LearnedResponse {
  const { capture, config, info } = model;
  const camera = cameraOf(model);
  const lnExposure = Array.from({ length: SAMPLES }, (_, i) => LOWEST_EXPOSURE * (1 - i / (SAMPLES - 1)));
  const curve = (channel: number) =>
    lnExposure.map((z) => Number(Math.min(1, Math.max(0, camera.tone(channel, z))).toFixed(6)));
  return {
    response: { lnExposure, red: curve(0), green: curve(1), blue: curve(2) },
    frames: info.frames.map(({ file }, i) => ({
      file,
      ev: camera.ev[i],
      focus: camera.focus[capture.frames[i].focus],
    })),
    kappa: config.blur.form === 'lens' ? camera.kappa : null,
  };
}
