/**
 * How far the network's picture is to be believed at every pixel, where nobody knows the truth: of two pictures the better
 * one, blurred as the defocus map says, looks more like the frames. Where neither does, the map is wrong, as it is
 * beside depth edges, and there the network is.
 */
import { createPicture, type Picture } from '../../../model/picture.js';
import { composeRefocus } from '../../../model/render/render.js';
import type { FocusViews } from '../depth/all-in-focus.js';
import { DARK, geometricMean } from '../depth/view-differences.js';
import type { StartKernels } from '../kernels.js';
import { fastExp, logInPlace } from '../pixels/fast-math.js';
import { areaResize, bilinearResize } from '../pixels/resize.js';
import { nearToFar } from './triples.js';

/**
 * Pictures are compared at most this large: so that half way between two views' planes circles measure so many pixels.
 * There blur shows, and larger ones only take longer.
 */
const CIRCLE = 1.5;
/** Sizes that come this near are compared as they are. */
const NEARLY = 0.85;
/** Circles up to this radius are rendered: every pixel is compared in its sharpest view, whose circles are small. */
const REACH = 3;
/** Differences are averaged over a Gaussian of this many pixels. */
const WINDOW = 1;
/** How decided the choice is: shares are as the differences to the minus this power. */
const POWER = 4;
/** Mean differences of ln radiance from which neither picture explains the frames, and from which that is certain. */
const UNEXPLAINED = 0.05;
const CERTAIN = 0.15;
/** There the network gets this much of what the classical picture had. */
const PREFERENCE = 0.6;
/** Most pixels that are rendered at once. */
const BAND = 2 ** 18;

/** Shares of the network's picture, 0 … 1. */
export function believed(
  input: FocusViews,
  s: Picture,
  kappa: number,
  classical: Picture,
  network: Picture,
  kernels: StartKernels,
): Float32Array {
  const scale = CIRCLE / widestBetween(input, kappa);
  if (scale >= NEARLY) return sharesOf(input, s, kappa, classical, network, kernels);
  const { width, height } = classical;
  const toWidth = Math.max(1, Math.round(scale * width));
  const toHeight = Math.max(1, Math.round(scale * height));
  const reduced = (picture: Picture, gains?: readonly number[]) =>
    smaller(picture, gains ?? [0, 0, 0], toWidth, toHeight, kernels);
  const shares = sharesOf(
    {
      ...input,
      views: input.views.map((view, v) => reduced(view, input.gains[v])),
      gains: input.gains.map((gains) => gains.map(() => 0)),
      valid: input.valid.map((mask) => mask && smallerMask(mask, width, height, toWidth, toHeight)),
    },
    {
      width: toWidth,
      height: toHeight,
      channels: 1,
      data: areaResize(s.data, width, height, toWidth, toHeight),
    },
    kappa * scale,
    reduced(classical),
    reduced(network),
    kernels,
  );
  return bilinearResize(shares, toWidth, toHeight, width, height, 1);
}

/** The widest circle that a depth between the planes of two neighbouring views has in the nearer of them. */
function widestBetween({ focus, aperture }: FocusViews, kappa: number): number {
  const order = nearToFar(focus);
  const gaps = order
    .slice(1)
    .map((v, k) => (focus[order[k]] - focus[v]) * Math.max(aperture[order[k]], aperture[v]));
  return (kappa * Math.max(...gaps)) / 2;
}

/** ln radiance with gains added, averaged in linear light. */
function smaller(
  picture: Picture,
  gains: readonly number[],
  width: number,
  height: number,
  kernels: StartKernels,
): Picture {
  const out = createPicture(width, height, 3);
  for (let c = 0; c < 3; c++) {
    const plane = kernels.channelLight(picture, c, gains[c], width, height);
    for (let p = 0; p < plane.length; p++) out.data[3 * p + c] = Math.log(Math.max(plane[p], 1e-30));
  }
  return out;
}

function smallerMask(
  mask: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  return Uint8Array.from(areaResize(Float32Array.from(mask), width, height, toWidth, toHeight), (v) =>
    v > 0.999 ? 1 : 0,
  );
}

/** The shares at the pictures' own size. */
function sharesOf(
  input: FocusViews,
  s: Picture,
  kappa: number,
  classical: Picture,
  network: Picture,
  kernels: StartKernels,
): Float32Array {
  const { width, height } = classical;
  const sharpest = sharpestViews(input, s.data);
  const floor = DARK * geometricMean(classical.data);
  const differences = [classical, network].map((picture) => {
    const plane = differenceFrom(input, s, kappa, picture, sharpest, floor, kernels);
    return kernels.gaussian(plane, width, height, WINDOW, plane);
  });
  return differences[0].map((of, p) => {
    const [a, b] = [of ** POWER, differences[1][p] ** POWER];
    const share = a + b > 0 ? a / (a + b) : 0.5;
    const unexplained = (Math.min(of, differences[1][p]) - UNEXPLAINED) / (CERTAIN - UNEXPLAINED);
    return share + (1 - share) * PREFERENCE * Math.min(1, Math.max(0, unexplained));
  });
}

/** The view with the smallest circle at every pixel. */
function sharpestViews({ focus, aperture, valid }: FocusViews, s: Float32Array): Uint8Array {
  const out = new Uint8Array(s.length);
  for (let p = 0; p < s.length; p++) {
    let least = Number.POSITIVE_INFINITY;
    for (let v = 0; v < focus.length; v++) {
      const mask = valid[v];
      if (mask !== undefined && mask[p] === 0) continue;
      const circle = aperture[v] * Math.abs(s[p] - focus[v]);
      if (circle >= least) continue;
      least = circle;
      out[p] = v;
    }
  }
  return out;
}

/** Mean over the channels of |ln rendered − ln seen| at every pixel, in its sharpest view. */
function differenceFrom(
  input: FocusViews,
  s: Picture,
  kappa: number,
  picture: Picture,
  sharpest: Uint8Array,
  floor: number,
  kernels: StartKernels,
): Float32Array {
  const { width, height } = picture;
  const out = new Float32Array(width * height);
  const rows = Math.max(1, Math.floor(BAND / width));
  for (let top = 0; top < height; top += rows) {
    const bottom = Math.min(height, top + rows);
    const views = new Set(sharpest.subarray(top * width, bottom * width));
    for (const v of views) {
      const lens = { focus: input.focus[v], aperture: input.aperture[v], kappa, reach: REACH };
      const band = bandOf(picture, s, Math.max(0, top - REACH - 1), Math.min(height, bottom + REACH + 1));
      const rendered = composeRefocus(band, lens, undefined, kernels.spreadSources).data;
      const first = Math.max(0, top - REACH - 1) * width;
      compareIn(input, v, sharpest, rendered, first, [top * width, bottom * width], floor, out);
    }
  }
  return out;
}

/** Rows `top` to `bottom` of a picture as a scene. */
function bandOf({ width, data }: Picture, s: Picture, top: number, bottom: number) {
  const height = bottom - top;
  const pixels = width * height;
  const radiance = new Float32Array(3 * pixels);
  const from = 3 * top * width;
  for (let c = 0; c < 3; c++) {
    for (let p = 0; p < pixels; p++) radiance[c * pixels + p] = data[from + 3 * p + c];
  }
  return { width, height, radiance, defocus: s.data.slice(top * width, bottom * width) };
}

/** Differences at the pixels of view `v` in a range, in whose rendering pixel `first` is the first. */
function compareIn(
  input: FocusViews,
  v: number,
  sharpest: Uint8Array,
  rendered: Float32Array,
  first: number,
  [from, to]: readonly [number, number],
  floor: number,
  out: Float32Array,
): void {
  const { data } = input.views[v];
  const gains = input.gains[v];
  const line = new Float32Array(6);
  for (let p = from; p < to; p++) {
    if (sharpest[p] !== v) continue;
    for (let c = 0; c < 3; c++) {
      line[c] = Math.max(rendered[3 * (p - first) + c], 0) + floor;
      line[3 + c] = fastExp(data[3 * p + c] + gains[c]) + floor;
    }
    logInPlace(line);
    out[p] = (Math.abs(line[0] - line[3]) + Math.abs(line[1] - line[4]) + Math.abs(line[2] - line[5])) / 3;
  }
}
