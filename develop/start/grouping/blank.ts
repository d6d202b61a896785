import { ImplicamError } from '../../../model/errors.js';
import { type Frame, fullScale } from '../../../model/picture.js';

/** Pixels this dark or bright, as shares of the brightest sample of all frames, tell no light but that it is less, or more. */
const DARK = 11 / 255;
const BRIGHT = 245 / 255;
/** What is darker than this share of full scale in all frames was not exposed at all; of 16 bits, with 12 in use. */
const NOTHING = { 8: 11 / 255, 16: 11 / 255 / 16 };
/** A frame is of one colour if its samples lie within this share of the brightest. */
const ONE_COLOUR = 4 / 255;
/** Fewest pixels that must tell something, and the share of them: lamps in a dark frame are few. */
const FEWEST = 16;
const LEAST_SHARE = 1e-4;

/**
 * The frames that show something. One that is black or white throughout, or of one colour, tells nothing of the scene, but its
 * exposure would be guessed, its focus, too, and those of the others after it: a white frame has cost 20 dB.
 *
 * @throws ImplicamError `frames-blank` when fewer than two of several frames show something
 */
export function framesThatShow(frames: readonly Frame[], note: (sentence: string) => void): readonly Frame[] {
  let brightest = 0;
  for (const { data } of frames)
    for (let i = 0; i < data.length; i++) brightest = Math.max(brightest, data[i]);
  const shown = frames.filter((frame) => brightest > nothing(frame) && showsSomething(frame, brightest));
  if (frames.length < 2 || shown.length === frames.length) return frames;
  if (shown.length < 2) {
    const which = shown.length === 0 ? 'all photographs are' : `all photographs but ${shown[0].name} are`;
    throw new ImplicamError(
      'frames-blank',
      `${which} black, white or of one colour throughout: there is nothing to develop; photograph with other exposures`,
      { exitCode: 2 },
    );
  }
  const blank = frames.filter((frame) => !shown.includes(frame)).map(({ name }) => name);
  const names =
    blank.length > 3
      ? `${blank.length} frames are`
      : `${blank.join(', ')} ${blank.length === 1 ? 'is' : 'are'}`;
  note(`${names} black, white or of one colour throughout: left out`);
  return shown;
}

const nothing = (frame: Frame) =>
  fullScale(frame) * (frame.data instanceof Uint16Array ? NOTHING[16] : NOTHING[8]);

/** Whether enough pixels are neither dark nor white, and of different colours. */
function showsSomething({ width, height, data, mask }: Frame, brightest: number): boolean {
  const [dark, bright] = [DARK * brightest, BRIGHT * brightest];
  const enough = Math.max(FEWEST, LEAST_SHARE * width * height);
  // Against a first pixel that is not masked: few pixels differ from it by more where all are of one colour.
  const first = mask ? Math.max(0, mask.indexOf(1)) : 0;
  let [told, unlike] = [0, 0];
  for (let p = 0, i = 0; p < width * height; p++, i += 3) {
    if (mask?.[p] === 0) continue;
    let [tells, differs] = [false, false];
    for (let c = 0; c < 3; c++) {
      const value = data[i + c];
      if (value > dark && value < bright) tells = true;
      if (Math.abs(value - data[3 * first + c]) > ONE_COLOUR * brightest) differs = true;
    }
    if (tells) told++;
    if (differs) unlike++;
    if (told >= enough && unlike >= enough) return true;
  }
  return false;
}
