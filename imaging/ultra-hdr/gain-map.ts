import { assert } from '../../model/errors.js';
import type { Picture } from '../../model/picture.js';
import { srgbSampleTable } from '../../model/render/display-curves.js';

/**
 * The gain map of an HDR picture (ISO 21496-1; Adobe, "Gain Map", 1.0): for every sample by how many stops the light is
 * brighter than the base, the picture that plain displays show. All numbers here are those of both standards; there are
 * one minimum and one maximum for the three channels, and the map's gamma is 1.
 */
export interface GainMapRange {
  /** Stops at 0 and at 1 of the map. */
  readonly minimum: number;
  readonly maximum: number;
  /** Added to base and light before they are compared, so that black has a gain. */
  readonly offset: number;
  /** How far above white the light goes, in stops: a display with that much headroom shows all of it. */
  readonly headroom: number;
}

export interface GainMap {
  readonly range: GainMapRange;
  /** Of the size of the light, in [0, 1]; one channel where that gives back the light, else three. */
  readonly picture: Picture;
}

/** Far below a step of 8 bits in the middle of the range, so that dark channels keep their share of a common gain. */
const OFFSET = 2 ** -10;
/** Headroom that is taken at most: of 10000 cd/m², where PQ ends, over the white of HDR, 203 (ITU-R BT.2408). */
const MOST_HEADROOM = Math.log2(10_000 / 203);
/** Readers divide by headroom and range: neither is ever 0. */
const LEAST_HEADROOM = 1 / 8;
const LEAST_RANGE = 1 / 64;
/** Numbers are multiples of this, so that fractions and decimals give the same. */
const GRAIN = 2 ** -16;

/**
 * The gain map from a base to light.
 *
 * @param base display-encoded sRGB as it is shown, 8 bits, three channels
 * @param light linear, 1 as bright as the base's white; what is brighter than the most headroom is taken for that
 */
export function gainMap(base: Uint8Array, light: Picture): GainMap {
  const { width, height, data } = light;
  assert(light.channels === 3 && base.length === data.length, 'base and light are one picture');
  const peak = brightest(data);
  const common = commonGain(base, data);
  const stops = common ?? separateGains(base, data);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const gain of stops) {
    if (gain < low) low = gain;
    if (gain > high) high = gain;
  }
  const minimum = GRAIN * Math.floor(low / GRAIN);
  const maximum = GRAIN * Math.ceil(Math.max(high, minimum + LEAST_RANGE) / GRAIN);
  const headroom = GRAIN * Math.ceil(Math.max(LEAST_HEADROOM, Math.log2(peak)) / GRAIN);
  const scale = 1 / (maximum - minimum);
  for (let i = 0; i < stops.length; i++) stops[i] = (stops[i] - minimum) * scale;
  return {
    range: { minimum, maximum, offset: OFFSET, headroom },
    picture: { width, height, channels: common ? 1 : 3, data: stops },
  };
}

const MOST_LIGHT = 2 ** MOST_HEADROOM;
const clamped = (light: number): number => (light > 0 ? (light < MOST_LIGHT ? light : MOST_LIGHT) : 0);

/** The brightest light, and at least white. */
function brightest(data: Float32Array): number {
  let peak = 1;
  for (const value of data) if (value > peak) peak = value;
  return clamped(peak);
}

/** Error of a common gain that is taken: root mean square, relative to light and a hundredth of white. */
const COMMON_ERROR = 0.03;
const ERROR_FLOOR = 0.01;

/**
 * One gain for all channels of a pixel, that of its brightest, in stops. Half the size, and what the oldest readers know;
 * undefined where it does not give back the light.
 */
function commonGain(base: Uint8Array, data: Float32Array): Float32Array | undefined {
  const shown = srgbSampleTable(255);
  const stops = new Float32Array(data.length / 3);
  let error = 0;
  for (let p = 0, i = 0; p < stops.length; p++, i += 3) {
    let c = i;
    if (base[i + 1] > base[c]) c = i + 1;
    if (base[i + 2] > base[c]) c = i + 2;
    const gain = (clamped(data[c]) + OFFSET) / (shown[base[c]] + OFFSET);
    stops[p] = Math.log2(gain);
    for (let k = i; k < i + 3; k++) {
      const light = clamped(data[k]);
      const off = (gain * (shown[base[k]] + OFFSET) - OFFSET - light) / (light + ERROR_FLOOR);
      error += off * off;
    }
  }
  return error <= COMMON_ERROR ** 2 * data.length ? stops : undefined;
}

/** A gain for every sample, in stops. */
function separateGains(base: Uint8Array, data: Float32Array): Float32Array {
  const shown = srgbSampleTable(255).map((v) => Math.log2(v + OFFSET));
  const stops = new Float32Array(data.length);
  for (let i = 0; i < stops.length; i++) stops[i] = Math.log2(clamped(data[i]) + OFFSET) - shown[base[i]];
  return stops;
}
