import type { RandomStream } from '../../model/philox.js';
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

/** Pixel value 0…1 for exposure 0…1 relative to saturation: power law, then contrast around the middle, then toe. */
export interface ResponseCurve {
  readonly gamma: number;
  readonly contrast: number;
  readonly toe: number;
}

/** A mid grey of 8 bits then has a standard deviation of about 1.2 steps. */
const FULL_WELL = 16000;
const READ_NOISE = 4;

/** A camera's own look: each channel a little different, none of them sRGB. */
export function sensorFor(random: RandomStream): Sensor {
  const gamma = 2.1 + 0.25 * random.unit();
  const contrast = 0.55 + 0.15 * random.unit();
  const toe = 0.04 + 0.03 * random.unit();
  const curve = (): ResponseCurve => ({
    gamma: gamma + 0.12 * (random.unit() - 0.5),
    contrast: contrast + 0.1 * (random.unit() - 0.5),
    toe: toe + 0.02 * (random.unit() - 0.5),
  });
  return { fullWell: FULL_WELL, readNoise: READ_NOISE, curves: [curve(), curve(), curve()] };
}

/** The response at an exposure; 0 below 0, 1 above saturation, strictly increasing between. */
export function response({ gamma, contrast, toe }: ResponseCurve, exposure: number): number {
  const x = Math.min(Math.max(exposure, 0), 1) ** (1 / gamma);
  // Contrast steepens the middle at the cost of shadows and highlights; its slope stays above 1 − contrast.
  const s = x + contrast * x * (1 - x) * (2 * x - 1);
  return (s * s * (1 + toe)) / (s + toe);
}

const TABLE_SIZE = 8192;

/** Table of 255 · response at (i / TABLE_SIZE)²: the square root spreads the shadows, where the curve is steep. */
function responseTable(curve: ResponseCurve): Float32Array {
  return Float32Array.from(
    { length: TABLE_SIZE + 2 },
    (_, i) => 255 * response(curve, (i / TABLE_SIZE) ** 2),
  );
}

/**
 * Exposes linear radiance (interleaved RGB, 1 saturates at EV 0) by `ev` stops: shot and read noise, saturation,
 * response, 8 bits.
 *
 * @param seed of the noise: the same seed gives the same noise, different frames need different ones.
 */
export function expose(radiance: Float32Array, sensor: Sensor, ev: number, seed: number): Uint8Array {
  const pixels = new Uint8Array(radiance.length);
  const gain = 2 ** ev;
  const shot = 1 / sensor.fullWell;
  const read = (sensor.readNoise / sensor.fullWell) ** 2;
  const tables = sensor.curves.map(responseTable);
  for (let c = 0; c < 3; c++) {
    const table = tables[c];
    for (let i = c; i < radiance.length; i += 3) {
      const x = radiance[i] * gain;
      const noisy = x + Math.sqrt(x * shot + read) * normal(i, seed);
      if (noisy >= 1) {
        pixels[i] = 255;
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
