import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole, writeImage } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import { type CameraSettings, createPicture } from '../../model/picture.js';
import { cameraSchema } from './camera.js';
import {
  type Capture,
  type CapturedFrame,
  type CaptureOptions,
  renderCapture,
  truthFrame,
} from './capture.js';
import { hash2 } from './hash.js';
import { CIRCLE_OF_CONFUSION } from './lens.js';
import { response } from './sensor.js';
import { DEPTH_FILE, RADIANCE_FILE, TRUTH_FILE, type Truth, truthSchema } from './truth.js';

/**
 * What the photographs say about themselves: everything; exposures that are right on average and in range but up to
 * 0.3 stops wrong between, and no distances; or nothing.
 */
export type ExifHonesty = 'exact' | 'rough' | 'none';

export interface SampleOptions extends CaptureOptions {
  /** @default exact */
  readonly exif?: ExifHonesty;
}

/** Largest error of a rough exposure relative to the outermost ones, in stops. */
const ROUGH_STOPS = 0.3;
/** Frames are dated from here on, so that the same options give the same bytes. */
const FIRST_FRAME = Date.UTC(2024, 5, 1, 12);
const FRAME_SPACING_MS = 500;
const RESPONSE_SAMPLES = 257;

/**
 * Photographs a procedural scene into a folder: the frames as PNG or JPEG with EXIF, `truth.exr` (radiance),
 * `truth-depth.exr`, `truth-focus-N.exr` (what the lens shows at each focus) and `truth.json`. The folder is made if
 * need be; an earlier sample in it is replaced, anything else is left alone and refused.
 *
 * @throws ImplicamError `bad-option`, `folder-not-empty`, and what `imaging/write.ts` throws.
 */
export async function writeSample(folder: string, options: SampleOptions = {}): Promise<Truth> {
  const { exif = 'exact', ...captureOptions } = options;
  if (!['exact', 'rough', 'none'].includes(exif)) {
    throw new ImplicamError('bad-option', `exif must be exact, rough or none, not "${exif}"`, {
      exitCode: 2,
    });
  }
  const capture = renderCapture(captureOptions);
  await prepareFolder(folder);
  const truth = describe(capture, exif);
  for (const [i, frame] of capture.frames.entries()) {
    const described = truth.frames[i];
    const camera = cameraSettings(capture, frame, described.exifEv, i, exif);
    await writeFrame(join(folder, described.file), capture, frame, camera);
  }
  await writeImage(join(folder, RADIANCE_FILE), capture.truth.radiance);
  await writeImage(join(folder, DEPTH_FILE), capture.truth.depth);
  for (const [i, picture] of capture.truth.radiancePerFocus.entries()) {
    await writeImage(join(folder, truth.files.perFocus[i]), picture);
  }
  await writeFileWhole(join(folder, TRUTH_FILE), `${JSON.stringify(truth, null, 1)}\n`);
  return truth;
}

async function writeFrame(
  path: string,
  { options: { width, height, jpeg, subsampling } }: Capture,
  { pixels, deep }: CapturedFrame,
  camera: CameraSettings | undefined,
): Promise<void> {
  const picture = createPicture(width, height, 3);
  // A camera of 12 bits in files of 16 has white at 4095 of 65535, as converters write it.
  const [samples, full] = deep === undefined ? [pixels, 255] : [deep, 65535];
  for (let i = 0; i < samples.length; i++) picture.data[i] = samples[i] / full;
  await writeImage(path, picture, {
    origin: camera,
    ...(deep === undefined ? {} : { bits: 16 }),
    ...(jpeg === undefined ? {} : { quality: jpeg, chroma: subsampling }),
  });
}

function cameraSettings(
  { camera, options }: Capture,
  frame: CapturedFrame,
  exifEv: number | null,
  index: number,
  exif: ExifHonesty,
): CameraSettings | undefined {
  if (exifEv === null) return undefined;
  return {
    exposureTime: (camera.scene.baseTime * 2 ** exifEv * 100) / options.iso,
    fNumber: frame.fNumber,
    iso: options.iso,
    focalLength: camera.scene.focalLength,
    time: FIRST_FRAME + index * FRAME_SPACING_MS,
    camera: `Implicam Sample ${options.scene}`,
    ...(exif === 'exact' ? { focusDistance: frame.focusDistance } : {}),
  };
}

/** All of `truth.json`. */
export function describe(capture: Capture, exif: ExifHonesty): Truth {
  const { options, camera, frames } = capture;
  const { lens, sensor } = camera;
  const exposure = Array.from({ length: RESPONSE_SAMPLES }, (_, i) => (i / (RESPONSE_SAMPLES - 1)) ** 2);
  const [red, green, blue] = sensor.curves.map((curve) => exposure.map((x) => response(curve, x)));
  const evs = [...new Set(frames.map((f) => f.setEv))];
  const claimed = exif === 'rough' ? roughExposures(evs, options.seed) : evs;
  const extension = options.jpeg === undefined ? 'png' : 'jpg';
  const fileOf = ({ focusIndex, exposureIndex, take }: CapturedFrame) =>
    `focus${focusIndex + 1}-exposure${exposureIndex + 1}${take > 0 ? `-take${take + 1}` : ''}.${extension}`;
  return {
    version: 1,
    scene: options.scene,
    seed: options.seed,
    width: options.width,
    height: options.height,
    motion: options.motion,
    exif,
    taken: cameraSchema.parse(options),
    referenceFrame: fileOf(frames[truthFrame(capture)]),
    files: {
      radiance: RADIANCE_FILE,
      depth: DEPTH_FILE,
      perFocus: lens.foci.map((_, i) => `truth-focus-${i + 1}.exr`),
    },
    camera: {
      focalLength: lens.focalLength,
      fNumber: lens.fNumber,
      pixelPitch: lens.pixelPitch,
      circleOfConfusion: CIRCLE_OF_CONFUSION,
      largestRadius: lens.largestRadius,
      foci: lens.foci.map((f) => ({ ...f })),
      fullWell: sensor.fullWell,
      readNoise: sensor.readNoise,
      response: { exposure, red: red, green: green, blue: blue },
    },
    frames: frames.map((f) => ({
      file: fileOf(f),
      ev: f.ev,
      balance: [...f.balance],
      exifEv: exif === 'none' ? null : claimed[f.exposureIndex],
      focusIndex: f.focusIndex,
      exposureIndex: f.exposureIndex,
      focusDistance: f.focusDistance,
      fNumber: f.fNumber,
      exposureTime: f.exposureTime,
      homography: [...f.homography],
    })),
  };
}

/** Exposures whose mean and range are right and whose others are not; what cameras round to, and shutters do. */
export function roughExposures(evs: readonly number[], seed: number): number[] {
  const last = evs.length - 1;
  const wrong = evs.map((ev, i) => {
    if (i === 0 || i === last) return ev;
    const word = hash2(i, 0x0e7f, seed);
    const size = ROUGH_STOPS * (0.5 + 0.5 * (word / 2 ** 32));
    return ev + (word & 1 ? size : -size);
  });
  const drift = wrong.reduce((sum, ev, i) => sum + ev - evs[i], 0) / evs.length;
  return wrong.map((ev) => ev - drift);
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ImplicamError(
      'write-failed',
      `the folder ${folder} could not be made (${code}): name another one`,
      {
        cause,
      },
    );
  });
  const present = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (present.length === 0) return;
  const earlier = await earlierSample(folder);
  const strange = present.find((name) => !earlier.includes(name));
  if (strange !== undefined) {
    throw new ImplicamError(
      'folder-not-empty',
      `${folder} holds ${strange}, which is not part of a sample: name an empty folder or a new one`,
      { exitCode: 2 },
    );
  }
  for (const name of earlier) await rm(join(folder, name), { force: true });
}

/** The files of a sample that the folder holds, if it does. */
async function earlierSample(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, TRUTH_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  try {
    const truth = truthSchema.parse(JSON.parse(text));
    const { radiance, depth, perFocus } = truth.files;
    return [TRUTH_FILE, radiance, depth, ...perFocus, ...truth.frames.map((f) => f.file)];
  } catch {
    return [];
  }
}
