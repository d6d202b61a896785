import { type Exposures, planExposures } from './camera/exposures.js';
import type { ModelConfig } from './config.js';
import { assert } from './errors.js';
import { createLayout, type Layout } from './layout.js';
import { planShards, type Shard } from './shards.js';
import type { Unseen } from './unseen.js';

/** What a training knows about one frame before training. */
export interface FrameSetting {
  /** Focus setting: an index into `Capture.focus`. */
  readonly focus: number;
  /** Exposure setting: frames of one setting share their learned exposure ("tied"). */
  readonly exposure: number;
  /** Exposure in stops, relative. */
  readonly ev: number;
  /** Relative aperture: 1 for the widest of the stack, N_widest / N for the others. */
  readonly aperture: number;
  /** Maps the frame's pixels to the reference, see `Homography`. */
  readonly homography?: Homography;
}

/**
 * Homography in normalised coordinates p̂ = (2p − (W, H)) / max(W, H): its first eight coefficients, row-major, the
 * ninth is 1.
 */
export type Homography = readonly [number, number, number, number, number, number, number, number];

export const IDENTITY: Homography = [1, 0, 0, 0, 1, 0, 0, 0];

/** The geometry and settings of a capture: all that a plan needs to know of the photographs. */
export interface Capture {
  readonly width: number;
  readonly height: number;
  readonly frames: readonly FrameSetting[];
  /** Start value of each focus setting, in focus units (−1 … 1 over the stack). */
  readonly focus: readonly number[];
  /** Start value of κ: pixels of blur radius a focus unit. */
  readonly kappa: number;
  /** What keeps its classical start whatever is learned; see kept.ts. Absent where nothing does. */
  readonly kept?: string;
  /** What no photograph shows; absent where each pixel is shown by some. */
  readonly unseen?: Unseen;
}

/** Frames that share everything but exposure: they share every scene query. */
export interface View {
  readonly focus: number;
  readonly aperture: number;
  readonly homography: Homography;
  /** Indices into the capture's frames. */
  readonly frames: readonly number[];
}

/** Everything that fixes a training run but the pixels: a pure function of capture, configuration and seed. */
export interface Plan {
  readonly config: ModelConfig;
  readonly seed: number;
  readonly capture: Capture;
  readonly views: readonly View[];
  readonly exposures: Exposures;
  readonly shards: readonly Shard[];
  readonly layout: Layout;
}

/** Plans a training. */
export function createPlan(
  capture: Capture,
  config: ModelConfig,
  seed: number,
  tilePixels = config.train.tilePixels,
): Plan {
  assert(capture.frames.length > 0, 'a capture has at least one frame');
  const views = groupViews(capture, config.registration !== 'none');
  const exposures = planExposures(capture.frames, config.exposure);
  const shards = planShards(config, capture.width, capture.height, tilePixels);
  const layout = createLayout({
    config,
    shards,
    views: views.length,
    focusSettings: capture.focus.length,
    exposureParameters: exposures.parameters,
  });
  return { config, seed, capture, views, exposures, shards, layout };
}

/** Whether any view is displaced against the scene, now or while it learns. */
export function isWarped(plan: Plan): boolean {
  if (plan.config.registration !== 'none') return true;
  return plan.views.some((v) => v.homography.some((c, k) => c !== IDENTITY[k]));
}

/** Groups frames that differ only in exposure. With learned registration every frame is a view of its own. */
function groupViews(capture: Capture, separate: boolean): View[] {
  const views = new Map<
    string,
    { focus: number; aperture: number; homography: Homography; frames: number[] }
  >();
  for (const [index, frame] of capture.frames.entries()) {
    const homography = frame.homography ?? IDENTITY;
    const key = separate ? `${index}` : JSON.stringify([frame.focus, frame.aperture, homography]);
    const view = views.get(key);
    if (view) view.frames.push(index);
    else views.set(key, { focus: frame.focus, aperture: frame.aperture, homography, frames: [index] });
  }
  return [...views.values()];
}
