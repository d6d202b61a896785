import { ImplicamError } from '../../model/errors.js';
import { type Scene, UNIT_MM } from './scene.js';

/** One position of the lens. */
export interface Focus {
  /** Distance of the plane in focus, in metres. */
  readonly distance: number;
  /**
   * Signed radius of the circle of confusion in pixels at inverse depth q (1/m): `gain · (q − 1/distance)`; positive
   * for things nearer than the plane in focus.
   */
  readonly gain: number;
}

export interface Lens {
  /** Millimetres. */
  readonly focalLength: number;
  readonly fNumber: number;
  /** Millimetres. */
  readonly pixelPitch: number;
  readonly foci: readonly Focus[];
  /** Largest radius of the circle of confusion over the scene's depths and all foci, in pixels. */
  readonly largestRadius: number;
}

/** For `truth.json`: the formula that `Focus.gain` comes from. */
export const CIRCLE_OF_CONFUSION =
  'radius_px = gain * (1/z - 1/d), gain = 1000 * (f/N) / 2 * f / (1000 d - f) * d / pixelPitch ' +
  '(f and pixelPitch in mm, depth z and focus distance d in m)';

/**
 * The lens for a scene: focus planes evenly spaced in inverse depth, the outer ones a little inside of the scene's
 * depths, and the aperture that blurs the worst of it by `radius` pixels.
 *
 * Thin lens: a point at z seen with focus at d has the diameter A · f/(d − f) · |z − d|/z on the sensor, A = f/N.
 *
 * @param pixel size of a pixel in scene units.
 */
export function lensFor(scene: Scene, count: number, pixel: number, radius: number): Lens {
  const f = scene.focalLength;
  const pixelPitch = UNIT_MM * pixel;
  const span = scene.nearest - scene.farthest;
  // From near to far, as focus-bracketing cameras go.
  const distances = Array.from({ length: count }, (_, i) => 1 / (scene.nearest - span * placed(i, count)));
  const gainAtF1 = distances.map((d) => {
    const mm = d * 1000;
    if (mm <= f)
      throw new ImplicamError('internal', `focus at ${d} m lies within the focal length`, { status: 500 });
    return ((f / 2) * (f / (mm - f)) * d) / pixelPitch;
  });
  const worst = Math.max(
    ...distances.map((d, i) => gainAtF1[i] * Math.max(scene.nearest - 1 / d, 1 / d - scene.farthest)),
  );
  const fNumber = Number((worst / radius).toPrecision(3));
  const foci = distances.map((distance, i) => ({ distance, gain: gainAtF1[i] / fNumber }));
  return { focalLength: f, fNumber, pixelPitch, foci, largestRadius: worst / fNumber };
}

/** Where the i-th of `count` focus planes lies between the nearest (0) and the farthest (1): three at 0.1, 0.5, 0.9. */
function placed(i: number, count: number): number {
  if (count === 1) return 0.5;
  const margin = 0.3 / count;
  return margin + ((1 - 2 * margin) * i) / (count - 1);
}
