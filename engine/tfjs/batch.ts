import { FEATURES } from '../../model/hash-grid.js';
import type { Plan } from '../../model/plan.js';
import { drawCells } from '../../model/sampler.js';
import type { Rect } from '../../model/shards.js';

/** Shards evaluated in one go: neighbours that share a scene, as long as they are small, or a single shard. */
export interface Unit {
  /** Indices into the plan's shards; the first one's rectangles and grids are everyone's. */
  readonly shards: readonly number[];
}

/** Scene positions above which shards are evaluated one after the other: what bounds the memory of a step. */
const UNIT_POSITIONS = 16_384;

/** A patch's geometry; a single pixel without a lens. */
export interface PatchShape {
  /** Pixels along the part that is compared with the frames. */
  readonly patch: number;
  /** Pixels that registration may reach beyond it, 0 or 1. */
  readonly margin: number;
  /** Pixels that the blur reaches beyond those. */
  readonly reach: number;
  /** Pixels along the whole patch. */
  readonly side: number;
}

export function patchShape(plan: Plan, moving: boolean): PatchShape {
  const { blur } = plan.config;
  if (blur.form !== 'lens') return { patch: 1, margin: 0, reach: 0, side: 1 };
  const margin = moving ? 1 : 0;
  return { patch: blur.patch, margin, reach: blur.reach, side: blur.patch + 2 * (blur.reach + margin) };
}

/** Draws a step of all shards that share a scene, or of all tiles together. */
export function drawsPerStep(plan: Plan): number {
  return plan.shards.reduce((sum, s) => sum + s.draws, 0);
}

/** Groups a plan's shards into units of work. */
export function planUnits(plan: Plan, shape: PatchShape): Unit[] {
  const tiled = plan.shards.some((s) => s.tiled);
  const positions = drawsPerStep(plan) * positionsPerDraw(plan, shape);
  const indices = plan.shards.map((_, i) => i).filter((i) => plan.shards[i].draws > 0);
  if (tiled || positions > UNIT_POSITIONS) return indices.map((i) => ({ shards: [i] }));
  return [{ shards: indices }];
}

/** Scene queries of one draw, about: what its memory grows with, in units of a 16-level grid. */
function positionsPerDraw(plan: Plan, shape: PatchShape): number {
  const { blur, atlas } = plan.config;
  const width = atlas.form === 'siren' ? (atlas.width * atlas.layers) / (FEATURES * 16) : 1;
  if (blur.form === 'none') return plan.views.length * width;
  if (blur.form === 'free') return blur.taps * plan.views.length * width;
  return shape.side ** 2 * width;
}

/** What a unit looks at in a step. */
export interface Batch {
  readonly own: Rect;
  readonly draws: number;
  /** Origins of the draws: x0, y0, x1, y1, …; of a patch its first pixel. */
  readonly cells: Int32Array;
  /** Pixels compared with the frames, draw by draw, row by row. */
  readonly x: Int32Array;
  readonly y: Int32Array;
}

/** Draws a unit's batch: a pure function of (seed, step, shards). */
export function drawBatch(plan: Plan, unit: Unit, shape: PatchShape, step: number): Batch {
  const { patch } = shape;
  const draws = unit.shards.reduce((sum, s) => sum + plan.shards[s].draws, 0);
  const cells = new Int32Array(2 * draws);
  let at = 0;
  for (const index of unit.shards) {
    const shard = plan.shards[index];
    cells.set(drawCells(plan.seed, step, shard, index, patch), 2 * at);
    at += shard.draws;
  }
  const x = new Int32Array(draws * patch * patch);
  const y = new Int32Array(draws * patch * patch);
  for (let d = 0, q = 0; d < draws; d++) {
    for (let j = 0; j < patch; j++) {
      for (let i = 0; i < patch; i++, q++) {
        x[q] = cells[2 * d] + i;
        y[q] = cells[2 * d + 1] + j;
      }
    }
  }
  return { own: plan.shards[unit.shards[0]].own, draws, cells, x, y };
}
