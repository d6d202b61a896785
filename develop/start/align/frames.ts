import type { Frame } from '../../../model/picture.js';
import { portableKernels, type StartKernels } from '../kernels.js';
import { cornerMotion, fromNormalised, type Homography, IDENTITY, invert, multiply } from './homography.js';
import { alignTwo, gainOf } from './pair.js';
import { type FeaturePyramid, featurePyramid } from './pyramid.js';
import { MODELS } from './step.js';

/** What is known about the frames before they are compared. */
export interface AlignmentFacts {
  /** Exposure of each frame in stops. */
  readonly ev: readonly number[];
  /** Focus of each frame, counted in settings. */
  readonly focus: readonly number[];
  /** Per frame one byte a pixel, 0 = no photograph there. */
  readonly masks?: readonly (Uint8Array | undefined)[];
}

/** Where every frame lies over the reference. */
export interface Alignment {
  readonly reference: number;
  readonly frames: readonly AlignedFrame[];
  /** Motion of the corners, in pixels, up to which a frame is taken as aligned. */
  readonly tolerance: number;
}

export interface AlignedFrame {
  /** Takes pixel positions of the frame to those of the reference; exactly the identity where nothing moved. */
  readonly homography: Homography;
  readonly outcome: 'reference' | 'aligned' | 'moved' | 'failed';
  /** The farthest that a corner moves, in pixels, as estimated (also of frames that are taken as aligned). */
  readonly motion: number;
  /** One standard error of that. */
  readonly error: number;
  /** Name of the model in the plural, of a frame that moved. */
  readonly model?: string;
}

/** Motion of the corners in pixels of the level that is compared, below which resampling costs more than it gives. */
const TOLERANCE = 0.15;
/** Motion must exceed this many standard errors. */
const SIGNIFICANT = 4;
/** As many, once other frames show that a hand held the camera: standing still is then a guess like any other. */
const LIKELY = 2;
/** And, where the focus differs, lower the disagreement by this factor; defocus alone did by 1.1 at most. */
const LEAST_GAIN = 1.2;
/** What holds for one frame of a focus holds for another that it agrees with by this factor better; chance gave 1.3. */
const SHARED_GAIN = 1.6;

/**
 * Finds how the frames of one capture lie over a reference, the frame of middle exposure nearest the middle. Frames
 * are compared with others that differ little in focus and exposure; what links them to the reference is composed.
 */
export function alignFrames(
  frames: readonly Frame[],
  facts: AlignmentFacts,
  kernels: StartKernels = portableKernels,
): Alignment {
  const { width, height } = frames[0];
  const reference = middleFrame(facts.ev);
  const pyramids = frames.map((frame, i) => featurePyramid(frame, facts.masks?.[i], kernels));
  const tolerance = TOLERANCE * pyramids[0].levels[0].scale;
  const links = linkFrames(pyramids, facts, reference);
  const estimates = links.map((link) => link && estimateOf(link, width, height));
  const agrees = estimates.map(() => undefined as boolean | undefined);
  const moves = (i: number, sigmas: number): boolean => {
    const estimate = estimates[i];
    if (!estimate || i === reference) return false;
    return estimate.motion >= Math.max(tolerance, sigmas * estimate.error) && agreesBetter(i);
  };
  const held = estimates.some((_, i) => moves(i, SIGNIFICANT));
  const placed = estimates.map((estimate, i): AlignedFrame => {
    if (i === reference) return { homography: IDENTITY, outcome: 'reference', motion: 0, error: 0 };
    if (!estimate) return { homography: IDENTITY, outcome: 'failed', motion: 0, error: 0 };
    if (moves(i, held ? LIKELY : SIGNIFICANT)) return { ...estimate, outcome: 'moved' };
    const { motion, error } = estimate;
    return { homography: IDENTITY, outcome: 'aligned', motion, error };
  });
  return { reference, tolerance, frames: placed };

  /**
   * Defocus alone can look like a little motion, but moving does not make it agree much better. Frames of one focus have
   * the same defocus, so what was found of one of them holds for those that are compared with it: the brightest may
   * show the reference too little to ask it.
   */
  function agreesBetter(i: number): boolean {
    const { fromReference, fromParent, parent } = links[i]!;
    if (facts.focus[i] === facts.focus[reference]) return true;
    if (agrees[i] === undefined) {
      const gain = gainOf(pyramids[reference], pyramids[i], true, fromReference);
      agrees[i] =
        gain === undefined ||
        gain >= LEAST_GAIN ||
        (facts.focus[parent] === facts.focus[i] &&
          moves(parent, SIGNIFICANT) &&
          (gainOf(pyramids[parent], pyramids[i], false, fromParent) ?? 0) >= SHARED_GAIN);
    }
    return agrees[i];
  }
}

function estimateOf(link: Link, width: number, height: number): Omit<AlignedFrame, 'outcome'> {
  const homography = fromNormalised(invert(link.fromReference), width, height);
  return {
    homography,
    motion: cornerMotion(homography, width, height),
    error: Math.sqrt(link.variance),
    model: MODELS.find((m) => m.fields === link.fields)!.name,
  };
}

/** The frame nearest the middle, of those whose exposure is the median. */
export function middleFrame(ev: readonly number[]): number {
  const settings = [...new Set(ev)].sort((a, b) => a - b);
  const usual = settings[settings.length >> 1];
  const middle = ev.length >> 1;
  let best = -1;
  ev.forEach((value, i) => {
    if (value === usual && (best < 0 || Math.abs(i - middle) < Math.abs(best - middle))) best = i;
  });
  return best;
}

interface Link {
  /** Takes normalised positions of the reference to those of the frame. */
  readonly fromReference: Homography;
  /** The frame that it was compared with, and what takes normalised positions of that to its own. */
  readonly parent: number;
  readonly fromParent: Homography;
  readonly fields: number;
  /** Of the corners, in square pixels. */
  readonly variance: number;
}

/** Cost of a comparison whatever it compares, in those of one focus setting. */
const BASE_COST = 0.2;
/** Stops that make frames harder to compare, and how hard, where the focus is the same. */
const STOPS = 3;
const EXPOSURE_COST = 0.8;
/** What so many stops from the usual exposure add to the cost of defocus. */
const CLIPPED_COST = 0.5;
/** Comparisons that a frame gets before it is given up. */
const ATTEMPTS = 3;

/**
 * How much the comparison of two frames is to be avoided: roughly its variance. Defocus costs most; what differs in
 * both is better compared by way of a frame that differs in one. Of two frames far from the usual exposure much is
 * clipped, which adds to the cost of defocus: of those 3 stops over, comparisons went wrong by 5 pixels.
 */
function cost({ ev, focus }: AlignmentFacts, usual: number, a: number, b: number): number {
  const stops = ((ev[a] - ev[b]) / STOPS) ** 2;
  const clipped = Math.min(Math.abs(ev[a] - usual), Math.abs(ev[b] - usual)) / STOPS;
  return (
    BASE_COST + (focus[a] - focus[b]) ** 2 * (1 + stops + CLIPPED_COST * clipped) + EXPOSURE_COST * stops
  );
}

/** Links every frame to the reference along the cheapest path (Dijkstra), around comparisons that fail. */
function linkFrames(
  pyramids: readonly FeaturePyramid[],
  facts: AlignmentFacts,
  reference: number,
): (Link | undefined)[] {
  const links = new Array<Link | undefined>(pyramids.length).fill(undefined);
  const distance = new Array<number>(pyramids.length).fill(0);
  const refused = pyramids.map(() => new Set<number>());
  links[reference] = {
    fromReference: IDENTITY,
    parent: reference,
    fromParent: IDENTITY,
    fields: 2,
    variance: 0,
  };
  for (;;) {
    let best: { way: number; node: number; parent: number } | undefined;
    for (let node = 0; node < links.length; node++) {
      if (links[node] || refused[node].size >= ATTEMPTS) continue;
      for (let parent = 0; parent < links.length; parent++) {
        if (!links[parent] || refused[node].has(parent)) continue;
        const way = distance[parent] + cost(facts, facts.ev[reference], parent, node);
        if (!best || way < best.way) best = { way, node, parent };
      }
    }
    if (!best) return links;
    const { way, node, parent } = best;
    const defocus = facts.focus[parent] !== facts.focus[node];
    const pair = alignTwo(pyramids[parent], pyramids[node], defocus);
    if (!pair) {
      refused[node].add(parent);
      continue;
    }
    const before = links[parent]!;
    distance[node] = way;
    links[node] = {
      fromReference: multiply(pair.toOther, before.fromReference),
      parent,
      fromParent: pair.toOther,
      fields: Math.max(pair.fields, before.fields),
      variance: before.variance + pair.error ** 2,
    };
  }
}
