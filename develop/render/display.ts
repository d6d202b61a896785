import type { Camera } from '../../model/camera/camera.js';
import { percentile } from '../../model/percentile.js';
import type { Picture } from '../../model/picture.js';
import { luminance } from '../../model/picture.js';
import { exposeRadiance } from '../../model/render/render.js';

/** How linear radiance is shown to a person. */
export interface DisplayChoice {
  readonly tone: 'learned' | 'filmic';
  /** Stops on top of the reference exposure. */
  readonly ev: number;
  /** Filmic: the brightest luminance after the exposure; lights are compressed so that it is still told apart. */
  readonly brightest: number;
  /** Why, for the report. */
  readonly reason: string;
}

/** Frames whose exposures differ by less than this count as one exposure, in stops. */
const ONE_EXPOSURE = 0.5;
/** Mid-grey: where the log-average luminance goes. */
const KEY = 0.18;
/** Light from here on is compressed … */
const SHOULDER = 0.5;
/** … to this, where the filmic curve still tells lights apart: it shows 4 as 0.98, 10 as white. */
const BRIGHTEST = 4;
/** Share of the picture that may be lost to white, in per cent. */
const BURNT = 0.1;

/**
 * Frames of one exposure: the camera's own response at that exposure, so that the picture looks as its photographs.
 * A bracket: a film-like curve over an automatic exposure that brings the log-average luminance to mid-grey
 * (Reinhard et al., "Photographic tone reproduction", 2002), with lights compressed so that they stay apart.
 *
 * @param evs exposures of the frames in stops, in the unit of the learned response.
 */
export function chooseDisplay(radiance: Picture, evs: readonly number[]): DisplayChoice {
  const sorted = [...evs].sort((a, b) => a - b);
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  if (high - low < ONE_EXPOSURE) {
    return {
      tone: 'learned',
      ev: sorted[sorted.length >> 1] ?? 0,
      brightest: 1,
      reason: 'the response of the camera at the exposure of its photographs',
    };
  }
  const y = luminance(radiance).data;
  const ev = automaticExposure(y);
  const brightest = percentile(y, 100 - BURNT) * 2 ** ev;
  return { tone: 'filmic', ev, brightest, reason: 'a film-like curve over an automatic exposure' };
}

/** The exposure in stops that brings the log-average of luminances to mid-grey. */
function automaticExposure(luminances: Float32Array): number {
  let sum = 0;
  let lit = 0;
  for (const y of luminances) {
    if (!(y > 0 && y < Number.POSITIVE_INFINITY)) continue;
    sum += Math.log2(y);
    lit++;
  }
  return lit === 0 ? 0 : Math.log2(KEY) - sum / lit;
}

/** Linear radiance as a display shows it, encoded, in [0, 1]. @param camera whose response is meant by `learned`. */
export function showRadiance(
  radiance: Picture,
  choice: DisplayChoice,
  camera: Pick<Camera, 'tone'>,
): Picture {
  const { tone, ev, brightest } = choice;
  if (tone === 'learned' || !(brightest > BRIGHTEST)) return exposeRadiance(radiance, tone, ev, camera);
  return exposeRadiance(compressLights(radiance, 2 ** ev, brightest), 'filmic', 0);
}

/**
 * Exposes and compresses what is brighter than the shoulder: with l = ln(luminance / shoulder) > 0, l → l / (1 + k l),
 * which joins the rest with the same slope. Colours keep their ratios.
 */
function compressLights(radiance: Picture, gain: number, brightest: number): Picture {
  const k = 1 / Math.log(BRIGHTEST / SHOULDER) - 1 / Math.log(brightest / SHOULDER);
  const y = luminance(radiance).data;
  const data = new Float32Array(radiance.data.length);
  for (let i = 0; i < y.length; i++) {
    const exposed = y[i] * gain;
    const l = exposed > SHOULDER ? Math.log(exposed / SHOULDER) : 0;
    const scale = gain * Math.exp(l / (1 + k * l) - l);
    for (let c = 3 * i; c < 3 * i + 3; c++) data[c] = radiance.data[c] * scale;
  }
  return { ...radiance, data };
}
