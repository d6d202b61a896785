import { breakLines, LINE_HEIGHT, PROSE, setText } from '../glyphs.js';
import { between, unit2 } from '../hash.js';
import { around, EVERYWHERE, type Stage, type Surface } from '../scene.js';
import {
  boxDistance,
  covered,
  fractal,
  length,
  segmentDistance,
  stripeDistance,
  woodGrain,
} from '../texture.js';
import { mat, set } from './parts.js';

/** What generated scenes are put together from. Each part is drawn from its own seed. */

export type Light = (x: number, y: number) => number;
type Colour = readonly [number, number, number];

/** Where a part stands: its middle, its inverse depth, and how fast that changes across the picture. */
export interface Place {
  readonly seed: number;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly q: number;
  readonly slantX: number;
  readonly slantY: number;
}

/** Reflectances: skins, saturated paints, greys, earths. */
const SKINS: readonly Colour[] = [
  [0.62, 0.4, 0.29],
  [0.45, 0.27, 0.18],
  [0.2, 0.115, 0.075],
  [0.72, 0.5, 0.4],
];
const PAINTS: readonly Colour[] = [
  [0.75, 0.03, 0.04],
  [0.04, 0.42, 0.08],
  [0.03, 0.08, 0.62],
  [0.85, 0.62, 0.03],
  [0.55, 0.04, 0.42],
  [0.03, 0.48, 0.55],
  [0.85, 0.26, 0.02],
];
const PLAIN: readonly Colour[] = [
  [0.78, 0.77, 0.74],
  [0.3, 0.3, 0.31],
  [0.06, 0.06, 0.065],
  [0.42, 0.3, 0.18],
  [0.2, 0.26, 0.14],
  [0.62, 0.55, 0.42],
];
const COLOURS = { skin: SKINS, paint: PAINTS, plain: PLAIN };

function colour(kind: keyof typeof COLOURS, n: number, seed: number): Colour {
  const list = COLOURS[kind];
  return list[Math.floor(unit2(n, 31, seed) * list.length)];
}

const anyColour = (n: number, seed: number): Colour =>
  colour(unit2(n, 30, seed) < 0.5 ? 'paint' : 'plain', n, seed);

/** A pattern's tone 0…1 at a place of its surface. */
type Pattern = (u: number, v: number, footprint: number) => number;

const PATTERNS: readonly ((seed: number) => Pattern)[] = [
  (seed) => (u, v, f) => 0.5 + 0.5 * fractal(u * 9, v * 9, seed, f * 9, 0.62),
  (seed) => (u, v, f) => woodGrain(u * 3, v * 5, seed, f * 5),
  (seed) => {
    const period = between(0.03, 0.12, 1, 2, seed);
    return (u, v, f) => {
      const a = covered(stripeDistance(u / period, 0.5), f / period);
      const b = covered(stripeDistance(v / period, 0.5), f / period);
      return 0.5 * a + 0.5 * b;
    };
  },
  (seed) => {
    const period = between(0.05, 0.14, 3, 4, seed);
    return (u, v, f) => {
      const [du, dv] = [u / period - Math.round(u / period), v / period - Math.round(v / period)];
      return covered(length(du, dv) - 0.3, f / period);
    };
  },
  (seed) => (u, v, f) => {
    const course = Math.floor(v / 0.05);
    const across = u / 0.12 + 0.5 * (course & 1);
    const joint = Math.min(v / 0.05 - course, (across - Math.floor(across)) * 2.4);
    const rough = 0.25 * fractal(u * 30, v * 30, seed, f * 30);
    return joint < 0.14 ? 0.9 : 0.3 * unit2(Math.floor(across), course, seed) + 0.2 + rough;
  },
  () => (u, v) => 0.5 + 0.4 * u + 0.3 * v,
];

export function patternOf(seed: number): Pattern {
  return PATTERNS[Math.floor(unit2(7, 7, seed) * PATTERNS.length)](seed);
}

const depthAt = ({ q, slantX, slantY }: Place, dx: number, dy: number) =>
  Math.max(q + slantX * dx + slantY * dy, 0.02);

/** Lays two colours, mixed by a tone, under light. */
function shade(out: Float64Array, a: Colour, b: Colour, tone: number, light: number, on: number): void {
  const t = Math.min(Math.max(tone, 0), 1);
  const mix = (c: number) => light * (a[c] + (b[c] - a[c]) * t);
  mat(out, mix(0), mix(1), mix(2), on);
}

/** A turned rectangle with a pattern, or with print. */
export function card(stage: Stage, place: Place, light: Light, printed: boolean, moves = false): Surface {
  const { seed, x: cx, y: cy, size } = place;
  const turn = between(-0.5, 0.5, 1, 1, seed);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const half = size * between(0.6, 1.1, 2, 1, seed);
  const [a, b] = [anyColour(1, seed), anyColour(2, seed)];
  const pattern = patternOf(seed);
  const unit = stage.fine(between(0.006, 0.013, 3, 1, seed));
  const lines = Math.max(1, Math.floor((1.7 * half) / (unit * LINE_HEIGHT)));
  const text = setText(breakLines(PROSE, (1.7 * size) / unit, lines, Math.floor(unit2(4, 1, seed) * 60)));
  const ground = colour('plain', 5, seed);
  const ink: Colour = ground[0] > 0.25 ? [0.02, 0.02, 0.03] : [0.8, 0.75, 0.5];
  const paint = (x: number, y: number, out: Float64Array): void => {
    const [dx, dy] = [x - cx, y - cy];
    set(out, 0, 0, 0, 0, depthAt(place, dx, dy));
    const u = dx * cos + dy * sin;
    const v = dy * cos - dx * sin;
    const on = covered(boxDistance(u, v, size, half, 0.02), stage.pixel);
    if (on <= 0) return;
    if (!printed) {
      shade(out, a, b, pattern(u, v, stage.pixel), light(x, y), on);
      return;
    }
    const dark = text.ink((u + 0.85 * size) / unit, (v + 0.85 * half) / unit, 0.65, stage.pixel / unit);
    shade(out, ground, ink, dark, light(x, y), on);
  };
  const reach = length(size, half) + 0.03;
  return { name: `card-${seed}`, bounds: around(cx, cy, reach), moves, paint };
}

/** A ball, of skin or of paint, lit from one side. */
export function ball(stage: Stage, place: Place, light: Light, skin: boolean): Surface {
  const { seed, x: cx, y: cy, size, q } = place;
  const [a, b] = skin
    ? [colour('skin', 1, seed), colour('skin', 1, seed)]
    : [anyColour(1, seed), anyColour(2, seed)];
  const side = unit2(3, 3, seed) < 0.5 ? -1 : 1;
  const pattern = patternOf(seed + 1);
  const paint = (x: number, y: number, out: Float64Array): void => {
    const [u, v] = [(x - cx) / size, (y - cy) / size];
    const r = u * u + v * v;
    const z = Math.sqrt(Math.max(1 - r, 0));
    set(out, 0, 0, 0, 0, q * (1 + 0.08 * z));
    const on = covered((Math.sqrt(r) - 1) * size, stage.pixel);
    if (on <= 0) return;
    const lit = 0.12 + 0.95 * Math.max(0, 0.6 * side * u - 0.45 * v + 0.65 * z);
    const pores = skin ? 0.9 + 0.2 * fractal(u * 40, v * 40, seed, (stage.pixel / size) * 40, 0.7) : 1;
    shade(out, a, b, pattern(u * 0.4, v * 0.4, stage.pixel), light(x, y) * lit * pores, on);
    // A highlight, as skin and glaze have it.
    const gloss =
      Math.exp(-40 * ((u - 0.4 * side) ** 2 + (v + 0.35) ** 2)) * (skin ? 0.25 : 1.2) * light(x, y);
    for (let c = 0; c < 3; c++) out[c] += gloss;
  };
  return { name: `ball-${seed}`, bounds: around(cx, cy, size * 1.05), paint };
}

/** Wires and rods across the picture, a few pixels wide or less. */
export function wires(stage: Stage, seed: number, q: number, light: Light): Surface {
  const pieces = Array.from({ length: 2 + Math.floor(4 * unit2(0, 5, seed)) }, (_, i) => {
    const at = between(-1.4, 1.4, i, 1, seed);
    const lean = between(-1, 1, i, 2, seed);
    const flat = unit2(i, 3, seed) < 0.4;
    return {
      ends: flat ? [-2.2, at * 0.6, 2.2, at * 0.6 + lean * 0.4] : [at, -1.7, at + lean, 1.7],
      width: between(0.002, 0.011, i, 4, seed),
      colour: anyColour(i, seed),
    };
  });
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    for (let i = 0; i < pieces.length; i++) {
      const { ends, width, colour: tint } = pieces[i];
      const d = segmentDistance(x, y, ends[0], ends[1], ends[2], ends[3]);
      const on = covered(d - width, stage.pixel);
      if (on > 0) shade(out, tint, tint, 0, light(x, y) * (1.2 - 0.8 * Math.min(d / width, 1)), on);
    }
  };
  return { name: 'wires', bounds: EVERYWHERE, paint };
}

/** Lamps far beyond the sensor's range, small. */
export function lamps(stage: Stage, seed: number, q: number, power: number): Surface {
  const list = Array.from({ length: 1 + Math.floor(4 * unit2(0, 6, seed)) }, (_, i) => ({
    x: between(-1.4, 1.4, i, 1, seed),
    y: between(-0.9, 0.2, i, 2, seed),
    r: between(0.012, 0.05, i, 3, seed),
    warm: unit2(i, 4, seed),
  }));
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    for (const { x: lx, y: ly, r, warm } of list) {
      const on = covered(length(x - lx, y - ly) - r, stage.pixel);
      if (on > 0) mat(out, power, power * (1 - 0.35 * warm), power * (1 - 0.75 * warm), on);
    }
  };
  return { name: 'lamps', bounds: EVERYWHERE, paint };
}

/** What is behind everything: a slanting wall, lights at night out of any focus, or hills under a sky. */
export function backdrop(stage: Stage, seed: number, far: number, light: Light): Surface {
  const kind = Math.floor(unit2(1, 9, seed) * 3);
  const [a, b] = [colour('plain', 8, seed), anyColour(9, seed)];
  const pattern = patternOf(seed + 2);
  const slant = between(-0.3, 0.3, 2, 9, seed) * far;
  const wall = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 1, far * 1.6 + slant * x);
    shade(out, a, b, 0.6 * pattern(x, y, stage.pixel), light(x, y), 1);
  };
  const night = (x: number, y: number, out: Float64Array): void => {
    const haze = 0.006 + 0.012 * Math.max(0, fractal(x, y, seed, stage.pixel));
    set(out, haze * 0.8, haze * 0.8, haze * 1.3, 1, far * (1.3 + 0.2 * x));
    const size = 0.17;
    const [i, j] = [Math.floor(x / size), Math.floor(y / size)];
    if (unit2(i, j, seed + 1) < 0.6) return;
    const px = (i + between(0.3, 0.7, i, j, seed + 2)) * size;
    const py = (j + between(0.3, 0.7, i, j, seed + 3)) * size;
    const on = covered(length(x - px, y - py) - between(0.004, 0.016, i, j, seed + 4), stage.pixel);
    const hue = unit2(i, j, seed + 5);
    const power = between(0.6, 4, i, j, seed + 6);
    mat(out, power, power * (0.3 + 0.6 * hue), power * hue * hue, on);
  };
  const hills = (x: number, y: number, out: Float64Array): void => {
    const ridge = 0.5 * fractal(x * 1.2, 3, seed, stage.pixel) - 0.1;
    const cloud = fractal(x * 1.5, y * 3, seed + 3, stage.pixel * 3, 0.55);
    const sky = 0.5 + 0.38 * cloud;
    set(out, sky * 0.75, sky * 0.9, sky * 1.15, 1, far * (1.2 + 0.1 * x));
    const on = covered(ridge - y, stage.pixel);
    const leaf = 0.6 + 0.5 * fractal(x * 14, y * 20, seed + 5, stage.pixel * 20, 0.65);
    out[4] += far * 1.2 * Math.max(0, y - ridge);
    mat(out, 0.12 * leaf * light(x, y), 0.2 * leaf * light(x, y), 0.05 * leaf * light(x, y), on);
  };
  return {
    name: 'backdrop',
    bounds: EVERYWHERE,
    continuous: kind === 0,
    paint: [wall, night, hills][kind],
  };
}
