/**
 * The all-in-focus picture beside depth edges. No view shows what lies beside an outline without the other side's blur, so
 * the sharpest view has a halo there, whichever it is. A network that has seen many edges proposes a picture without;
 * it is taken where it explains the frames and loses no contrast, and the classical picture stays elsewhere.
 */
import { createPicture, type Picture } from '../../../model/picture.js';
import { type FocusViews, sharpByContrast } from '../depth/all-in-focus.js';
import { focusStack } from '../depth/focus-stack.js';
import { portableKernels, type StartKernels } from '../kernels.js';
import { fastExp } from '../pixels/fast-math.js';
import { minimumFilter } from '../pixels/rank-filters.js';
import { believed } from './belief.js';
import { lostContrast, MOSTLY, SOMEWHERE } from './contrast.js';
import { CURVE, MU } from './levels.js';
import { propose } from './propose.js';
import { type Shares, sharesOf, type Triple, triplesOf } from './triples.js';

export interface EdgePicture {
  /** ln radiance, 3 channels. */
  readonly picture: Picture;
  /** How much of every pixel is the network's, 0 … 1, 1 channel. */
  readonly taken: Picture;
}

/** This share of all samples lies below white. */
const WHITE = 0.999;
/** Most pixels of the map that says which views serve where. */
const MAP_PIXELS = 3e5;
/** Shares of white between which the network begins to tell light from shadow, and ceases to. */
const SHADOW = [2e-5, 1e-4] as const;
const HIGHLIGHT = [1.5, 3] as const;
/**
 * With circles wider than this, in pixels, the sweep's map errs in patches, whose plain middle tells nothing: a little lost
 * contrast is enough. With smaller ones that costs 0.5 dB where the map is right.
 */
const WIDE = 6;
/** Where depth ranges by so many pixels of circle within this radius, contrast may be that of a halo. */
const EDGE = 1.5;
const EDGE_RADIUS = 4;

/**
 * @param s defocus map, 1 channel, and `kappa`, pixels of circle per unit of focus and aperture: the sweep's
 * @param classical ln radiance, 3 channels: what stays where the network is not better
 */
export function edgePicture(
  input: FocusViews,
  s: Picture,
  kappa: number,
  classical: Picture,
  kernels: StartKernels = portableKernels,
): EdgePicture {
  const lnWhite = lnWhiteOf(input);
  const triples = triplesOf(input.focus, input.aperture, kappa);
  const proposal = propose(input, triples, mapOf(input, triples, kernels), lnWhite, kernels);
  const share = believed(input, s, kappa, classical, proposal, kernels);
  withdraw(share, input, s, kappa, classical, proposal, widestSpan(triples), lnWhite, kernels);
  const { width, height } = classical;
  const picture = createPicture(width, height, 3);
  for (let i = 0; i < picture.data.length; i++) {
    picture.data[i] = mixed(classical.data[i], proposal.data[i], share[Math.floor(i / 3)], lnWhite);
  }
  return { picture, taken: { width, height, channels: 1, data: share } };
}

const widestSpan = (triples: readonly Triple[]): number =>
  Math.max(...triples.flatMap(({ spans: [near, far] }) => [near, -far]));

/** Which triple serves where: one is enough for three views and fewer. */
function mapOf(input: FocusViews, triples: readonly Triple[], kernels: StartKernels): Shares {
  if (triples.length === 1) return { width: 1, height: 1, planes: [Float32Array.of(1)] };
  const { views, focus, aperture, valid } = input;
  const { stack } = focusStack(views, focus, aperture, MAP_PIXELS, valid, kernels);
  return sharesOf(sharpByContrast(stack).source, stack.width, stack.height, focus, kernels);
}

/** ln of the light that counts as white. */
function lnWhiteOf({ views, gains }: FocusViews): number {
  const pixels = views[0].data.length / 3;
  const step = Math.max(1, Math.floor(pixels / 50_000));
  const count = Math.ceil(pixels / step);
  const some = new Float32Array(3 * count * views.length);
  let at = 0;
  views.forEach(({ data }, v) => {
    for (let p = 0; p < pixels; p += step) {
      for (let c = 0; c < 3; c++) some[at++] = data[3 * p + c] + gains[v][c];
    }
  });
  some.sort();
  return some[Math.floor(WHITE * (some.length - 1))];
}

/** Takes back the network's shares where it lost contrast, and where it cannot know. */
function withdraw(
  share: Float32Array,
  input: FocusViews,
  s: Picture,
  kappa: number,
  classical: Picture,
  proposal: Picture,
  circle: number,
  lnWhite: number,
  kernels: StartKernels,
): void {
  const lost = lostContrast(classical, proposal, circle, MOSTLY, lnWhite, kernels);
  const won = lostContrast(proposal, classical, circle, circle > WIDE ? SOMEWHERE : MOSTLY, lnWhite, kernels);
  const range = depthRange(s, kappa);
  const missing = missingPixels(input, circle, kernels);
  for (let p = 0; p < share.length; p++) {
    const green = classical.data[3 * p + 1] - lnWhite;
    const light = fastExp(green);
    let kept = 1 - ramp(light, HIGHLIGHT);
    kept *= ramp(light, SHADOW);
    if (range[p] <= EDGE) kept *= 1 - lost[p];
    if (missing) kept *= 1 - Math.min(1, 4 * missing[p]);
    share[p] = Math.max(share[p], won[p]) * kept;
  }
}

const ramp = (value: number, [from, to]: readonly [number, number]): number =>
  Math.min(1, Math.max(0, (value - from) / (to - from)));

/** How far depth ranges around every pixel, in pixels of circle. */
function depthRange({ width, height, data }: Picture, kappa: number): Float32Array {
  const low = minimumFilter(data, width, height, EDGE_RADIUS);
  const high = minimumFilter(
    data.map((v) => -v),
    width,
    height,
    EDGE_RADIUS,
  );
  return low.map((v, p) => kappa * (-high[p] - v));
}

/** The neighbourhood of pixels that some view does not have. */
function missingPixels(
  { valid, views }: FocusViews,
  circle: number,
  kernels: StartKernels,
): Float32Array | undefined {
  if (valid.every((mask) => mask === undefined)) return undefined;
  const { width, height } = views[0];
  const out = new Float32Array(width * height);
  for (const mask of valid) if (mask) for (let p = 0; p < out.length; p++) if (mask[p] === 0) out[p] = 1;
  return kernels.gaussian(out, width, height, Math.max(1, circle), out);
}

/** The two by shares on the network's curve, in ln radiance. */
function mixed(classical: number, network: number, share: number, lnWhite: number): number {
  if (!(share > 0)) return classical;
  if (share >= 1) return network;
  const curve = (ln: number) => Math.log1p(MU * fastExp(ln - lnWhite)) / CURVE;
  const y = (1 - share) * curve(classical) + share * curve(network);
  return lnWhite + Math.log(Math.expm1(CURVE * y) / MU);
}
