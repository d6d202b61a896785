import { setText } from '../glyphs.js';
import { between } from '../hash.js';
import { around, EVERYWHERE, type Scene, type Stage, type Surface } from '../scene.js';
import { boxDistance, covered, fractal, length, smoothstep, woodGrain } from '../texture.js';
import { foliage } from './foliage.js';
import { mat, set, stems } from './parts.js';

const FAR = 0.24;

/** A garden against the light: leaves at a dozen depths, gaps of bright sky, bark, a flower and a plant label. */
export function leaves(stage: Stage): Scene {
  const layer = (q: number, part: number, density: number, size: number) =>
    foliage(stage, { inverseDepth: q, part, density, size, light: sunlight });
  return {
    name: 'leaves',
    focalLength: 50,
    nearest: 1.5,
    farthest: FAR,
    baseTime: 1 / 125,
    gain: 1,
    surfaces: [
      thicket(stage),
      layer(0.34, 1, 0.5, 0.12),
      trunk(stage),
      layer(0.5, 2, 0.4, 0.15),
      layer(0.64, 3, 0.34, 0.18),
      label(stage),
      layer(0.83, 4, 0.26, 0.21),
      flower(stage, 0.98, 0.42, 0.1, 0.3, 1),
      flower(stage, 1.12, -0.2, -0.28, 0.25, 2),
      layer(1.22, 5, 0.13, 0.26),
      stems(stage, 41, {
        count: 8,
        left: -1.4,
        right: 1.5,
        lean: 0.45,
        inverseDepth: 1.36,
        colour: [0.42, 0.4, 0.12],
        light: sunlight,
      }),
      layer(1.46, 6, 0.09, 0.3),
    ],
  };
}

/** Light on the leaves: strong above on the left, dim near the ground. */
function sunlight(x: number, y: number): number {
  return 0.05 + 0.85 * smoothstep(0.95, -0.75, y + 0.25 * x);
}

/** The far thicket: foliage out of any lens's reach, and the sky through its gaps. */
function thicket(stage: Stage): Surface {
  const seed = stage.seed * 31 + 3;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const mass = fractal(x * 2.1, y * 2.1, seed, stage.pixel * 2.1, 0.62);
    const fine = fractal(x * 11, y * 11, seed + 9, stage.pixel * 11, 0.7);
    const open = smoothstep(0.05, 0.2, mass + 0.35 * fine - 0.1 - 0.32 * smoothstep(-0.9, 0.5, y));
    const light = sunlight(x, y);
    const leaf = Math.max(0.012, light * (0.13 + 0.22 * fine + 0.1 * mass));
    const sky = 4.2 + 4.5 * smoothstep(0.2, -0.9, y + 0.4 * x);
    set(
      out,
      leaf * 0.45 + open * sky,
      leaf * 0.8 + open * sky * 0.98,
      leaf * 0.16 + open * sky * 0.86,
      1,
      FAR,
    );
  };
  return { name: 'thicket', bounds: EVERYWHERE, paint };
}

/** A trunk with furrowed bark: a cylinder in light and in depth. */
function trunk(stage: Stage): Surface {
  const cx = -0.92;
  const seed = stage.seed * 37 + 5;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const centre = cx + 0.06 * Math.sin(y * 1.3) + 0.05 * y;
    const half = 0.2 + 0.03 * y;
    const u = (x - centre) / half;
    const z = Math.sqrt(Math.max(1 - u * u, 0));
    const on = covered((Math.abs(u) - 1) * half, stage.pixel);
    set(out, 0, 0, 0, on, 0.42 + 0.05 * z);
    if (on <= 0) return;
    const turn = Math.asin(Math.max(-1, Math.min(1, u)));
    const furrow = Math.abs(fractal(turn * 3.2, y * 2.2, seed, stage.pixel * 12, 0.6));
    const grain = fractal(turn * 10, y * 26, seed + 4, stage.pixel * 40, 0.65);
    const moss = smoothstep(0.05, 0.3, fractal(turn * 2, y * 3, seed + 8, stage.pixel * 8) - 0.25 * u);
    const lit = 0.1 + 0.9 * Math.max(0, -0.8 * u + 0.45 * z);
    const k = sunlight(x, y) * lit * (0.1 + 1.5 * furrow) * (1 + 0.5 * grain) * 0.9;
    out[0] = k * (0.42 - 0.24 * moss);
    out[1] = k * (0.31 + 0.08 * moss);
    out[2] = k * (0.21 - 0.13 * moss);
  };
  return { name: 'trunk', bounds: { left: cx - 0.45, right: cx + 0.45, top: -1.7, bottom: 1.7 }, paint };
}

/** A daisy seen from the front: petals around a disk of florets, slightly domed. */
function flower(stage: Stage, q: number, cx: number, cy: number, size: number, part: number): Surface {
  const seed = stage.seed * 43 + part;
  const petals = 15;
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = (x - cx) / size;
    const dy = (y - cy) / (size * 0.86);
    const r = length(dx, dy);
    set(out, 0, 0, 0, 0, q + 0.04 * Math.max(0, 1 - r));
    const light = 0.25 + 1.15 * sunlight(x, y);
    const stalk = Math.max(Math.abs(x - cx - 0.1 * (y - cy) ** 2) - 0.013, cy - y);
    const green = covered(stalk, stage.pixel);
    if (green > 0) mat(out, 0.08 * light, 0.22 * light, 0.05 * light, green);
    const angle = Math.atan2(dy, dx);
    for (let ring = 0; ring < 2; ring++) {
      const a = (angle / 6.2832) * petals + 0.5 * ring;
      const n = Math.round(a);
      const across = (a - n) * 2;
      const reach = between(0.84, 1, ((n % petals) + petals) % petals, ring, seed) - 0.06 * ring;
      const taper = Math.sqrt(Math.max(0, 1 - (r / reach) ** 6)) * (0.5 + 0.5 * smoothstep(0.1, 0.6, r));
      const on = r < reach ? covered((Math.abs(across) - taper * 0.86) * r * size * 0.22, stage.pixel) : 0;
      if (on <= 0) continue;
      const crease = 0.9 + 0.1 * Math.cos(across * 14);
      const tone = light * crease * (0.7 + 0.3 * ring) * (0.75 + 0.25 * between(0, 1, n, ring, seed + 3));
      mat(out, tone * 0.95, tone * (0.8 + 0.1 * ring), tone * 0.92, on);
    }
    const disk = covered((r - 0.27) * size, stage.pixel);
    if (disk <= 0) return;
    const floret = Math.max(0, Math.sin(angle * 21 + r * 60) * Math.sin(angle * 13 - r * 70));
    const k = light * (0.35 + 0.65 * floret) * (0.6 + 0.4 * smoothstep(0.3, 0.05, r));
    mat(out, k * 1.1, k * 0.62, k * 0.05, disk);
  };
  return {
    name: `flower-${part}`,
    bounds: { ...around(cx, cy, size * 1.3), bottom: 1.7 },
    moves: part === 2,
    paint,
  };
}

/** A wooden plant label with a printed name. */
function label(stage: Stage): Surface {
  const q = 0.78;
  const cx = 0.98;
  const cy = 0.52;
  const unit = stage.fine(0.0076);
  const name = setText(['Acer', 'palmatum', 'shade and', 'half shade']);
  const paint = (x: number, y: number, out: Float64Array): void => {
    const dx = x - cx + 0.1 * (y - cy);
    const dy = y - cy - 0.1 * (x - cx);
    set(out, 0, 0, 0, 0, q - 0.1 * dx);
    const stake = Math.max(Math.abs(dx) - 0.03, -dy);
    const board = boxDistance(dx, dy, 0.27, 0.24, 0.03);
    const on = covered(Math.min(stake, board), stage.pixel);
    if (on <= 0) return;
    const grain = woodGrain(dx * 4, dy * 9, stage.seed + 8, stage.pixel * 9);
    const size = Math.max(unit, 0.2 / 30);
    const ink = name.ink((dx + 0.21) / size, (dy + 0.17) / size, 0.7, (1.1 * stage.pixel) / size);
    const edge = covered(Math.abs(board + 0.022) - 0.004, stage.pixel);
    const k = (0.15 + 0.5 * sunlight(x, y)) * (0.45 + 0.75 * grain) * (1 - 0.92 * Math.max(ink, 0.7 * edge));
    mat(out, k * 0.8, k * 0.62, k * 0.4, on);
  };
  return { name: 'label', bounds: { ...around(cx, cy, 0.36, 0.34), bottom: 1.7 }, paint };
}
