import type { ModelConfig } from './config.js';

/** A rectangle of whole pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A fixed part of a training's work. Small pictures train data-parallel: every shard draws its own part of the batch
 * from the whole picture. Large ones are cut into tiles: a shard owns a tile and its own hash grids, which reach
 * over the tile's border by a halo. How many there are depends on the capture alone, never on the runners.
 */
export interface Shard {
  readonly tiled: boolean;
  /** Pixels whose samples this shard draws. */
  readonly own: Rect;
  /** Pixels that its grids cover; the same size for every shard of a training. */
  readonly grid: Rect;
  /** First draw of a step, and draws a step, of this shard within its epoch sequence. */
  readonly drawOffset: number;
  readonly draws: number;
  /** Draws a step of all shards that share this sequence. */
  readonly drawStride: number;
}

/** Shards of a picture that is not cut into tiles. */
export const DATA_PARALLEL_SHARDS = 4;

/** Widest circle of confusion plus margin that a tile needs to see beyond its border, in pixels. */
export function haloWidth(config: ModelConfig): number {
  const { blur } = config;
  if (blur.form === 'none') return 8;
  if (blur.form === 'free') return Math.ceil(blur.maxShift) + 8;
  return blur.reach + 8;
}

/** Cuts a training's work into shards. */
export function planShards(
  config: ModelConfig,
  width: number,
  height: number,
  tilePixels = config.train.tilePixels,
): Shard[] {
  const draws = config.blur.form === 'lens' ? config.train.patches : config.train.pixels;
  const whole: Rect = { x: 0, y: 0, width, height };
  if (width * height <= tilePixels || config.atlas.form !== 'hash') {
    const shards: Shard[] = [];
    for (let s = 0; s < DATA_PARALLEL_SHARDS; s++) {
      const from = Math.floor((draws * s) / DATA_PARALLEL_SHARDS);
      const to = Math.floor((draws * (s + 1)) / DATA_PARALLEL_SHARDS);
      shards.push({
        tiled: false,
        own: whole,
        grid: whole,
        drawOffset: from,
        draws: to - from,
        drawStride: draws,
      });
    }
    return shards;
  }
  return planTiles(config, width, height, tilePixels, draws);
}

function planTiles(
  config: ModelConfig,
  width: number,
  height: number,
  tilePixels: number,
  draws: number,
): Shard[] {
  const halo = haloWidth(config);
  const [across, down] = tileCounts(width, height, tilePixels);
  const tileWidth = Math.ceil(width / across);
  const tileHeight = Math.ceil(height / down);
  // Rounded up, fewer tiles may be enough.
  const columns = Math.ceil(width / tileWidth);
  const rows = Math.ceil(height / tileHeight);
  const gridWidth = Math.min(width, tileWidth + 2 * halo);
  const gridHeight = Math.min(height, tileHeight + 2 * halo);
  const count = columns * rows;
  const shards: Shard[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = column * tileWidth;
      const y = row * tileHeight;
      const own = { x, y, width: Math.min(tileWidth, width - x), height: Math.min(tileHeight, height - y) };
      const grid = {
        x: Math.max(0, Math.min(x - halo, width - gridWidth)),
        y: Math.max(0, Math.min(y - halo, height - gridHeight)),
        width: gridWidth,
        height: gridHeight,
      };
      const share = Math.max(1, Math.round(draws / count));
      shards.push({ tiled: true, own, grid, drawOffset: 0, draws: share, drawStride: share });
    }
  }
  return shards;
}

/** Columns and rows of about square tiles of at most `tilePixels`. */
function tileCounts(width: number, height: number, tilePixels: number): [number, number] {
  const side = Math.sqrt(tilePixels);
  let columns = Math.max(1, Math.ceil(width / side));
  let rows = Math.max(1, Math.ceil(height / side));
  while (Math.ceil(width / columns) * Math.ceil(height / rows) > tilePixels) {
    if (width / columns > height / rows) columns++;
    else rows++;
  }
  return [columns, rows];
}
