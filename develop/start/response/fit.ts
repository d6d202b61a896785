import type { Frame } from '../../../model/picture.js';
import { checkStack } from '../merge/merge.js';
import { codeNoise } from './code-noise.js';
import { fitKnots } from './fit-knots.js';
import { deviationPrior } from './prior.js';
import { type CameraResponse, RESPONSE_KNOTS, sharedResponse, srgbResponse } from './response.js';
import { type PixelSamples, samplePixels } from './sample-pixels.js';
import { sharedCurve } from './shared-curve.js';

export interface FitResponseOptions {
  /** Per stack and frame: one byte a pixel, 0 = leave the pixel out. */
  readonly masks?: readonly (readonly (Uint8Array | undefined)[])[];
  /** Most pixels a channel to fit to. @default 8000 */
  readonly samples?: number;
  /** Alternations of pixels and curve. @default 12 */
  readonly rounds?: number;
}

export interface FittedResponse {
  readonly response: CameraResponse;
  /** Variance of pixel values in [0, 1] about what the response says, the largest of the channels. */
  readonly codeNoise: number;
  /** Channels that hold almost no light: theirs is the curve that all share. */
  readonly unlit: readonly number[];
}

/**
 * The response under which the frames agree best: one curve for all channels first, then what each differs by, as far as
 * the noise of the pixel values lets that be seen.
 *
 * @param stacks aligned frames of one focus each; stacks of one frame say nothing and are passed over
 * @param ev exposure of every frame, in stops
 * @returns sRGB's curve where no stack has two frames
 */
export function fitResponse(
  stacks: readonly (readonly Frame[])[],
  ev: readonly (readonly number[])[],
  options: FitResponseOptions = {},
): FittedResponse {
  for (const [s, frames] of stacks.entries()) checkStack(frames, ev[s], options.masks?.[s]);
  const { samples: most = 8000, rounds = 12, masks } = options;
  const curve = sharedCurve(stacks, ev, masks, most / 2, rounds);
  if (!curve) return { response: srgbResponse(), codeNoise: 0, unlit: [] };
  const shared = sharedResponse(curve);
  const pixels = [0, 1, 2].map((channel) => samplePixels(stacks, ev, shared, channel, masks, most));
  const unlit = unlitChannels(pixels);
  const lit = [0, 1, 2].filter((channel) => !unlit.includes(channel));
  const prior = deviationPrior(curve);
  // Against curves that may differ freely: against the shared one a channel that truly differs would count as noise.
  const weight = deviationWeight(
    lit.map((channel) => {
      const samples = pixels[channel];
      const own = curve.slice();
      fitKnots(own, samples, prior, LEAST_WEIGHT, rounds);
      return codeNoise(own, samples);
    }),
  );
  const noise = pixels.map((samples, channel) => {
    const knots = shared.knots.subarray(channel * RESPONSE_KNOTS, (channel + 1) * RESPONSE_KNOTS);
    if (samples.count === 0 || unlit.includes(channel)) return 0;
    fitKnots(knots, samples, prior, weight, rounds);
    return codeNoise(knots, samples);
  });
  return { response: shared, codeNoise: Math.max(...noise), unlit };
}

/** Pixel value that a channel with light exceeds, and the share of its samples that do. */
const LIT = 0.1;
const LIT_SHARE = 0.005;

/**
 * Channels that show nothing but the toe of their curve, as two do of a scene under a red lamp: a few codes and their
 * rounding fit any curve. None where no channel has light.
 */
function unlitChannels(pixels: readonly PixelSamples[]): number[] {
  const unlit = [0, 1, 2].filter((channel) => {
    const { values } = pixels[channel];
    let bright = 0;
    for (const value of values) if (value > LIT) bright++;
    return bright <= LIT_SHARE * values.length;
  });
  return unlit.length < 3 ? unlit : [];
}

/** Weight of {@link deviationPrior} at the noise of rounding, and at most. */
const LEAST_WEIGHT = 0.001;
const MOST_WEIGHT = 0.5;
/** Code noise at which it begins to grow, in squared 8-bit codes. */
const CLEAN = 1.3;

/**
 * How much the channels are held together, by how noisy their codes are: 0.003 to 0.006 for noise-free PNG, 0.1 at 3
 * codes, 0.5 for photographs as JPEG. A fixed 0.01 leaves casts of 4 to 37 % on real brackets.
 *
 * @param noise variance of pixel values in [0, 1], a channel
 */
function deviationWeight(noise: readonly number[]): number {
  const codes = (255 ** 2 * noise.reduce((a, b) => a + b, 0)) / noise.length;
  return Math.min(MOST_WEIGHT, LEAST_WEIGHT * Math.max(1, codes / CLEAN) ** 2);
}
