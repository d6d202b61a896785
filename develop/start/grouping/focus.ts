import type { Frame } from '../../../model/picture.js';
import type { ExposureGroups } from './exposures.js';
import { type SharpnessMap, sharpnessDifference, sharpnessMap } from './sharpness.js';

/** Which frames share their focus. */
export interface FocusGroups {
  /** Focus group of every frame, in order of focus: nearest first where that is known, else as the frames come. */
  readonly groupOf: readonly number[];
  /** Distance in focus of every group in metres; absent where the camera did not write it down. */
  readonly distances?: readonly number[];
  readonly notes: readonly string[];
}

/** Distances within this share of each other are one setting; cameras round them. */
const SAME_DISTANCE = 0.01;
/** Spread of sharpness (see SharpnessDifference) between repeated shots of one focus at one exposure. */
const REPEATED = 0.06;
/** Spread that a stack of equally exposed frames must reach somewhere to be a focus stack. */
const FOCUS_STACK = 0.3;
/** Spread between neighbouring exposures of one focus, and of exposures far apart, whose shadows are noise. */
const SAME_FOCUS = 0.85;
const SAME_FOCUS_FAR = 1.15;
const FAR_STOPS = 2.5;
/** A comparison over less than this share of the picture says nothing. */
const LEAST_SHARE = 0.05;

/** @param masks per frame, 0 = leave the pixel out */
export function groupFocus(
  frames: readonly Frame[],
  exposures: ExposureGroups,
  masks: readonly (Uint8Array | undefined)[],
): FocusGroups {
  if (frames.length === 1) return { groupOf: [0], notes: [] };
  const maps = frames.map((frame, i) => sharpnessMap(frame, masks[i]));
  const byDistance = groupDistances(frames, exposures, maps);
  if (byDistance) return byDistance;
  const oneExposure = Math.max(...exposures.ev) - Math.min(...exposures.ev) < 0.5;
  return oneExposure ? groupStack(frames, maps) : groupBracket(frames, exposures, maps);
}

/** Groups by the distances that the camera wrote down, if it did and they tell more than one setting apart. */
function groupDistances(
  frames: readonly Frame[],
  exposures: ExposureGroups,
  maps: readonly SharpnessMap[],
): FocusGroups | undefined {
  const distances = frames.map((frame) => frame.camera.focusDistance);
  if (distances.some((distance) => distance === undefined || !(distance > 0))) return undefined;
  const order = frames.map((_, i) => i).sort((a, b) => distances[a]! - distances[b]! || a - b);
  const groupOf = new Array<number>(frames.length).fill(0);
  const settings: number[] = [];
  order.forEach((i, k) => {
    if (k === 0 || distances[i]! > distances[order[k - 1]]! * (1 + SAME_DISTANCE))
      settings.push(distances[i]!);
    groupOf[i] = settings.length - 1;
  });
  // One distance for all: many cameras write it coarsely or once; the pictures know better.
  if (settings.length === 1) return undefined;
  const bracket = settings.length === frames.length && exposures.ev.length === frames.length;
  if (bracket && sameFocusThroughout(exposures, maps)) {
    const note =
      'the focus distances in EXIF differ, but the pictures are sharp in the same places: one focus';
    return { groupOf: groupOf.map(() => 0), notes: [note] };
  }
  const list = settings.map((metres) => (metres < 10 ? metres.toFixed(2) : metres.toFixed(0))).join(', ');
  return {
    groupOf,
    distances: settings,
    notes: [`EXIF gives ${settings.length} focus distances, near to far: ${list} m`],
  };
}

function sameFocusThroughout(exposures: ExposureGroups, maps: readonly SharpnessMap[]): boolean {
  const order = maps.map((_, i) => i).sort((a, b) => exposures.groupOf[a] - exposures.groupOf[b]);
  return order.slice(1).every((i, k) => {
    const { share, spread } = sharpnessDifference(maps[order[k]], maps[i]);
    return share < LEAST_SHARE || spread <= sameFocusLimit(exposures, order[k], i);
  });
}

function sameFocusLimit({ ev, groupOf }: ExposureGroups, a: number, b: number): number {
  return Math.abs(ev[groupOf[a]] - ev[groupOf[b]]) > FAR_STOPS ? SAME_FOCUS_FAR : SAME_FOCUS;
}

/** Equally exposed frames: a focus stack, every frame its own focus but for repeated shots; or one focus, repeated. */
function groupStack(frames: readonly Frame[], maps: readonly SharpnessMap[]): FocusGroups {
  const groupOf: number[] = [];
  let groups = 0;
  let widest = 0;
  for (let i = 0; i < frames.length; i++) {
    let twin: number | undefined;
    for (let j = 0; j < i; j++) {
      const { share, spread } = sharpnessDifference(maps[j], maps[i]);
      if (share >= LEAST_SHARE) widest = Math.max(widest, spread);
      if (twin === undefined && share >= LEAST_SHARE && spread < REPEATED) twin = j;
    }
    groupOf.push(twin === undefined ? groups++ : groupOf[twin]);
  }
  const change = `what is sharp changes by a factor of ${Math.exp(widest).toFixed(1)} across the picture`;
  if (widest < FOCUS_STACK && widest > 0) {
    const note = `at equal exposure ${change} only: taken as one focus`;
    return { groupOf: groupOf.map(() => 0), notes: [note] };
  }
  const repeated = frames.length - groups;
  const note =
    widest === 0
      ? 'the pictures show too little detail to compare; equally exposed frames are taken as a focus stack'
      : `at equal exposure ${change}: ${groups} focus settings${repeated > 0 ? `, ${repeated} of them repeated` : ''}`;
  return { groupOf: widest === 0 ? frames.map((_, i) => i) : groupOf, notes: [note] };
}

/** Frames of several exposures: each exposure's frames are matched to those of the next by where they are sharp. */
function groupBracket(
  frames: readonly Frame[],
  exposures: ExposureGroups,
  maps: readonly SharpnessMap[],
): FocusGroups {
  const members = exposures.ev.map((_, g) =>
    frames.map((_, i) => i).filter((i) => exposures.groupOf[i] === g),
  );
  // Of frames that were taken twice the first speaks for the others.
  const firstOf = frames.map((_, i) => i);
  const fewest = Math.min(...members.map((list) => list.length));
  for (const list of members) firstTakes(list, fewest, maps, firstOf);
  const takes = members.map((list) => list.filter((i) => firstOf[i] === i));
  if (takes.every((list) => list.length === 1) && atOneDistance(frames)) {
    const note = 'EXIF gives one focus distance, and every exposure was taken once: one focus';
    return { groupOf: frames.map(() => 0), notes: [note] };
  }
  const reference = bestExposed(takes, maps);
  const label = new Array<number>(frames.length).fill(-1);
  let labels = 0;
  for (const i of takes[reference]) label[i] = labels++;
  const attach = (group: number, neighbour: number) => {
    const match = assignFrames(takes[neighbour], takes[group], maps);
    for (const i of takes[group]) {
      const partner = match.get(i);
      const same = partner !== undefined && mayShareFocus(partner, i);
      label[i] = same ? label[partner] : labels++;
    }
  };
  // A grid (every exposure at every focus) is trusted as such even where shadows are noise.
  const grid = takes.every((list) => list.length === takes[0].length) && takes[0].length > 1;
  const mayShareFocus = (a: number, b: number): boolean => {
    const { share, spread } = sharpnessDifference(maps[a], maps[b]);
    return grid || share < LEAST_SHARE || spread <= sameFocusLimit(exposures, a, b);
  };
  for (let g = reference + 1; g < members.length; g++) attach(g, g - 1);
  for (let g = reference - 1; g >= 0; g--) attach(g, g + 1);
  for (const [i, first] of firstOf.entries()) label[i] = label[first];

  // In order of first appearance.
  const order = [...new Set(label)];
  const groupOf = label.map((value) => order.indexOf(value));
  const note =
    labels === 1
      ? 'all frames are sharp in the same places: one focus'
      : grid
        ? `frames matched across exposures by where they are sharp: ${labels} focus settings, each at ` +
          `${members.length} exposures`
        : `the frames differ in where they are sharp: ${labels} focus settings`;
  return { groupOf, notes: [note] };
}

/** Whether the camera wrote one distance for all frames. */
function atOneDistance(frames: readonly Frame[]): boolean {
  const distances = frames.map((frame) => frame.camera.focusDistance ?? Number.NaN);
  return Math.max(...distances) <= Math.min(...distances) * (1 + SAME_DISTANCE);
}

/** Two frames of one exposure are shots of one focus if all others differ by at least so many times as much. */
const CLEARLY_ALIKE = 2;

/**
 * Frames of one exposure that share their focus, by the rule for stacks: all of them where what is sharp hardly changes
 * anywhere, else those that are as alike as two shots of one thing. And where another exposure has fewer frames, those that
 * are more alike than all others by far: noise makes two shots of one thing differ.
 *
 * @param fewest frames of any exposure
 * @param firstOf for every frame that is a retake, set to the first shot of it
 */
function firstTakes(
  list: readonly number[],
  fewest: number,
  maps: readonly SharpnessMap[],
  firstOf: number[],
): void {
  const pairs = list.flatMap((i, k) =>
    list.slice(0, k).map((j) => ({ i, j, ...sharpnessDifference(maps[j], maps[i]) })),
  );
  if (pairs.some(({ share }) => share < LEAST_SHARE)) return;
  const still = pairs.every(({ spread }) => spread < FOCUS_STACK);
  for (const { i, j, spread } of pairs) {
    if (firstOf[i] === i && (still || spread < REPEATED)) firstOf[i] = firstOf[j];
  }
  for (let takes = list.filter((i) => firstOf[i] === i); takes.length > fewest && fewest > 1; ) {
    const [closest, next] = pairs
      .filter(({ i, j }) => takes.includes(i) && takes.includes(j))
      .sort((a, b) => a.spread - b.spread);
    if (next && CLEARLY_ALIKE * closest.spread > next.spread) return;
    for (const i of list) if (firstOf[i] === closest.i) firstOf[i] = closest.j;
    takes = takes.filter((i) => i !== closest.i);
  }
}

/** The exposure whose frames have the most well-exposed cells. */
function bestExposed(members: readonly (readonly number[])[], maps: readonly SharpnessMap[]): number {
  const cells = members.map(
    (list) => list.reduce((sum, i) => sum + maps[i].exposed.reduce((n, e) => n + e, 0), 0) / list.length,
  );
  return cells.indexOf(Math.max(...cells));
}

/**
 * One-to-one assignment of `frames` to `partners` with the least total difference of sharpness. Of equally good ones
 * (within a third), that which keeps the order of capture: cameras repeat a sequence.
 */
function assignFrames(
  partners: readonly number[],
  frames: readonly number[],
  maps: readonly SharpnessMap[],
): Map<number, number> {
  const cost = frames.map((i) =>
    partners.map((j) => {
      const { share, spread } = sharpnessDifference(maps[j], maps[i]);
      return share < LEAST_SHARE ? SAME_FOCUS : spread;
    }),
  );
  const size = Math.min(frames.length, partners.length);
  const inOrder = frames.map((_, k) => (k < size ? k : -1));
  const best = improve(cost, [...inOrder]);
  const total = (choice: readonly number[]) =>
    choice.reduce((sum, j, k) => sum + (j < 0 ? 0 : cost[k][j]), 0);
  const choice =
    frames.length === partners.length && total(inOrder) <= KEEP_ORDER * total(best) ? inOrder : best;
  return new Map(choice.flatMap((j, k) => (j < 0 ? [] : [[frames[k], partners[j]] as const])));
}

/** How much worse the order of capture may fit than the best assignment. */
const KEEP_ORDER = 1.35;

/** Swaps partners, also for free ones, as long as that lowers the total. */
function improve(cost: readonly (readonly number[])[], choice: number[]): number[] {
  const partners = cost[0].length;
  const costOf = (k: number, j: number) => (j < 0 ? 0 : cost[k][j]);
  for (let changed = true; changed; ) {
    changed = false;
    for (let a = 0; a < choice.length; a++) {
      for (let b = a + 1; b < choice.length; b++) {
        const now = costOf(a, choice[a]) + costOf(b, choice[b]);
        if (costOf(a, choice[b]) + costOf(b, choice[a]) < now - 1e-12) {
          [choice[a], choice[b]] = [choice[b], choice[a]];
          changed = true;
        }
      }
      for (let j = 0; j < partners; j++) {
        if (choice[a] >= 0 && !choice.includes(j) && cost[a][j] < cost[a][choice[a]] - 1e-12) {
          choice[a] = j;
          changed = true;
        }
      }
    }
  }
  return choice;
}
