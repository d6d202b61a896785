import { percentile } from '../../model/percentile.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { srgbSampleTable } from '../../model/render/display-curves.js';
import { alignRadiance, muLaw, psnr } from '../scores/scores.js';
import type { PhotoStack } from './stack.js';

/** One photograph as linear radiance, if its camera were an sRGB one. */
export function linearised(pixels: Uint8Array, width: number, height: number): Picture {
  const linear = srgbSampleTable(255);
  // Black is not nothing: half of the smallest step.
  const floor = linear[1] / 2;
  const picture = createPicture(width, height, 3);
  for (let i = 0; i < pixels.length; i++) picture.data[i] = Math.max(linear[pixels[i]], floor);
  return picture;
}

/** The photograph that, linearised, comes nearest to the truth by μ-law PSNR: the best that choosing could do. */
export function bestFrame(
  stack: PhotoStack,
  truth: Picture,
): { picture: Picture; bracket: number; photo: number } {
  const white = percentile(truth.data, 99.9);
  const target = muLaw(truth, white);
  let best: { picture: Picture; bracket: number; photo: number } | undefined;
  let score = -Infinity;
  stack.brackets.forEach(({ pixels }, bracket) => {
    pixels.forEach((bytes, photo) => {
      const picture = linearised(bytes, stack.width, stack.height);
      const value = psnr(muLaw(alignRadiance(picture, truth, 'common').picture, white), target);
      if (value > score) {
        score = value;
        best = { picture, bracket, photo };
      }
    });
  });
  return best!;
}
