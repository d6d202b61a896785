import { type SetText, setText } from '../glyphs.js';
import { between, unit2 } from '../hash.js';
import { EVERYWHERE, type Stage, type Surface } from '../scene.js';
import { boxDistance, covered, fractal, length, smoothstep, woodGrain } from '../texture.js';
import { mat, set } from './parts.js';

interface Book {
  readonly left: number;
  readonly right: number;
  readonly height: number;
  readonly colour: readonly [number, number, number];
  readonly title: SetText;
  readonly gilt: boolean;
  readonly bands: number;
}

const COLOURS: readonly (readonly [number, number, number])[] = [
  [0.33, 0.05, 0.04],
  [0.05, 0.12, 0.25],
  [0.06, 0.2, 0.1],
  [0.45, 0.3, 0.1],
  [0.55, 0.48, 0.36],
  [0.12, 0.1, 0.09],
  [0.3, 0.12, 0.22],
  [0.1, 0.26, 0.28],
];

const TITLES = [
  'OPTICKS',
  'Radiance',
  'Cameras',
  'Night Sky',
  'COLOUR',
  'Fields',
  'The Lens',
  'Shadows',
  'EXPOSURE',
  'Prisms',
];

const GILT = [0.75, 0.52, 0.16] as const;
const PAPER = [0.75, 0.72, 0.66] as const;
const SHELF = 0.52;
const SIDE = -0.42;

/** A papered wall with shelves of books on its right side. */
export function bookshelf(
  stage: Stage,
  inverseDepth: number,
  light: (x: number, y: number) => number,
): Surface {
  const seed = stage.seed * 11 + 2;
  const rows = [-3, -2, -1, 0].map((row) => shelfOfBooks(stage, row, seed));
  const paint = (x: number, y: number, out: Float64Array): void => {
    const l = light(x, y);
    if (x < SIDE) {
      wall(x, y, l, out);
      return;
    }
    const row = Math.floor((y - 0.02) / SHELF);
    const v = (y - 0.02) / SHELF - row;
    const books = rows[Math.min(Math.max(row + 3, 0), 3)];
    // The dark behind the books, darkest under the board above.
    const dark = 0.05 * l * (0.25 + 0.75 * smoothstep(0, 0.4, v));
    set(out, dark, dark * 0.6, dark * 0.4, 1, inverseDepth);
    const book = books[bookIndex(books, x)];
    if (book !== undefined) spine(stage, book, x, (1 - v) * SHELF - 0.035, row, l, out);
    const board = covered(Math.min(v, 1 - v) * SHELF - 0.018, stage.pixel);
    const upright = covered(Math.abs(x - SIDE) - 0.03, stage.pixel);
    const wood = Math.max(board, upright);
    if (wood > 0) {
      const grain = woodGrain(x * 3, y * 14, seed + 4, stage.pixel * 14);
      const k = (0.12 + 0.3 * grain) * l;
      mat(out, k * 0.7, k * 0.38, k * 0.18, wood);
    }
  };
  const wall = (x: number, y: number, l: number, out: Float64Array): void => {
    const u = x * 7;
    const w = y * 7;
    const leaf = length(
      (u - Math.round(u)) * 1.8,
      w + 0.5 * (Math.round(u) & 1) - Math.round(w + 0.5 * (Math.round(u) & 1)),
    );
    const print = covered(Math.abs(leaf - 0.28) - 0.05, stage.pixel * 7);
    const k = (0.3 + 0.14 * print) * (1 + 0.12 * fractal(x * 40, y * 40, seed, stage.pixel * 40)) * l;
    set(out, k * 0.62, k * 0.72, k * 0.66, 1, inverseDepth);
    frame(x + 1.22, y + 0.5, l, out);
  };
  const frame = (dx: number, dy: number, l: number, out: Float64Array): void => {
    const outer = covered(boxDistance(dx, dy, 0.17, 0.23), stage.pixel);
    if (outer <= 0) return;
    mat(out, 0.2 * l, 0.11 * l, 0.04 * l, outer);
    const inner = covered(boxDistance(dx, dy, 0.145, 0.205), stage.pixel);
    const hill = smoothstep(-0.01, 0.01, dy - 0.04 - 0.06 * fractal(dx * 6, 3, seed + 8, stage.pixel * 6));
    const sky = 0.75 - 0.8 * dy;
    mat(
      out,
      l * (hill ? 0.16 : sky * 0.55),
      l * (hill ? 0.25 : sky * 0.7),
      l * (hill ? 0.1 : sky * 0.8),
      inner,
    );
  };
  return { name: 'bookshelf', bounds: EVERYWHERE, paint };
}

function shelfOfBooks(stage: Stage, row: number, seed: number): Book[] {
  const books: Book[] = [];
  let x = SIDE + 0.045;
  for (let i = 0; x < 2.2; i++) {
    const width = between(0.05, 0.115, i, row, seed);
    // Now and then a gap, as on any shelf in use.
    if (unit2(i, row, seed + 1) < 0.06) x += between(0.03, 0.09, i, row, seed + 2);
    const tone = between(0.7, 1.35, i, row, seed + 3);
    const base = COLOURS[Math.floor(between(0, COLOURS.length, i, row, seed + 4))];
    books.push({
      left: x,
      right: x + width,
      height: SHELF * between(0.62, 0.88, i, row, seed + 5),
      colour: [base[0] * tone, base[1] * tone, base[2] * tone],
      title: setText([TITLES[Math.floor(between(0, TITLES.length, i, row, seed + 6))]]),
      gilt: unit2(i, row, seed + 7) < 0.6,
      bands: Math.floor(between(0, 4, i, row, seed + 8)),
    });
    x += width + stage.pixel * 0.25;
  }
  return books;
}

function bookIndex(books: readonly Book[], x: number): number {
  let low = 0;
  let high = books.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (books[middle].left <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** One spine; `up` is the height above the board. */
function spine(
  stage: Stage,
  book: Book,
  x: number,
  up: number,
  row: number,
  l: number,
  out: Float64Array,
): void {
  const half = (book.right - book.left) / 2;
  const u = x - book.left - half;
  const on = covered(Math.max(Math.abs(u) - half, up - book.height), stage.pixel);
  if (on <= 0) return;
  const across = u / half;
  const round = 0.45 + 0.75 * Math.sqrt(Math.max(1 - 0.85 * across * across, 0)) - 0.18 * across;
  const cloth = 1 + 0.3 * fractal(x * 70, up * 70, row + 91, stage.pixel * 70, 0.6);
  const size = Math.min(half / 5, 0.0088);
  const long = book.title.width * size;
  const t = up - (book.height - long) / 2;
  const ink = book.title.ink(t / size, u / size + 3, 0.62, stage.pixel / size);
  let bands = 0;
  for (let i = 0; i < book.bands; i++) {
    bands = Math.max(bands, covered(Math.abs(up - 0.03 - i * 0.022) - 0.004, stage.pixel));
    bands = Math.max(bands, covered(Math.abs(up - book.height + 0.03 + i * 0.022) - 0.004, stage.pixel));
  }
  const mark = Math.max(ink, bands);
  const paper = book.gilt ? GILT : PAPER;
  const k = l * round * cloth * 1.15;
  mat(
    out,
    k * (book.colour[0] + (paper[0] - book.colour[0]) * mark),
    k * (book.colour[1] + (paper[1] - book.colour[1]) * mark),
    k * (book.colour[2] + (paper[2] - book.colour[2]) * mark),
    on,
  );
}
