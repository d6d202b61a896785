/**
 * Which pixels of a focus stack one surface behind a lens explains. Beside depth edges it does not always: the blurred
 * background is laid over a sharp foreground, where it really is hidden. Training would make up for that by darkening
 * the background beside dark bars; pixels whose view the start mispredicts there are better left out. Nor does it explain what blurs in
 * from beyond the border, which training would lay over the pixels along it.
 */
import type { Picture } from '../../../model/picture.js';
import { composeRefocus } from '../../../model/render/render.js';
import { portableKernels, type StartKernels } from '../kernels.js';
import { minimumFilter } from '../pixels/rank-filters.js';
import { areaResize, fitWithin } from '../pixels/resize.js';
import type { FocusViews } from './all-in-focus.js';
import { DARK, geometricMean, meanDifference, planesOf } from './view-differences.js';

/** Most pixels of the pictures that are compared. */
const PIXELS = 5e5;
/** Depths that differ by this share of the range of focus within the reach of the blur make an edge. */
const EDGE = 0.25;
/** Mean difference of ln radiance over 3 × 3 pixels and three channels from which a pixel counts as unexplained. */
const TOLERANCE = 0.25;
/** Circles of confusion wider than this, in pixels, bring light from beyond the border that matters. */
const LEAST_CIRCLE = 1;

/**
 * One mask a view, 1 where the blurred all-in-focus picture looks like the view or no depth edge is near, and the circle
 * of confusion lies within the picture.
 *
 * @param s defocus map, 1 channel; `allInFocus`: ln radiance, 3 channels, of the same size as the views
 * @param kappa blur in pixels per unit of focus and aperture
 * @param reach largest blur in pixels that is modelled
 */
export function explainedPixels(
  input: FocusViews,
  s: Picture,
  allInFocus: Picture,
  kappa: number,
  reach: number,
  kernels: StartKernels = portableKernels,
): Uint8Array[] {
  const { width: fullWidth, height: fullHeight } = s;
  const { width, height } = fitWithin(fullWidth, fullHeight, PIXELS);
  const scale = width / fullWidth;
  const depth = areaResize(s.data, fullWidth, fullHeight, width, height);
  const span = Math.max(...input.focus) - Math.min(...input.focus);
  const near = Math.max(2, Math.ceil(reach * scale * 0.75));
  const edge = depthEdges(depth, width, height, near, EDGE * span);
  const scene = {
    width,
    height,
    radiance: planesOf(allInFocus, [0, 0, 0], width, height, kernels),
    defocus: depth,
  };
  const floor = DARK * geometricMean(scene.radiance);
  return input.views.map((view, v) => {
    const lens = {
      focus: input.focus[v],
      aperture: input.aperture[v],
      kappa: kappa * scale,
      reach: Math.max(1, reach * scale),
    };
    const predicted = composeRefocus(scene, lens, undefined, kernels.spreadSources).data;
    const seen = planesOf(view, input.gains[v], width, height, kernels);
    const difference = meanDifference(predicted, seen, floor);
    kernels.boxMean(difference, width, height, 1, difference);
    const explained = new Uint8Array(difference.length);
    for (let p = 0; p < explained.length; p++) {
      explained[p] = edge[p] === 0 || difference[p] < TOLERANCE ? 1 : 0;
    }
    const mask = enlarged(explained, width, height, fullWidth, fullHeight);
    maskBeyondBorder(mask, s, input.focus[v], kappa * input.aperture[v]);
    return mask;
  });
}

/** Masks the pixels whose circle of confusion `scale`·|s − focus| reaches beyond the border. */
function maskBeyondBorder(mask: Uint8Array, s: Picture, focus: number, scale: number): void {
  const { width, height, data } = s;
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const inside = Math.min(x, y, width - 1 - x, height - 1 - y) + 0.5;
      const circle = scale * Math.abs(data[p] - focus);
      if (circle > LEAST_CIRCLE && circle > inside) mask[p] = 0;
    }
}

function depthEdges(
  depth: Float32Array,
  width: number,
  height: number,
  radius: number,
  step: number,
): Uint8Array {
  const low = minimumFilter(depth, width, height, radius);
  const high = minimumFilter(
    depth.map((d) => -d),
    width,
    height,
    radius,
  );
  const edges = new Uint8Array(low.length);
  for (let p = 0; p < edges.length; p++) edges[p] = -high[p] - low[p] > step ? 1 : 0;
  return edges;
}

function enlarged(
  mask: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  if (width === toWidth && height === toHeight) return mask;
  const out = new Uint8Array(toWidth * toHeight);
  const columns = Int32Array.from({ length: toWidth }, (_, x) => Math.floor(((x + 0.5) * width) / toWidth));
  for (let y = 0, q = 0; y < toHeight; y++) {
    const row = Math.floor(((y + 0.5) * height) / toHeight) * width;
    for (let x = 0; x < toWidth; x++, q++) out[q] = mask[row + columns[x]];
  }
  return out;
}
