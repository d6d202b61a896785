import type { Frame } from '../model/picture.js';
import type { Grouping } from '../model/start/grouping.js';

/** Frames brought to the reference, and which of their pixels count. */
export interface Registered {
  readonly frames: readonly Frame[];
  readonly masks: readonly (Uint8Array | undefined)[];
  /** Whether any frame had to be moved. */
  readonly moved: boolean;
}

/** INTERIM until registration lands: frames as they are. */
export function registerFrames(
  frames: readonly Frame[],
  _grouping: Grouping,
  _note: (sentence: string) => void,
): Registered {
  return { frames, masks: frames.map(() => undefined), moved: false };
}
