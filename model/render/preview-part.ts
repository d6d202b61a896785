import { ImplicamError } from '../errors.js';
import { createPicture, type Picture } from '../picture.js';
import type { Rect } from '../shards.js';
import { type BakedScene, composeRun } from './render.js';

/**
 * A small picture of a scene whose tiles are in different places: everybody averages its own pixels over the area of those
 * of the small picture, and what they come to is added. The result is that of `resizedTo` (start/resize.ts) of the whole.
 */

interface Size {
  readonly width: number;
  readonly height: number;
}

/** What some tiles give to the pixels of a small picture that they lie in: interleaved linear RGB, row by row. */
export interface PreviewPart extends Rect {
  readonly sums: Float32Array;
}

/** Size of the small picture, as `resizedTo` has it. */
export function previewSize({ width, height }: Size, widest: number): Size {
  const small = Math.min(width, widest);
  return { width: small, height: Math.max(1, Math.round((height * small) / width)) };
}

/** The pixels of the small picture that a rectangle of the whole lies in. */
function pixelsOf({ x, y, width, height }: Rect, from: Size, to: Size): Rect {
  const span = (start: number, length: number, source: number, target: number) => {
    const first = Math.floor((start * target) / source + 1e-9);
    const end = Math.min(target, Math.ceil(((start + length) * target) / source - 1e-9));
    return [first, Math.max(end, first + 1) - first] as const;
  };
  const [left, across] = span(x, width, from.width, to.width);
  const [top, down] = span(y, height, from.height, to.height);
  return { x: left, y: top, width: across, height: down };
}

/** A part for tiles, in which nothing is added up yet. */
export function emptyPart(tiles: readonly Rect[], from: Size, to: Size): PreviewPart {
  const rects = tiles.map((tile) => pixelsOf(tile, from, to));
  const x = Math.min(...rects.map((r) => r.x));
  const y = Math.min(...rects.map((r) => r.y));
  const width = Math.max(...rects.map((r) => r.x + r.width)) - x;
  const height = Math.max(...rects.map((r) => r.y + r.height)) - y;
  return { x, y, width, height, sums: new Float32Array(3 * width * height) };
}

/** How pixel `at` of `from` divides between two neighbours of `to`: the first of them, its share, and that of the next. */
function divide(at: number, from: number, to: number): readonly [number, number, number] {
  const scale = to / from;
  const low = at * scale;
  const first = Math.min(to - 1, Math.floor(low + 1e-9));
  const beyond = Math.max(0, (at + 1) * scale - (first + 1));
  // A remainder of rounding is no pixel of its own.
  return beyond < 1e-9 || first + 1 >= to ? [first, scale, 0] : [first, scale - beyond, beyond];
}

/** Adds row `y` of a tile of a baked scene. */
export function addRow(part: PreviewPart, scene: BakedScene, tile: Rect, y: number, to: Size): void {
  const line = new Float32Array(3 * tile.width);
  const start = y * scene.width + tile.x;
  composeRun(scene, start, start + tile.width, line);
  const [row, upper, lower] = divide(y, scene.height, to.height);
  for (let i = 0; i < tile.width; i++) {
    const [column, left, right] = divide(tile.x + i, scene.width, to.width);
    for (const [dy, tall] of [upper, lower].entries()) {
      for (const [dx, wide] of [left, right].entries()) {
        const share = tall * wide;
        if (share === 0) continue;
        const at = 3 * ((row + dy - part.y) * part.width + column + dx - part.x);
        for (let c = 0; c < 3; c++) part.sums[at + c] += share * line[3 * i + c];
      }
    }
  }
}

/**
 * Puts the parts of all tiles together.
 *
 * @throws ImplicamError `preview-part` for one that is not of this picture
 */
export function joinParts(parts: readonly PreviewPart[], to: Size): Picture {
  const picture = createPicture(to.width, to.height, 3);
  for (const { x, y, width, height, sums } of parts) {
    if (x + width > to.width || y + height > to.height || sums.length !== 3 * width * height) {
      throw new ImplicamError('preview-part', 'a part of a small picture does not lie in it', {
        status: 500,
      });
    }
    for (let row = 0; row < height; row++) {
      const at = 3 * ((y + row) * to.width + x);
      for (let i = 0; i < 3 * width; i++) picture.data[at + i] += sums[3 * row * width + i];
    }
  }
  return picture;
}
