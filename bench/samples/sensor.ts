import type { RandomStream } from '../../model/philox.js';
import { encodeSrgb } from '../../model/render/display-curves.js';
import { normal } from './hash.js';

/** How the sensor and the camera's processing turn light into bytes. */
export interface Sensor {
  /** Electrons that saturate a pixel: sets the shot noise. */
  readonly fullWell: number;
  /** Standard deviation of the read noise, in electrons. */
  readonly readNoise: number;
  /** Response curve of each channel. */
  readonly curves: readonly [ResponseCurve, ResponseCurve, ResponseCurve];
}

/**
 * Pixel value 0…1 for exposure 0…1 relative to saturation: power law, then contrast around the middle, then toe, then
 * shoulder.
 */
export interface ResponseCurve {
  /** Or sRGB's curve. */
  readonly gamma: number | 'srgb';
  readonly contrast: number;
  readonly toe: number;
  /** How far highlights are drawn together; 0 where it is left out. */
  readonly shoulder?: number;
}

/** Cameras to choose from; `own` is drawn. */
export const RESPONSES = ['own', 'srgb', 'phone', 'film', 'vivid', 'flat'] as const;
export type ResponseName = (typeof RESPONSES)[number];

type Curves = Sensor['curves'];

/** Looks as real cameras and developers have them: of a channel each. */
const LOOKS: Readonly<Record<Exclude<ResponseName, 'own'>, Curves>> = {
  srgb: [0, 0, 0].map(() => ({ gamma: 'srgb', contrast: 0, toe: 0 })) as unknown as Curves,
  phone: [
    { gamma: 2.35, contrast: 0.35, toe: 0.03, shoulder: 1.1 },
    { gamma: 2.3, contrast: 0.38, toe: 0.025, shoulder: 1.2 },
    { gamma: 2.4, contrast: 0.3, toe: 0.03, shoulder: 1.0 },
  ],
  film: [
    { gamma: 1.95, contrast: 0.75, toe: 0.09, shoulder: 0.9 },
    { gamma: 2.0, contrast: 0.7, toe: 0.11, shoulder: 0.7 },
    { gamma: 2.15, contrast: 0.6, toe: 0.14, shoulder: 0.5 },
  ],
  vivid: [
    { gamma: 2.2, contrast: 0.85, toe: 0.06 },
    { gamma: 2.2, contrast: 0.8, toe: 0.06 },
    { gamma: 2.15, contrast: 0.85, toe: 0.05 },
  ],
  flat: [
    { gamma: 2.7, contrast: 0.05, toe: 0.01 },
    { gamma: 2.75, contrast: 0, toe: 0.01 },
    { gamma: 2.7, contrast: 0, toe: 0.012 },
  ],
};

/** A mid grey of 8 bits then has a standard deviation of about 1.2 steps. */
const FULL_WELL = 16000;
const READ_NOISE = 4;
/** The part of it before amplification: what is left at high sensitivities. */
const EARLY_READ_NOISE = 1.8;

/**
 * A camera: its own look, each channel a little different and none of them sRGB, or one that is asked for; and the
 * noise of its sensor. Twice the sensitivity fills a pixel with half the electrons.
 */
export function sensorFor(random: RandomStream, name: ResponseName = 'own', iso = 100): Sensor {
  const gain = iso / 100;
  const late = READ_NOISE ** 2 - EARLY_READ_NOISE ** 2;
  return {
    fullWell: FULL_WELL / gain,
    readNoise: gain === 1 ? READ_NOISE : Math.sqrt(EARLY_READ_NOISE ** 2 + late / gain ** 2),
    curves: name === 'own' ? ownCurves(random) : LOOKS[name],
  };
}

function ownCurves(random: RandomStream): Curves {
  const gamma = 2.1 + 0.25 * random.unit();
  const contrast = 0.55 + 0.15 * random.unit();
  const toe = 0.04 + 0.03 * random.unit();
  const curve = (): ResponseCurve => ({
    gamma: gamma + 0.12 * (random.unit() - 0.5),
    contrast: contrast + 0.1 * (random.unit() - 0.5),
    toe: toe + 0.02 * (random.unit() - 0.5),
  });
  return [curve(), curve(), curve()];
}

/** The response at an exposure; 0 below 0, 1 above saturation, strictly increasing between. */
export function response({ gamma, contrast, toe, shoulder }: ResponseCurve, exposure: number): number {
  const light = Math.min(Math.max(exposure, 0), 1);
  const x = gamma === 'srgb' ? encodeSrgb(light) : light ** (1 / gamma);
  // Contrast steepens the middle at the cost of shadows and highlights; its slope stays above 1 − contrast.
  const s = x + contrast * x * (1 - x) * (2 * x - 1);
  const t = toe === 0 ? s : (s * s * (1 + toe)) / (s + toe);
  return shoulder ? Math.expm1(-shoulder * t) / Math.expm1(-shoulder) : t;
}

const TABLE_SIZE = 8192;

/** Table of `white` · response at (i / TABLE_SIZE)²: the square root spreads the shadows, where the curve is steep. */
function responseTable(curve: ResponseCurve, white: number): Float32Array {
  return Float32Array.from(
    { length: TABLE_SIZE + 2 },
    (_, i) => white * response(curve, (i / TABLE_SIZE) ** 2),
  );
}

/**
 * Exposes linear radiance (interleaved RGB, 1 saturates at EV 0) by `ev` stops: shot and read noise, saturation,
 * response, 8 bits.
 *
 * @param seed of the noise: the same seed gives the same noise, different frames need different ones.
 * @param white value that saturates.
 */
export function expose(
  radiance: Float32Array,
  sensor: Sensor,
  ev: number,
  seed: number,
  white = 255,
): Uint8Array {
  return exposeInto(new Uint8Array(radiance.length), radiance, sensor, ev, seed, white);
}

/** The same with more bits: `white` is the value of these that saturates, 4095 of 12 bits. */
export function exposeDeep(
  radiance: Float32Array,
  sensor: Sensor,
  ev: number,
  seed: number,
  white: number,
): Uint16Array {
  return exposeInto(new Uint16Array(radiance.length), radiance, sensor, ev, seed, white);
}

function exposeInto<T extends Uint8Array | Uint16Array>(
  pixels: T,
  radiance: Float32Array,
  sensor: Sensor,
  ev: number,
  seed: number,
  white: number,
): T {
  const gain = 2 ** ev;
  const shot = 1 / sensor.fullWell;
  const read = (sensor.readNoise / sensor.fullWell) ** 2;
  const tables = sensor.curves.map((curve) => responseTable(curve, white));
  for (let c = 0; c < 3; c++) {
    const table = tables[c];
    for (let i = c; i < radiance.length; i += 3) {
      const x = radiance[i] * gain;
      const noisy = x + Math.sqrt(x * shot + read) * normal(i, seed);
      if (noisy >= 1) {
        pixels[i] = white;
      } else if (noisy > 0) {
        const at = Math.sqrt(noisy) * TABLE_SIZE;
        const k = Math.floor(at);
        const low = table[k];
        pixels[i] = Math.round(low + (table[k + 1] - low) * (at - k));
      }
    }
  }
  return pixels;
}
