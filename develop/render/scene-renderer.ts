import type { BakedPlanes, Engine } from '../../engine/engine.js';
import type { CudaEngine } from '../../engine/native/cuda-engine.js';
import type { DisplayCurve, NativeEngine, NativeRenderer } from '../../engine/native/native-engine.js';
import { type Camera, readCamera } from '../../model/camera/camera.js';
import { assert } from '../../model/errors.js';
import { keepStart } from '../../model/kept.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { createPlan } from '../../model/plan.js';
import { decodeSrgbArray, encodeSrgb, filmic } from '../../model/render/display-curves.js';
import { type ExposureField, exposureField } from '../../model/render/exposure-field.js';
import type { RenderKind } from '../../model/render/kinds.js';
import { type RenderQuery, resolveFocus, resolveRegion } from '../../model/render/query.js';
import {
  type BakedScene,
  composeAllInFocus,
  composeDefocus,
  composeRefocus,
  exposeRadiance,
  requireDefocus,
  type ToneCurve,
} from '../../model/render/render.js';
import { blackWhereUnseen, seenShare } from '../../model/unseen.js';
import type { TrainedModel } from '../options.js';
import { resizedTo } from '../start/pixels/resize.js';
import {
  chooseDisplay,
  type DisplayChoice,
  lightRadiance,
  localShare,
  middleExposure,
  showRadiance,
} from './display.js';

/** Native renderers of baked scenes: made at bake time, gone with the scene. */
const renderers = new WeakMap<BakedScene, NativeRenderer>();

/** Evaluates a trained scene at every pixel, once; every render gathers from the result. */
export async function bakeScene(model: TrainedModel, engine: Engine): Promise<BakedScene> {
  const { capture, config, seed } = model;
  const plan = createPlan(capture, config, seed);
  // Baking looks at no photograph: every frame may be the same empty one.
  const blank = new Uint8Array(3 * capture.width * capture.height);
  const data = { frames: capture.frames.map(() => ({ data: blank })), start: model.start };
  const empty = new Float32Array(0);
  const trainer = await engine.open(plan, data, { ...model.state, m: empty, v: empty });
  try {
    return holdScene(sceneOf(model, await trainer.bake()), engine);
  } finally {
    trainer.close();
  }
}

/** What a trainer baked, with the start where the capture keeps it. In place. */
export function sceneOf(
  { capture, start }: Pick<TrainedModel, 'capture' | 'start'>,
  { radiance, defocus }: BakedPlanes,
): BakedScene {
  const { width, height, kept } = capture;
  if (kept && start) {
    if (start.radiance.length > 0) keepStart(radiance, start.radiance, kept, width, height);
    if (start.defocus.length > 0 && defocus.length > 0)
      keepStart(defocus, start.defocus, kept, width, height);
  }
  return { width, height, radiance, defocus };
}

type RenderingEngine = NativeEngine | CudaEngine;
const isRendering = (engine: Engine): engine is RenderingEngine => 'renderer' in engine;

/** Readies a baked scene for rendering on an engine. */
export function holdScene(scene: BakedScene, engine: Engine): BakedScene {
  if (isRendering(engine)) renderers.set(scene, engine.renderer(scene.width, scene.height, scene));
  return scene;
}

/**
 * One render: three channels, display-encoded in [0, 1] unless the tone is linear; one channel for a depth render (the
 * defocus map in focus units). Throws an ImplicamError where the query asks for what the scene does not have.
 */
export function renderScene(scene: BakedScene, model: TrainedModel, query: RenderQuery): Picture {
  return draw(scene, model, query, false);
}

/**
 * The same as linear light for a display that shows lights above white, where the query does not ask for a curve.
 * Without a tone it looks, up to white, as `renderScene` does.
 */
export function renderLight(scene: BakedScene, model: TrainedModel, query: RenderQuery): Picture {
  return draw(scene, model, query, true);
}

function draw(scene: BakedScene, model: TrainedModel, query: RenderQuery, lights: boolean): Picture {
  const { parameters } = model.state;
  const camera = readCamera(createPlan(model.capture, model.config, model.seed), parameters);
  const region = resolveRegion(query, scene);
  const picture = DRAW[query.kind]({ scene, camera, parameters, query, region, lights });
  const alpha = alphaOf(scene, model, query);
  return alpha ? blackWhereUnseen(picture, alpha) : picture;
}

/**
 * How far some photograph shows each pixel of a render, one channel in [0, 1]; undefined where all of it is shown, and of
 * what is no picture of the scene.
 */
export function alphaOf(scene: BakedScene, model: TrainedModel, query: RenderQuery): Picture | undefined {
  const { width, height, unseen } = model.capture;
  if (!unseen || query.kind === 'depth' || query.kind === 'response') return undefined;
  const seen = seenShare(width, height, unseen);
  return resizedTo(cropped(seen, resolveRegion(query, scene)), query.width);
}

/** What a kind of render is drawn from. */
interface Drawing {
  readonly scene: BakedScene;
  readonly camera: Camera;
  /** What the camera was read from. */
  readonly parameters: Float32Array;
  readonly query: RenderQuery;
  readonly region: Region;
  /** Whether what is brighter than white is asked for, too. */
  readonly lights: boolean;
}

/** How each kind of render (model/render/kinds.ts) is drawn. */
const DRAW: Readonly<Record<RenderKind, (drawing: Drawing) => Picture>> = {
  'all-in-focus': (drawing) => drawLight(drawing, 0, 0),
  refocus: (drawing) => {
    const { scene, query } = drawing;
    if (query.aperture > 0) requireDefocus(scene);
    return drawLight(drawing, resolveFocus(query, scene), query.aperture);
  },
  depth: ({ scene, query, region }) => resizedTo(cropped(composeDefocus(scene), region), query.width),
  response: ({ camera, query, lights }) => {
    const chart = responseChart((c, z) => camera.tone(c, z), query.width);
    if (lights) decodeSrgbArray(chart.data, chart.data);
    return chart;
  },
};

/** The scene in focus at `focus` through an opening, exposed and toned; all of it in focus where that is 0. */
function drawLight(drawing: Drawing, focus: number, aperture: number): Picture {
  const { scene, camera, query, region, lights } = drawing;
  const local = query.tone === 'local' ? 1 : query.tone === undefined ? localShare(camera.ev) : 0;
  if (local > 0) return drawLocally(drawing, local, focus, aperture);
  const ev = query.ev + (query.tone === undefined ? middleExposure(camera.ev) : 0);
  if (lights && query.tone === undefined) {
    const light = resizedTo(lightOf(drawing, focus, aperture, region), query.width);
    return lightRadiance(light, { local, ev, curve: undefined }, camera);
  }
  const tone = query.tone ?? 'learned';
  assert(tone !== 'local', 'the local tone is no curve');
  const native = renderers.get(scene);
  // What is resized is resized in linear light.
  const shrinks = query.width !== undefined && query.width !== region.width;
  if (native && !shrinks) {
    const curve = displayCurve(tone, camera.tone);
    const data = native.render(focus, camera.kappa * aperture, 2 ** ev, curve);
    return cropped({ width: scene.width, height: scene.height, channels: 3, data }, region);
  }
  const light = lightOf(drawing, focus, aperture, region);
  return exposeRadiance(resizedTo(light, query.width), tone, ev, camera);
}

/** Linear light of a region. */
function lightOf({ scene, camera }: Drawing, focus: number, aperture: number, region: Region): Picture {
  const { kappa } = camera;
  const native = renderers.get(scene);
  if (native) {
    const data = native.render(focus, kappa * aperture, 1, null);
    return cropped({ width: scene.width, height: scene.height, channels: 3, data }, region);
  }
  if (aperture > 0) return composeRefocus(scene, { focus, aperture, kappa }, region);
  return cropped(composeAllInFocus(scene), region);
}

/** What the local tone needs of the scene in focus. */
interface Locally {
  /** Of the model that it was made with. */
  readonly parameters: Float32Array;
  readonly choice: DisplayChoice;
  readonly field: ExposureField;
}

/** Made by the first render that needs it, gone with the scene. */
const displays = new WeakMap<BakedScene, Locally>();

function locallyOf({ scene, camera, parameters }: Drawing, sharp: () => Picture): Locally {
  const known = displays.get(scene);
  if (known?.parameters === parameters) return known;
  const radiance = sharp();
  const choice = chooseDisplay(radiance, camera, 1);
  const made = { parameters, choice, field: exposureField(radiance, choice.curve!) };
  displays.set(scene, made);
  return made;
}

/**
 * The same with the local tone, or a share of it. Curve and exposure field are those of the whole picture, whatever part
 * of it is shown at whatever exposure and size; a refocused picture has a field of its own, because blur crosses edges.
 */
function drawLocally(drawing: Drawing, local: number, focus: number, aperture: number): Picture {
  const { scene, camera, query, region, lights } = drawing;
  const { width, height } = scene;
  const all = { x: 0, y: 0, width, height };
  const whole = lightOf(drawing, focus, aperture, all);
  const sharp = aperture > 0 ? () => lightOf(drawing, 0, 0, all) : () => whole;
  const { field, choice } = locallyOf(drawing, sharp);
  const shown = {
    field: aperture > 0 ? exposureField(whole, choice.curve!) : field,
    place: { ...region, of: { width, height } },
    ev: query.ev,
  };
  const light = resizedTo(cropped(whole, region), query.width);
  const share = { ...choice, local };
  return lights ? lightRadiance(light, share, camera, shown) : showRadiance(light, share, camera, shown);
}

/** Display value of linear light under a tone; null for linear light itself. */
function displayCurve(
  tone: ToneCurve,
  learned: (channel: number, lnExposure: number) => number,
): DisplayCurve | null {
  const clip = (v: number) => Math.min(1, Math.max(0, v));
  if (tone === 'linear') return null;
  if (tone === 'learned') return (c, x) => clip(learned(c, Math.log(x + 1e-8)));
  return tone === 'srgb' ? (_, x) => clip(encodeSrgb(x)) : (_, x) => clip(encodeSrgb(filmic(x)));
}

interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function cropped(picture: Picture, region: Region): Picture {
  if (region.width === picture.width && region.height === picture.height) return picture;
  const { channels } = picture;
  const out = createPicture(region.width, region.height, channels);
  for (let y = 0; y < region.height; y++) {
    const from = ((region.y + y) * picture.width + region.x) * channels;
    out.data.set(picture.data.subarray(from, from + region.width * channels), y * region.width * channels);
  }
  return out;
}

/** Range of ln exposure of the response chart. */
const CHART_LOW = -9;

/** The learned response as a chart: ln exposure −9 … 0 to the right, pixel value upwards, one line a channel. */
function responseChart(tone: (channel: number, z: number) => number, width = 512): Picture {
  const height = Math.max(64, Math.round(width / 1.5));
  const chart = createPicture(width, height, 3);
  chart.data.fill(1);
  const thick = Math.max(1, Math.round(width / 300));
  for (let c = 0; c < 3; c++) {
    let last: number | undefined;
    for (let x = 0; x < width; x++) {
      const z = CHART_LOW * (1 - x / Math.max(1, width - 1));
      const value = Math.min(1, Math.max(0, tone(c, z)));
      const y = Math.round((1 - value) * (height - 1));
      for (let j = Math.min(y, last ?? y) - thick + 1; j <= Math.max(y, last ?? y) + thick - 1; j++) {
        if (j < 0 || j >= height) continue;
        // A line takes the other two channels from the white paper.
        for (let k = 0; k < 3; k++) if (k !== c) chart.data[3 * (j * width + x) + k] = 0.1;
      }
      last = y;
    }
  }
  return chart;
}
