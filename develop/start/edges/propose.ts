/** What the network at depth edges proposes for a whole picture, part by part. */
import type { Picture } from '../../../model/picture.js';
import type { FocusViews } from '../depth/all-in-focus.js';
import type { StartKernels } from '../kernels.js';
import { fastExp } from '../pixels/fast-math.js';
import { CURVE, type EdgeViews, MU, type Part, stepOf } from './levels.js';
import type { Shares, Triple } from './triples.js';
import { edgeNetwork } from './weights.js';

/** Levels are added until the outer views' circles are at most this wide, in pixels; as in training. */
const SMALL_CIRCLE = 2.6;
const MOST_LEVELS = 6;
/** Sides of parts, in pixels, where one triple serves them all, and where each wants some of many. */
const LARGEST_PART = 960;
const LARGEST_SHARED_PART = 640;

/**
 * @param lnWhite ln of the light that counts as white
 * @returns ln radiance, 3 channels
 */
export function propose(
  input: FocusViews,
  triples: readonly Triple[],
  shares: Shares,
  lnWhite: number,
  kernels: StartKernels,
): Picture {
  const { width, height } = input.views[0];
  const picture: Picture = { width, height, channels: 3, data: new Float32Array(3 * width * height) };
  const widest = Math.max(...triples.flatMap(({ spans }) => [spans[0], -spans[1]]));
  const levels = levelsOf(widest);
  const network = edgeNetwork();
  for (const part of partsOf(width, height, stepOf(levels), triples.length)) {
    const sums = new Float32Array(3 * part.width * part.height);
    triples.forEach((triple, t) => {
      const share = shareOn(shares, t, part, width, height);
      const needed = neededOf(share, part, stepOf(levels));
      if (!needed) return;
      const said = kernels.edgePart(network, viewsOf(input, triple, levels, lnWhite), needed);
      addShare(sums, part, said, needed, share);
    });
    write(sums, part, picture, lnWhite);
  }
  return picture;
}

function levelsOf(widest: number): number {
  let levels = 1;
  for (let circle = widest; circle > SMALL_CIRCLE && levels < MOST_LEVELS; circle /= 2) levels++;
  return levels;
}

/** Parts of equal size that cover the picture. */
function partsOf(width: number, height: number, step: number, triples: number): Part[] {
  const largest = triples === 1 ? LARGEST_PART : LARGEST_SHARED_PART;
  const side = (size: number) => step * Math.ceil(size / Math.ceil(size / largest) / step);
  const [w, h] = [side(width), side(height)];
  const parts: Part[] = [];
  for (let y = 0; y < height; y += h) {
    for (let x = 0; x < width; x += w) parts.push({ x, y, width: w, height: h });
  }
  return parts;
}

function viewsOf({ views, gains }: FocusViews, triple: Triple, levels: number, lnWhite: number): EdgeViews {
  const { width, height } = views[0];
  return {
    width,
    height,
    views: triple.views.map((v) => views[v].data),
    gains: Float64Array.from(triple.views.flatMap((v) => gains[v].map((gain) => gain - lnWhite))),
    spans: triple.spans,
    levels,
  };
}

/** A triple's share at every pixel of a part, between the pixels of the map. */
function shareOn(
  { width, height, planes }: Shares,
  triple: number,
  part: Part,
  fullWidth: number,
  fullHeight: number,
): Float32Array {
  const out = new Float32Array(part.width * part.height);
  if (planes.length === 1) return out.fill(1);
  const plane = planes[triple];
  const columns = placesOf(part.x, part.width, fullWidth, width);
  const rows = placesOf(part.y, part.height, fullHeight, height);
  for (let y = 0, p = 0; y < part.height; y++) {
    const [top, bottom, down] = [rows.low[y] * width, rows.high[y] * width, rows.share[y]];
    for (let x = 0; x < part.width; x++, p++) {
      const [left, right, across] = [columns.low[x], columns.high[x], columns.share[x]];
      const upper = plane[top + left] * (1 - across) + plane[top + right] * across;
      const lower = plane[bottom + left] * (1 - across) + plane[bottom + right] * across;
      out[p] = upper * (1 - down) + lower * down;
    }
  }
  return out;
}

/** What of a part a triple has a share in, in whole steps; undefined where it has none. */
function neededOf(share: Float32Array, part: Part, step: number): Part | undefined {
  let [left, top, right, bottom] = [part.width, part.height, 0, 0];
  for (let y = 0, p = 0; y < part.height; y++) {
    for (let x = 0; x < part.width; x++, p++) {
      if (share[p] === 0) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      if (y >= bottom) bottom = y + 1;
    }
  }
  if (right === 0) return undefined;
  const down = (i: number) => step * Math.floor(i / step);
  const up = (i: number) => step * Math.ceil(i / step);
  const [x, y] = [down(left), down(top)];
  return { x: part.x + x, y: part.y + y, width: up(right) - x, height: up(bottom) - y };
}

/** For pixels from `first` on: the two of a smaller size that they lie between, and how far towards the second. */
function placesOf(first: number, count: number, from: number, to: number) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const share = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.min(to - 1, Math.max(0, ((first + i + 0.5) * to) / from - 0.5));
    low[i] = Math.floor(at);
    high[i] = Math.min(to - 1, low[i] + 1);
    share[i] = at - low[i];
  }
  return { low, high, share };
}

/** Adds what a triple said on the needed pixels of a part, by its share. */
function addShare(
  sums: Float32Array,
  part: Part,
  said: Float32Array,
  needed: Part,
  share: Float32Array,
): void {
  const pixels = share.length;
  const count = needed.width * needed.height;
  for (let y = 0, from = 0; y < needed.height; y++) {
    let to = (needed.y - part.y + y) * part.width + needed.x - part.x;
    for (let x = 0; x < needed.width; x++, from++, to++) {
      const weight = share[to];
      if (weight === 0) continue;
      for (let c = 0; c < 3; c++) sums[c * pixels + to] += weight * said[c * count + from];
    }
  }
}

/** The least light over white that is told apart: the curve is flat below it. */
const LEAST_LIGHT = 1e-7;

function write(sums: Float32Array, part: Part, picture: Picture, lnWhite: number): void {
  const pixels = part.width * part.height;
  const width = Math.min(part.width, picture.width - part.x);
  const height = Math.min(part.height, picture.height - part.y);
  for (let y = 0; y < height; y++) {
    let from = y * part.width;
    let to = (part.y + y) * picture.width + part.x;
    for (let x = 0; x < width; x++, from++, to++) {
      for (let c = 0; c < 3; c++) {
        const light = (fastExp(CURVE * sums[c * pixels + from]) - 1) / MU;
        picture.data[3 * to + c] = lnWhite + Math.log(light > LEAST_LIGHT ? light : LEAST_LIGHT);
      }
    }
  }
}
