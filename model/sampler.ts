import { philox4x32, Stream, toUnit } from './philox.js';
import type { Shard } from './shards.js';

/**
 * Which pixels a step looks at. The batch of step n is a pure function of (seed, n, shard): every draw has a running
 * number, each epoch visits every cell (a pixel, or a patch of pixels) once in an order of its own, so coverage is
 * even and there is no state to ship.
 */

/** The sequence of cells of one epoch: cell(r) = (a·r + b) mod n, a coprime to n, on a grid shifted by (ox, oy). */
interface Epoch {
  readonly a: number;
  readonly b: number;
  readonly ox: number;
  readonly oy: number;
}

/** Number of cells across and down for a shard: whole patches that cover its pixels whatever the shift. */
export function cellCounts(shard: Shard, patch: number): [number, number] {
  return [
    Math.ceil((shard.own.width + patch - 1) / patch),
    Math.ceil((shard.own.height + patch - 1) / patch),
  ];
}

/** Key of a shard's draw sequence: data-parallel shards share one, a tile has its own. */
export function sequenceKey(shard: Shard, index: number): number {
  return shard.tiled ? index + 1 : 0;
}

/** Running number of the j-th draw of a shard in a step. */
export function drawNumber(shard: Shard, step: number, j: number): number {
  return step * shard.drawStride + shard.drawOffset + j;
}

function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}

const words = new Uint32Array(4);

function epochOf(seed: number, key: number, epoch: number, cells: number, patch: number): Epoch {
  philox4x32(words, epoch, key, 0, 0, seed, Stream.epoch);
  let a = cells > 1 ? 1 + (words[0] % (cells - 1)) : 1;
  while (gcd(a, cells) !== 1) a = a + 1 < cells ? a + 1 : 1;
  return { a, b: words[1] % cells, ox: words[2] % patch, oy: words[3] % patch };
}

/**
 * Origins of a shard's draws in a step, in pixels: [x0, y0, x1, y1, …]. With `patch` > 1 an origin may lie outside the
 * shard's own pixels (by less than a patch); pixels outside count nothing.
 */
export function drawCells(
  seed: number,
  step: number,
  shard: Shard,
  index: number,
  patch: number,
): Int32Array {
  const key = sequenceKey(shard, index);
  const [across, down] = cellCounts(shard, patch);
  const cells = across * down;
  const out = new Int32Array(2 * shard.draws);
  let known = -1;
  let epoch: Epoch = { a: 1, b: 0, ox: 0, oy: 0 };
  for (let j = 0; j < shard.draws; j++) {
    const draw = drawNumber(shard, step, j);
    const e = Math.floor(draw / cells);
    if (e !== known) {
      epoch = epochOf(seed, key, e, cells, patch);
      known = e;
    }
    const cell = (epoch.a * (draw % cells) + epoch.b) % cells;
    out[2 * j] = shard.own.x + (cell % across) * patch - epoch.ox;
    out[2 * j + 1] = shard.own.y + Math.floor(cell / across) * patch - epoch.oy;
  }
  return out;
}

/** The random gamma g ∈ [1, 101) of a step (the paper's random tone). */
export function randomGamma(seed: number, step: number): number {
  philox4x32(words, step, 0, 0, 0, seed, Stream.gamma);
  return 1 + 100 * toUnit(words[0]);
}
