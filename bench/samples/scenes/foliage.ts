import { between, unit2 } from '../hash.js';
import { EVERYWHERE, type Stage, type Surface } from '../scene.js';
import { covered, fractal, gradientNoise, length } from '../texture.js';
import { mat, set } from './parts.js';

export interface FoliageOptions {
  readonly inverseDepth: number;
  /** Tells layers apart: each has its own leaves. */
  readonly part: number;
  /** Share of places that hold a leaf, before they gather in boughs. */
  readonly density: number;
  /** Length of a leaf. */
  readonly size: number;
  readonly light: (x: number, y: number) => number;
}

interface Leaf {
  readonly x: number;
  readonly y: number;
  readonly cos: number;
  readonly sin: number;
  readonly long: number;
  readonly narrow: number;
  /** Inverse depth in its middle, and how much that grows towards the tip. */
  readonly depth: number;
  readonly tilt: number;
  /** How much of the light comes through, and how far the leaf has turned red: 0…1. */
  readonly through: number;
  readonly autumn: number;
}

const { left: LEFT, top: TOP, right: RIGHT, bottom: BOTTOM } = EVERYWHERE;

/** Leaves around one depth, each turned, tilted and shaded in its own way, gathered towards the picture's corners. */
export function foliage(stage: Stage, options: FoliageOptions): Surface {
  const { inverseDepth, part, size, light } = options;
  const seed = stage.seed * 41 + part * 101;
  const leaves = grow(options, seed);
  const cell = size * 0.7;
  const columns = Math.ceil((RIGHT - LEFT) / cell);
  const near = index(leaves, cell, columns);
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, inverseDepth);
    if (x < LEFT || x >= RIGHT || y < TOP || y >= BOTTOM) return;
    const list = near[Math.floor((y - TOP) / cell) * columns + Math.floor((x - LEFT) / cell)];
    if (list === undefined) return;
    for (let i = 0; i < list.length; i++) paintLeaf(list[i], x, y, out);
  };
  const paintLeaf = (leaf: Leaf, x: number, y: number, out: Float64Array): void => {
    const { long, narrow, autumn, through } = leaf;
    const u = (leaf.cos * (x - leaf.x) + leaf.sin * (y - leaf.y)) / long;
    const v = (leaf.cos * (y - leaf.y) - leaf.sin * (x - leaf.x)) / long;
    if (u < -1.45 || u > 1 || v < -0.5 || v > 0.5) return;
    // Pointed at the tip, round at the stalk, the edge slightly toothed.
    const t = 0.5 * (u + 1);
    const outline = narrow * Math.sqrt(Math.max(t, 0)) * (1 - t) * 2.6 * (1 + 0.06 * Math.sin(u * 40));
    const blade = u > -1 ? (Math.abs(v) - outline) * long * 0.85 : Infinity;
    const stalk = Math.max(Math.abs(v) - 0.022, u - 0.9) * long;
    const on = covered(Math.min(blade, stalk), stage.pixel);
    if (on <= 0) return;
    const fine = stage.pixel / long;
    const rib = covered(Math.abs(v) - 0.018, fine);
    const veins = Math.max(0, Math.cos((u - Math.abs(v) * 0.9) * 30)) ** 8 * Math.min(1, 0.04 / fine);
    const speck = 1 + 0.35 * fractal(u * 7 + leaf.x * 50, v * 7 + leaf.y * 50, seed, fine * 7, 0.65);
    const lit = light(x, y);
    const k =
      lit * (0.16 + 1.4 * through * through) * (v > 0 ? 1.15 : 0.8) * speck * (1 + 0.55 * rib + 0.25 * veins);
    const red = autumn * autumn * autumn;
    mat(out, k * (0.2 + 0.55 * red), k * (0.5 - 0.2 * red), k * (0.07 + 0.02 * red), on);
    if (autumn < 0.12) {
      const dew = on * covered(length(u - 0.1, v - 0.12) * long - 0.0075, stage.pixel);
      mat(out, 6 * lit + 1, 6 * lit + 1, 6 * lit + 0.8, dew);
    }
    out[4] = leaf.depth + leaf.tilt * u;
  };
  return { name: `foliage-${part}`, bounds: EVERYWHERE, paint };
}

function grow({ inverseDepth, density, size }: FoliageOptions, seed: number): Leaf[] {
  const leaves: Leaf[] = [];
  const step = size * 0.5;
  for (let j = 0; j * step < BOTTOM - TOP; j++) {
    for (let i = 0; i * step < RIGHT - LEFT; i++) {
      const x = LEFT + (i + unit2(i, j, seed + 1)) * step;
      const y = TOP + (j + unit2(i, j, seed + 2)) * step;
      const bough = 1.5 * gradientNoise(x * 1.5, y * 1.5, seed + 7) + 0.9 * length(x * 0.75, y) - 0.42;
      if (unit2(i, j, seed) > density * bough) continue;
      const angle = between(-0.5, 1.9, i, j, seed + 3);
      leaves.push({
        x,
        y,
        cos: Math.cos(angle),
        sin: Math.sin(angle),
        long: size * between(0.36, 0.56, i, j, seed + 4),
        narrow: between(0.26, 0.42, i, j, seed + 5),
        depth: inverseDepth * between(0.94, 1.06, i, j, seed + 9),
        tilt: 0.05 * inverseDepth * (unit2(i, j, seed + 10) - 0.5),
        through: unit2(i, j, seed + 6),
        autumn: unit2(i, j, seed + 8),
      });
    }
  }
  return leaves;
}

/** The leaves that may cover any of each grid cell, in the order they grow. */
function index(leaves: readonly Leaf[], cell: number, columns: number): Leaf[][] {
  const near: Leaf[][] = [];
  for (const leaf of leaves) {
    // Blade and stalk reach from −1.45 to 1 leaf lengths along the leaf.
    const reach = 1.5 * leaf.long;
    for (let j = Math.floor((leaf.y - reach - TOP) / cell); j <= (leaf.y + reach - TOP) / cell; j++) {
      for (let i = Math.floor((leaf.x - reach - LEFT) / cell); i <= (leaf.x + reach - LEFT) / cell; i++) {
        if (i < 0 || j < 0 || i >= columns) continue;
        const at = j * columns + i;
        const list = near[at];
        if (list === undefined) near[at] = [leaf];
        else list.push(leaf);
      }
    }
  }
  return near;
}
