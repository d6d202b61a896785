import { createPicture, type Picture } from '../../model/picture.js';
import { debevecMerge, debevecResponse } from './debevec.js';
import { focusStack } from './focus-stack.js';
import type { PhotoStack } from './stack.js';

/**
 * What photography software makes of a capture: Debevec's response and merge for each focus plane, then the sharpest
 * plane at every pixel. A single exposure is linearised as sRGB, a single focus is the merge alone.
 *
 * @returns linear radiance, 3 channels, on an arbitrary scale.
 */
export function classicalRadiance(stack: PhotoStack): Picture {
  const response = debevecResponse(stack);
  const merged = stack.brackets.map((bracket) => debevecMerge(bracket, response));
  const { logRadiance } = focusStack(merged, stack.width, stack.height);
  const picture = createPicture(stack.width, stack.height, 3);
  for (let i = 0; i < logRadiance.length; i++) picture.data[i] = Math.exp(logRadiance[i]);
  return picture;
}
