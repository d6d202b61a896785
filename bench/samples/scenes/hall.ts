import { breakLines, LINE_HEIGHT, PROSE, setText } from '../glyphs.js';
import { unit2 } from '../hash.js';
import { around, EVERYWHERE, type Scene, type Stage, type Surface } from '../scene.js';
import { boxDistance, covered, fractal, length, smoothstep, stripeDistance, woodGrain } from '../texture.js';
import { mat, set } from './parts.js';

/** Scene units per tangent of the angle of view: 50 mm over 12 mm a unit. */
const VIEW = 50 / 12;
/** Half the width of the hall, the height of the ceiling above the camera and of the camera above the floor, metres. */
const HALF = 1.15;
const ABOVE = 1.15;
const BELOW = 1.0;
/** Inverse depth of the far end, and the height of the vanishing point in the picture. */
const END = 0.13;
const HORIZON = -0.06;

/** A hall in the afternoon: slanting walls with windows and pictures, and a wrought-iron gate in front of them. */
export function hall(stage: Stage): Scene {
  return {
    name: 'hall',
    focalLength: 50,
    nearest: 0.68,
    farthest: END,
    baseTime: 1 / 30,
    gain: 1,
    surfaces: [room(stage), plant(stage), notice(stage), gate(stage)],
  };
}

/** The five faces of the hall. They meet in space, so they are one surface. */
function room(stage: Stage): Surface {
  const seed = stage.seed * 17 + 4;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dy = y - HORIZON;
    // Inverse depth at which the view ray meets each face; the nearest meeting is the largest.
    const side = Math.abs(x) / (VIEW * HALF);
    const level = dy > 0 ? dy / (VIEW * BELOW) : -dy / (VIEW * ABOVE);
    const q = Math.max(side, level, END);
    const wx = x / (VIEW * q);
    const wy = dy / (VIEW * q);
    const wz = 1 / q;
    const footprint = stage.pixel / (VIEW * q);
    set(out, 0, 0, 0, 1, q);
    if (q === END) far(wx, wy, footprint, out);
    else if (q === level) dy > 0 ? floor(wx, wz, footprint, out) : ceiling(wx, wz, footprint, out);
    else x < 0 ? pictures(wz, wy, footprint, out) : windows(wz, wy, footprint, out);
  };

  /** Light of the windows at a place of the hall: they stand on the right, a metre and a half apart. */
  const ambient = (wx: number, wz: number): number => {
    const pool = 0.55 + 0.45 * Math.cos(((wz - 3.4) * 6.2832) / 1.5);
    return (0.05 + 0.2 * pool * smoothstep(-1.6, 1.2, wx)) * (0.5 + 2.2 / wz);
  };
  /** Where the sun comes through a window on to the floor: 0…1. */
  const sunlit = (wx: number, wz: number): number => {
    const along = wz - 3.4 - 0.3 * (HALF - wx);
    const nearest = along - 1.5 * Math.round(along / 1.5);
    const patch = boxDistance(nearest, wx - 0.18, 0.3, 0.42);
    const bar = Math.min(Math.abs(nearest), Math.abs(wx - 0.18)) - 0.02;
    return Math.round(along / 1.5) < 0 ? 0 : smoothstep(0.03, -0.03, Math.max(patch, -bar));
  };
  const floor = (wx: number, wz: number, footprint: number, out: Float64Array): void => {
    const tile = 0.23;
    // Far tiles are wider than they are long in the picture: the longer footprint decides.
    const deep = footprint * (wz / BELOW);
    const check = parity(wx / tile, footprint / tile) * parity(wz / tile, deep / tile);
    const vein = fractal(wx * 9, wz * 9, seed, deep * 9, 0.6);
    const tone = 0.42 + 0.3 * check + 0.22 * vein;
    const k = tone * (ambient(wx, wz) + 1.6 * sunlit(wx, wz)) * 1.2;
    const gloss = 0.35 * smoothstep(5, 8, wz) * Math.exp(-((wx / 0.5) ** 2));
    mat(out, k * 1.0 + gloss, k * 0.82 + gloss * 0.92, k * 0.6 + gloss * 0.8, 1);
  };
  const ceiling = (wx: number, wz: number, footprint: number, out: Float64Array): void => {
    const beam = covered(stripeDistance(wz / 0.7, 0.2) * 0.7, footprint * (wz / ABOVE));
    const grain = woodGrain(wz * 2, wx * 8, seed + 3, footprint * 8);
    const k = (0.012 + 0.06 * beam + 0.05 * grain) * (0.25 + ambient(wx, wz) * 4);
    mat(out, k * 0.8, k * 0.52, k * 0.3, 1);
    const lamp = length(wx, ((wz / 1.4 + 0.2) % 1) * 1.4 - 0.5);
    const on = covered(lamp - 0.11, footprint * (wz / ABOVE));
    mat(out, 6.5, 5.4, 3.6, on);
    const halo = 0.9 * Math.exp(-lamp * 7) * (1 - on);
    out[0] += halo;
    out[1] += halo * 0.75;
    out[2] += halo * 0.45;
  };
  const plaster = (wz: number, wy: number, footprint: number, light: number, out: Float64Array): void => {
    const rough = 1 + 0.13 * fractal(wz * 12, wy * 12, seed + 5, footprint * 12, 0.65);
    // Wainscot below a rail.
    const panelled = wy > 0.42;
    const panel = boxDistance(wz / 0.42 - Math.round(wz / 0.42), (wy - 0.72) / 0.42, 0.36, 0.44);
    const groove = covered(Math.abs(panel) - 0.02, (footprint * wz * 1.4) / 0.42);
    const rail = covered(Math.abs(wy - 0.42) - 0.02, footprint);
    const k = rough * light * (panelled ? 0.34 * (1 - 0.55 * groove) : 0.62) * (1 + 0.5 * rail);
    if (panelled) mat(out, k * 0.6, k * 0.78, k * 0.68, 1);
    else mat(out, k * 0.95, k * 0.8, k * 0.58, 1);
  };
  const sheets = [0, 1, 2, 3].map((i) => {
    const size = stage.fine(0.0062) * (0.85 + 0.3 * i);
    return {
      size,
      text: setText(breakLines(PROSE, 0.5 / size, Math.floor(0.5 / (size * LINE_HEIGHT)), 9 * i)),
    };
  });
  /** The left wall: framed prints, letters and patterns in turn. */
  const pictures = (wz: number, wy: number, footprint: number, out: Float64Array): void => {
    const light = (0.13 + ambient(-HALF, wz)) * 1.1;
    plaster(wz, wy, footprint, light, out);
    const n = Math.round((wz - 2.9) / 0.86);
    const u = wz - 2.9 - n * 0.86;
    const v = wy + 0.16;
    const long = footprint * wz;
    const frame = covered(boxDistance(u, v, 0.34, 0.4), long);
    if (frame <= 0 || n < -1) return;
    mat(out, 0.16 * light, 0.1 * light, 0.05 * light, frame);
    const inside = covered(boxDistance(u, v, 0.3, 0.36), long);
    let ink = 0;
    let r = 0.8;
    let g = 0.77;
    let b = 0.68;
    if ((n & 1) === 0) {
      const sheet = sheets[Math.min(Math.max(n + 1, 0), 3)];
      ink = sheet.text.ink(
        (u + 0.25) / sheet.size,
        (v + 0.26) / sheet.size,
        0.6,
        (1.5 * footprint) / sheet.size,
      );
    } else {
      const warp = fractal(u * 3.2, v * 3.2 + n * 5, seed + 21 + n, footprint * 3.2);
      const bands = 0.5 + 0.5 * Math.sin(14 * (v + 0.5 * warp));
      r = 0.12 + 0.5 * bands;
      g = 0.15 + 0.25 * unit2(n, 0, seed) + 0.2 * warp;
      b = 0.45 - 0.3 * bands;
    }
    const k = light * 1.35 * (1 - 0.92 * ink);
    mat(out, k * r, k * g, k * b, inside);
  };
  /** The right wall: tall windows on to a bright garden. */
  const windows = (wz: number, wy: number, footprint: number, out: Float64Array): void => {
    const light = 0.07 + 0.25 * ambient(-HALF, wz);
    plaster(wz, wy, footprint, light, out);
    const n = Math.round((wz - 3.4) / 1.5);
    const u = wz - 3.4 - n * 1.5;
    const v = wy + 0.22;
    const long = footprint * wz;
    const arch = v < -0.38 ? length(u, v + 0.38) - 0.42 : Math.abs(u) - 0.42;
    const opening = Math.max(arch, v - 0.62);
    const frame = covered(opening - 0.07, long);
    mat(out, 0.2 * light, 0.19 * light, 0.16 * light, frame);
    const leaf = fractal(u * 6, v * 6 + 7 * n, seed + 50, footprint * 6, 0.62);
    const hedge = smoothstep(0.0, 0.28, v + 0.5 * leaf);
    const sky = 1 - hedge;
    const k = 1 + 0.5 * leaf;
    const pane = Math.min(
      Math.abs(u - Math.round(u / 0.28) * 0.28),
      Math.abs(v - Math.round(v / 0.34) * 0.34),
    );
    const glass = covered(opening, long) * (1 - covered(pane - 0.012, long));
    mat(out, sky * 3.6 + hedge * 0.7 * k, sky * 3.9 + hedge * 1.2 * k, sky * 4.3 + hedge * 0.32 * k, glass);
  };
  /** The far end: a door with lit panes. */
  const far = (wx: number, wy: number, footprint: number, out: Float64Array): void => {
    plaster(wx, wy, footprint, 0.2, out);
    const door = covered(boxDistance(wx, wy - 0.22, 0.5, 0.8), footprint);
    mat(out, 0.05, 0.032, 0.02, door);
    const px = Math.abs(wx) - 0.25;
    const row = Math.round((wy - 0.02) / 0.34);
    const pane = boxDistance(px, wy - 0.02 - row * 0.34, 0.16, 0.13, 0.03);
    const glass = row > 1 || row < -1 ? 0 : covered(pane, footprint);
    const haze = 1 + 0.5 * fractal(wx * 6, wy * 6, seed + 60, footprint * 6);
    mat(out, 3.8 * haze, 3.3 * haze, 2.4 * haze, glass);
  };
  return { name: 'room', bounds: EVERYWHERE, continuous: true, paint };
}

/** −1 and 1 in turn along a line of unit cells, with soft borders where samples are coarse. */
function parity(u: number, footprint: number): number {
  const d = Math.abs(u - 2 * Math.round(u / 2)) - 0.5;
  return Math.max(-1, Math.min(1, (-2 * d) / Math.max(footprint, 0.02))) * Math.min(1, 0.7 / footprint);
}

/** A palm in a pot: many narrow leaves, some of them edge-on. */
function plant(stage: Stage): Surface {
  const q = 0.36;
  const cx = 0.86;
  const crown = 0.22;
  const foot = 0.78;
  const leaves = Array.from({ length: 17 }, (_, i) => {
    const angle = -Math.PI / 2 + (i - 8) * 0.24 + 0.15 * (unit2(i, 1, stage.seed) - 0.5);
    return {
      angle,
      length: 0.3 + 0.26 * unit2(i, 2, stage.seed),
      droop: 0.25 + 0.5 * unit2(i, 3, stage.seed),
      tone: 0.6 + unit2(i, 4, stage.seed),
    };
  });
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q + 0.04 * (cx - x));
    const dx = x - cx;
    const light = 0.35 + 0.5 * smoothstep(-0.4, 0.5, dx);
    const pot = Math.max(Math.abs(dx) - 0.15 + 0.12 * (y - 0.5), Math.abs(y - 0.64) - 0.15);
    const stalk = Math.max(Math.abs(dx + 0.02 * Math.sin(y * 20)) - 0.016, crown - y, y - 0.6);
    const bark = covered(stalk, stage.pixel);
    if (bark > 0) mat(out, 0.07 * light, 0.05 * light, 0.03 * light, bark);
    const clay = covered(pot, stage.pixel);
    if (clay > 0) {
      const k = light * (0.55 + 0.5 * smoothstep(-0.15, 0.16, dx)) * (y < 0.53 ? 1.25 : 1);
      mat(out, 0.42 * k, 0.17 * k, 0.08 * k, clay);
    }
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i];
      const c = Math.cos(leaf.angle);
      const s = Math.sin(leaf.angle);
      const t = (dx * c + (y - crown) * s) / leaf.length;
      if (t < -0.05 || t > 1.3) continue;
      // The leaf bends down as it goes out.
      const v = -dx * s + (y - crown - leaf.droop * leaf.length * t * t) * c;
      const u = (dx * c + (y - crown - leaf.droop * leaf.length * t * t) * s) / leaf.length;
      const half = 0.03 * Math.max(0, Math.sin(Math.PI * Math.min(Math.max(u, 0), 1)));
      const on = u > 0 && u < 1 ? covered(Math.abs(v) - half, stage.pixel) : 0;
      if (on <= 0) continue;
      const rib = covered(Math.abs(v) - 0.0025, stage.pixel);
      const k = light * leaf.tone * (v > 0 ? 0.8 : 1.15) * (1 + 0.7 * rib);
      mat(out, 0.1 * k, 0.3 * k, 0.07 * k, on);
    }
  };
  return {
    name: 'plant',
    bounds: { left: cx - 0.75, right: cx + 0.75, top: crown - 0.65, bottom: foot + 0.05 },
    paint,
  };
}

/** A notice on a stand, turned towards the left wall. */
function notice(stage: Stage): Surface {
  const q = 0.47;
  const cx = -0.52;
  const cy = 0.3;
  const unit = stage.fine(0.0064);
  const head = setText(['VISITORS']);
  const text = setText(
    breakLines(PROSE, Math.floor(0.5 / unit), Math.floor(0.42 / (unit * LINE_HEIGHT)), 60),
  );
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = x - cx;
    const dy = y - cy - 0.08 * dx;
    set(out, 0, 0, 0, 0, q - 0.12 * dx);
    const leg = covered(
      Math.max(Math.abs(Math.abs(dx) - 0.2 - 0.06 * (dy - 0.3)) - 0.014, 0.3 - dy, dy - 1),
      stage.pixel,
    );
    if (leg > 0) mat(out, 0.03, 0.024, 0.018, leg);
    const board = covered(boxDistance(dx, dy, 0.33, 0.34, 0.02), stage.pixel);
    if (board <= 0) return;
    mat(out, 0.035, 0.05, 0.045, board);
    const inner = covered(boxDistance(dx, dy, 0.3, 0.31), stage.pixel);
    let ink = text.ink((dx + 0.26) / unit, (dy + 0.14) / unit, 0.52, (1.2 * stage.pixel) / unit);
    ink += head.ink((dx + 0.26) / 0.0098, (dy + 0.25) / 0.0098, 0.85, (1.2 * stage.pixel) / 0.0098);
    const k =
      (0.3 + 0.22 * dx) *
      (1 - 0.93 * Math.min(ink, 1)) *
      (1 + 0.06 * fractal(dx * 30, dy * 30, 5, stage.pixel * 30));
    mat(out, k * 0.95, k * 0.92, k * 0.78, inner);
  };
  return { name: 'notice', bounds: around(cx, cy + 0.3, 0.4, 0.75), moves: true, paint };
}

/** A wrought-iron gate that stands half open: bars and scrolls a few pixels wide, before everything else. */
function gate(stage: Stage): Surface {
  const q = 0.6;
  const left = 0.12;
  const right = 1.32;
  const top = -0.5;
  const paint = (x: number, y: number, out: Float64Array): void => {
    // It opens towards the camera: the right edge is nearer.
    set(out, 0, 0, 0, 0, q + 0.1 * (x - left));
    const arch = top - 0.16 * Math.sin(((x - left) / (right - left)) * Math.PI);
    const u = (x - left) / 0.15;
    const bar = Math.abs(u - Math.round(u)) * 0.15 - 0.0105;
    const inside = Math.max(left - 0.012 - x, x - right - 0.012);
    const rails =
      Math.min(Math.abs(y - arch), Math.abs(y - 0.02), Math.abs(y - 0.2), Math.abs(y - 1.02)) - 0.011;
    const cell = x - left - 0.15 * (Math.floor(u) + 0.5);
    const ring = Math.abs(length(cell, y - 0.11) - 0.058) - 0.0075;
    const scroll = Math.abs(length(cell, y - arch - 0.085) - 0.045) - 0.007;
    const metal = Math.min(Math.max(bar, arch - y), rails, ring, scroll);
    const tip = length(x - left - 0.15 * Math.round(u), (y - arch + 0.045) * 0.55) - 0.018;
    const d = Math.max(Math.min(metal, tip), inside);
    const on = covered(d, stage.pixel);
    if (on <= 0) return;
    const edge = smoothstep(-0.009, 0.0, d);
    const glint = edge * (x > left + 0.15 * Math.round(u) ? 0.5 : 0.1);
    const k = 0.013 + 0.15 * glint;
    mat(out, k, k * 0.95, k * 0.9, on);
  };
  return {
    name: 'gate',
    bounds: { left: left - 0.05, right: right + 0.05, top: top - 0.3, bottom: 1.7 },
    paint,
  };
}
