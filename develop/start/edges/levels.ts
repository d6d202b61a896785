/**
 * The network at depth edges on a part of the picture. It sees three views, near to far, on a pyramid: the same layers at
 * every level, which also see the picture and the depth of the coarser level, enlarged. Out comes at every pixel a
 * choice among the views and what is added to it, and a depth.
 */
import { fastExp, logInPlace } from '../pixels/fast-math.js';
import { applyLayers, between, INPUT, Planes } from './layers.js';

/** μ of the curve that the network sees light by: ln(1 + MU·x)/ln(1 + MU), x = light over white. */
export const MU = 5000;
export const CURVE = Math.log1p(MU);
/** Light above this many times white is cut off. */
export const CEILING = 4;
/** What a level sees beyond its part on every side, in its pixels. Outputs depend on 34; the last two hardly count. */
export const MARGIN = 32;
/** Spans are limited to this many pixels and given in units of four. */
export const LARGEST_SPAN = 8;
export const SPAN_UNIT = 4;
/** Planes of the output: three of the picture, and depth. */
export const PLANES = 4;

/** What the network works on: three views of ln radiance, interleaved, near to far. */
export interface EdgeViews {
  readonly width: number;
  readonly height: number;
  readonly views: readonly Float32Array[];
  /** Added to ln radiance, per view and channel (nine), less ln white. */
  readonly gains: Float64Array;
  /** Circle, in pixels and signed, that the middle view's plane has in the first view and in the last: ≥ 0 and ≤ 0. */
  readonly spans: readonly [number, number];
  readonly levels: number;
}

/** Sides are multiples of {@link stepOf} its levels; it may reach beyond the picture, whose border pixels repeat there. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a part's sides are multiples of: every level halves twice within itself. */
export const stepOf = (levels: number): number => 2 ** (levels + 1);

const { fround } = Math;
const THIRD = fround(1 / 3);

/**
 * The network's picture by the curve and its depth, as planes [4][height][width] of the part. Depth is in units of the
 * wider span from the middle view, near positive.
 *
 * @param network the weights of `layers.ts`, one behind the other
 */
export function edgePart(network: Float32Array, input: EdgeViews, part: Part): Float32Array {
  const { levels, spans } = input;
  const pyramid = [lightOf(input, part, MARGIN * 2 ** (levels - 1))];
  for (let l = 1; l < levels; l++) pyramid.push(halved(pyramid[l - 1]));
  let coarser: Float32Array | undefined;
  for (let l = levels - 1; l >= 0; l--) {
    const width = part.width / 2 ** l + 2 * MARGIN;
    const height = part.height / 2 ** l + 2 * MARGIN;
    const views = curved(pyramid[l], width, height);
    const guess = coarser ? enlarged(coarser, width, height) : meanGuess(views, width, height);
    const seen = inputOf(views, guess, width, height, spans, 2 ** l);
    coarser = mixed(views, applyLayers(network, seen), width, height);
  }
  return inner(coarser!, part);
}

/** Nine planes of light over white, of a part and `margin` pixels around it. */
interface LightPlanes {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

function lightOf(input: EdgeViews, part: Part, margin: number): LightPlanes {
  const [width, height] = [part.width + 2 * margin, part.height + 2 * margin];
  const data = new Float32Array(9 * width * height);
  const columns = Int32Array.from({ length: width }, (_, x) => clamped(part.x - margin + x, input.width));
  for (let v = 0; v < 3; v++) {
    for (let c = 0; c < 3; c++) {
      const gain = input.gains[3 * v + c];
      let to = (3 * v + c) * width * height;
      for (let y = 0; y < height; y++) {
        const row = clamped(part.y - margin + y, input.height) * input.width;
        for (let x = 0; x < width; x++, to++) {
          const light = fastExp(input.views[v][3 * (row + columns[x]) + c] + gain);
          data[to] = light < CEILING ? light : CEILING;
        }
      }
    }
  }
  return { width, height, data };
}

function clamped(i: number, size: number): number {
  return i < 0 ? 0 : i < size ? i : size - 1;
}

/** Means of 2 × 2. */
function halved(from: LightPlanes): LightPlanes {
  const [width, height] = [from.width / 2, from.height / 2];
  const data = new Float32Array(9 * width * height);
  for (let p = 0, to = 0; p < 9; p++) {
    for (let y = 0; y < height; y++) {
      let i = (p * from.height + 2 * y) * from.width;
      let j = i + from.width;
      for (let x = 0; x < width; x++, i += 2, j += 2, to++) {
        data[to] = 0.25 * (from.data[i] + from.data[i + 1] + (from.data[j] + from.data[j + 1]));
      }
    }
  }
  return { width, height, data };
}

/** The middle of the planes, by the curve. */
function curved(light: LightPlanes, width: number, height: number): Float32Array {
  const [left, top] = [(light.width - width) / 2, (light.height - height) / 2];
  const out = new Float32Array(9 * width * height);
  for (let p = 0, to = 0; p < 9; p++) {
    for (let y = 0; y < height; y++) {
      const from = (p * light.height + top + y) * light.width + left;
      for (let x = 0; x < width; x++, to++) out[to] = 1 + MU * light.data[from + x];
    }
  }
  logInPlace(out);
  for (let i = 0; i < out.length; i++) out[i] *= 1 / CURVE;
  return out;
}

/** What the coarsest level starts from: the mean of the views, and depth 0. */
function meanGuess(views: Float32Array, width: number, height: number): Float32Array {
  const pixels = width * height;
  const out = new Float32Array(PLANES * pixels);
  for (let i = 0; i < 3 * pixels; i++) out[i] = meanOf(views, i, 3 * pixels);
  return out;
}

function meanOf(views: Float32Array, i: number, step: number): number {
  return fround(THIRD * fround(fround(views[i] + views[i + step]) + views[i + 2 * step]));
}

/** The inner half of a coarser level's planes at twice the size: what a level with the same margin shows. */
function enlarged(coarser: Float32Array, width: number, height: number): Float32Array {
  const [fromWidth, fromHeight] = [width / 2 + MARGIN, height / 2 + MARGIN];
  const offset = MARGIN / 2;
  const out = new Float32Array(PLANES * width * height);
  for (let p = 0, to = 0; p < PLANES; p++) {
    for (let y = 0; y < height; y++) {
      const row = (p * fromHeight + offset + (y >> 1)) * fromWidth + offset;
      const other = row + (y % 2 === 0 ? -fromWidth : fromWidth);
      const near = coarser.subarray(row - 1, row + width / 2 + 1);
      const far = coarser.subarray(other - 1, other + width / 2 + 1);
      for (let x = 0; x < width; x++, to++) {
        const i = (x >> 1) + 1;
        out[to] = between(near, far, i, i + (x % 2 === 0 ? -1 : 1));
      }
    }
  }
  return out;
}

/** The level's input: differences of the views from their mean, the mean, what the coarser level says, and the spans. */
function inputOf(
  views: Float32Array,
  guess: Float32Array,
  width: number,
  height: number,
  spans: readonly [number, number],
  scale: number,
): Planes {
  const out = new Planes(INPUT, width / 2, height / 2);
  const pixels = width * height;
  const colours = 3 * pixels;
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const corner = 2 * (y % 2) + (x % 2);
      const put = (plane: number, value: number) => {
        out.data[out.row(y >> 1, 4 * plane + corner) + (x >> 1)] = value;
      };
      for (let c = 0; c < 3; c++) {
        const i = c * pixels + p;
        const mean = meanOf(views, i, colours);
        put(c, fround(4 * fround(views[i] - mean)));
        put(3 + c, fround(4 * fround(views[i + 2 * colours] - mean)));
        put(6 + c, fround(fround(2 * mean) - 1));
        put(9 + c, fround(4 * fround(guess[i] - mean)));
      }
      put(12, guess[colours + p]);
    }
  }
  spans.forEach((span, k) => {
    const given = Math.min(LARGEST_SPAN, Math.max(-LARGEST_SPAN, span / scale)) / SPAN_UNIT;
    for (let y = 0; y < out.height; y++) {
      const at = out.row(y, INPUT - 2 + k);
      out.data.fill(given, at, at + out.width);
    }
  });
  return out;
}

/** The level's picture and depth from what its layers say: a choice among the views (softmax), and what is added. */
function mixed(views: Float32Array, said: Planes, width: number, height: number): Float32Array {
  const pixels = width * height;
  const out = new Float32Array(PLANES * pixels);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const at = said.row(y >> 1, 2 * (y % 2) + (x % 2)) + (x >> 1);
      const step = 4 * said.pitch;
      const a = 4 * said.data[at];
      const b = 4 * said.data[at + step];
      const c = 4 * said.data[at + 2 * step];
      const most = a > b ? (a > c ? a : c) : b > c ? b : c;
      const near = fastExp(a - most);
      const middle = fastExp(b - most);
      const far = fastExp(c - most);
      const sum = near + middle + far;
      for (let k = 0; k < 3; k++) {
        const i = k * pixels + p;
        const chosen = near * views[i] + middle * views[i + 3 * pixels] + far * views[i + 6 * pixels];
        out[i] = chosen / sum + 0.5 * said.data[at + (3 + k) * step];
      }
      out[3 * pixels + p] = said.data[at + 6 * step];
    }
  }
  return out;
}

/** The planes without their margins. */
function inner(planes: Float32Array, { width, height }: Part): Float32Array {
  const [fromWidth, fromHeight] = [width + 2 * MARGIN, height + 2 * MARGIN];
  const out = new Float32Array(PLANES * width * height);
  for (let p = 0; p < PLANES; p++) {
    for (let y = 0; y < height; y++) {
      const from = (p * fromHeight + MARGIN + y) * fromWidth + MARGIN;
      out.set(planes.subarray(from, from + width), (p * height + y) * width);
    }
  }
  return out;
}
