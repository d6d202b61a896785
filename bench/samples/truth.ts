import { z } from 'zod';
import { cameraSchema } from './camera.js';
import { SCENE_NAMES } from './scenes/index.js';

/** `truth.json`: all that is true about a sample capture besides its pictures. Written by `writeSample`. */

export const TRUTH_FILE = 'truth.json';
export const RADIANCE_FILE = 'truth.exr';
export const DEPTH_FILE = 'truth-depth.exr';

/** A file name without a folder, so that a truth cannot point out of its own folder. */
const fileName = z.string().regex(/^[^/\\]+$/);
const positive = z.number().positive();

const frameSchema = z.object({
  file: fileName,
  /** True exposure in stops. */
  ev: z.number(),
  /** Exposure in stops that the file's EXIF claims; null without EXIF. */
  exifEv: z.number().nullable(),
  /** What the camera's white balance multiplied red, green and blue by. */
  balance: z.array(positive).length(3).default([1, 1, 1]),
  focusIndex: z.int().nonnegative(),
  exposureIndex: z.int().nonnegative(),
  /** Metres. */
  focusDistance: positive,
  fNumber: positive,
  /** Seconds. */
  exposureTime: positive,
  /** Row-major 3×3: takes pixel positions of this frame to those of the truth. */
  homography: z.array(z.number()).length(9),
});

export const truthSchema = z.object({
  version: z.literal(1),
  scene: z.enum(SCENE_NAMES),
  seed: z.int(),
  width: z.int().positive(),
  height: z.int().positive(),
  motion: z.enum(['none', 'hand', 'object']),
  exif: z.enum(['exact', 'rough', 'none']),
  /** What the camera did to the photographs. */
  taken: cameraSchema.default(cameraSchema.parse({})),
  /** The frame in whose view (and at whose time) the truth is. */
  referenceFrame: fileName,
  files: z.object({
    /** Linear radiance R, G, B; 1 saturates the sensor at EV 0. */
    radiance: fileName,
    /** Depth in metres. */
    depth: fileName,
    /** What the lens shows at each focus, linear. */
    perFocus: z.array(fileName),
  }),
  camera: z.object({
    /** Millimetres. */
    focalLength: positive,
    fNumber: positive,
    /** Millimetres. */
    pixelPitch: positive,
    circleOfConfusion: z.string(),
    /** Pixels; at the worst place of the scene. */
    largestRadius: z.number().nonnegative(),
    foci: z.array(z.object({ distance: positive, gain: z.number() })).min(1),
    /** Electrons. */
    fullWell: positive,
    readNoise: z.number().nonnegative(),
    /** Pixel value 0…1 at each exposure 0…1 (relative to saturation), per channel. */
    response: z.object({
      exposure: z.array(z.number()),
      red: z.array(z.number()),
      green: z.array(z.number()),
      blue: z.array(z.number()),
    }),
  }),
  frames: z.array(frameSchema).min(1),
});

export type Truth = z.infer<typeof truthSchema>;
