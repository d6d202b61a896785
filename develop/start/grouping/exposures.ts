import { exposureValue, type Frame } from '../../../model/picture.js';
import {
  type Brightness,
  blackCodes,
  exposureBetween,
  exposureInPlaces,
  frameBrightness,
  orderByLight,
} from './brightness.js';

/** Which frames share their exposure, and how the exposures relate. */
export interface ExposureGroups {
  /** Exposure group of every frame; 0 is the darkest. */
  readonly groupOf: readonly number[];
  /** Stops of every group, rising; their mean is 0. */
  readonly ev: readonly number[];
  /** Whether the stops are the camera's own; else they are estimated under an assumption that `notes` tells. */
  readonly fromCamera: boolean;
  readonly notes: readonly string[];
}

/** Stops within which exposures written by the camera are the same setting. */
const SAME_SETTING = 0.02;
/**
 * Stops that separate exposures in the pictures at least. Equal settings of a focus stack measure up to 0.06 apart,
 * 0.3 where blur spreads strong lights in some frames and not in others. In a bracket a gap counts from this share of
 * the widest gap on, or more, up to the second share, if all exposures then have equally many frames.
 */
const DISTINCT = 0.4;
const DISTINCT_SHARES = { usual: 0.12, most: 0.35 };
/** Drift of an automatic exposure, in stops, below which frames still count as equally exposed. */
const DRIFT = 0.6;
/** Equal settings whose pictures differ by more than this contradict the camera's notes. */
const CONTRADICTION = 0.5;
/** Share of the pixels that both must expose well to contradict. */
const ENOUGH_TO_CONTRADICT = 0.1;

/** @param masks per frame, 0 = leave the pixel out */
export function groupExposures(
  frames: readonly Frame[],
  masks: readonly (Uint8Array | undefined)[],
): ExposureGroups {
  const brightness = frames.map((frame, i) => frameBrightness(frame, masks[i]));
  const seen = pictureExposures(brightness);
  const written = writtenExposures(frames);
  const missing = written.ev.filter((ev) => ev === undefined).length;
  if (missing === 0) {
    const groups = cluster(written.ev as number[], SAME_SETTING);
    const objection = contradiction(frames, masks, brightness, groups, seen);
    if (objection === undefined) return fromCamera(groups, written.what);
    return fromPictures(seen, [`${objection}; the exposures in EXIF are not used`]);
  }
  const completed = missing < frames.length ? completedExposures(written.ev, seen) : undefined;
  if (completed)
    return fromBoth(
      cluster(completed, SAME_SETTING),
      frames.filter((_, i) => written.ev[i] === undefined),
    );
  const why =
    missing === frames.length
      ? 'no frame has an exposure time in EXIF'
      : `${missing} of ${frames.length} frames have no exposure time in EXIF`;
  return fromPictures(seen, [why]);
}

/** What the camera wrote down of the exposures, in stops: its settings, or by how much it was told to depart from them. */
function writtenExposures(frames: readonly Frame[]): { ev: (number | undefined)[]; what: string } {
  const settings = frames.map((frame) => exposureValue(frame.camera));
  if (settings.some((ev) => ev !== undefined)) return { ev: settings, what: 'exposures' };
  const bias = frames.map((frame) => frame.camera.exposureBias);
  // All alike it says nothing of a bracket that was set by hand.
  const tells = new Set(bias).size > 1;
  return { ev: tells ? bias : settings, what: 'exposure compensations' };
}

/** Stops that cameras bracket by: multiples of a third, and of a half. */
const USUAL_STEPS = [1 / 3, 1 / 2];
/** Pictures show exposures under a usual response: so far off, as a share, may what they show be. */
const RESPONSE_DOUBT = 0.8;

/**
 * Exposures of which some frames' are written down and the others' seen: what the pictures show, stretched so that it
 * fits what is known, to the nearest third or half of a stop from a known one. Undefined where too little is known to
 * tell how far to stretch.
 */
function completedExposures(
  written: readonly (number | undefined)[],
  { ev: seen, guessed }: PictureExposures,
): number[] | undefined {
  const known = written.flatMap((ev, i) => (ev === undefined ? [] : [{ ev, seen: seen[i] }]));
  known.sort((a, b) => a.seen - b.seen);
  const [first, last] = [known[0], known[known.length - 1]];
  if (guessed || last.seen - first.seen < DISTINCT) return undefined;
  const stretch = (last.ev - first.ev) / (last.seen - first.seen);
  if (Math.abs(Math.log(stretch)) > RESPONSE_DOUBT || !(stretch > 0)) return undefined;
  return written.map((ev, i) => {
    if (ev !== undefined) return ev;
    const nearest = known.reduce((a, b) => (Math.abs(b.seen - seen[i]) < Math.abs(a.seen - seen[i]) ? b : a));
    const step = stretch * (seen[i] - nearest.seen);
    const usual = USUAL_STEPS.map((unit) => unit * Math.round(step / unit));
    return nearest.ev + usual.reduce((a, b) => (Math.abs(b - step) < Math.abs(a - step) ? b : a));
  });
}

function fromBoth({ groupOf, mean }: Clusters, without: readonly Frame[]): ExposureGroups {
  const ev = centred(mean);
  const names = without.length > 3 ? `${without.length} frames` : without.map(({ name }) => name).join(', ');
  const note = `EXIF does not give the exposure of ${names}: taken as the pictures show it, beside the others: ${stops(ev)} stops`;
  return { groupOf, ev, fromCamera: false, notes: [note] };
}

interface Clusters {
  readonly groupOf: readonly number[];
  /** Mean of every group, rising. */
  readonly mean: readonly number[];
}

/** Groups of values no two neighbours of which are further apart than `gap`, in rising order. */
function cluster(values: readonly number[], gap: number): Clusters {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
  const groupOf = new Array<number>(values.length).fill(0);
  const members: number[][] = [];
  order.forEach((i, k) => {
    if (k === 0 || values[i] - values[order[k - 1]] > gap) members.push([]);
    members[members.length - 1].push(i);
    groupOf[i] = members.length - 1;
  });
  return {
    groupOf,
    mean: members.map((list) => list.reduce((sum, i) => sum + values[i], 0) / list.length),
  };
}

/** Groups of exposures as measured in the pictures; see DISTINCT. */
function clusterSeen(seen: readonly number[]): Clusters {
  const sorted = [...seen].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((value, k) => value - sorted[k]);
  const widest = Math.max(0, ...gaps);
  const even = ({ groupOf, mean }: Clusters) => {
    const sizes = mean.map((_, g) => groupOf.filter((group) => group === g).length);
    return sizes.every((size) => size === sizes[0]);
  };
  const usual = cluster(seen, Math.max(DISTINCT, DISTINCT_SHARES.usual * widest));
  if (even(usual)) return usual;
  const wider = gaps
    .filter((gap) => gap > DISTINCT_SHARES.usual * widest && gap <= DISTINCT_SHARES.most * widest)
    .sort((a, b) => a - b)
    .map((gap) => cluster(seen, gap));
  return wider.find(even) ?? usual;
}

function centred(ev: readonly number[]): number[] {
  const mean = ev.reduce((sum, value) => sum + value, 0) / ev.length;
  return ev.map((value) => value - mean);
}

function stops(ev: readonly number[]): string {
  return ev
    .map((value) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`)
    .join(', ');
}

function fromCamera({ groupOf, mean }: Clusters, what: string): ExposureGroups {
  const ev = centred(mean);
  const note =
    ev.length === 1
      ? 'EXIF gives all frames the same exposure'
      : `EXIF gives ${ev.length} ${what}, ${stops(ev)} stops about their mean`;
  return { groupOf, ev, fromCamera: true, notes: [note] };
}

/** What in the pictures cannot be true if the camera's notes are; undefined where both agree. */
function contradiction(
  frames: readonly Frame[],
  masks: readonly (Uint8Array | undefined)[],
  brightness: readonly Brightness[],
  { groupOf, mean }: Clusters,
  { ev: seen, guessed }: PictureExposures,
): string | undefined {
  const black = blackCodes(brightness);
  const members = mean.map((_, g) => frames.map((_, i) => i).filter((i) => groupOf[i] === g));
  for (const list of members) {
    const dark = list.reduce((a, b) => (seen[b] < seen[a] ? b : a));
    const bright = list.reduce((a, b) => (seen[b] > seen[a] ? b : a));
    const apart = exposureBetween(brightness[dark], brightness[bright], black, ENOUGH_TO_CONTRADICT) ?? 0;
    // Another exposure brightens all of a picture; another focus spreads the light of lamps.
    const inPlaces = () =>
      exposureInPlaces(frames[dark], frames[bright], black, [masks[dark], masks[bright]]);
    if (apart > CONTRADICTION && (inPlaces() ?? apart) > CONTRADICTION) {
      return `${frames[bright].name} is ${apart.toFixed(1)} stops brighter than ${frames[dark].name} at the same settings`;
    }
  }
  if (guessed) return undefined;
  const level = members.map((list) => list.reduce((sum, i) => sum + seen[i], 0) / list.length);
  const range = mean[mean.length - 1] - mean[0];
  const seenRange = level[level.length - 1] - level[0];
  if (Math.max(range, seenRange) > 1 && (seenRange < range * 0.4 || seenRange > range * 2.2)) {
    return `EXIF spans ${range.toFixed(1)} stops, the pictures ${seenRange.toFixed(1)}`;
  }
  const falls = level.slice(1).findIndex((value, k) => value < level[k] - CONTRADICTION);
  if (falls >= 0) {
    const [dark, bright] = [members[falls][0], members[falls + 1][0]];
    return `${frames[dark].name} is brighter than ${frames[bright].name}, and EXIF says the opposite`;
  }
  return undefined;
}

/** Stops between neighbours that have nothing well exposed in common: at least about this. */
const NOTHING_IN_COMMON = 4;

interface PictureExposures {
  /** Exposure of every frame in stops; 0 is a frame in the middle. */
  readonly ev: readonly number[];
  /** Whether some neighbours have nothing well exposed in common, so that their step is a mere guess. */
  readonly guessed: boolean;
}

function pictureExposures(frames: readonly Brightness[]): PictureExposures {
  const black = blackCodes(frames);
  const order = orderByLight(frames, black);
  const ev = new Array<number>(frames.length).fill(0);
  const middle = order.length >> 1;
  const reference = order[middle];
  let guessed = false;
  const follow = (frame: number, neighbour: number) => {
    // Straight to the reference where it is near, so that small errors do not add up along a long stack.
    const direct = exposureBetween(frames[reference], frames[frame], black);
    if (direct !== undefined && Math.abs(direct) < 1) {
      ev[frame] = direct;
      return;
    }
    const step = exposureBetween(frames[neighbour], frames[frame], black);
    if (step === undefined) guessed = true;
    const brighter = frames[frame].mean > frames[neighbour].mean;
    ev[frame] = ev[neighbour] + (step ?? (brighter ? NOTHING_IN_COMMON : -NOTHING_IN_COMMON));
  };
  for (let k = middle + 1; k < order.length; k++) follow(order[k], order[k - 1]);
  for (let k = middle - 1; k >= 0; k--) follow(order[k], order[k + 1]);
  return { ev, guessed };
}

function fromPictures({ ev: seen, guessed }: PictureExposures, notes: readonly string[]): ExposureGroups {
  const groups = clusterSeen(seen);
  if (groups.mean.length === 1) {
    const drift = Math.max(...seen) - Math.min(...seen);
    if (drift <= DRIFT) {
      const note = 'the pictures are equally bright: taken as one exposure';
      return { groupOf: groups.groupOf, ev: [0], fromCamera: false, notes: [...notes, note] };
    }
    const own = cluster(seen, -1);
    const note = `brightness drifts by ${drift.toFixed(2)} stops: every frame gets an exposure of its own`;
    return { groupOf: own.groupOf, ev: centred(own.mean), fromCamera: false, notes: [...notes, note] };
  }
  const snapped = wholeSteps(groups.mean);
  const ev = centred(snapped ?? groups.mean);
  const gap = guessed ? ' (some neighbours have nothing well exposed in common: a guess)' : '';
  const found =
    `the brightness of the pictures shows ${groups.mean.length} exposures, ` +
    `${stops(centred(groups.mean))} stops under a usual camera response${gap}`;
  const assumption = snapped
    ? `taken as ${stops(ev)}, whole stops being usual`
    : 'taken as they are; their true range cannot be seen in pictures and sets the contrast of the result';
  return {
    groupOf: groups.groupOf,
    ev,
    fromCamera: false,
    notes: [...notes, `${found}; ${assumption}`],
  };
}

/** How far, as a share, steps may be from their mean, and their mean from whole stops, to be taken as whole stops. */
const STEP_TOLERANCES: readonly { readonly step: number; readonly mean: number }[] = [
  { step: 0.2, mean: 0.35 },
  { step: 0.4, mean: 0.1 },
];
/**
 * Cameras bracket by 3 stops at most, and hardly over more than this range. A contrasty response shows 3 stops as 3.4 to
 * 4.0, so wider brackets are believed only where they fit better by so much of ln steps, for every stop too many.
 */
const WIDEST_STEP = 3;
const WIDEST_RANGE = 9;
const UNUSUAL = 0.35;
/** Smaller steps are usually parts of a stop. */
const LEAST_WHOLE = 0.8;

/** Equal whole steps where the estimated ones are near them; undefined where they are not. */
function wholeSteps(ev: readonly number[]): number[] | undefined {
  const steps = ev.slice(1).map((value, k) => value - ev[k]);
  const mean = (ev[ev.length - 1] - ev[0]) / steps.length;
  if (mean < LEAST_WHOLE) return undefined;
  const whole = usualStep(mean, steps.length);
  const uneven = Math.max(...steps.map((step) => Math.abs(step / mean - 1)));
  const off = Math.abs(mean / whole - 1);
  const near = STEP_TOLERANCES.some((tolerance) => uneven <= tolerance.step && off <= tolerance.mean);
  return near ? ev.map((_, k) => k * whole) : undefined;
}

/** The whole number of stops that a camera was most likely set to where pictures show so many, under a usual response. */
function usualStep(seen: number, steps: number): number {
  const doubt = (whole: number) =>
    Math.abs(Math.log(seen / whole)) +
    UNUSUAL * (Math.max(0, whole - WIDEST_STEP) + (whole * steps > WIDEST_RANGE ? 1 : 0));
  const candidates = Array.from({ length: Math.max(1, Math.ceil(seen)) }, (_, i) => i + 1);
  return candidates.reduce((a, b) => (doubt(b) < doubt(a) ? b : a));
}
