import { ImplicamError } from '../../model/errors.js';
import { explainIssues } from '../../model/issues.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { type CameraInput, type CameraOptions, cameraSchema } from './camera.js';
import { unit2 } from './hash.js';
import { type Lens, lensFor } from './lens.js';
import {
  breathingLens,
  type Homography,
  handHeld,
  isStill,
  type Motion,
  movingObject,
  referenceFrame,
  STILL,
  type View,
  walker,
} from './motion.js';
import { type Rendering, renderScene } from './render.js';
import { pixelSize, type Scene, Stage } from './scene.js';
import { SCENE_NAMES, SCENES, type SceneName } from './scenes/index.js';
import { withPasserBy } from './scenes/passer-by.js';
import { expose, exposeDeep, type Sensor, sensorFor } from './sensor.js';

/** What to photograph, and how. */
export interface CaptureOptions extends CameraInput {
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

type Checked = Required<Omit<CaptureOptions, keyof CameraInput>> & CameraOptions;

/** One photograph and its settings. */
export interface CapturedFrame {
  /** Interleaved RGB, display-encoded by the camera's response. */
  readonly pixels: Uint8Array;
  /** The same with the bits that the camera has, where these are more than 8. */
  readonly deep?: Uint16Array;
  /** Stops that it was exposed by. */
  readonly ev: number;
  /** Stops that the camera was set to: the same without flicker. */
  readonly setEv: number;
  /** What the camera's white balance multiplied red, green and blue by. */
  readonly balance: readonly [number, number, number];
  /** Metres. */
  readonly focusDistance: number;
  readonly fNumber: number;
  /** Seconds. */
  readonly exposureTime: number;
  readonly focusIndex: number;
  readonly exposureIndex: number;
  /** Which photograph of its setting this is, from 0. */
  readonly take: number;
  /** Maps pixel positions of this frame to pixel positions of the truth. */
  readonly homography: Homography;
}

/** A capture and all that is true about it. */
export interface Capture {
  readonly options: Checked;
  readonly frames: readonly CapturedFrame[];
  readonly truth: {
    /**
     * Linear radiance (1 saturates at EV 0) of the reference view: everything in focus, or with a single focus what
     * the lens shows. Darker in the corners where the lens makes them so: no stack tells that from the scene.
     */
    readonly radiance: Picture;
    /** Metres. */
    readonly depth: Picture;
    /** What the lens shows at each focus, in the reference view. */
    readonly radiancePerFocus: readonly Picture[];
  };
  readonly camera: { readonly lens: Lens; readonly sensor: Sensor; readonly scene: Scene };
}

export const DEFAULT_CAPTURE: Required<Omit<CaptureOptions, keyof CameraInput>> = {
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
  const o = checked(options);
  const pixel = pixelSize(o.width, o.height);
  const stage = new Stage(o.seed, pixel);
  const scene = o.mover ? withPasserBy(SCENES[o.scene](stage), stage) : SCENES[o.scene](stage);
  const radius = (o.focus > 1 ? FOCUS_RADIUS : PINHOLE_RADIUS) * Math.sqrt(stage.magnification);
  const lens = lensFor(scene, o.focus, pixel, radius);
  const sensor = sensorFor(stage.random(1), o.response, o.iso);
  const settings = settingsOf(o);
  const views = viewsOf(
    o,
    stage,
    settings.map((s) => s.focusIndex),
  );
  const still = renderScene(scene, lens, lens.foci, o.width, o.height, STILL);
  const shade = shading(o);
  const frames = settings.map(({ focusIndex, exposureIndex, setEv, take }, i): CapturedFrame => {
    const focus = lens.foci[focusIndex];
    const view = views[i];
    const light = isStill(view)
      ? still.defocused[focusIndex]
      : renderScene(scene, lens, [focus], o.width, o.height, view).defocused[0];
    const reference = i === referenceFrame(settings.length);
    const drawn = (part: number) => (reference ? 0 : 2 * unit2(i, part, o.seed) - 1);
    const ev = setEv + o.flicker * drawn(81);
    const balance = [2 ** (o.wbDrift * drawn(82)), 1, 2 ** (o.wbDrift * drawn(83))] as const;
    const seen = scaled(light, shade, balance).data;
    const noise = o.seed * 4096 + i + 1;
    return {
      pixels: expose(seen, sensor, ev, noise, o.white),
      ...(o.bits > 8 ? { deep: exposeDeep(seen, sensor, ev, noise, deepWhite(o)) } : {}),
      ev,
      setEv,
      balance,
      focusDistance: focus.distance,
      fNumber: lens.fNumber,
      exposureTime: (scene.baseTime * 2 ** setEv * 100) / o.iso,
      focusIndex,
      exposureIndex,
      take,
      homography: view.homography,
    };
  });
  return { options: o, frames, truth: truthOf(still, o.focus, shade), camera: { lens, sensor, scene } };
}

/** Value at which a camera of more than 8 bits clips. */
const deepWhite = ({ bits, white }: CameraOptions) => Math.round(((2 ** bits - 1) * white) / 255);

/** Settings of the frames in order of time. */
function settingsOf(o: Checked) {
  return Array.from({ length: o.focus }, (_, focusIndex) =>
    exposureValues(o.exposures).map((setEv, exposureIndex) =>
      Array.from({ length: 1 + o.retakes }, (_, take) => ({ focusIndex, exposureIndex, setEv, take })),
    ),
  ).flat(2);
}

/** What reaches each pixel through a lens that darkens its corners; undefined through one that does not. */
function shading({ width, height, vignetting }: Checked): Float32Array | undefined {
  if (vignetting === 0) return undefined;
  const fall = 2 ** (vignetting / 2) - 1;
  const norm = 4 / (width * width + height * height);
  return Float32Array.from({ length: width * height }, (_, p) => {
    const dx = (p % width) + 0.5 - width / 2;
    const dy = Math.floor(p / width) + 0.5 - height / 2;
    return (1 + fall * (dx * dx + dy * dy) * norm) ** -2;
  });
}

function scaled(
  light: Picture,
  shade: Float32Array | undefined,
  balance: readonly [number, number, number],
): Picture {
  if (shade === undefined && balance.every((b) => b === 1)) return light;
  const data = light.data.map((v, i) => v * balance[i % 3] * (shade?.[Math.floor(i / 3)] ?? 1));
  return { ...light, data };
}

function truthOf(still: Rendering, foci: number, shade: Float32Array | undefined): Capture['truth'] {
  const depth = createPicture(still.sharp.width, still.sharp.height, 1);
  for (let i = 0; i < depth.data.length; i++) depth.data[i] = 1 / still.inverseDepth.data[i];
  const radiancePerFocus = still.defocused.map((picture) => scaled(picture, shade, [1, 1, 1]));
  const radiance = foci > 1 ? scaled(still.sharp, shade, [1, 1, 1]) : radiancePerFocus[0];
  return { radiance, depth, radiancePerFocus };
}

function viewsOf(o: Checked, stage: Stage, focusIndex: readonly number[]): View[] {
  const breathing = o.breathing / 100;
  const views =
    o.motion === 'hand'
      ? handHeld(stage.random(2), focusIndex, o.focus, o.width, o.height, breathing)
      : breathingLens(breathing, focusIndex, o.focus, o.width, o.height);
  const count = focusIndex.length;
  const shifts = o.motion === 'object' ? movingObject(stage.random(3), count, OBJECT_STEP) : views;
  const walks = o.mover ? walker(stage.random(4), count) : views.map((v) => v.walk);
  return views.map((v, i) => ({ homography: v.homography, shift: shifts[i].shift, walk: walks[i] }));
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

function checked(options: CaptureOptions): Checked {
  const camera = cameraSchema.safeParse(options);
  if (!camera.success) refuse(explainIssues(cameraSchema, options, camera.error.issues));
  const o = { ...DEFAULT_CAPTURE, ...options, ...camera.data };
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
  if (o.jpeg !== undefined && o.bits > 8) refuse(`JPEG has 8 bits, not ${o.bits}: leave jpeg or bits out`);
  return o;
}

function refuse(message: string): never {
  throw new ImplicamError('bad-option', message, { exitCode: 2 });
}
