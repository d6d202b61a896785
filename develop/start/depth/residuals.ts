/**
 * How well a picture and its defocus map explain the views through the lens: where two pictures are at hand, the better one.
 */
import type { Picture } from '../../../model/picture.js';
import { composeRefocus } from '../../../model/render/render.js';
import type { StartKernels } from '../kernels.js';
import { areaResize, fitWithin } from '../pixels/resize.js';
import type { FocusViews } from './all-in-focus.js';
import { DARK, geometricMean, meanDifference, planesOf } from './view-differences.js';

/** Most pixels of the pictures that are compared: wide circles cost as their area. */
const PIXELS = 6e4;

export interface Residuals {
  readonly width: number;
  readonly height: number;
  /** Mean difference of ln light over views and channels. */
  readonly data: Float32Array;
}

/**
 * One for each picture.
 *
 * @param s defocus map, 1 channel; `pictures`: ln radiance, of the same size
 * @param kappa blur in pixels per unit of focus and aperture
 */
export function viewResiduals(
  input: FocusViews,
  s: Picture,
  pictures: readonly Picture[],
  kappa: number,
  kernels: StartKernels,
): Residuals[] {
  const { width, height } = fitWithin(s.width, s.height, PIXELS);
  const defocus = areaResize(s.data, s.width, s.height, width, height);
  const scenes = pictures.map((picture) => ({
    width,
    height,
    radiance: planesOf(picture, [0, 0, 0], width, height, kernels),
    defocus,
  }));
  const floor = DARK * geometricMean(scenes[0].radiance);
  const results = scenes.map(() => ({ width, height, data: new Float32Array(width * height) }));
  const { views, focus, aperture, gains } = input;
  views.forEach((view, v) => {
    const lens = { focus: focus[v], aperture: aperture[v], kappa: (kappa * width) / s.width };
    const seen = planesOf(view, gains[v], width, height, kernels);
    scenes.forEach((scene, k) => {
      const predicted = composeRefocus(scene, lens, undefined, kernels.spreadSources).data;
      const difference = meanDifference(predicted, seen, floor);
      const { data } = results[k];
      for (let p = 0; p < data.length; p++) data[p] += difference[p] / views.length;
    });
  });
  return results;
}
