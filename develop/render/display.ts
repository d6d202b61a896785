import type { Look } from '../../model/camera/camera.js';
import type { Picture } from '../../model/picture.js';
import { decodeSrgbArray } from '../../model/render/display-curves.js';
import { type ExposureField, exposureField, type Place } from '../../model/render/exposure-field.js';
import { localHeadroom, MOST_HEADROOM, showLocally } from '../../model/render/local-tone.js';
import { exposeRadiance } from '../../model/render/render.js';
import { type GapCurve, gapCurve } from '../../model/render/tone-curve.js';

/** How the linear radiance of a scene is shown. */
export interface DisplayChoice {
  /** Share of the local tone, 0 to 1; the rest is the response of the camera. */
  readonly local: number;
  /** Exposure of the response in stops: the middle one of the photographs. */
  readonly ev: number;
  /** The curve of the local tone; undefined where nothing of that is shown. */
  readonly curve: GapCurve | undefined;
}

/** Exposures of the frames in stops; with the response, shadows are known from noise. */
type Photographed = Pick<Look, 'ev'> & Partial<Look>;

/** Frames whose exposures differ by less than this count as one exposure, in stops … */
const ONE_EXPOSURE = 0.5;
/** … and from here on as a bracket. */
const BRACKET = 2.5;

/**
 * How large a share of the local tone is shown where nobody asks for a tone. Frames of one exposure: none. The camera's
 * own response at that exposure makes the picture look as its photographs. A bracket: all, because no one exposure shows
 * its shadows and its lights. A narrow bracket: the wider the more, so that there is no step where the one begins.
 *
 * @param evs exposures of the frames in stops
 */
export function localShare(evs: readonly number[]): number {
  const range = evs.length > 0 ? Math.max(...evs) - Math.min(...evs) : 0;
  return Math.min(1, Math.max(0, (range - ONE_EXPOSURE) / (BRACKET - ONE_EXPOSURE)));
}

/** The exposure of the photographs, the middle one of several, in stops. */
export function middleExposure(evs: readonly number[]): number {
  return [...evs].sort((a, b) => a - b)[evs.length >> 1] ?? 0;
}

/** @param radiance of the whole scene; @param local share of the local tone; default: what suits the photographs */
export function chooseDisplay(
  radiance: Picture,
  look: Photographed,
  local = localShare(look.ev),
): DisplayChoice {
  return {
    local,
    ev: middleExposure(look.ev),
    curve: local > 0 ? gapCurve(radiance, noiseFloor(look)) : undefined,
  };
}

/** What a picture of frames of these exposures looks like, for the report. */
export function displayReason(evs: readonly number[]): string {
  const local = localShare(evs);
  if (local === 1) return 'shadows and lights each exposed for themselves';
  const ev = middleExposure(evs);
  const learned = `the response of the camera at ${ev < 0 ? '−' : '+'}${Math.abs(ev).toFixed(2)} stops`;
  return local === 0 ? learned : `${learned}, shadows and lights in part exposed for themselves`;
}

/** Code of 255 below which even the longest exposure shows noise. */
const NOISE_CODE = 10;
/** Range of ln exposure over which a response is searched. */
const DARKEST = -14;

/** Radiance below which the photographs show noise. */
function noiseFloor({ ev, tone }: Photographed): number | undefined {
  const code = NOISE_CODE / 255;
  let [dark, bright] = [DARKEST, 0];
  if (!tone || ev.length === 0 || tone(1, dark) >= code || tone(1, bright) <= code) return undefined;
  for (let i = 0; i < 40; i++) {
    const middle = (dark + bright) / 2;
    if (tone(1, middle) < code) dark = middle;
    else bright = middle;
  }
  return Math.exp(bright - Math.LN2 * Math.max(...ev));
}

/** Where and how a choice is shown. */
export interface Shown {
  /** Of the whole picture. @default the light is the whole picture */
  readonly field?: ExposureField;
  /** Part of the field's picture that the light shows. @default all of it */
  readonly place?: Place;
  /** Exposure in stops on top of what was chosen. The field is that of 0. @default 0 */
  readonly ev?: number;
}

/** Linear radiance as a display shows it, encoded, in [0, 1]. @param camera whose response is meant by the choice */
export function showRadiance(
  radiance: Picture,
  choice: DisplayChoice,
  camera: Pick<Look, 'tone'>,
  { field, place, ev = 0 }: Shown = {},
): Picture {
  const learned = () => exposeRadiance(radiance, 'learned', choice.ev + ev, camera);
  if (!choice.curve) return learned();
  const shown = showLocally(radiance, field ?? exposureField(radiance, choice.curve), ev, place);
  return choice.local < 1 ? mixed(learned(), shown, choice.local) : shown;
}

/**
 * The same as linear light for a display that shows what is brighter than white: the picture itself, its lights
 * brightened by up to three stops, all channels of a pixel alike, so that hues stay.
 */
export function lightRadiance(
  radiance: Picture,
  choice: DisplayChoice,
  camera: Pick<Look, 'tone'>,
  shown: Shown = {},
): Picture {
  const light = showRadiance(radiance, choice, camera, shown);
  decodeSrgbArray(light.data, light.data);
  const { field, place, ev = 0 } = shown;
  const held = choice.curve && localHeadroom(radiance, field ?? exposureField(radiance, choice.curve), place);
  const gain = 2 ** (choice.ev + ev);
  for (let p = 0, i = 0; i < light.data.length; p++, i += 3) {
    const { data } = radiance;
    const clipped = Math.log2(gain * Math.max(data[i], data[i + 1], data[i + 2]));
    // Where the camera's response is shown, it is what lies above its white that is given back.
    const learned = Math.min(MOST_HEADROOM, Math.max(0, clipped));
    const brighter = 2 ** (held ? choice.local * held[p] + (1 - choice.local) * learned : learned);
    for (let c = i; c < i + 3; c++) light.data[c] *= brighter;
  }
  return light;
}

function mixed(a: Picture, b: Picture, share: number): Picture {
  return { ...b, data: b.data.map((v, i) => a.data[i] + share * (v - a.data[i])) };
}
