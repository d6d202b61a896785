import type { Frame } from '../model/picture.js';
import { type Alignment, alignFrames } from './start/align/frames.js';
import { warpFrame } from './start/align/warp.js';
import type { Grouping } from './start/grouping/frames.js';
import { portableKernels, type StartKernels } from './start/kernels.js';

/** Frames brought to the reference, and which of their pixels count. */
export interface Registered {
  readonly frames: readonly Frame[];
  readonly masks: readonly (Uint8Array | undefined)[];
  /** Whether any frame had to be moved. */
  readonly moved: boolean;
}

/**
 * Brings the frames of a capture to one of them, where they were not taken from a tripod or the lens breathes. What
 * stands still is passed on as it is, not resampled. Masks are those of the grouping, less what a frame that was moved
 * does not show.
 */
export function registerFrames(
  frames: readonly Frame[],
  grouping: Grouping,
  note: (sentence: string) => void,
  kernels: StartKernels = portableKernels,
): Registered {
  if (frames.length < 2) return { frames, masks: grouping.masks, moved: false };
  const settings = grouping.focus.length;
  const alignment = alignFrames(
    frames,
    {
      ev: grouping.frames.map((f) => f.ev),
      // Positions run from +1 to −1: counted in settings of the average spacing.
      focus: grouping.frames.map((f) => ((1 - grouping.focus[f.focus]) * (settings - 1)) / 2),
      masks: grouping.masks,
    },
    kernels,
  );
  notesOf(frames, alignment).forEach(note);
  const placed = frames.map((frame, i) => {
    const { outcome, homography } = alignment.frames[i];
    const mask = grouping.masks[i];
    return outcome === 'moved' ? warpFrame(frame, homography, mask) : { frame, mask };
  });
  return {
    frames: placed.map((p) => p.frame),
    masks: placed.map((p) => p.mask),
    moved: alignment.frames.some((f) => f.outcome === 'moved'),
  };
}

/** Notes that a person should see again at the end begin so. */
export const WARNING = 'warning: ';
/** Share of the frames that may fail to be recognised before it is doubted that they show one scene. */
const MOST_FAILED = 0.5;
/** Fewer frames fail for lack of detail as well. */
const ENOUGH_TO_DOUBT = 4;

function notesOf(frames: readonly Frame[], { frames: aligned, reference, tolerance }: Alignment): string[] {
  const notes: string[] = [];
  const still = aligned.filter((f) => f.outcome === 'aligned');
  const moved = aligned.filter((f) => f.outcome === 'moved');
  const failed = frames.filter((_, i) => aligned[i].outcome === 'failed').map((f) => f.name);
  if (moved.length > 0) {
    const farthest = Math.max(...moved.map((f) => f.motion)).toFixed(1);
    const models = [...new Set(moved.map((f) => f.model!))].join(', ');
    const which =
      moved.length === frames.length - 1 ? 'frames' : `${moved.length} of ${frames.length} frames`;
    notes.push(
      `hand-held, or a lens that breathes: ${which} moved by up to ${farthest} pixels from ` +
        `${frames[reference].name}, aligned by ${models}`,
    );
  } else if (still.length > 0) {
    const farthest = Math.max(...still.map((f) => f.motion));
    notes.push(
      farthest <= tolerance
        ? `tripod: aligned to ${farthest.toFixed(2)} pixels, left as they are`
        : `the frames are aligned as far as can be told (estimates differ by up to ${farthest.toFixed(1)} pixels, ` +
            'which moving the frames does not confirm): left as they are',
    );
  }
  if (failed.length > 0) {
    const names = failed.length > 3 ? `${failed.length} frames` : failed.join(', ');
    notes.push(`too little of the picture is recognised in ${names} to tell motion: left unmoved`);
    if (frames.length >= ENOUGH_TO_DOUBT && failed.length > MOST_FAILED * (frames.length - 1)) {
      notes.push(
        `${WARNING}most frames have too little in common with ${frames[reference].name} to be of one scene: ` +
          'look at the result before you use it',
      );
    }
  }
  return notes;
}
