import { isWarped, type Plan } from './plan.js';
import { cellCounts } from './sampler.js';
import type { Rect, Shard } from './shards.js';

/** The pixels of a training that one shard depends on; what lies outside may be anything. */
export interface ShardReads {
  /** Of frames and masks: a sample outside the shard's own pixels does not count, registered or not. */
  readonly frames: Rect;
  /** Of the classical start. */
  readonly start: Rect;
}

/**
 * The pixels that training and baking a shard read, exactly: a runner decodes and ships no more.
 *
 * Registration moves the scene position of a frame's pixel, never the frame's pixel itself, so `frames` is the shard's own
 * rectangle. The start is looked up by pixel over whole patches, which begin up to a patch before the shard's own
 * pixels and reach over their halo; or bilinearly at positions that are confined to the grid's rectangle.
 */
export function shardReads(plan: Plan, shard: Shard): ShardReads {
  const { config, capture } = plan;
  const frames = shard.own;
  if (config.blur.form !== 'lens') {
    // The second of the two pixels that a position on the last one's centre lies between.
    return { frames, start: within(capture, grown(shard.grid, 0, 1)) };
  }
  const { patch, reach } = config.blur;
  const halo = reach + (isWarped(plan) ? 1 : 0);
  const [across, down] = cellCounts(shard, patch);
  // An epoch shifts its cells by up to patch − 1 pixels to the left and up.
  const covered = {
    x: shard.own.x - (patch - 1),
    y: shard.own.y - (patch - 1),
    width: across * patch + patch - 1,
    height: down * patch + patch - 1,
  };
  return { frames, start: within(capture, grown(covered, halo, halo)) };
}

function grown({ x, y, width, height }: Rect, before: number, after: number): Rect {
  return { x: x - before, y: y - before, width: width + before + after, height: height + before + after };
}

function within(picture: { readonly width: number; readonly height: number }, r: Rect): Rect {
  const [x, y] = [Math.max(0, r.x), Math.max(0, r.y)];
  const right = Math.min(picture.width, r.x + r.width);
  const bottom = Math.min(picture.height, r.y + r.height);
  return { x, y, width: right - x, height: bottom - y };
}
