import { ImplicamError } from '../../../model/errors.js';
import type { Frame } from '../../../model/picture.js';
import { invalidBorder } from './border.js';
import { groupExposures } from './exposures.js';
import { groupFocus } from './focus.js';

/** What a capture is made of: which frames share focus, which share exposure, and how these relate. */
export interface Grouping {
  readonly frames: readonly GroupedFrame[];
  /**
   * Position of every focus setting, falling from +1 (nearest) to −1 (farthest): linear in inverse distance where EXIF
   * has distances, else evenly spaced in the order of the frames. [0] where there is one setting.
   */
  readonly focus: readonly number[];
  readonly preset: 'focus' | 'exposure' | 'focus-exposure';
  /** Whether the exposures are the camera's own. Else `notes` tells what was assumed. */
  readonly exposuresKnown: boolean;
  /** Per frame one byte a pixel, 0 = no photograph there (an empty border); undefined = all of it is. */
  readonly masks: readonly (Uint8Array | undefined)[];
  /** What was decided and why: one sentence each. */
  readonly notes: readonly string[];
}

export interface GroupedFrame {
  /** Index into `Grouping.focus`. */
  readonly focus: number;
  /** Exposure group, 0 = darkest. */
  readonly exposure: number;
  /** Stops about the mean of the exposure groups. */
  readonly ev: number;
  /** Diameter of the lens opening relative to that of most frames; 1 where EXIF has no f-number. */
  readonly aperture: number;
}

/**
 * Decides from EXIF, where it is there and does not contradict the pictures, else from the pictures, which frames
 * share focus and exposure, and what kind of capture they make.
 *
 * @param oneFocus the frames share their focus, whatever the pictures look like
 * @throws ImplicamError `frames-missing` without frames, `frame-sizes` when they are not equally large
 */
export function groupFrames(frames: readonly Frame[], oneFocus = false): Grouping {
  if (frames.length === 0) {
    throw new ImplicamError('frames-missing', 'there are no frames; give at least one photograph');
  }
  const { name, width, height } = frames[0];
  for (const frame of frames) {
    if (frame.width !== width || frame.height !== height) {
      throw new ImplicamError(
        'frame-sizes',
        `${frame.name} is ${frame.width}×${frame.height} but ${name} is ${width}×${height}; ` +
          'give frames of one size, taken in one orientation',
      );
    }
  }
  if (frames.every(({ mask }) => mask?.every((shown) => shown === 0))) {
    throw new ImplicamError(
      'frames-empty',
      'all frames are transparent throughout: nothing was photographed',
    );
  }
  // What a file calls transparent is no photograph; where it says so nothing is guessed.
  const masks = frames.map((frame) => frame.mask ?? invalidBorder(frame, frames));
  const exposures = groupExposures(frames, masks);
  const focus = oneFocus
    ? { groupOf: frames.map(() => 0), notes: ['one focus, as asked'] }
    : groupFocus(frames, exposures, masks);
  const settings = Math.max(...focus.groupOf) + 1;
  const bracketed = exposures.ev[exposures.ev.length - 1] - exposures.ev[0] >= 0.5;
  const preset = settings === 1 ? 'exposure' : bracketed ? 'focus-exposure' : 'focus';
  const apertures = relativeApertures(frames);
  return {
    frames: frames.map((_, i) => ({
      focus: focus.groupOf[i],
      exposure: exposures.groupOf[i],
      ev: exposures.ev[exposures.groupOf[i]],
      aperture: apertures[i],
    })),
    focus: focusPositions(settings, focus.distances),
    preset,
    exposuresKnown: exposures.fromCamera,
    masks,
    notes: [
      ...borderNotes(frames, masks),
      ...exposures.notes,
      ...focus.notes,
      ...(settings > 1 && !focus.distances
        ? ['no focus distances in EXIF: focus is taken to move evenly from the first frame to the last']
        : []),
      `preset ${preset}: ${count(settings, 'focus setting')}, ${count(exposures.ev.length, 'exposure')}`,
    ],
  };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function borderNotes(frames: readonly Frame[], masks: readonly (Uint8Array | undefined)[]): string[] {
  const named = (list: readonly Frame[]) =>
    list.length > 3 ? `${list.length} frames` : list.map((f) => f.name).join(', ');
  const notes: string[] = [];
  const transparent = frames.filter((f) => f.mask);
  if (transparent.length > 0) notes.push(`what is transparent is left out of ${named(transparent)}`);
  const bordered = frames.filter((f, i) => masks[i] && !f.mask);
  if (bordered.length > 0)
    notes.push(`an empty border (black or one pure colour) is left out of ${named(bordered)}`);
  return notes;
}

function relativeApertures(frames: readonly Frame[]): number[] {
  const numbers = frames.map((frame) => frame.camera.fNumber);
  if (numbers.some((n) => n === undefined || !(n > 0))) return frames.map(() => 1);
  const sorted = (numbers as number[]).slice().sort((a, b) => a - b);
  const usual = sorted[sorted.length >> 1];
  return (numbers as number[]).map((n) => usual / n);
}

function focusPositions(settings: number, distances: readonly number[] | undefined): number[] {
  if (settings === 1) return [0];
  const inverse = Array.from({ length: settings }, (_, k) => (distances ? 1 / distances[k] : -k));
  const [near, far] = [inverse[0], inverse[settings - 1]];
  return inverse.map((value) => (2 * value - near - far) / (near - far));
}
