import { RandomStream } from '../../model/philox.js';

/**
 * Scenes as painted surfaces. Scene coordinates: x to the right, y down, the origin in the middle of the picture; a
 * picture of 3:2 spans x −1.5…1.5 and y −1…1, other shapes show the largest part of that which fills them.
 */

/** What `Surface.paint` fills in: radiance R, G, B, coverage, inverse depth. */
export const PAINT_VALUES = 5;

export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** One surface of a scene; the ones behind it are complete, so that a blurred edge shows what it hides. */
export interface Surface {
  readonly name: string;
  /** Where the surface may cover anything, in scene coordinates. */
  readonly bounds: Bounds;
  /**
   * One piece without steps in depth: its slant is then exactly neutral in brightness. Costs time where it is empty;
   * worth it for surfaces along the line of sight.
   */
  readonly continuous?: boolean;
  /** Moves across the picture in captures with object motion. */
  readonly moves?: boolean;
  /** Goes with who walks by. */
  readonly walks?: boolean;
  /**
   * Writes linear radiance (not premultiplied; `Scene.gain` times it, 1 saturates the sensor at EV 0), coverage 0…1 and inverse depth in 1/m
   * at a point. Inverse depth is asked for (and must be sensible) outside of the covered part too.
   */
  readonly paint: (x: number, y: number, out: Float64Array) => void;
}

/** A scene and the camera it is made for. */
export interface Scene {
  readonly name: string;
  readonly focalLength: number;
  /** Nearest and farthest thing that the focus bracket covers, in 1/m: near is the larger number. */
  readonly nearest: number;
  readonly farthest: number;
  /** Exposure time at EV 0 in seconds. */
  readonly baseTime: number;
  /** What painted radiance is multiplied by: the photographer's choice of exposure. */
  readonly gain: number;
  /** Back to front. */
  readonly surfaces: readonly Surface[];
}

/** What a scene is built for. */
export class Stage {
  readonly seed: number;
  /** Size of a picture's pixel in scene units. */
  readonly pixel: number;
  /** Pixels of the picture per pixel of a 450×300 one, along a side. */
  readonly magnification: number;

  constructor(seed: number, pixel: number) {
    this.seed = seed;
    this.pixel = pixel;
    this.magnification = 1 / (150 * pixel);
  }

  /** A stream of random numbers for one part of the scene. */
  random(part: number): RandomStream {
    return new RandomStream(this.seed, SAMPLE_STREAM, part);
  }

  /**
   * The size in scene units of a detail that is `size` at 450×300. Larger pictures show finer detail: it shrinks with
   * the pixel, but more slowly, so that text stays at the scale of pixels and yet grows legible.
   */
  fine(size: number): number {
    return size * this.magnification ** -0.75;
  }
}

/** Key word of the sample generator's random numbers, apart from all that training draws. */
const SAMPLE_STREAM = 0x5a3f;

/** Scene units that span the width of the sensor (36 mm) in a 3:2 picture, and their size on it. */
export const SENSOR_WIDTH_MM = 36;
export const UNIT_MM = SENSOR_WIDTH_MM / 3;

/** Scene units of one pixel for a picture of this size: it fills the 3 × 2 units of a scene. */
export function pixelSize(width: number, height: number): number {
  return Math.min(3 / width, 2 / height);
}

/** Bounds around a centre. */
export function around(x: number, y: number, halfX: number, halfY = halfX): Bounds {
  return { left: x - halfX, top: y - halfY, right: x + halfX, bottom: y + halfY };
}

/** Bounds that cover every picture with its blurred margin. */
export const EVERYWHERE: Bounds = { left: -2.2, top: -1.7, right: 2.2, bottom: 1.7 };
