import type { Frame } from '../../../model/picture.js';
import { fullScale } from '../../../model/picture.js';
import { BLACK, WHITE } from './pixel-radiance.js';

type Masks = readonly (Uint8Array | undefined)[];

/**
 * Where the frames of one focus show what is there: one byte a pixel, undefined where that is everywhere. A frame that was
 * moved lacks a border, each another one. Of what some of them lack the others must tell every channel: where only a
 * frame that is white is left, there is no radiance to be had.
 *
 * @param masks one a frame: one byte a pixel, 0 = the frame does not show it
 */
export function shownPixels(frames: readonly Frame[], masks: Masks): Uint8Array | undefined {
  if (masks.every((mask) => mask === undefined)) return undefined;
  const { width, height } = frames[0];
  const shown = new Uint8Array(width * height);
  for (let p = 0; p < shown.length; p++) {
    const left = frames.filter((_, i) => masks[i]?.[p] !== 0);
    shown[p] = left.length === frames.length || toldBy(left, p) ? 1 : 0;
  }
  return shown;
}

function toldBy(frames: readonly Frame[], p: number): boolean {
  return [0, 1, 2].every((c) =>
    frames.some((frame) => {
      const value = frame.data[3 * p + c] / fullScale(frame);
      return value > BLACK && value < WHITE;
    }),
  );
}

/**
 * The masks with every frame let in where the view is not shown: what a warp repeats of its border is nearer to the
 * truth than the black that a merge gives where it has nothing, which would blur into what lies beside it.
 */
export function letIn(masks: Masks, shown: Uint8Array | undefined): Masks {
  if (!shown) return masks;
  return masks.map((mask) => mask?.map((v, p) => (shown[p] === 0 ? 1 : v)));
}
