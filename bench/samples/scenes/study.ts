import { breakLines, LINE_HEIGHT, PROSE, setText } from '../glyphs.js';
import { between, unit2 } from '../hash.js';
import { around, EVERYWHERE, type Scene, type Stage, type Surface } from '../scene.js';
import {
  boxDistance,
  covered,
  fractal,
  gradientNoise,
  length,
  segmentDistance,
  smoothstep,
  woodGrain,
} from '../texture.js';
import { bookshelf } from './bookshelf.js';
import { mat, set, stems } from './parts.js';

/** Scene units per tangent of the angle of view: 50 mm over 12 mm a unit. */
const VIEW = 50 / 12;
const WALL = 0.45;

/** A desk by lamplight: printed text at several depths, wood, books, a globe, and dry stems in front of it all. */
export function study(stage: Stage): Scene {
  return {
    name: 'study',
    focalLength: 50,
    nearest: 1.42,
    farthest: WALL,
    baseTime: 1 / 15,
    gain: 1,
    surfaces: [
      bookshelf(stage, WALL, lamplight),
      desk(stage),
      lamp(stage),
      globe(stage),
      page(stage),
      mug(stage),
      pencils(stage),
      stems(stage, 77, {
        count: 6,
        left: 0.1,
        right: 0.75,
        lean: 0.5,
        inverseDepth: 1.38,
        colour: [0.5, 0.34, 0.13],
        light: lamplight,
      }),
    ],
  };
}

const LAMP = { x: -0.86, y: -0.38 };

/** Illumination of a surface at a place in the picture: the lamp, and a little of the room. */
function lamplight(x: number, y: number): number {
  const dx = x - LAMP.x;
  const dy = y - LAMP.y - 0.12;
  const r = 1 + (dx * dx + 1.4 * dy * dy) / 0.3;
  return 0.025 + 2.6 / (r * Math.sqrt(Math.sqrt(r)));
}

/** Inverse depth of the desk at a height in the picture. */
function deskDepth(y: number): number {
  return 0.926 * (Math.max(y, -0.3) + 0.544);
}

/** Height in the picture at which something at this inverse depth stands on the desk. */
function deskHeight(inverseDepth: number): number {
  return inverseDepth / 0.926 - 0.544;
}

/** Wood with two written sheets and the contact shadows of what stands on it. */
function desk(stage: Stage): Surface {
  const edge = 0.05;
  const unit = stage.fine(0.0062);
  const letter = setText(
    breakLines(PROSE, Math.floor(0.17 / (unit * 0.36)), Math.floor(0.25 / (unit * 0.36 * LINE_HEIGHT)), 31),
  );
  const seed = stage.seed * 7 + 1;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const q = deskDepth(y);
    // Metres on the desk: across, and away from the camera.
    const wx = x / (VIEW * q);
    const wz = 1 / q;
    const footprint = stage.pixel / (VIEW * q);
    const light = lamplight(x, y - 0.1) * shadows(x, y);
    const grain = woodGrain(wx * 3, wz * 9, seed, footprint * 9);
    const plank = 0.85 + 0.3 * unit2(Math.floor(wz * 9), 0, seed);
    const k = (0.1 + 0.36 * grain) * plank * light;
    set(out, k * 0.85, k * 0.44, k * 0.2, covered(edge - y, stage.pixel), q);
    sheet(out, wx + 0.16, wz - 1.02, 0.22, 0.6, footprint, light);
    sheet(out, wx - 0.3, wz - 0.86, -0.3, 0.83, footprint, light);
  };
  const sheet = (
    out: Float64Array,
    dx: number,
    dz: number,
    turn: number,
    tone: number,
    footprint: number,
    light: number,
  ) => {
    const c = Math.cos(turn);
    const s = Math.sin(turn);
    const u = c * dx + s * dz;
    const v = -(c * dz - s * dx);
    const on = covered(boxDistance(u, v, 0.105, 0.148), footprint);
    if (on <= 0) return;
    const size = unit * 0.36;
    const ink = letter.ink((u + 0.088) / size, (v + 0.125) / size, 0.55, (1.6 * footprint) / size);
    const k = tone * light * (1 + 0.04 * gradientNoise(u * 60, v * 60, seed)) * (1 - 0.93 * ink);
    mat(out, k, k * 0.97, k * 0.88, on);
  };
  const bounds = { ...EVERYWHERE, top: edge - 0.02 };
  return { name: 'desk', bounds, continuous: true, paint };
}

function shadows(x: number, y: number): number {
  const blob = (cx: number, cy: number, rx: number, ry: number, depth: number) => {
    const dx = (x - cx) / rx;
    const dy = (y - cy) / ry;
    return 1 - depth * Math.exp(-(dx * dx + dy * dy));
  };
  return (
    blob(0.8, deskHeight(0.82), 0.36, 0.07, 0.85) *
    blob(0.16, deskHeight(1.0), 0.5, 0.08, 0.8) *
    blob(-0.68, deskHeight(1.22) - 0.01, 0.34, 0.09, 0.85) *
    blob(1.2, deskHeight(1.28), 0.34, 0.09, 0.85) *
    blob(-0.86, deskHeight(0.66), 0.25, 0.05, 0.7)
  );
}

/** A lit lamp: glowing shade, the bulb's edge below it, a thin stem and a foot. */
function lamp(stage: Stage): Surface {
  const q = 0.64;
  const foot = deskHeight(q);
  const { x: cx, y: cy } = LAMP;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = x - cx;
    const dy = y - cy;
    set(out, 0, 0, 0, 0, q);
    const stem = covered(boxDistance(dx, y - (cy + foot) / 2, 0.011, (foot - cy) / 2), stage.pixel);
    const base = covered(length(dx, (y - foot) * 3.2) - 0.15, stage.pixel);
    const brass = 0.1 + 0.75 * smoothstep(0.012, -0.012, dx + 0.003) * Math.exp(-Math.max(dy, 0) * 2);
    if (stem > 0) mat(out, brass * 0.9, brass * 0.62, brass * 0.22, stem);
    if (base > 0) {
      const k = (0.16 + 0.3 * smoothstep(0.08, -0.1, dx)) * lamplight(x, y);
      mat(out, k, k * 0.7, k * 0.3, base);
    }
    const bulb = covered(length(dx, (dy - 0.115) * 1.5) - 0.062, stage.pixel);
    if (bulb > 0) mat(out, 20, 16.5, 11, bulb);
    const half = 0.2 + 0.32 * (dy + 0.02);
    const shade = covered(Math.max(Math.abs(dx) - half, Math.abs(dy + 0.06) - 0.17), stage.pixel);
    if (shade > 0) {
      const pleat = 0.86 + 0.14 * Math.cos((dx / half) * 58 * Math.min(1, stage.magnification + 0.2));
      const glow = Math.exp(-((dx / 0.17) ** 2) - ((dy - 0.05) / 0.2) ** 2);
      const k = (1.3 + 5 * glow) * pleat * (1 - 0.3 * (dx / half) ** 2);
      mat(out, k, k * 0.74, k * 0.4, shade);
    }
  };
  return {
    name: 'lamp',
    bounds: { left: cx - 0.3, right: cx + 0.3, top: cy - 0.26, bottom: foot + 0.07 },
    paint,
  };
}

/** A globe on a stand: curved, so that its depth falls away towards the rim. */
function globe(stage: Stage): Surface {
  const q = 0.82;
  const r = 0.26;
  const foot = deskHeight(q);
  const cx = 0.82;
  const cy = foot - r - 0.1;
  const seed = stage.seed * 5 + 3;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = (x - cx) / r;
    const dy = (y - cy) / r;
    const d = length(dx, dy);
    const z = Math.sqrt(Math.max(1 - d * d, 0));
    set(out, 0, 0, 0, 0, q + 0.075 * z);
    const stand = Math.min(
      boxDistance(x - cx, y - foot + 0.06, 0.014, 0.07),
      length((x - cx) * 0.34, y - foot + 0.005) - 0.042,
      Math.abs(length(x - cx, y - cy) - r * 1.1) - 0.009 + 0.6 * Math.max(0, cx + 0.02 - x),
    );
    const brass = covered(stand, stage.pixel);
    if (brass > 0) {
      const k = 0.5 * lamplight(x, y) + 0.02;
      mat(out, k * 0.9, k * 0.6, k * 0.2, brass);
    }
    const on = covered((d - 1) * r, stage.pixel);
    if (on <= 0) return;
    const lon = Math.atan2(dx, z + 1e-6) + 0.7;
    const lat = Math.asin(Math.max(-1, Math.min(1, dy)));
    const footprint = (stage.pixel / r) * 2.2;
    const land = smoothstep(-0.02, 0.05, fractal(lon * 1.15, lat * 1.15, seed, footprint, 0.55) - 0.02);
    const relief = fractal(lon * 9, lat * 9, seed + 40, footprint * 4, 0.6);
    const line = gridLine(lon * 5, footprint * 2.4) + gridLine(lat * 5, footprint * 2.4);
    const lit = Math.max(0, -0.75 * dx - 0.35 * dy + 0.55 * z);
    const light = (0.12 + 0.95 * lit) * lamplight(x, y) * 2;
    const shine = 3.2 * Math.exp(-((dx + 0.48) ** 2 + (dy + 0.3) ** 2) / 0.006);
    const tint = (1 - 0.45 * Math.min(line, 1)) * (1 + 0.5 * relief) * light;
    const ocean = 1 - land;
    mat(
      out,
      tint * (0.05 * ocean + 0.55 * land) + shine,
      tint * (0.18 * ocean + 0.4 * land) + shine * 0.92,
      tint * (0.34 * ocean + 0.16 * land) + shine * 0.75,
      on,
    );
  };
  return {
    name: 'globe',
    bounds: { left: cx - 0.32, right: cx + 0.32, top: cy - 0.32, bottom: foot + 0.06 },
    paint,
  };
}

function gridLine(u: number, footprint: number): number {
  const d = Math.abs(u - Math.round(u));
  return covered(d - 0.02, footprint) * Math.min(1, 0.09 / footprint);
}

/** A printed page on a small easel, turned a little: its left side is farther away. */
function page(stage: Stage): Surface {
  const q = 1.0;
  const foot = deskHeight(q);
  const cx = 0.14;
  const cy = foot - 0.35;
  const unit = stage.fine(0.0062);
  const columns = Math.floor(0.66 / unit);
  const text = setText(breakLines(PROSE, columns, Math.floor(0.42 / (unit * LINE_HEIGHT)), 0));
  const title = setText(['Light and Lenses']);
  const seed = stage.seed + 11;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = x - cx;
    const dy = y - cy + 0.05 * dx;
    const depth = q + 0.16 * dx;
    set(out, 0, 0, 0, 0, depth);
    const wood = covered(boxDistance(dx, dy - 0.32, 0.42, 0.022, 0.006), stage.pixel);
    if (wood > 0) {
      const k = (0.25 + 0.3 * woodGrain(dx * 6, dy * 20, seed, stage.pixel * 20)) * lamplight(x, y);
      mat(out, k * 0.8, k * 0.4, k * 0.17, wood);
    }
    const on = covered(boxDistance(dx, dy, 0.39, 0.31), stage.pixel);
    if (on <= 0) return;
    let ink = text.ink((dx + 0.34) / unit, (dy + 0.14) / unit, 0.52, (1.2 * stage.pixel) / unit);
    ink += title.ink((dx + 0.34) / 0.0066, (dy + 0.25) / 0.0066, 0.8, (1.2 * stage.pixel) / 0.0066);
    ink += covered(boxDistance(dx, dy + 0.175, 0.34, 0.0025), stage.pixel);
    const fibre = 1 + 0.07 * fractal(dx * 45, dy * 45, seed, stage.pixel * 45);
    const k =
      0.86 * fibre * lamplight(x, y) * (1 - 0.95 * Math.min(ink, 1)) * (1 - 0.2 * smoothstep(0.1, 0.4, dx));
    mat(out, k, k * 0.95, k * 0.83, on);
  };
  return { name: 'page', bounds: around(cx, cy + 0.01, 0.45, 0.38), paint };
}

/** A glazed mug with bands of pattern; a cylinder in shade and in depth. */
function mug(stage: Stage): Surface {
  const q = 1.2;
  const foot = deskHeight(q + 0.02);
  const cx = -0.78;
  const cy = foot - 0.24;
  const r = 0.2;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = (x - cx) / r;
    const dy = y - cy;
    const z = Math.sqrt(Math.max(1 - dx * dx, 0));
    set(out, 0, 0, 0, 0, q + 0.05 * z);
    const bend = 0.045 * z;
    const handle = Math.abs(length((x - cx + 0.21) * 1.15, dy + 0.01) - 0.11) - 0.024;
    const ear = x < cx - r * 0.9 ? covered(handle, stage.pixel) : 0;
    const lit = Math.max(0, -0.12 * dx + 0.5 * z) + 0.1;
    const light = 1.5 * lit * lamplight(x, y - 0.15);
    if (ear > 0) mat(out, 0.3 * light, 0.36 * light, 0.38 * light, ear);
    const body = Math.max(Math.abs(dx) - 1, (Math.abs(dy - bend) - 0.215) / r) * r;
    const on = covered(body, stage.pixel);
    if (on <= 0) return;
    const v = (dy - bend) / 0.43 + 0.5;
    const u = Math.asin(Math.max(-1, Math.min(1, dx)));
    const zig = Math.abs(((u * 5 + 20) % 1) - 0.5) * 0.12;
    const band =
      covered(Math.abs(v - 0.3 - zig) - 0.022, stage.pixel * 3) +
      covered(Math.abs(v - 0.72 + zig) - 0.022, stage.pixel * 3);
    const dots = covered(length(u * 4 - Math.round(u * 4), (v - 0.52) * 9) - 0.27, stage.pixel * 22);
    const glaze = Math.min(band + dots, 1);
    const speck = 1 + 0.25 * fractal(u * 14, v * 26, stage.seed + 5, stage.pixel * 70);
    const shine =
      2.4 * Math.exp(-(((dx + 0.42) / 0.05) ** 2)) * smoothstep(0.1, 0.2, v) * smoothstep(0.8, 0.5, v);
    const rim = dy - bend < -0.2 ? 1.6 : 1;
    const k = light * speck * rim;
    mat(
      out,
      k * (0.42 - 0.36 * glaze) + 0.9 * shine,
      k * (0.5 - 0.36 * glaze) + 0.75 * shine,
      k * (0.5 - 0.2 * glaze) + 0.5 * shine,
      on,
    );
  };
  return { name: 'mug', bounds: around(cx - 0.06, cy + 0.02, 0.32, 0.29), moves: true, paint };
}

/** A tin with thin pencils against the books. */
function pencils(stage: Stage): Surface {
  const q = 1.28;
  const foot = deskHeight(q);
  const cx = 1.2;
  const half = 0.17;
  const rim = foot - 0.4;
  const seed = stage.seed * 3 + 9;
  const sticks = Array.from({ length: 8 }, (_, i) => {
    const lean = between(-0.3, 0.3, i, 0, seed);
    const x = cx + between(-0.8, 0.8, i, 1, seed) * half;
    const length = between(0.25, 0.5, i, 2, seed);
    return {
      x,
      tipX: x + lean * length,
      tipY: rim - length,
      radius: between(0.011, 0.016, i, 3, seed),
      colour: [
        [0.75, 0.5, 0.05],
        [0.6, 0.08, 0.05],
        [0.07, 0.22, 0.45],
        [0.1, 0.35, 0.14],
      ][i % 4],
    };
  });
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = (x - cx) / half;
    const z = Math.sqrt(Math.max(1 - dx * dx, 0));
    set(out, 0, 0, 0, 0, q + 0.03 * z);
    const light = 1.6 * lamplight(x, y) + 0.01;
    for (const s of sticks) {
      const d = segmentDistance(x, y, s.x, rim + 0.05, s.tipX, s.tipY) - s.radius;
      const on = covered(d, stage.pixel);
      if (on <= 0) continue;
      const wood = y < s.tipY + 0.035 ? 1 : 0;
      const side = 0.65 + 0.5 * smoothstep(0.3, -0.6, d / s.radius + 0.4);
      const c = s.colour;
      mat(
        out,
        light * side * (wood ? 0.75 : c[0]),
        light * side * (wood ? 0.52 : c[1]),
        light * side * (wood ? 0.28 : c[2]),
        on,
      );
    }
    const bend = 0.035 * z;
    const tin =
      Math.max(Math.abs(dx) - 1, (Math.abs(y - (rim + foot) / 2 - bend) - (foot - rim) / 2) / half) * half;
    const on = covered(tin, stage.pixel);
    if (on <= 0) return;
    const ridge = 0.8 + 0.2 * Math.cos((y - rim - bend) * 90);
    const lit =
      0.08 + 0.8 * Math.exp(-(((dx + 0.45) / 0.35) ** 2)) + 0.3 * Math.exp(-(((dx - 0.75) / 0.12) ** 2));
    const k = light * ridge * lit * 0.7;
    mat(out, k, k * 0.98, k * 0.95, on);
  };
  return {
    name: 'pencils',
    bounds: { left: cx - 0.5, right: cx + 0.5, top: rim - 0.55, bottom: foot + 0.06 },
    paint,
  };
}
