import type { Engine } from '../../engine/engine.js';
import type { CudaEngine } from '../../engine/native/cuda-engine.js';
import type { DisplayCurve, NativeEngine, NativeRenderer } from '../../engine/native/native-engine.js';
import { readCamera } from '../../model/camera/camera.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { createPlan } from '../../model/plan.js';
import { encodeSrgb, filmic } from '../../model/render/display-curves.js';
import { type RenderQuery, resolveFocus, resolveRegion } from '../../model/render/query.js';
import {
  type BakedScene,
  composeAllInFocus,
  composeDefocus,
  composeRefocus,
  exposeRadiance,
  requireDefocus,
} from '../../model/render/render.js';
import type { TrainedModel } from '../options.js';
import { resizedTo } from '../start/pixels/resize.js';

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
  const session = await engine.open(plan, data, { ...model.state, m: empty, v: empty });
  try {
    return holdScene({ width: capture.width, height: capture.height, ...(await session.bake()) }, engine);
  } finally {
    session.close();
  }
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
  const region = resolveRegion(query, scene);
  if (query.kind === 'depth') return resizedTo(cropped(composeDefocus(scene), region), query.width);
  const camera = readCamera(createPlan(model.capture, model.config, model.seed), model.state.parameters);
  if (query.kind === 'response') return responseChart((c, z) => camera.tone(c, z), query.width);
  const refocus = query.kind === 'refocus' && query.aperture > 0;
  if (refocus) requireDefocus(scene);
  const focus = query.kind === 'refocus' ? resolveFocus(query, scene) : 0;
  const native = renderers.get(scene);
  // What is resized is resized in linear light.
  const shrinks = query.width !== undefined && query.width !== region.width;
  if (native && !shrinks) {
    const curve = displayCurve(query.tone, camera.tone);
    const scale = refocus ? camera.kappa * query.aperture : 0;
    const data = native.render(focus, scale, 2 ** query.ev, curve);
    return cropped({ width: scene.width, height: scene.height, channels: 3, data }, region);
  }
  let light: Picture;
  if (native) {
    const data = native.render(focus, refocus ? camera.kappa * query.aperture : 0, 1, null);
    light = cropped({ width: scene.width, height: scene.height, channels: 3, data }, region);
  } else if (refocus) {
    light = composeRefocus(scene, { focus, aperture: query.aperture, kappa: camera.kappa }, region);
  } else {
    light = cropped(composeAllInFocus(scene), region);
  }
  return exposeRadiance(resizedTo(light, query.width), query.tone, query.ev, camera);
}

/** Display value of linear light under a tone; null for linear light itself. */
function displayCurve(
  tone: RenderQuery['tone'],
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
