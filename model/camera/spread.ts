/** The inner loop of a render through a lens: every source pixel spreads its light over a disk. */
import type { Rect } from '../shards.js';

/** What the pixels of a picture send out. */
export interface SpreadSources {
  readonly width: number;
  readonly height: number;
  /** ρ of each pixel. */
  readonly radii: Float32Array;
  /** 1 / (π (ρ² + 1/12)). */
  readonly density: Float64Array;
  /** The same times the light, 3 channels, interleaved. */
  readonly light: Float64Array;
}

/**
 * S[V](x) = Σ_y k(|x − y|, ρ(y)) V(y), k(t, ρ) = clamp(ρ + ½ − t, 0, 1) / (π(ρ² + 1/12)), ρ as in lens-kernel.ts. Beyond
 * the picture its edge pixels go on, as they do for a patch in training.
 *
 * @param border the farthest that any pixel reaches
 * @returns what arrives at the target pixels: S[1], S[r], S[g], S[b], interleaved
 */
export function spreadSources(sources: SpreadSources, border: number, target: Rect): Float32Array {
  const { width, height, radii, density, light } = sources;
  const distance = distanceTable(border);
  const span = border + 1;
  const sums = new Float32Array(4 * target.width * target.height);
  const right = target.x + target.width;
  const bottom = target.y + target.height;
  for (let y = target.y - border; y < bottom + border; y++) {
    const row = Math.max(0, Math.min(height - 1, y)) * width;
    for (let x = target.x - border; x < right + border; x++) {
      const at = row + Math.max(0, Math.min(width - 1, x));
      const limit = radii[at] + 0.5;
      const one = density[at];
      const r = light[3 * at];
      const g = light[3 * at + 1];
      const b = light[3 * at + 2];
      const rows = Math.ceil(limit) - 1;
      const first = Math.max(target.y, y - rows);
      const last = Math.min(bottom - 1, y + rows);
      for (let ty = first; ty <= last; ty++) {
        const dy = Math.abs(ty - y);
        // One more than the last column reached, so that rounding cannot lose one; the table decides.
        const columns = Math.ceil(Math.sqrt(Math.max(0, limit * limit - dy * dy)));
        const from = Math.max(target.x, x - columns);
        const to = Math.min(right - 1, x + columns);
        let i = (ty - target.y) * target.width + from - target.x;
        for (let tx = from; tx <= to; tx++, i++) {
          const reached = limit - distance[dy * span + (tx < x ? x - tx : tx - x)];
          if (reached <= 0) continue;
          const k = Math.min(1, reached);
          sums[4 * i] += k * one;
          sums[4 * i + 1] += k * r;
          sums[4 * i + 2] += k * g;
          sums[4 * i + 3] += k * b;
        }
      }
    }
  }
  return sums;
}

/** Distances of offsets (dx, dy), 0 … border each, row by row. */
export function distanceTable(border: number): Float32Array {
  const side = border + 1;
  const table = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) table[y * side + x] = Math.sqrt(x * x + y * y);
  return table;
}
