import { covered } from './texture.js';

/**
 * A stroke alphabet and set text, drawn from distance fields: sharp at any size, without a font file.
 * Glyph units: x 0…4, y down: ascender 0, x-height 2, baseline 6, descender 8.
 */

/** Strokes as digit pairs "xyxy…": plain = polyline, ~ = the same with rounded corners, o = rounded and closed. */
const STROKES: Record<string, string> = {
  a: 'o02424606 4246',
  b: '0006 o02424606',
  c: '~434202064645',
  d: '4046 o02424606',
  e: '0444 ~444202064645',
  f: '~40202226 0242',
  g: 'o02424606 ~424808',
  h: '0006 ~04024246',
  i: '2226 2020',
  j: '~222808 2020',
  k: '0006 420446',
  l: '2026',
  m: '0206 ~04022226 ~24224246',
  n: '0206 ~04024246',
  o: 'o02424606',
  p: '0208 o02424606',
  q: '4248 o02424606',
  r: '0206 ~040242',
  s: '~43420204444606 0605',
  t: '~202646 0242',
  u: '~02064644 4246',
  v: '022642',
  w: '0216233642',
  x: '0246 4206',
  y: '0226 4218',
  z: '02420646',
  A: '062046 1434',
  B: '0006 ~00404303 ~03434606',
  C: '~414000064645',
  D: '0006 ~00404606',
  E: '40000646 0333',
  F: '400006 0333',
  G: '~4140000646 464323',
  H: '0006 4046 0343',
  I: '2026',
  J: '~40460605',
  K: '0006 400346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: 'o00404606',
  P: '0006 ~00404303',
  Q: 'o00404606 2446',
  R: '0006 ~00404303 2346',
  S: '~4140000343460605',
  T: '0040 2026',
  U: '~00064640',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  '0': 'o00404606',
  '1': '112026',
  '2': '~0100404306 0646',
  '3': '~00404323 ~23434606',
  '4': '36300444',
  '5': '400003 ~0343460605',
  '6': '~400006 o03434606',
  '7': '004016',
  '8': 'o00404303 o03434606',
  '9': '~434606 o00404303',
  '.': '2626',
  ',': '2617',
  '-': '0444',
  '/': '4008',
};

const NARROW = new Set('iljI.,1'.split(''));
/** Texels of a distance field per glyph unit, and its extent around the glyph box. */
const TEXELS = 5;
const MARGIN = 2;
const FIELD_WIDTH = (4 + 2 * MARGIN) * TEXELS + 1;
const FIELD_HEIGHT = (8 + 2 * MARGIN) * TEXELS + 1;

const fields = new Map<string, Float32Array>();

/** Distance in glyph units from a point to the glyph's nearest stroke centre; at least 2 outside its field. */
function strokeDistance(glyph: string, x: number, y: number): number {
  let field = fields.get(glyph);
  if (field === undefined) {
    field = distanceField(STROKES[glyph] ?? '');
    fields.set(glyph, field);
  }
  const u = (x + MARGIN) * TEXELS;
  const v = (y + MARGIN) * TEXELS;
  if (!(u >= 0 && v >= 0 && u < FIELD_WIDTH - 1 && v < FIELD_HEIGHT - 1)) return MARGIN;
  const iu = Math.floor(u);
  const iv = Math.floor(v);
  const fu = u - iu;
  const at = iv * FIELD_WIDTH + iu;
  const top = field[at] + (field[at + 1] - field[at]) * fu;
  const bottom = field[at + FIELD_WIDTH] + (field[at + FIELD_WIDTH + 1] - field[at + FIELD_WIDTH]) * fu;
  return top + (bottom - top) * (v - iv);
}

function distanceField(strokes: string): Float32Array {
  const field = new Float32Array(FIELD_WIDTH * FIELD_HEIGHT).fill(MARGIN);
  for (const stroke of strokes.split(' ')) {
    if (stroke === '') continue;
    const points = polyline(stroke);
    for (let v = 0; v < FIELD_HEIGHT; v++) {
      for (let u = 0; u < FIELD_WIDTH; u++) {
        const x = u / TEXELS - MARGIN;
        const y = v / TEXELS - MARGIN;
        let best = field[v * FIELD_WIDTH + u];
        for (let i = 0; i + 3 < points.length; i += 2) {
          best = Math.min(best, distanceTo(points, i, x, y));
        }
        field[v * FIELD_WIDTH + u] = best;
      }
    }
  }
  return field;
}

function distanceTo(p: number[], i: number, x: number, y: number): number {
  const ux = p[i + 2] - p[i];
  const uy = p[i + 3] - p[i + 1];
  const along = ((x - p[i]) * ux + (y - p[i + 1]) * uy) / (ux * ux + uy * uy + 1e-9);
  const t = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - p[i] - t * ux, y - p[i + 1] - t * uy);
}

/** Coordinates of a stroke; rounded ones by three rounds of Chaikin's corner cutting. */
function polyline(stroke: string): number[] {
  const closed = stroke.startsWith('o');
  const rounded = closed || stroke.startsWith('~');
  let points = [...(rounded ? stroke.slice(1) : stroke)].map(Number);
  for (let round = 0; rounded && round < 3; round++) points = cutCorners(points, closed);
  if (closed) points.push(points[0], points[1]);
  return points;
}

function cutCorners(p: number[], closed: boolean): number[] {
  const out: number[] = closed ? [] : [p[0], p[1]];
  const n = p.length / 2;
  for (let i = 0; i < (closed ? n : n - 1); i++) {
    const j = (i + 1) % n;
    for (const t of [0.25, 0.75]) {
      out.push(p[2 * i] * (1 - t) + p[2 * j] * t, p[2 * i + 1] * (1 - t) + p[2 * j + 1] * t);
    }
  }
  if (!closed) out.push(p.at(-2)!, p.at(-1)!);
  return out;
}

/** Height of a line of set text in glyph units, baseline to baseline. */
export const LINE_HEIGHT = 12;

/** Set text: for a point in glyph units (origin at the first line's ascender, left), how much ink is there. */
export interface SetText {
  readonly width: number;
  readonly height: number;
  /** 0…1; `stroke` is the half width of a stroke and `footprint` the size of a sample, both in glyph units. */
  readonly ink: (x: number, y: number, stroke: number, footprint: number) => number;
}

/** Sets lines of text flush left. Characters without strokes count as blanks. */
export function setText(lines: readonly string[]): SetText {
  const rows = lines.map((line) => {
    const starts: number[] = [];
    let at = 0;
    for (const ch of line) {
      starts.push(at);
      at += advance(ch);
    }
    return { glyphs: [...line], starts, width: at };
  });
  const width = Math.max(0, ...rows.map((r) => r.width));
  // One glyph index per glyph unit of each row: a point is at most one step away from its glyph.
  const index = rows.map((row) => {
    const map = new Int16Array(Math.ceil(row.width) + 1);
    let g = 0;
    for (let u = 0; u < map.length; u++) {
      while (g + 1 < row.starts.length && row.starts[g + 1] <= u) g++;
      map[u] = g;
    }
    return map;
  });
  const ink = (x: number, y: number, stroke: number, footprint: number): number => {
    const r = Math.floor((y + 2) / LINE_HEIGHT);
    const row = rows[r];
    if (row === undefined || x < -1 || x >= row.width) return 0;
    let g = index[r][Math.max(Math.floor(x), 0)];
    if (g + 1 < row.starts.length && row.starts[g + 1] <= x + 0.75) g++;
    const glyph = row.glyphs[g];
    if (glyph === undefined || STROKES[glyph] === undefined) return 0;
    const left = row.starts[g] - (NARROW.has(glyph) ? 1.3 : 0);
    return covered(strokeDistance(glyph, x - left, y - r * LINE_HEIGHT) - stroke, footprint);
  };
  return { width, height: rows.length * LINE_HEIGHT, ink };
}

function advance(ch: string): number {
  if (ch === ' ') return 3.6;
  return NARROW.has(ch) ? 3 : 6;
}

/** Breaks a text into lines no wider than `width` glyph units, at most `count` of them, starting at word `from`. */
export function breakLines(text: string, width: number, count: number, from = 0): string[] {
  const words = text.split(' ');
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (let i = from; lines.length < count; i++) {
    const word = words[i % words.length];
    const needed = [...word].reduce((sum, ch) => sum + advance(ch), 0);
    if (line !== '' && used + needed > width) {
      lines.push(line.trimEnd());
      line = '';
      used = 0;
      if (lines.length === count) break;
    }
    line += `${word} `;
    used += needed + advance(' ');
  }
  return lines;
}

/** The text that the sample scenes print. */
export const PROSE =
  'A lens gathers light from every point of a scene and bends it to one point behind the glass. What lies in the ' +
  'plane of focus becomes a point, and all that lies before or behind it becomes a disk. The farther from that plane, ' +
  'the larger the disk. Light adds. A longer exposure gathers more of it, until the well is full and white is only ' +
  'white. The camera then bends the values once more, so that they look right on paper and on a screen. None of this ' +
  'is written in the picture. Yet two pictures, taken at 1/60 and at 1/4 of a second, tell what one alone can not. ';
