/**
 * Two layers from a defocus map: what stands out in front of a smooth far surface becomes the foreground, with an
 * opacity; what it hides of the background, and the other way round, is filled in from beside it. A start for
 * training, which decides what the hidden parts must look like to explain the views.
 */
import { ImplicamError } from '../../../model/errors.js';
import type { Picture } from '../../../model/picture.js';
import { components, dilate, erode, invert, open } from '../pixels/distance.js';
import { fastExp } from '../pixels/fast-math.js';
import { fillUnknown } from '../pixels/fill.js';
import { gaussian } from '../pixels/filters.js';
import { minimumFilter } from '../pixels/rank-filters.js';
import { areaResize, bilinearResize, fitWithin } from '../pixels/resize.js';
import type { FocusViews } from './all-in-focus.js';
import { farSurface } from './far-surface.js';

export interface LayerOptions {
  /** Which end of s is in front: larger s, as with inverse distance, by default. */
  readonly nearer?: 'larger' | 'smaller';
  /** Most pixels of the pictures that layers are told apart on. */
  readonly pixels?: number;
  /** Opacity stays this far from 0 and 1, so that its logit stays finite. */
  readonly margin?: number;
}

/** All of the size of the views. */
export interface Layers {
  /** ln radiance, 3 channels. */
  readonly background: Picture;
  readonly foreground: Picture;
  /** Of the foreground, inside (0, 1); 1 channel. */
  readonly opacity: Picture;
  /** Signed defocus map of each layer; 1 channel. */
  readonly sBackground: Picture;
  readonly sForeground: Picture;
  /** Share of the picture that is foreground. */
  readonly share: number;
}

const DEFAULTS = { nearer: 'larger', pixels: 1e6, margin: 0.02 } as const;

/** How far foreground stands out from the far surface, and from what is seen beside it: shares of the range of focus. */
const STAND_OUT = 0.175;
const STAND_OUT_BESIDE = 0.3;
/** And at least this many pixels of blur. */
const STAND_OUT_BLUR = 1;
/** What lies behind a pixel is looked for this far away: in radii of the widest blur, and within a share of the width. */
const REACH_OF_BLUR = 1.5;
const LEAST_REACH = 8;
const MOST_REACH = 1 / 12;
/** Smallest foreground, as a share of the picture. */
const LEAST_AREA = 3e-4;
/**
 * Pixels by which the foreground is taken narrower and the background farther away than the map says: beside an edge the
 * map shows the nearer depth where its blur covers the background.
 */
const FOREGROUND_INSET = 3;
const BACKGROUND_INSET = 1;
/** Weight of the map's own mask against the colours when opacity is found, and light that counts as dark. */
const MASK_WEIGHT = 0.1;
const DARK = 3e-3;

/** Where each layer is known, at the working size. */
interface Masks {
  readonly width: number;
  readonly height: number;
  /** Foreground as the map shows it. */
  readonly front: Uint8Array;
  readonly surelyFront: Uint8Array;
  readonly surelyBack: Uint8Array;
}

/**
 * Splits a focus stack into background and foreground.
 *
 * @param input the views, as the all-in-focus picture was made from
 * @param s defocus map, 1 channel
 * @param kappa blur in pixels per unit of focus and aperture
 * @param allInFocus ln radiance, 3 channels
 * @throws ImplicamError `bad-layers` when the pictures differ in size
 */
export function splitLayers(
  input: FocusViews,
  s: Picture,
  kappa: number,
  allInFocus: Picture,
  options: LayerOptions = {},
): Layers {
  const { nearer, pixels, margin } = { ...DEFAULTS, ...options };
  const { width, height } = s;
  for (const picture of [...input.views, allInFocus])
    if (picture.width !== width || picture.height !== height)
      throw new ImplicamError(
        'bad-layers',
        `the defocus map is ${width}×${height} but a picture is ${picture.width}×${picture.height}: ` +
          'layers need pictures of one size',
      );
  const size = fitWithin(width, height, pixels);
  const depth = reduce(s, size, nearer === 'larger' ? 1 : -1);
  const span = Math.max(...input.focus) - Math.min(...input.focus);
  const blur = (kappa * size.width) / width;
  const masks = findForeground(depth, size.width, size.height, span, Math.max(...input.aperture) * blur);
  const back = fillLayer(masks, masks.surelyBack, s, allInFocus);
  const front = fillLayer(masks, masks.surelyFront, s, allInFocus);
  const opacity = findOpacity(input, masks, front, back, margin);
  let covered = 0;
  for (const v of masks.front) covered += v;
  return {
    background: back.light,
    foreground: front.light,
    opacity,
    sBackground: back.s,
    sForeground: front.s,
    share: covered / masks.front.length,
  };
}

function reduce(s: Picture, size: { width: number; height: number }, sign: 1 | -1): Float32Array {
  const out = areaResize(s.data, s.width, s.height, size.width, size.height);
  if (sign < 0) for (let p = 0; p < out.length; p++) out[p] = -out[p];
  return out;
}

/**
 * Foreground stands out from the far surface, or from what is seen close by: the surface may rise to a foreground as wide
 * as the picture, but not within a few pixels. `depth` grows towards the camera here.
 */
function findForeground(
  depth: Float32Array,
  width: number,
  height: number,
  span: number,
  blur: number,
): Masks {
  const surface = farSurface(depth, width, height, span);
  const least = Math.max(STAND_OUT * span, STAND_OUT_BLUR / blur);
  const leastBeside = Math.max(STAND_OUT_BESIDE * span, STAND_OUT_BLUR / blur);
  const longer = Math.max(width, height);
  const reach = Math.round(Math.min(MOST_REACH * longer, Math.max(LEAST_REACH, REACH_OF_BLUR * blur * span)));
  const behind = minimumFilter(gaussian(depth, width, height, 2.5), width, height, reach);
  const standing = Uint8Array.from(depth, (d, p) =>
    d - surface[p] > least || d - behind[p] > leastBeside ? 1 : 0,
  );
  const front = withoutSmall(open(standing, width, height, 1), width, LEAST_AREA * depth.length);
  // Components too thin to be taken narrower stay as they are.
  const core = erode(front, width, height, FOREGROUND_INSET);
  const thick = new Set<number>();
  const { labels } = components(front, width);
  core.forEach((v, p) => {
    if (v !== 0) thick.add(labels[p]);
  });
  const surelyFront = core.map((v, p) => (v !== 0 || (front[p] !== 0 && !thick.has(labels[p])) ? 1 : 0));
  const surelyBack = invert(dilate(front, width, height, BACKGROUND_INSET));
  return { width, height, front, surelyFront, surelyBack };
}

/** The mask without its components of fewer than `least` pixels. */
function withoutSmall(mask: Uint8Array, width: number, least: number): Uint8Array {
  const { labels, count } = components(mask, width);
  const areas = new Float64Array(count + 1);
  for (const label of labels) areas[label]++;
  return mask.map((v, p) => (v !== 0 && areas[labels[p]] >= least ? 1 : 0));
}

interface Filled {
  readonly light: Picture;
  readonly s: Picture;
}

/** One layer: where it is known the picture itself, elsewhere filled in. A layer that is known nowhere is a copy. */
function fillLayer(masks: Masks, known: Uint8Array, s: Picture, allInFocus: Picture): Filled {
  if (!known.includes(1)) return { light: allInFocus, s };
  return { light: fillPicture(allInFocus, masks, known), s: fillPicture(s, masks, known) };
}

function fillPicture(picture: Picture, masks: Masks, known: Uint8Array): Picture {
  const { width, height, channels } = picture;
  const data = new Float32Array(picture.data.length);
  const use = upsampleMask(known, masks.width, masks.height, width, height);
  for (let c = 0; c < channels; c++) {
    const plane = areaResize(picture.data, width, height, masks.width, masks.height, {
      stride: channels,
      offset: c,
    });
    const filled = fillUnknown(plane, known, masks.width, masks.height);
    const fine = bilinearResize(filled, masks.width, masks.height, width, height);
    for (let p = 0, i = c; p < fine.length; p++, i += channels)
      data[i] = use[p] !== 0 ? picture.data[i] : fine[p];
  }
  return { width, height, channels, data };
}

function upsampleMask(
  mask: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  if (width === toWidth && height === toHeight) return mask;
  const share = bilinearResize(Float32Array.from(mask), width, height, toWidth, toHeight);
  return Uint8Array.from(share, (v) => (v > 0.5 ? 1 : 0));
}

/**
 * Opacity in between: how far the colour of the view in which the foreground is sharpest lies on the way from the
 * background's to the foreground's, pulled towards the blurred mask where the two look alike.
 */
function findOpacity(input: FocusViews, masks: Masks, front: Filled, back: Filled, margin: number): Picture {
  const { width, height } = front.s;
  const out = new Float32Array(width * height);
  const sure = upsampleMask(masks.surelyFront, masks.width, masks.height, width, height);
  const behind = upsampleMask(masks.surelyBack, masks.width, masks.height, width, height);
  const soft = gaussian(Float32Array.from(masks.front), masks.width, masks.height, 1.5);
  const prior = bilinearResize(soft, masks.width, masks.height, width, height);
  for (let p = 0; p < out.length; p++) {
    if (sure[p] !== 0) out[p] = 1 - margin;
    else if (behind[p] !== 0) out[p] = margin;
    else {
      const v = sharpestView(input, front.s.data[p]);
      const { data } = input.views[v];
      let along = MASK_WEIGHT * prior[p];
      let square = MASK_WEIGHT;
      for (let c = 0; c < 3; c++) {
        const i = 3 * p + c;
        const base = compressed(back.light.data[i]);
        const way = compressed(front.light.data[i]) - base;
        along += (compressed(data[i] + input.gains[v][c]) - base) * way;
        square += way * way;
      }
      out[p] = Math.min(1 - margin, Math.max(margin, along / square));
    }
  }
  return { width, height, channels: 1, data: out };
}

/** ln radiance with what is dark made equal. */
function compressed(ln: number): number {
  return Math.log(fastExp(ln) + DARK);
}

function sharpestView(input: FocusViews, s: number): number {
  let best = 0;
  for (let v = 1; v < input.focus.length; v++)
    if (
      input.aperture[v] * Math.abs(s - input.focus[v]) <
      input.aperture[best] * Math.abs(s - input.focus[best])
    )
      best = v;
  return best;
}
