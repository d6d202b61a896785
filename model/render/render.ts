import type { Camera } from '../camera/camera.js';
import { kernelRadius } from '../camera/lens-kernel.js';
import { type Arrived, spreadSources } from '../camera/spread.js';
import { assert, ImplicamError } from '../errors.js';
import { createPicture, type Picture } from '../picture.js';
import type { Rect } from '../shards.js';
import { encodeFilmicArray, encodeSrgbArray } from './display-curves.js';

/**
 * Renders from a baked scene, in plain TypeScript: the reference for every faster renderer, and what runs where there
 * is none. The equations are those of training by patches (docs/reference/MODEL.md, "lens, patches"), over the whole picture.
 */

/** A scene evaluated at every pixel, planar [plane][H · W], as an engine bakes it. */
export interface BakedScene {
  readonly width: number;
  readonly height: number;
  /** ln radiance of the background (3 planes); with a foreground also its ln radiance (3) and its opacity logit (1). */
  readonly radiance: Float32Array;
  /** Signed defocus map of each layer; empty where the scene was learned without a lens. */
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

/** Layers of a baked scene: 1, or 2 with a foreground. */
function layersOf(scene: BakedScene): 1 | 2 {
  const area = scene.width * scene.height;
  const planes = scene.radiance.length / area;
  assert(planes === 3 || planes === 7, `a baked scene has 3 or 7 planes, not ${planes}`);
  const layers = planes === 7 ? 2 : 1;
  const maps = scene.defocus.length / area;
  assert(maps === 0 || maps === layers, `a baked scene of ${layers} layers has no ${maps} defocus maps`);
  return layers;
}

/** Refuses a scene that cannot be seen through a lens. */
export function requireDefocus(scene: BakedScene): void {
  if (scene.defocus.length > 0) return;
  throw new ImplicamError(
    'no-defocus-map',
    'this session was learned without a lens: it has no defocus map to refocus by; develop photographs of several focus distances, or render all-in-focus',
    { status: 409 },
  );
}

/** No camera: everything in focus, linear light, α·f + (1 − α)·b. */
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
  const two = layersOf(scene) === 2;
  for (let i = from; i < to; i++) {
    const alpha = two ? sigmoid(radiance[6 * area + i]!) : 0;
    for (let c = 0; c < 3; c++) {
      const behind = (1 - alpha) * Math.exp(radiance[c * area + i]!);
      const front = two ? alpha * Math.exp(radiance[(c + 3) * area + i]!) : 0;
      out[3 * (i - from) + c] = behind + front;
    }
  }
}

/**
 * The scene through a lens, linear light: every layer spreads its pixels over disks of their own circles of confusion,
 * the foreground covers the background. `region` renders a part; what lies around it still blurs into it.
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
  const layers = layersOf(scene);
  requireDefocus(scene);
  const area = width * height;
  const background = spreadLayer(
    scene,
    lens,
    target,
    {
      light: radiance.subarray(0, 3 * area),
      defocus: defocus.subarray(0, area),
    },
    spread,
  );
  const picture = createPicture(target.width, target.height, 3);
  const out = picture.data;
  const count = target.width * target.height;
  for (let i = 0; i < count; i++) {
    const weight = 1 / (background.sums[4 * i]! + NORMALISER_FLOOR);
    for (let c = 0; c < 3; c++) out[3 * i + c] = background.sums[4 * i + 1 + c]! * weight;
  }
  if (layers === 1) return picture;

  const foreground = spreadLayer(
    scene,
    lens,
    target,
    {
      light: radiance.subarray(3 * area, 6 * area),
      opacity: radiance.subarray(6 * area),
      defocus: defocus.subarray(area),
    },
    spread,
  );
  for (let i = 0; i < count; i++) {
    const weight = 1 / (foreground.sums[4 * i]! + NORMALISER_FLOOR);
    const open = 1 - foreground.opacity![i]! * weight;
    for (let c = 0; c < 3; c++) {
      out[3 * i + c] = foreground.sums[4 * i + 1 + c]! * weight + open * out[3 * i + c]!;
    }
  }
  return picture;
}

/** One layer to spread: ln radiance [3][H · W], its defocus map, and the logit of its opacity if it has one. */
interface Layer {
  readonly light: Float32Array;
  readonly defocus: Float32Array;
  readonly opacity?: Float32Array;
}

/** One layer's pixels as sources of light, spread over the target. */
function spreadLayer(
  { width, height }: BakedScene,
  lens: Lens,
  target: Rect,
  layer: Layer,
  spread: typeof spreadSources,
): Arrived {
  const area = width * height;
  const radii = blurRadii(lens, layer.defocus);
  const density = new Float64Array(area);
  const light = new Float64Array(3 * area);
  const cover = layer.opacity ? new Float64Array(area) : undefined;
  for (let p = 0; p < area; p++) {
    const rho = radii.values[p]!;
    density[p] = 1 / (Math.PI * (rho * rho + PIXEL_MOMENT));
    const a = layer.opacity ? sigmoid(layer.opacity[p]!) * density[p]! : density[p]!;
    if (cover) cover[p] = a;
    for (let c = 0; c < 3; c++) light[3 * p + c] = a * Math.exp(layer.light[c * area + p]!);
  }
  const sources = { width, height, radii: radii.values, density, light, cover };
  return spread(sources, Math.ceil(radii.largest + 0.5), target);
}

/** ρ of every pixel, and the largest. */
function blurRadii(lens: Lens, defocus: Float32Array): { values: Float32Array; largest: number } {
  const scale = lens.kappa * lens.aperture;
  const widest = Math.max(0, (lens.reach ?? MAX_REACH) - RIM);
  const values = new Float32Array(defocus.length);
  let largest = 0;
  for (let i = 0; i < defocus.length; i++) {
    const circle = Math.min(Math.abs(scale * (defocus[i]! - lens.focus)), widest);
    values[i] = kernelRadius(circle);
    largest = Math.max(largest, values[i]!);
  }
  return { values, largest };
}

/** The defocus map as the camera sees it, one channel: α·s_f + (1 − α)·s_b. Grows with inverse depth. */
export function composeDefocus(scene: BakedScene): Picture {
  const picture = createPicture(scene.width, scene.height, 1);
  requireDefocus(scene);
  const two = layersOf(scene) === 2;
  const area = scene.width * scene.height;
  for (let i = 0; i < area; i++) {
    const alpha = two ? sigmoid(scene.radiance[6 * area + i]!) : 0;
    picture.data[i] = (1 - alpha) * scene.defocus[i]! + (two ? alpha * scene.defocus[area + i]! : 0);
  }
  return picture;
}

/** The focus that makes a pixel sharp: the defocus of the layer that is mostly seen there. Clamped into the picture. */
export function focusAt(scene: BakedScene, x: number, y: number): number {
  requireDefocus(scene);
  const area = scene.width * scene.height;
  const column = Math.max(0, Math.min(scene.width - 1, Math.floor(x)));
  const row = Math.max(0, Math.min(scene.height - 1, Math.floor(y)));
  const at = row * scene.width + column;
  const covered = layersOf(scene) === 2 && scene.radiance[6 * area + at]! > 0;
  return scene.defocus[covered ? area + at : at]!;
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
  for (let i = 0; i < out.data.length; i++) out.data[i] = radiance.data[i]! * gain;
  if (tone === 'srgb') encodeSrgbArray(out.data, out.data);
  else if (tone === 'filmic') encodeFilmicArray(out.data, out.data);
  return out;
}

/** Keeps the logarithm finite where nothing shines, as in training. */
const LN_FLOOR = 1e-8;

function respond(from: Float32Array, to: Float32Array, ev: number, camera: Pick<Camera, 'tone'>): void {
  for (let i = 0; i < from.length; i++) {
    const z = Math.log(from[i]! + LN_FLOOR) + Math.LN2 * ev;
    to[i] = Math.max(0, Math.min(1, camera.tone(i % 3, z)));
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
