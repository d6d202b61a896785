import type { Frame } from '../../../model/picture.js';
import {
  type ComparagramOptions,
  type ComparagramResult,
  type Exposures,
  estimateResponse,
} from './comparagram.js';

/**
 * Response and exposures where the camera's notes may be off: EXIF rounds exposure times to nominal ones (1/15 for
 * 1/16), and some cameras and many tools write what was asked for. Pictures measure everything about exposures but
 * their mean and range to a few thousandths of a stop, so what they contradict is learned from them.
 */
export interface DoubtedExposures extends ComparagramResult {
  /** Whether `ev` is what the camera says. */
  readonly known: boolean;
}

/** Exposures that the pictures confirm to this many stops stay exactly as given. */
const CONFIRMED = 0.03;
/** Notes of a camera are not off by more; pictures that say so have another reason (black that is not black, glare). */
const MOST = 0.5;
/**
 * Learned exposures must lower the misfit of the pictures by this factor. Where EXIF was right (JPEG, unsteady hands,
 * somebody who walks by, white at 235) they lowered it by 1.17 at most, by 1.295 under a lens with dark corners; where it
 * was 0.1 to 0.3 stops wrong, by 1.6 to 30 in all captures but two. The median disagreement told neither: much of a
 * picture may weigh in at one code, which agrees with any exposure.
 */
const LEAST_GAIN = 1.3;
/** Disagreements so many times the usual one begin to count as foreign. */
const FOREIGN = 6;

/** {@link estimateResponse}, which corrects exposures that are said to be known where the pictures contradict them. */
export function estimateDoubtfully(
  stacks: readonly (readonly Frame[])[],
  exposures: Exposures,
  options: ComparagramOptions = {},
): DoubtedExposures {
  if (!exposures.known || exposures.ev.length < 3)
    return { ...estimateResponse(stacks, exposures, options), known: exposures.known };
  const learned = estimateResponse(stacks, { ...exposures, known: false }, options);
  const change = Math.max(...learned.ev.map((ev, k) => Math.abs(ev - exposures.ev[k])));
  // The response of exposures so near is the same.
  if (change <= CONFIRMED) return { ...learned, ev: [...exposures.ev], known: true };
  const given = estimateResponse(stacks, exposures, options);
  const scale = FOREIGN * learned.residual;
  const believed = change <= MOST && given.misfit(scale) >= LEAST_GAIN * learned.misfit(scale);
  return believed ? { ...learned, known: false } : { ...given, known: true };
}
