/**
 * The picture of a focus stack without a model of the lens: what each frame shows sharply, softly blended, and no noise
 * taken for detail. It cannot be much worse than the best choice of a frame at every pixel, whatever was photographed: hair,
 * glass, wings. What a model of the lens chooses is measured against it.
 */
import type { Picture } from '../../../model/picture.js';
import { portableKernels, type StartKernels } from '../kernels.js';
import { fastExp } from '../pixels/fast-math.js';
import { GAMMA } from './bands.js';
import { NoiseMeter } from './noise-table.js';
import { emptySums, type FusionSums, fusionTerms } from './sums.js';

/** Frames of a long stack whose noise is measured, evenly chosen. */
const MEASURED = 9;
/** Darkest code of a fused picture: its logarithm is taken. */
const DARKEST = 0.05;

export interface FusionInput {
  /** ln radiance, 3 channels, all of one size, registered. */
  readonly views: readonly Picture[];
  /** Where each view is in focus, in any unit. */
  readonly focus: readonly number[];
  /** 0 where a view shows nothing, per view. */
  readonly valid: readonly (Uint8Array | undefined)[];
  /** ln radiance that is white, code 255. Brighter things have more. */
  readonly white: number;
}

export interface Fusion {
  /** ln radiance, 3 channels. */
  readonly picture: Picture;
  /** Where each pixel is sharpest, in the unit of focus, between the views by the parabola through ln evidence. */
  readonly focus: Float32Array;
  /** Most evidence over that which every frame has: 1 where nothing is told. */
  readonly confidence: Float32Array;
  /** The view with most evidence at every pixel. */
  readonly source: Uint16Array;
}

export function fuseViews(input: FusionInput, kernels: StartKernels = portableKernels): Fusion {
  const { views, focus, valid } = input;
  const { width, height } = views[0];
  const order = focus.map((_, v) => v).sort((a, b) => focus[a] - focus[b]);
  const step = Math.max(1, (order.length - 1) / (MEASURED - 1));
  const measured = new Set(Array.from({ length: MEASURED }, (_, i) => order[Math.round(i * step)]));
  const meter = new NoiseMeter();
  for (const v of measured) {
    if (v === undefined) continue;
    const bands = kernels.bandEnergy(codesOf(views[v], input.white), width, height);
    meter.add(bands, valid[v]);
  }
  const terms = fusionTerms(meter.tables());
  const sums = emptySums(width, height);
  let latest = firstFilled(input, order);
  order.forEach((v, index) => {
    const codes = index === 0 ? latest : codesOf(views[v], input.white);
    const mask = valid[v];
    if (mask && index > 0) fillFrom(codes, latest, mask);
    kernels.addToFusion(sums, codes, mask, index, terms);
    latest = codes;
  });
  return {
    picture: { width, height, channels: 3, data: lightOf(kernels.fusedCodes(sums), input.white) },
    ...placesOf(sums, order, focus, terms.least),
  };
}

/** ln radiance as codes. */
function codesOf({ data }: Picture, white: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = 255 * fastExp((data[i] - white) / GAMMA);
  return out;
}

function lightOf(codes: Float32Array, white: number): Float32Array {
  const out = new Float32Array(codes.length);
  for (let i = 0; i < out.length; i++) out[i] = white + GAMMA * Math.log(Math.max(codes[i], DARKEST) / 255);
  return out;
}

/** Codes of the first view; what it does not show from the next one that does. */
function firstFilled({ views, valid, white }: FusionInput, order: readonly number[]): Float32Array {
  const codes = codesOf(views[order[0]], white);
  const known = valid[order[0]]?.slice();
  for (let k = 1; known?.includes(0) && k < order.length; k++) {
    const mask = valid[order[k]];
    const takes = known.map((shown, p) => (shown === 0 && mask?.[p] !== 0 ? 0 : 1));
    fillFrom(codes, codesOf(views[order[k]], white), takes);
    for (let p = 0; p < known.length; p++) if (takes[p] === 0) known[p] = 1;
  }
  return codes;
}

/** What a view does not show is taken from its neighbour: a step to nothing would count as detail. */
function fillFrom(codes: Float32Array, other: Float32Array, mask: Uint8Array): void {
  for (let p = 0, i = 0; p < mask.length; p++, i += 3) {
    if (mask[p] !== 0) continue;
    codes[i] = other[i];
    codes[i + 1] = other[i + 1];
    codes[i + 2] = other[i + 2];
  }
}

function placesOf(
  sums: FusionSums,
  order: readonly number[],
  focus: readonly number[],
  least: number,
): Omit<Fusion, 'picture'> {
  const pixels = sums.width * sums.height;
  const places = new Float32Array(pixels);
  const confidence = new Float32Array(pixels);
  const source = new Uint16Array(pixels);
  const { most } = sums.full;
  for (let p = 0; p < pixels; p++) {
    const k = sums.best[p];
    const top = k > 0 && k < order.length - 1 ? vertex(sums.before[p], most[p], sums.after[p]) : 0;
    const near = focus[order[top < 0 ? k - 1 : Math.min(k + 1, order.length - 1)]];
    const here = focus[order[k]];
    places[p] = here + Math.abs(top) * (near - here);
    confidence[p] = most[p] / least;
    source[p] = order[k];
  }
  return { focus: places, confidence, source };
}

/** Where between −½ and ½ the parabola through the logarithms of three values at −1, 0 and 1 is highest. */
function vertex(before: number, here: number, after: number): number {
  const left = Math.log(here / before);
  const right = Math.log(here / after);
  const both = left + right;
  return both > 0 ? Math.min(Math.max((0.5 * (left - right)) / both, -0.5), 0.5) : 0;
}
