import type { Camera } from '../camera/camera.js';
import { kernelRadius } from '../camera/lens-kernel.js';
import { spreadSources } from '../camera/spread.js';
import { assert, ImplicamError } from '../errors.js';
import { createPicture, type Picture } from '../picture.js';
import type { Rect } from '../shards.js';
import { encodeFilmicArray, encodeSrgbArray } from './display-curves.js';

/**
 * Renders from a baked scene, in plain TypeScript: the reference for every faster renderer, and what runs where there
 * is none. The equations are those of training behind a lens (docs/reference/MODEL.md, "lens"), over the whole picture.
 */

/** A scene evaluated at every pixel, planar [plane][H · W], as an engine bakes it. */
export interface BakedScene {
  readonly width: number;
  readonly height: number;
  /** ln radiance, 3 planes. */
  readonly radiance: Float32Array;
  /** Signed defocus map; empty where the scene was learned without a lens. */
  readonly defocus: Float32Array;
}

/** The lens to render with. */
export interface Lens {
  /** In the units of the defocus map. */
  readonly focus: number;
  /** Relative aperture: 1 is the widest of the capture. */
  readonly aperture: number;
  /** Pixels of blur radius a focus unit at aperture 1. */
  readonly kappa: number;
  /**
   * Largest blur radius in pixels that is shown; wider circles are cut to it. @default as wide as this lens gets, at
   * most 48
   */
  readonly reach?: number;
}

export type ToneCurve = 'learned' | 'srgb' | 'filmic' | 'linear';

/** As in engine/native/render/renderer.cpp: a render is the same on every engine. */
const MAX_REACH = 48;
const NORMALISER_FLOOR = 1e-4;
/** Second moment of a pixel. */
const PIXEL_MOMENT = 1 / 12;
/** How much narrower than its reach the widest circle is: its soft rim must fit. */
const RIM = 0.6;

/** Refuses a scene that cannot be seen through a lens. */
export function requireDefocus(scene: BakedScene): void {
  if (scene.defocus.length > 0) return;
  throw new ImplicamError(
    'no-defocus-map',
    'this model was learned without a lens: it has no defocus map; develop photographs of several focus distances, or render all-in-focus',
    { status: 409 },
  );
}

/** No camera: everything in focus, linear light. */
export function composeAllInFocus(scene: BakedScene): Picture {
  const { width, height } = scene;
  const picture = createPicture(width, height, 3);
  composeRun(scene, 0, width * height, picture.data);
  return picture;
}

/** The same of pixels `from` … `to` − 1, row by row, to the front of `out`, interleaved. */
export function composeRun(scene: BakedScene, from: number, to: number, out: Float32Array): void {
  const { width, height, radiance } = scene;
  const area = width * height;
  for (let i = from; i < to; i++) {
    for (let c = 0; c < 3; c++) out[3 * (i - from) + c] = Math.exp(radiance[c * area + i]);
  }
}

/**
 * The scene through a lens, linear light: every pixel spreads over a disk of its own circle of confusion. `region`
 * renders a part; what lies around it still blurs into it.
 *
 * @param spread the inner loop: the one in TypeScript, or one with the same bits
 */
export function composeRefocus(
  scene: BakedScene,
  lens: Lens,
  region?: Rect,
  spread = spreadSources,
): Picture {
  const { width, height, radiance, defocus } = scene;
  const target = region ?? { x: 0, y: 0, width, height };
  assert(
    target.x >= 0 && target.y >= 0 && target.x + target.width <= width && target.y + target.height <= height,
    'a region to render lies within the picture',
  );
  requireDefocus(scene);
  const area = width * height;
  const radii = blurRadii(lens, defocus);
  const density = new Float64Array(area);
  const light = new Float64Array(3 * area);
  for (let p = 0; p < area; p++) {
    const rho = radii.values[p];
    density[p] = 1 / (Math.PI * (rho * rho + PIXEL_MOMENT));
    for (let c = 0; c < 3; c++) light[3 * p + c] = density[p] * Math.exp(radiance[c * area + p]);
  }
  const sources = { width, height, radii: radii.values, density, light };
  const sums = spread(sources, Math.ceil(radii.largest + 0.5), target);
  const picture = createPicture(target.width, target.height, 3);
  const out = picture.data;
  for (let i = 0; i < target.width * target.height; i++) {
    const weight = 1 / (sums[4 * i] + NORMALISER_FLOOR);
    for (let c = 0; c < 3; c++) out[3 * i + c] = sums[4 * i + 1 + c] * weight;
  }
  return picture;
}

/** ρ of every pixel, and the largest. */
function blurRadii(lens: Lens, defocus: Float32Array): { values: Float32Array; largest: number } {
  const scale = lens.kappa * lens.aperture;
  const widest = Math.max(0, (lens.reach ?? MAX_REACH) - RIM);
  const values = new Float32Array(defocus.length);
  let largest = 0;
  for (let i = 0; i < defocus.length; i++) {
    const circle = Math.min(Math.abs(scale * (defocus[i] - lens.focus)), widest);
    values[i] = kernelRadius(circle);
    largest = Math.max(largest, values[i]);
  }
  return { values, largest };
}

/** The defocus map as a picture of one channel. Grows with inverse depth. */
export function composeDefocus(scene: BakedScene): Picture {
  const picture = createPicture(scene.width, scene.height, 1);
  requireDefocus(scene);
  picture.data.set(scene.defocus);
  return picture;
}

/** The focus that makes a pixel sharp: its defocus. Clamped into the picture. */
export function focusAt(scene: BakedScene, x: number, y: number): number {
  requireDefocus(scene);
  const column = Math.max(0, Math.min(scene.width - 1, Math.floor(x)));
  const row = Math.max(0, Math.min(scene.height - 1, Math.floor(y)));
  return scene.defocus[row * scene.width + column];
}

/**
 * Radiance (interleaved RGB, linear) to what is shown. `learned`: the camera's own response to ln r + ln 2 · ev, in
 * [0, 1]; `srgb` and `filmic`: encoded for a display, in [0, 1]; `linear`: r · 2^ev, not clipped.
 */
export function exposeRadiance(
  radiance: Picture,
  tone: ToneCurve,
  ev: number,
  camera?: Pick<Camera, 'tone'>,
): Picture {
  assert(radiance.channels === 3, 'radiance has three channels');
  const out = { ...radiance, data: new Float32Array(radiance.data.length) };
  if (tone === 'learned') {
    assert(camera, 'the learned tone needs its camera');
    respond(radiance.data, out.data, ev, camera);
    return out;
  }
  const gain = 2 ** ev;
  for (let i = 0; i < out.data.length; i++) out.data[i] = radiance.data[i] * gain;
  if (tone === 'srgb') encodeSrgbArray(out.data, out.data);
  else if (tone === 'filmic') encodeFilmicArray(out.data, out.data);
  return out;
}

/** Keeps the logarithm finite where nothing shines, as in training. */
const LN_FLOOR = 1e-8;

function respond(from: Float32Array, to: Float32Array, ev: number, camera: Pick<Camera, 'tone'>): void {
  for (let i = 0; i < from.length; i++) {
    const z = Math.log(from[i] + LN_FLOOR) + Math.LN2 * ev;
    to[i] = Math.max(0, Math.min(1, camera.tone(i % 3, z)));
  }
}
