import { createPicture, type Picture } from './picture.js';

/**
 * What no photograph of a capture shows: it was transparent, or an empty border, in all of them. A model has some value there,
 * too, but nobody measured it. Kept as runs of pixels, row after row: as many that are seen, as many that are not, and so on.
 */
export type Unseen = readonly number[];

/** The runs of what none of the masks shows; undefined where some frame shows each pixel. */
export function unseenOf(
  masks: readonly (Uint8Array | undefined)[],
): { readonly runs: Unseen; readonly share: number } | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  if (given.length === 0 || given.length < masks.length) return undefined;
  const runs: number[] = [0];
  let missing = 0;
  for (let p = 0; p < given[0].length; p++) {
    const seen = given.some((mask) => mask[p] !== 0);
    if (seen !== (runs.length % 2 === 1)) runs.push(0);
    runs[runs.length - 1]++;
    if (!seen) missing++;
  }
  return missing > 0 ? { runs, share: missing / given[0].length } : undefined;
}

/** One channel: 1 where some photograph shows the scene, 0 where none does. */
export function seenShare(width: number, height: number, unseen: Unseen): Picture {
  const seen = createPicture(width, height, 1);
  let from = 0;
  for (const [i, length] of unseen.entries()) {
    if (i % 2 === 0) seen.data.fill(1, from, from + length);
    from += length;
  }
  return seen;
}

/**
 * A picture of three channels with alpha as its fourth, and black where that is 0.
 *
 * @param associated whether colours are weighted by alpha, as OpenEXR has them
 */
export function withAlpha(picture: Picture, alpha: Picture, associated: boolean): Picture {
  const out = createPicture(picture.width, picture.height, 4);
  for (let p = 0; p < alpha.data.length; p++) {
    const a = Math.min(1, Math.max(0, alpha.data[p]));
    const weight = associated ? a : a > 0 ? 1 : 0;
    for (let c = 0; c < 3; c++) out.data[4 * p + c] = weight * picture.data[3 * p + c];
    out.data[4 * p + 3] = a;
  }
  return out;
}

/** A picture of three channels, black where alpha is 0. */
export function blackWhereUnseen(picture: Picture, alpha: Picture): Picture {
  const data = picture.data.slice();
  for (let p = 0; p < alpha.data.length; p++) {
    if (!(alpha.data[p] > 0)) data.fill(0, 3 * p, 3 * p + 3);
  }
  return { ...picture, data };
}
