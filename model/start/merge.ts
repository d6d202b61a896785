import { ImplicamError } from '../errors.js';
import { createPicture, type Frame, type Picture } from '../picture.js';
import { BLACK, pixelInformation, pixelSolver, solvePixel } from './pixel-radiance.js';
import { PixelReader } from './pixel-reader.js';
import { type CameraResponse, inverseResponse } from './response.js';

export interface MergeOptions {
  /** One a frame: one byte a pixel, 0 = leave the pixel out. */
  readonly masks?: readonly (Uint8Array | undefined)[];
  /** Also return how well each pixel is determined. @default false */
  readonly information?: boolean;
}

export interface Merged {
  /** Three channels of ln radiance; 0 is what saturates a frame of ev 0. */
  readonly radiance: Picture;
  /** Three channels: how many frames expose the pixel well, 0 (all clipped or masked) … number of frames. */
  readonly information?: Picture;
}

/**
 * Merges aligned frames of one focus into their radiance, the most likely one given the response (see
 * `pixel-radiance.ts`); one frame alone is simply put through the inverse response. Where every frame is white the
 * result is the least radiance that whitens the darkest frame, where every frame is black the greatest that blackens
 * the brightest; the latter also where every frame is masked. Linear in pixels × frames, no memory beyond the result.
 * @param ev exposure of each frame, in stops
 * @throws ImplicamError `merge-input` when sizes disagree or there is nothing to merge
 */
export function mergeFrames(
  frames: readonly Frame[],
  response: CameraResponse,
  ev: readonly number[],
  options: MergeOptions = {},
): Merged {
  checkStack(frames, ev, options.masks);
  const { width, height } = frames[0];
  const radiance = createPicture(width, height, 3);
  const information = options.information ? createPicture(width, height, 3) : undefined;
  for (let c = 0; c < 3; c++) mergeChannel(frames, response, ev, c, options.masks, radiance, information);
  return information ? { radiance, information } : { radiance };
}

function mergeChannel(
  frames: readonly Frame[],
  response: CameraResponse,
  ev: readonly number[],
  channel: number,
  masks: MergeOptions['masks'],
  radiance: Picture,
  information: Picture | undefined,
): void {
  const solver = pixelSolver(response, channel);
  const reader = new PixelReader(frames, response, ev, channel, masks);
  const { values, shifts } = reader;
  const blackest = inverseResponse(response, channel, BLACK) - Math.LN2 * Math.max(...ev);
  const pixels = radiance.width * radiance.height;
  for (let p = 0, i = channel; p < pixels; p++, i += 3) {
    const used = reader.read(p);
    if (used === 0) {
      radiance.data[i] = blackest;
      continue;
    }
    const u = used === 1 ? reader.start : solvePixel(solver, values, shifts, 0, used, reader.start);
    radiance.data[i] = u;
    if (information) {
      information.data[i] = pixelInformation(solver, values, shifts, 0, used, u);
    }
  }
}

/** Refuses frames that cannot be merged. */
export function checkStack(
  frames: readonly Frame[],
  ev: readonly number[],
  masks: readonly (Uint8Array | undefined)[] | undefined,
): void {
  const fail = (message: string) => new ImplicamError('merge-input', message);
  if (frames.length === 0) throw fail('there is no frame to merge; give at least one');
  if (ev.length !== frames.length || !ev.every(Number.isFinite)) {
    throw fail(`${frames.length} frames need as many finite exposures in stops, not [${ev.join(', ')}]`);
  }
  const { name, width, height } = frames[0];
  frames.forEach((frame, k) => {
    if (frame.width !== width || frame.height !== height) {
      throw fail(
        `${frame.name} is ${frame.width}×${frame.height} but ${name} is ${width}×${height}; ` +
          'align and crop the frames of one focus to one size first',
      );
    }
    const mask = masks?.[k];
    if (mask && mask.length !== width * height) {
      throw fail(`the mask of ${frame.name} has ${mask.length} pixels, the frame has ${width * height}`);
    }
  });
}
