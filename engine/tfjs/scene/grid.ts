import { FEATURES, type GridLevel, nodeIndex } from '../../../model/hash-grid.js';
import type { Rect } from '../../../model/shards.js';
import { constant, gather } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/**
 * Encodes M positions (pixels, already clamped into the grid's rectangle) with a multiresolution hash grid:
 * [2 · levels, M], level by level. Differentiable in the table (flat, nodes × 2) and in the positions; the cell that a
 * position falls into is a constant.
 */
export function encode(
  tf: Tf,
  levels: readonly GridLevel[],
  table: Tensor,
  x: Tensor,
  y: Tensor,
  rect: Rect,
): Tensor {
  const count = x.size;
  const rows = FEATURES * levels.length;
  // Both features of a level share a weight; repeating the row keeps every product free of inner broadcasts.
  const scale = new Float32Array(rows * count);
  for (let r = 0; r < rows; r++) {
    scale.fill(levels[Math.floor(r / FEATURES)].scale, r * count, (r + 1) * count);
  }
  const scales = constant(tf, scale, [rows, count]);
  const cellX = tf.mul(scales, tf.sub(x, rect.x));
  const cellY = tf.mul(scales, tf.sub(y, rect.y));
  const nodes = lookUp(levels, cellX.dataSync() as Float32Array, cellY.dataSync() as Float32Array, count);

  const fx = tf.sub(cellX, constant(tf, nodes.x, [rows, count]));
  const fy = tf.sub(cellY, constant(tf, nodes.y, [rows, count]));
  const gx = tf.sub(1, fx);
  const gy = tf.sub(1, fy);
  const weights = tf.concat([tf.mul(gx, gy), tf.mul(fx, gy), tf.mul(gx, fy), tf.mul(fx, fy)], 0);
  const corners = tf.mul(gather(tf, table, nodes.entries, [4 * rows, count]), weights);
  return tf.addN(tf.split(corners, 4, 0));
}

interface Nodes {
  /** Lower node of the cell of every row and position. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Entries of the flat table: [corner][row][position], corners (0,0), (1,0), (0,1), (1,1). */
  readonly entries: Int32Array;
}

function lookUp(
  levels: readonly GridLevel[],
  cellX: Float32Array,
  cellY: Float32Array,
  count: number,
): Nodes {
  const size = FEATURES * levels.length * count;
  const x = new Float32Array(size);
  const y = new Float32Array(size);
  const entries = new Int32Array(4 * size);
  for (const [l, level] of levels.entries()) {
    for (let m = 0; m < count; m++) {
      const at = FEATURES * l * count + m;
      const i = Math.max(0, Math.min(level.nx - 2, Math.floor(cellX[at])));
      const j = Math.max(0, Math.min(level.ny - 2, Math.floor(cellY[at])));
      for (let corner = 0; corner < 4; corner++) {
        const node = nodeIndex(level, i + (corner & 1), j + (corner >> 1));
        for (let f = 0; f < FEATURES; f++) entries[corner * size + at + f * count] = FEATURES * node + f;
      }
      for (let f = 0; f < FEATURES; f++) {
        x[at + f * count] = i;
        y[at + f * count] = j;
      }
    }
  }
  return { x, y, entries };
}
