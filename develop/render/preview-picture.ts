import { encodeImage } from '../../imaging/write.js';
import { type Look, readCamera } from '../../model/camera/camera.js';
import type { Picture, PictureOrigin } from '../../model/picture.js';
import { type Capture, createPlan } from '../../model/plan.js';
import { blackWhereUnseen, seenShare } from '../../model/unseen.js';
import type { TrainedModel } from '../options.js';
import { resizedTo } from '../start/pixels/resize.js';
import { chooseDisplay, showRadiance } from './display.js';

/** Width of previews, in pixels; of smaller pictures their own. */
export const PREVIEW_WIDTH = 960;

/** A small JPEG. */
export interface PreviewPicture {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Makes a small picture of linear radiance, as the photographs look.
 *
 * @param origin what it says of its making
 * @param seen how far some photograph shows each pixel, one channel; black where none does
 */
export async function makePreview(
  radiance: Picture,
  look: Look,
  origin?: PictureOrigin,
  seen?: Picture,
): Promise<PreviewPicture> {
  const small = resizedTo(radiance, Math.min(radiance.width, PREVIEW_WIDTH));
  const toned = showRadiance(small, chooseDisplay(small, look), look);
  const shown = seen ? blackWhereUnseen(toned, resizedTo(seen, small.width)) : toned;
  const { width, height } = small;
  return { bytes: await encodeImage('jpeg', shown, { quality: 85, origin }), width, height };
}

/** How the photographs of a model look, by what it has learned of its camera. */
export function lookOf({ capture, config, seed, state }: Omit<TrainedModel, 'info'>): Look {
  const { tone } = readCamera(createPlan(capture, config, seed), state.parameters);
  return { ev: capture.frames.map((f) => f.ev), tone };
}

/** How far some photograph of a capture shows each pixel; undefined where all of it is shown. */
export function seenOf({ width, height, unseen }: Capture): Picture | undefined {
  return unseen && seenShare(width, height, unseen);
}
