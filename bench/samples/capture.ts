import { ImplicamError } from '../../model/errors.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { type Lens, lensFor } from './lens.js';
import {
  type Homography,
  handHeld,
  type Motion,
  movingObject,
  referenceFrame,
  STILL,
  type View,
} from './motion.js';
import { type Rendering, renderScene } from './render.js';
import { pixelSize, type Scene, Stage } from './scene.js';
import { SCENE_NAMES, SCENES, type SceneName } from './scenes/index.js';
import { expose, type Sensor, sensorFor } from './sensor.js';

/** What to photograph, and how. */
export interface CaptureOptions {
  /** @default study */
  readonly scene?: SceneName;
  /** @default 1 */
  readonly seed?: number;
  /** Pixels. @default 450 */
  readonly width?: number;
  /** Pixels. @default 300 */
  readonly height?: number;
  /** Focus planes; 1 stops the lens down. @default 3 */
  readonly focus?: number;
  /** Exposures per focus plane. @default 3 */
  readonly exposures?: number;
  /** @default none */
  readonly motion?: Motion;
}

/** One photograph and its settings. */
export interface CapturedFrame {
  /** Interleaved RGB, display-encoded by the camera's response. */
  readonly pixels: Uint8Array;
  /** Stops. */
  readonly ev: number;
  /** Metres. */
  readonly focusDistance: number;
  readonly fNumber: number;
  /** Seconds. */
  readonly exposureTime: number;
  readonly focusIndex: number;
  readonly exposureIndex: number;
  /** Maps pixel positions of this frame to pixel positions of the truth. */
  readonly homography: Homography;
}

/** A capture and all that is true about it. */
export interface Capture {
  readonly options: Required<CaptureOptions>;
  readonly frames: readonly CapturedFrame[];
  readonly truth: {
    /**
     * Linear radiance (1 saturates at EV 0) of the reference view: everything in focus, or with a single focus what
     * the lens shows.
     */
    readonly radiance: Picture;
    /** Metres. */
    readonly depth: Picture;
    /** What the lens shows at each focus, in the reference view. */
    readonly radiancePerFocus: readonly Picture[];
  };
  readonly camera: { readonly lens: Lens; readonly sensor: Sensor; readonly scene: Scene };
}

export const DEFAULT_CAPTURE: Required<CaptureOptions> = {
  scene: 'study',
  seed: 1,
  width: 450,
  height: 300,
  focus: 3,
  exposures: 3,
  motion: 'none',
};

/** Radius of the largest circle of confusion at 450×300, in pixels; it grows with the root of the size. */
const FOCUS_RADIUS = 6;
/** The same for a capture with a single focus: stopped down, as one does for exposures alone. */
const PINHOLE_RADIUS = 0.7;
/** Drift of a moving object between two frames, in scene units (about 3 pixels at 450×300). */
const OBJECT_STEP = 0.02;

const LIMITS = { smallest: 16, largest: 16384, focus: 32, exposures: 16 };

/**
 * Photographs a procedural scene. Deterministic: the same options give the same bytes.
 *
 * @throws ImplicamError `bad-option` (wrong usage) for an unknown scene, or a size or number out of range.
 */
export function renderCapture(options: CaptureOptions = {}): Capture {
  const o = checked({ ...DEFAULT_CAPTURE, ...options });
  const pixel = pixelSize(o.width, o.height);
  const stage = new Stage(o.seed, pixel);
  const scene = SCENES[o.scene](stage);
  const radius = (o.focus > 1 ? FOCUS_RADIUS : PINHOLE_RADIUS) * Math.sqrt(stage.magnification);
  const lens = lensFor(scene, o.focus, pixel, radius);
  const sensor = sensorFor(stage.random(1));
  const evs = exposureValues(o.exposures);
  const settings = lens.foci.flatMap((focus, focusIndex) =>
    evs.map((ev, exposureIndex) => ({ focus, focusIndex, ev, exposureIndex })),
  );
  const views = viewsOf(
    o,
    stage,
    settings.map((s) => s.focusIndex),
  );
  const still = renderScene(scene, lens, lens.foci, o.width, o.height, STILL);
  const frames = settings.map(({ focus, focusIndex, ev, exposureIndex }, i) => {
    const view = views[i];
    const light =
      view === STILL || isStill(view)
        ? still.defocused[focusIndex]
        : renderScene(scene, lens, [focus], o.width, o.height, view).defocused[0];
    return {
      pixels: expose(light.data, sensor, ev, o.seed * 4096 + i + 1),
      ev,
      focusDistance: focus.distance,
      fNumber: lens.fNumber,
      exposureTime: scene.baseTime * 2 ** ev,
      focusIndex,
      exposureIndex,
      homography: view.homography,
    };
  });
  return { options: o, frames, truth: truthOf(still, o.focus), camera: { lens, sensor, scene } };
}

function truthOf(still: Rendering, foci: number): Capture['truth'] {
  const depth = createPicture(still.sharp.width, still.sharp.height, 1);
  for (let i = 0; i < depth.data.length; i++) depth.data[i] = 1 / still.inverseDepth.data[i];
  return { radiance: foci > 1 ? still.sharp : still.defocused[0], depth, radiancePerFocus: still.defocused };
}

function viewsOf(o: Required<CaptureOptions>, stage: Stage, focusIndex: readonly number[]): View[] {
  if (o.motion === 'hand') return handHeld(stage.random(2), focusIndex, o.focus, o.width, o.height);
  if (o.motion === 'object') return movingObject(stage.random(3), focusIndex.length, OBJECT_STEP);
  return focusIndex.map(() => STILL);
}

function isStill(view: View): boolean {
  return view.homography === STILL.homography && view.shift[0] === 0 && view.shift[1] === 0;
}

/** Exposures in stops around 0: three stops apart, closer where there are many, at most four to either side. */
export function exposureValues(count: number): number[] {
  const step = count > 1 ? Math.min(3, 8 / (count - 1)) : 0;
  return Array.from({ length: count }, (_, i) => step * (i - (count - 1) / 2));
}

/** Index of the frame that the truth is registered to. */
export function truthFrame(capture: Capture): number {
  return referenceFrame(capture.frames.length);
}

function checked(o: Required<CaptureOptions>): Required<CaptureOptions> {
  if (!SCENE_NAMES.includes(o.scene)) {
    refuse(`there is no scene "${o.scene}"; choose one of ${SCENE_NAMES.join(', ')}`);
  }
  const whole = (value: number, name: string, low: number, high: number) => {
    if (!Number.isInteger(value) || value < low || value > high) {
      refuse(`${name} must be a whole number from ${low} to ${high}, not ${value}`);
    }
  };
  whole(o.width, 'the width', LIMITS.smallest, LIMITS.largest);
  whole(o.height, 'the height', LIMITS.smallest, LIMITS.largest);
  whole(o.focus, 'the number of focus planes', 1, LIMITS.focus);
  whole(o.exposures, 'the number of exposures', 1, LIMITS.exposures);
  whole(o.seed, 'the seed', 0, 2 ** 31 - 1);
  if (!['none', 'hand', 'object'].includes(o.motion)) {
    refuse(`motion must be none, hand or object, not "${o.motion}"`);
  }
  return o;
}

function refuse(message: string): never {
  throw new ImplicamError('bad-option', message, { exitCode: 2 });
}
