import { between } from '../hash.js';
import type { Stage, Surface } from '../scene.js';
import { covered, length } from '../texture.js';

/** Sets all that `Surface.paint` gives back. */
export function set(
  out: Float64Array,
  r: number,
  g: number,
  b: number,
  alpha: number,
  inverseDepth: number,
): void {
  out[0] = r;
  out[1] = g;
  out[2] = b;
  out[3] = alpha;
  out[4] = inverseDepth;
}

/** Lays a colour with coverage `alpha` over what `out` holds; depth stays. */
export function mat(out: Float64Array, r: number, g: number, b: number, alpha: number): void {
  const below = out[3] * (1 - alpha);
  const total = alpha + below;
  if (total <= 0) return;
  const k = alpha / total;
  out[0] += (r - out[0]) * k;
  out[1] += (g - out[1]) * k;
  out[2] += (b - out[2]) * k;
  out[3] = total;
}

export interface StemOptions {
  readonly count: number;
  /** Where the stems rise from the lower edge. */
  readonly left: number;
  readonly right: number;
  /** How far a tip may lean to either side. */
  readonly lean: number;
  readonly inverseDepth: number;
  readonly colour: readonly [number, number, number];
  readonly light: (x: number, y: number) => number;
}

/** Thin curved stems with grains at their tips: the occluder that is narrower than its own blur. */
export function stems(stage: Stage, part: number, options: StemOptions): Surface {
  const seed = stage.seed * 13 + part;
  const { count, left, right, inverseDepth: q, colour, light } = options;
  const blades = Array.from({ length: count }, (_, i) => ({
    foot: between(left, right, i, 0, seed),
    bend: between(-options.lean, options.lean, i, 2, seed),
    top: between(-0.5, 0.3, i, 1, seed),
  }));
  const paint = (x: number, y: number, out: Float64Array): void => {
    set(out, 0, 0, 0, 0, q);
    for (let i = 0; i < blades.length; i++) {
      const { foot, bend, top } = blades[i];
      // A parabola from below the picture: x = foot + bend t², y = GROUND + (top − GROUND) t.
      const t = Math.min((y - GROUND) / (top - GROUND), 1);
      const slope = (2 * bend * t) / (top - GROUND);
      const across = (x - foot - bend * t * t) / Math.sqrt(1 + slope * slope);
      if (Math.abs(across) > 0.06 || y < top - 0.03) continue;
      const stem = length(across, Math.min(y - top, 0)) - STEM_RADIUS;
      const d = Math.min(stem, grainDistance(across, y - top));
      const on = covered(d, stage.pixel);
      if (on <= 0) continue;
      const k = (light(x, y) * 1.3 + 0.008) * (0.6 - 18 * Math.max(d, -0.02));
      mat(out, k * colour[0], k * colour[1], k * colour[2], on);
    }
  };
  const reach = options.lean + 0.08;
  return {
    name: 'stems',
    bounds: { left: left - reach, right: right + reach, top: -0.55, bottom: 1.7 },
    paint,
  };
}

const GROUND = 1.6;
const STEM_RADIUS = 0.0065;
const GRAINS = 7;
const GRAIN_SPACING = 0.055;

/** Distance to the grains, which sit in turn left and right of the upper end of a stem. */
function grainDistance(across: number, below: number): number {
  const index = Math.min(Math.max(Math.round(below / GRAIN_SPACING), 0), GRAINS - 1);
  const side = index % 2 === 0 ? 0.016 : -0.016;
  return length((across - side) * 1.5, below - index * GRAIN_SPACING) - 0.016;
}
