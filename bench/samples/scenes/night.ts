import { type SetText, setText } from '../glyphs.js';
import { between, unit2 } from '../hash.js';
import { EVERYWHERE, type Scene, type Stage, type Surface } from '../scene.js';
import {
  boxDistance,
  covered,
  fractal,
  gradientNoise,
  length,
  segmentDistance,
  smoothstep,
} from '../texture.js';
import { mat, set } from './parts.js';

/** Scene units per tangent of the angle of view: 85 mm over 12 mm a unit. */
const VIEW = 85 / 12;
const FAR = 0.005;
const HORIZON = 0.14;
/** Windows of the skyline below this draw are dark. */
const LIT = 0.82;
/** Height of the camera above the street in metres. */
const EYE = 1.5;

/** A wet street at night: small strong lights from five metres to the skyline, and dark wires and twigs before them. */
export function night(stage: Stage): Scene {
  return {
    name: 'night',
    focalLength: 85,
    nearest: 0.215,
    farthest: FAR,
    baseTime: 1 / 8,
    gain: 0.7,
    surfaces: [
      skyline(stage),
      street(stage),
      ...[0.026, 0.045].flatMap((q, i) => [car(stage, q, i)]),
      ...[0.034, 0.062, 0.1].map((q, i) => post(stage, q, i)),
      sign(stage),
      bulbs(stage),
      twigs(stage),
    ],
  };
}

/** Height in the picture of a place on the street. */
function ground(q: number): number {
  return HORIZON + VIEW * EYE * q;
}

/** Sky, moon and distant houses with some of their windows lit. */
function skyline(stage: Stage): Surface {
  const seed = stage.seed * 19 + 1;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const cloud = fractal(x * 1.3, y * 2.6, seed, stage.pixel * 2.6, 0.55);
    const glow = Math.exp((y - HORIZON) * 1.8);
    const sky = 0.006 + 0.05 * glow * (1 + 0.9 * cloud);
    set(out, sky * 0.75, sky * 0.72, sky * 1.15, 1, FAR);
    const moon = covered(length(x + 0.42, y + 0.74) - 0.075, stage.pixel);
    if (moon > 0) {
      const seas = 1 + 0.5 * fractal(x * 14, y * 14, seed + 5, stage.pixel * 14);
      mat(out, 3 * seas, 2.8 * seas, 2.3 * seas, moon);
    }
    for (let layer = 0; layer < 2; layer++) houses(x, y, layer, out);
  };
  const houses = (x: number, y: number, layer: number, out: Float64Array): void => {
    const wide = 0.2 + 0.07 * layer;
    const cell = Math.floor(x / wide + 0.37 * layer);
    const roof = HORIZON - between(0.18, 0.62, cell, layer, seed + 9) + 0.14 * layer;
    const tall = smoothstep(0, 1, Math.abs(x)) * 0.18;
    const on = covered(roof - tall - y, stage.pixel);
    if (on <= 0) return;
    const wall =
      (0.006 + 0.006 * unit2(cell, layer, seed + 10)) *
      (1 + 0.4 * fractal(x * 20, y * 20, seed, stage.pixel * 20));
    mat(out, wall * 1.2, wall, wall * 1.1, on);
    const size = 0.026;
    const u = x / size;
    const v = y / (size * 1.35);
    const lit = unit2(Math.floor(u), Math.floor(v), seed + 20 + layer);
    if (lit < LIT || y < roof - tall + 0.03) return;
    const pane = boxDistance(u - Math.floor(u) - 0.5, v - Math.floor(v) - 0.5, 0.3, 0.32);
    const power = 0.25 * 14 ** ((lit - LIT) / (1 - LIT));
    const cool = unit2(Math.floor(u), Math.floor(v), seed + 30) < 0.25;
    mat(
      out,
      power * (cool ? 0.7 : 1),
      power * (cool ? 0.85 : 0.68),
      power * (cool ? 1.05 : 0.28),
      on * covered(pane, stage.pixel / size),
    );
  };
  return { name: 'skyline', bounds: { ...EVERYWHERE, bottom: HORIZON + 0.1 }, paint };
}

/** A light that the street mirrors: where it stands, and what it adds to the pavement. */
interface Mirrored {
  readonly x: number;
  readonly q: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

const MIRRORED: readonly Mirrored[] = [
  { x: -0.62, q: 0.034, red: 1.5, green: 0.85, blue: 0.3 },
  { x: 0.82, q: 0.062, red: 2.2, green: 1.3, blue: 0.5 },
  { x: -1.22, q: 0.1, red: 2.6, green: 1.5, blue: 0.55 },
  { x: 0.12, q: 0.03, red: 1.2, green: 1.15, blue: 1.0 },
  { x: 0.36, q: 0.03, red: 1.2, green: 1.15, blue: 1.0 },
  { x: -0.3, q: 0.045, red: 1.4, green: 0.08, blue: 0.04 },
  { x: -0.12, q: 0.045, red: 1.4, green: 0.08, blue: 0.04 },
  { x: 1.0, q: 0.13, red: 0.35, green: 0.9, blue: 1.2 },
];

function street(stage: Stage): Surface {
  const seed = stage.seed * 23 + 6;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const q = Math.max((y - HORIZON) / (VIEW * EYE), FAR);
    const wx = x / (VIEW * q);
    const wz = 1 / q;
    const footprint = stage.pixel / (VIEW * q);
    const deep = (footprint * wz) / EYE;
    const stones = fractal(wx * 4.5, wz * 1.8, seed, Math.max(footprint * 4.5, deep * 1.8), 0.7);
    const wet = smoothstep(-0.12, 0.2, fractal(wx * 0.5, wz * 0.16, seed + 3, footprint * 0.5));
    const k = 0.012 * (1 + 1.1 * stones);
    set(out, k * 1.1, k, k * 0.95, covered(HORIZON + 0.012 - y, stage.pixel), q);
    // Ripples smear each light's mirror image towards the viewer.
    const ripple = 0.02 * fractal(wx * 3, wz * 1.1, seed + 8, Math.max(footprint * 3, deep * 1.1), 0.6);
    const broken =
      0.55 + 1.1 * Math.max(0, gradientNoise(wx * 1.2, wz * 2.1, seed + 12)) * Math.min(1, 0.15 / deep);
    for (let i = 0; i < MIRRORED.length; i++) {
      const lamp = MIRRORED[i];
      const below = y - ground(lamp.q);
      if (below < 0) continue;
      const d = (x - lamp.x + ripple) / (0.02 + 0.05 * below);
      const streak = 0.6 * wet * broken * smoothstep(0, 0.05, below) * Math.exp(-d * d - below * 2.2);
      const glow = 0.02 * smoothstep(0, 0.12, below) * Math.exp(-below * 4 - (d * d) / 40);
      out[0] += lamp.red * (streak + glow);
      out[1] += lamp.green * (streak + glow);
      out[2] += lamp.blue * (streak + glow);
    }
    const line = covered(Math.abs(wx + 0.35) - 0.06, footprint) * (wz % 6 < 3 ? 1 : 0);
    mat(out, 0.05, 0.048, 0.04, 0.6 * line);
  };
  return { name: 'street', bounds: { ...EVERYWHERE, top: HORIZON }, continuous: true, paint };
}

/** A car: dark body, head lights (the first) or tail lights. */
function car(stage: Stage, q: number, index: number): Surface {
  const cx = index === 0 ? 0.24 : -0.21;
  const unit = VIEW * q;
  const base = ground(q);
  const front = index === 0;
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    const u = (x - cx) / unit;
    const v = (y - base) / unit;
    const footprint = stage.pixel / unit;
    const body = boxDistance(u, v + 0.55, 0.86, 0.36, 0.16);
    const roof = boxDistance(u, v + 1.05, 0.62 + 0.16 * (v + 1.05), 0.34, 0.2);
    const on = covered(Math.min(body, roof), footprint);
    mat(out, 0.007, 0.008, 0.011, on);
    const glass = covered(boxDistance(u, v + 1.1, 0.5, 0.2, 0.1), footprint);
    mat(out, 0.03, 0.034, 0.045, glass);
    for (const side of [-1, 1]) {
      const lamp = covered(length(u - side * 0.64, (v + 0.58) * 1.25) - (front ? 0.13 : 0.1), footprint);
      if (front) mat(out, 12.5, 11.8, 10, lamp);
      else mat(out, 7, 0.4, 0.15, lamp);
    }
    const plate = covered(boxDistance(u, v + 0.42, 0.25, 0.06), footprint);
    mat(out, 0.25, 0.24, 0.2, plate);
  };
  return {
    name: `car-${index}`,
    bounds: { left: cx - unit, right: cx + unit, top: base - 1.5 * unit, bottom: base + 0.02 },
    moves: index === 1,
    paint,
  };
}

/** A street lamp: a thin post with an arm, and a small lamp far beyond the sensor's range. */
function post(stage: Stage, q: number, index: number): Surface {
  const x0 = MIRRORED[index].x;
  const inward = x0 < 0 ? 1 : -1;
  const foot = ground(q);
  const unit = VIEW * q;
  const height = 3.1 * unit;
  const top = foot - height;
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    const pole = boxDistance(x - x0, y - foot + height / 2, 0.045 * unit, height / 2);
    const arm = segmentDistance(x, y, x0, top, x0 + inward * 0.6 * unit, top - 0.12 * unit) - 0.03 * unit;
    const on = covered(Math.min(pole, arm), stage.pixel);
    const rim = 0.01 + 0.12 * Math.exp(-Math.abs(y - top) * 4);
    mat(out, rim, rim * 0.7, rim * 0.4, on);
    const hood = covered(
      boxDistance(x - x0 - inward * 0.6 * unit, y - top + 0.1 * unit, 0.19 * unit, 0.05 * unit, 0.03 * unit),
      stage.pixel,
    );
    mat(out, 0.02, 0.018, 0.015, hood);
    const lamp = covered(
      length(x - x0 - inward * 0.6 * unit, (y - top + 0.02 * unit) * 1.6) - Math.max(0.085 * unit, 0.011),
      stage.pixel,
    );
    mat(out, 24, 16, 7, lamp);
  };
  return {
    name: `post-${index}`,
    bounds: { left: x0 - unit, right: x0 + unit, top: top - unit * 0.4, bottom: foot + 0.02 },
    paint,
  };
}

/** A neon sign over a door, and the dim wall that carries it, seen at an angle. */
function sign(stage: Stage): Surface {
  const q = 0.13;
  const left = 0.66;
  const seed = stage.seed * 29 + 2;
  const big = setText(['OPEN']);
  const small = setText(['Camera repair', 'films and lenses', 'since 1826']);
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = x - left;
    const depth = q + 0.04 * dx;
    const edge = covered(left - x, stage.pixel) * covered(-0.86 - 0.12 * dx - y, stage.pixel);
    const slant = y - 0.1 * dx;
    const course = Math.floor(slant / 0.042);
    const brickX = x / 0.11 + 0.5 * (course & 1);
    const joint = Math.min((slant / 0.042 - course) * 0.042, (brickX - Math.floor(brickX)) * 0.11);
    const brick =
      0.6 +
      0.8 * unit2(Math.floor(brickX), course, seed) +
      0.5 * fractal(x * 40, y * 40, seed, stage.pixel * 40);
    const neonLight = Math.exp(-(((x - 1.08) / 0.36) ** 2) - ((y + 0.42) / 0.3) ** 2);
    const k = (joint < 0.006 ? 0.45 : brick) * 0.02;
    set(out, k * (0.8 + 5 * neonLight), k * (0.5 + 11 * neonLight), k * (0.4 + 14 * neonLight), edge, depth);
    neon(big, dx - 0.17, y + 0.55 - 0.1 * dx, 0.022, 1.5, out, edge);
    window(dx, slant, out, edge);
    lettering(small, dx - 0.14, slant + 0.19, stage.fine(0.0072), out, edge);
  };
  /** A glass tube with a white core and a coloured glow on the wall. */
  const neon = (
    text: SetText,
    x: number,
    y: number,
    size: number,
    glow: number,
    out: Float64Array,
    edge: number,
  ): void => {
    const wide = text.ink(x / size, y / size, 0.62, 1.3) * glow * edge;
    out[0] += 0.03 * wide;
    out[1] += 0.13 * wide;
    out[2] += 0.18 * wide;
    const tube = text.ink(x / size, y / size, 0.3, stage.pixel / size) * edge;
    const core = text.ink(x / size, y / size, 0.12, stage.pixel / size);
    mat(out, 0.9 + 3.6 * core, 3.4 + 2.4 * core, 4.8 + 1.6 * core, tube * edge);
  };
  const window = (dx: number, v: number, out: Float64Array, edge: number): void => {
    const frame = covered(boxDistance(dx - 0.44, v + 0.08, 0.36, 0.17), stage.pixel) * edge;
    if (frame <= 0) return;
    mat(out, 0.012, 0.01, 0.008, frame);
    const glass = covered(boxDistance(dx - 0.44, v + 0.08, 0.335, 0.148), stage.pixel) * edge;
    const k = 0.5 + 0.35 * smoothstep(-0.25, 0.05, -v);
    mat(out, k * 1.1, k * 0.72, k * 0.33, glass);
  };
  const lettering = (
    text: SetText,
    x: number,
    y: number,
    size: number,
    out: Float64Array,
    edge: number,
  ): void => {
    const ink = text.ink(x / size, y / size, 0.62, stage.pixel / size) * edge;
    if (ink > 0 && x < 0.6) mat(out, 0.03, 0.012, 0.008, ink);
  };
  return { name: 'sign', bounds: { ...EVERYWHERE, left: left - 0.01, top: -1.1 }, paint };
}

/** A string of bulbs on a sagging wire. */
function bulbs(stage: Stage): Surface {
  const q = 0.165;
  const count = 13;
  const wire = (x: number) => -0.46 + 0.2 * (1 - ((x + 0.3) / 1.5) ** 2) - 0.06 * x;
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q + 0.012 * x);
    const hang = wire(x);
    const cord = covered(Math.abs(y - hang) - 0.0045, stage.pixel);
    mat(out, 0.012, 0.009, 0.007, cord);
    const spacing = 3.4 / count;
    const n = Math.round(x / spacing);
    const bx = n * spacing;
    const by = wire(bx) + 0.042;
    const cap = covered(boxDistance(x - bx, y - by + 0.024, 0.009, 0.016), stage.pixel);
    mat(out, 0.02, 0.016, 0.012, cap);
    const glass = covered(length(x - bx, (y - by - 0.008) * 0.85) - 0.019, stage.pixel);
    const heart = Math.exp(-((x - bx) ** 2 + (y - by - 0.006) ** 2) / 0.00012);
    const hue = unit2(n, 3, stage.seed);
    const power = 2.4 + 9 * heart;
    mat(out, power, power * (0.62 + 0.15 * hue), power * (0.2 + 0.25 * hue), glass);
  };
  return { name: 'bulbs', bounds: { left: -2.2, right: 2.2, top: -0.75, bottom: 0.3 }, paint };
}

/** Bare twigs across the left of the picture, faintly lit from behind. */
function twigs(stage: Stage): Surface {
  const q = 0.205;
  const pieces = branch(stage.seed);
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    let best = Infinity;
    for (let i = 0; i < pieces.length; i += 5) {
      const ax = pieces[i];
      const ay = pieces[i + 1];
      const bx = pieces[i + 2];
      const by = pieces[i + 3];
      if (x < Math.min(ax, bx) - 0.04 || x > Math.max(ax, bx) + 0.04) continue;
      if (y < Math.min(ay, by) - 0.04 || y > Math.max(ay, by) + 0.04) continue;
      best = Math.min(best, segmentDistance(x, y, ax, ay, bx, by) - pieces[i + 4]);
    }
    const on = covered(best, stage.pixel);
    if (on <= 0) return;
    const rim = smoothstep(-0.006, 0, best);
    const k = 0.004 + 0.03 * rim * smoothstep(0.6, -0.6, y);
    mat(out, k * 1.2, k * 0.8, k * 0.5, on);
  };
  return { name: 'twigs', bounds: { left: -2.2, right: 0.05, top: -1.4, bottom: 1.3 }, paint };
}

/** Line pieces of a forking branch: ax, ay, bx, by, half width. */
function branch(seed: number): Float64Array {
  const out: number[] = [];
  const grow = (
    x: number,
    y: number,
    angle: number,
    reach: number,
    width: number,
    level: number,
    key: number,
  ): void => {
    const steps = 5;
    let [px, py, a] = [x, y, angle];
    for (let i = 0; i < steps; i++) {
      a += 0.35 * (unit2(key, i, seed + 70) - 0.5);
      const nx = px + (reach / steps) * Math.cos(a);
      const ny = py + (reach / steps) * Math.sin(a);
      out.push(px, py, nx, ny, Math.max(width * (1 - 0.12 * i), 0.0035));
      [px, py] = [nx, ny];
      if (level < 3 && i > 0 && unit2(key, i, seed + 71) < 0.75) {
        const side = unit2(key, i, seed + 72) < 0.5 ? -1 : 1;
        grow(
          px,
          py,
          a + side * (0.5 + 0.4 * unit2(key, i, seed + 73)),
          reach * 0.52,
          width * 0.6,
          level + 1,
          key * 7 + i + 1,
        );
      }
    }
  };
  grow(-1.75, 0.95, -0.75, 1.5, 0.026, 0, 1);
  grow(-1.7, -0.35, 0.1, 0.95, 0.016, 1, 2);
  return Float64Array.from(out);
}
