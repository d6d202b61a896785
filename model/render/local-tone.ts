import { assert } from '../errors.js';
import type { Picture } from '../picture.js';
import { encodeSrgbArray, filmic } from './display-curves.js';
import { type ExposureField, forExposures, type Place } from './exposure-field.js';

/** Share of the colour that each channel's own film curve makes; the rest is as bright, of the light's own hue. */
const FILM = 0.6;
/** How soon colours go to white where the film curve holds light back. */
const WHITENING = 0.3;
/** Here the film curve gives what it is given, mid-grey; below it is darker, but that is no shoulder. */
const MID_GREY = 0.18;
/** Brighter light is shown as this. */
const BRIGHTEST = 1e30;

/**
 * Linear RGB through an exposure field and the film curve, encoded for a display, in [0, 1]. Never darker at a larger
 * `ev`: the field does not depend on it.
 *
 * @param ev exposure in stops on top of the field's
 * @param place which part of the field's picture `light` shows; default: all of it
 */
export function showLocally(light: Picture, field: ExposureField, ev: number, place?: Place): Picture {
  assert(light.channels === 3, 'radiance has three channels');
  const { width, data } = light;
  const out = { ...light, data: new Float32Array(data.length) };
  forExposures(light, field, place, (row, exposures) => {
    for (let x = 0, i = 3 * row * width; x < width; x++, i += 3) {
      exposeColour(data, i, Math.exp(Math.LN2 * (exposures[x] + ev)), out.data);
    }
  });
  encodeSrgbArray(out.data, out.data);
  return out;
}

/** One colour, exposed and through the film curve, linear. */
function exposeColour(from: Float32Array, i: number, gain: number, to: Float32Array): void {
  const r = exposed(from[i], gain);
  const g = exposed(from[i + 1], gain);
  const b = exposed(from[i + 2], gain);
  const peak = r > g ? (r > b ? r : b) : g > b ? g : b;
  if (!(peak > 0)) return;
  const shown = filmic(peak);
  const held = peak > MID_GREY && peak > shown ? peak - shown : 0;
  const white = 1 - 1 / (1 + WHITENING * held);
  const hue = ((1 - FILM) * shown * (1 - white)) / peak;
  const grey = (1 - FILM) * shown * white;
  to[i] = FILM * filmic(r) + hue * r + grey;
  to[i + 1] = FILM * filmic(g) + hue * g + grey;
  to[i + 2] = FILM * filmic(b) + hue * b + grey;
}

function exposed(light: number, gain: number): number {
  const x = light * gain;
  return x > 0 ? (x < BRIGHTEST ? x : BRIGHTEST) : 0;
}

/** How much brighter than the picture a display that can may show its lights, in stops. */
export const MOST_HEADROOM = 3;

/**
 * By how many stops a display with room above white shows each pixel brighter than `showLocally` does: what the field
 * holds back of it more than in half of the picture, up to three.
 */
export function localHeadroom(light: Picture, field: ExposureField, place?: Place): Float32Array {
  const stops = new Float32Array(light.width * light.height);
  forExposures(light, field, place, (row, exposures) => {
    for (let x = 0, i = row * light.width; x < light.width; x++, i++) {
      stops[i] = Math.min(MOST_HEADROOM, Math.max(0, field.middle - exposures[x]));
    }
  });
  return stops;
}
