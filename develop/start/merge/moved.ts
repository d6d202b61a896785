import type { Frame } from '../../../model/picture.js';
import { middleFrame } from '../align/frames.js';
import { boxMean } from '../pixels/filters.js';
import { channelCodes } from '../response/joint-histogram.js';
import { type CameraResponse, inverseTable, responseSlope } from '../response/response.js';
import type { SensorNoise } from './noise.js';

/** So many standard deviations are noise still. */
const SIGMAS = 3;
/** What response and exposures may be off by here and there, in ln exposure. */
const DOUBT = 0.06;
/** Flare and a black that is not quite 0 lift or lower codes by so many: little light is known badly. */
const LIFT = 2;
/** What response and exposures may be off by everywhere for light of one brightness, and fewest pixels that tell. */
const MOST_MISFIT = 0.5;
const FEWEST_PIXELS = 100;
/** 8-bit codes from here on, and down to here, only say that there was as much light at least, or at most. */
const WHITE_CODE = 250;
const BLACK_CODE = 3;
/** The frame of middle exposure is believed if it exposes so much as well as the one that exposes most. */
const NEARLY_BEST = 0.8;
/** How far frames that were aligned may still slip, and edges be blurred by that, in pixels: at most one. */
const SLIP = 0.5;
/** A pixel moved if of its neighbours, so far around, this share contradicts the reference: noise is alone. */
const AROUND = 2;
const SUPPORT = 0.3;
/** Large is what fills this share of a square so far around, as a share of the longer side. */
const LARGE = 1 / 50;
const LARGE_SHARE = 0.4;
/** What moved is larger than what is seen of it (faint edges, shadows): grown by this share of the longer side. */
const GROWN = 1 / 150;
/** Frames that contradict the reference over more than this share are of another light, or misaligned: left alone. */
const MOST = 0.4;

/** What moved between aligned frames of one focus. */
export interface Moved {
  /** One frame, which is believed everywhere. */
  readonly reference: number;
  /** Those that were given, less what moved: one byte a pixel, 0 = leave the pixel out. */
  readonly masks: readonly (Uint8Array | undefined)[];
  /** Share of each frame's pixels that moved; 0 for the reference. */
  readonly shares: readonly number[];
}

/**
 * Finds what moved while a bracket was taken, by the light that frames tell of: where a frame says less or more than
 * noise, response and a slip of part of a pixel can explain of the best exposed one, it shows something else. Where that
 * one is white, what is as bright at least tells more of the light there, and stays; only what is darker is left out.
 * @param frames of one size and one focus, aligned
 * @param ev exposure of each frame, in stops
 * @param masks one a frame: one byte a pixel, 0 = leave the pixel out
 */
export function findMoved(
  frames: readonly Frame[],
  response: CameraResponse,
  ev: readonly number[],
  noise: SensorNoise,
  masks: readonly (Uint8Array | undefined)[],
): Moved {
  const reference = bestExposed(frames, ev, masks);
  const { width, height } = frames[0];
  const against = frames.map(() => new Float32Array(width * height));
  for (let c = 0; c < 3; c++) {
    const known = knownFrom(frames[reference], c, boundsOf(response, c, ev[reference], noise));
    for (const [i, frame] of frames.entries()) {
      if (i === reference) continue;
      contradict(known, channelCodes(frame, c), boundsOf(response, c, ev[i], noise), against[i]);
    }
  }
  const told = toldPixels(frames[reference], masks[reference]);
  const found = frames.map((_, i) => {
    if (i === reference) return { mask: masks[i], share: 0 };
    forget(against[i], masks[i]);
    const judged = withLarge(told, against[i], width, height);
    forget(against[i], judged);
    const moved = regions(against[i], width, height);
    forget(moved, judged);
    return without(masks[i], moved);
  });
  return { reference, masks: found.map(({ mask }) => mask), shares: found.map(({ share }) => share) };
}

/**
 * The frame of middle exposure, in the middle of the capture where there are several (the view is that of such a frame, too), if
 * nearly as many of its pixels are neither black nor white in any channel as of any other; else the one with most. The
 * darkest frame of a night has most, at code 8 throughout, and against that hardly anybody stands out.
 */
function bestExposed(
  frames: readonly Frame[],
  ev: readonly number[],
  masks: readonly (Uint8Array | undefined)[],
): number {
  const counts = frames.map((frame, i) => {
    const [r, g, b] = [0, 1, 2].map((c) => channelCodes(frame, c)) as [Uint8Array, Uint8Array, Uint8Array];
    let count = 0;
    for (let p = 0; p < r.length; p++) {
      const darkest = Math.min(r[p], g[p], b[p]);
      const brightest = Math.max(r[p], g[p], b[p]);
      if (darkest > BLACK_CODE && brightest < WHITE_CODE && masks[i]?.[p] !== 0) count++;
    }
    return count;
  });
  const most = Math.max(...counts);
  const middle = middleFrame(ev);
  return counts[middle] >= NEARLY_BEST * most ? middle : counts.indexOf(most);
}

/** ln radiance that gives an 8-bit code, and that may give it, [low, high]; by code. */
interface Bounds {
  readonly likely: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

function boundsOf(response: CameraResponse, channel: number, ev: number, noise: SensorNoise): Bounds {
  const table = inverseTable(response, channel);
  const likely = table.map((lnX) => lnX - Math.LN2 * ev);
  const low = new Float64Array(256);
  const high = new Float64Array(256);
  for (let z = 0; z < 256; z++) {
    const x = Math.exp(table[z]);
    const slope = responseSlope(response, channel, table[z]);
    const variance = noise.shot / x + noise.read / x ** 2 + noise.rounding / slope ** 2;
    const doubt = DOUBT + LIFT / 255 / slope + SIGMAS * Math.sqrt(variance);
    low[z] = z <= BLACK_CODE ? Number.NEGATIVE_INFINITY : likely[z] - doubt;
    high[z] = z >= WHITE_CODE ? Number.POSITIVE_INFINITY : likely[z] + doubt;
    // All whites say the same: at full scale itself the curve has no slope to tell noise by.
    if (z > WHITE_CODE) low[z] = low[WHITE_CODE];
  }
  return { likely, low, high };
}

/** What a channel of the reference tells, by pixel: its code, and the ln radiance that other frames may see there. */
interface Known {
  readonly codes: Uint8Array;
  readonly likely: Float64Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The bounds of each pixel, widened towards its darkest and brightest neighbour by how far frames may slip. */
function knownFrom(frame: Frame, channel: number, { likely, low, high }: Bounds): Known {
  const codes = channelCodes(frame, channel);
  const { darkest, brightest } = neighbours(codes, frame.width, frame.height);
  const known = {
    codes,
    likely,
    low: new Float32Array(codes.length),
    high: new Float32Array(codes.length),
  };
  for (let p = 0; p < codes.length; p++) {
    const z = codes[p];
    known.low[p] = low[z] + SLIP * (likely[darkest[p]] - likely[z]);
    known.high[p] = high[z] + SLIP * (likely[brightest[p]] - likely[z]);
  }
  return known;
}

/** The least and greatest code of the 3 × 3 around every pixel. */
function neighbours(codes: Uint8Array, width: number, height: number) {
  const darkest = new Uint8Array(codes.length);
  const brightest = new Uint8Array(codes.length);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const a = x > 0 ? codes[p - 1] : codes[p];
      const b = codes[p];
      const c = x + 1 < width ? codes[p + 1] : codes[p];
      darkest[p] = a < b ? (a < c ? a : c) : b < c ? b : c;
      brightest[p] = a > b ? (a > c ? a : c) : b > c ? b : c;
    }
  }
  // Rows above are as they were before: kept, because the result is written over them.
  const above = { dark: darkest.slice(0, width), bright: brightest.slice(0, width) };
  for (let y = 0, p = 0; y < height; y++) {
    const next = y + 1 < height ? width : 0;
    for (let x = 0; x < width; x++, p++) {
      const dark = darkest[p];
      const bright = brightest[p];
      darkest[p] = Math.min(above.dark[x], dark, darkest[p + next]);
      brightest[p] = Math.max(above.bright[x], bright, brightest[p + next]);
      above.dark[x] = dark;
      above.bright[x] = bright;
    }
  }
  return { darkest, brightest };
}

/** Marks the pixels of which a frame tells what the reference does not let it. */
function contradict(known: Known, codes: Uint8Array, { likely, low, high }: Bounds, marks: Float32Array) {
  const misfit = misfitOf(known, codes, likely);
  for (let p = 0; p < marks.length; p++) {
    const z = codes[p];
    const off = misfit[known.codes[p]];
    if (low[z] - off > known.high[p] || high[z] - off < known.low[p]) marks[p] = 1;
  }
}

/**
 * By how much a frame tells of more light than the reference wherever that has a certain code, by its median there: what
 * holds for all the picture is the camera's doing (its response is not quite one curve), not that of what moved.
 */
function misfitOf(known: Known, codes: Uint8Array, likely: Float64Array): Float64Array {
  const counts = new Uint32Array(256 * 256);
  for (let p = 0; p < codes.length; p++) counts[256 * known.codes[p] + codes[p]]++;
  const misfit = new Float64Array(256);
  for (let z = BLACK_CODE + 1; z < WHITE_CODE; z++) {
    const row = counts.subarray(256 * z, 256 * (z + 1));
    const pixels = row.reduce((a, b) => a + b, 0);
    if (pixels < FEWEST_PIXELS) continue;
    let median = 0;
    for (let below = row[0]; 2 * below < pixels; below += row[median]) median++;
    if (median <= BLACK_CODE || median >= WHITE_CODE) continue;
    const off = likely[median] - known.likely[z];
    misfit[z] = Math.max(-MOST_MISFIT, Math.min(MOST_MISFIT, off));
  }
  return misfit;
}

/** Pixels of which a frame tells the light: 0 where it is white in a channel, or masked. */
function toldPixels(frame: Frame, mask: Uint8Array | undefined): Uint8Array {
  const told = mask ? mask.slice() : new Uint8Array(frame.width * frame.height).fill(1);
  for (let c = 0; c < 3; c++) {
    const codes = channelCodes(frame, c);
    for (let p = 0; p < told.length; p++) if (codes[p] >= WHITE_CODE) told[p] = 0;
  }
  return told;
}

/** Clears the marks where a frame shows nothing. */
function forget(marks: Float32Array, mask: Uint8Array | undefined): void {
  for (let p = 0; mask && p < marks.length; p++) if (mask[p] === 0) marks[p] = 0;
}

/**
 * The pixels whose light the reference tells, and those of large things that are white in it and darker in the other frame. Of
 * small lamps, whose rim slipped or was smeared by compression, the other frame tells more: left out they have cost still
 * scenes up to 3 dB.
 */
function withLarge(told: Uint8Array, marks: Float32Array, width: number, height: number): Uint8Array {
  const radius = Math.max(AROUND, Math.round(Math.max(width, height) * LARGE));
  const share = boxMean(marks, width, height, radius);
  return told.map((v, p) => (v === 1 || share[p] >= LARGE_SHARE ? 1 : 0));
}

/** Where marks lie close together, grown; in place. */
function regions(marks: Float32Array, width: number, height: number): Float32Array {
  boxMean(marks, width, height, AROUND, marks);
  for (let p = 0; p < marks.length; p++) marks[p] = marks[p] >= SUPPORT ? 1 : 0;
  const grown = AROUND + Math.max(1, Math.round(Math.max(width, height) * GROWN));
  return boxMean(marks, width, height, grown, marks);
}

/** A mask less the regions, unless those are too much of it; and their share of all pixels. */
function without(mask: Uint8Array | undefined, regions: Float32Array) {
  // Running sums leave a remainder where there is nothing.
  const inside = (p: number) => regions[p] > 1e-6;
  let count = 0;
  for (let p = 0; p < regions.length; p++) if (inside(p)) count++;
  const share = count / regions.length;
  if (count === 0 || share > MOST) return { mask, share: 0 };
  const left = mask ? mask.slice() : new Uint8Array(regions.length).fill(1);
  for (let p = 0; p < left.length; p++) if (inside(p)) left[p] = 0;
  return { mask: left, share };
}
