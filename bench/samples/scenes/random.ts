import { percentile } from '../../../model/percentile.js';
import { between, unit2 } from '../hash.js';
import { PAINT_VALUES, type Scene, type Stage, type Surface } from '../scene.js';
import { smoothstep } from '../texture.js';
import { foliage } from './foliage.js';
import { stems } from './parts.js';
import { backdrop, ball, card, type Light, lamps, type Place, wires } from './random-parts.js';

/** Focal lengths in millimetres. */
const LENSES = [35, 50, 85];

/**
 * A scene of its own for every seed: a backdrop and four to nine layers in front of it, of cards and print that stand
 * aslant, balls of skin and of paint, wires, stems, leaves and lamps, under light of two to nine stops.
 */
export function random(stage: Stage): Scene {
  const seed = stage.seed * 47 + 11;
  const far = 0.03 * 8 ** unit2(1, 0, seed);
  const nearest = far + 0.35 * 5 ** unit2(2, 0, seed);
  const light = lightOf(seed);
  const count = 4 + Math.floor(6 * unit2(3, 0, seed));
  const layers = Array.from({ length: count }, (_, i) => {
    const at = (i + unit2(i, 1, seed)) / count;
    return layer(stage, seed, i, far * 1.7 + (nearest * 0.97 - far * 1.7) * at, light);
  });
  // Something stands in the middle distance, so that there is something to focus on, and to move.
  const middle = placed(seed, 90, far + 0.5 * (nearest - far));
  layers.splice(Math.floor(count / 2), 0, card(stage, middle, light, unit2(4, 0, seed) < 0.5, true));
  const surfaces = [backdrop(stage, seed + 1, far, light), ...layers];
  return {
    name: 'random',
    focalLength: LENSES[Math.floor(unit2(5, 0, seed) * LENSES.length)],
    nearest: nearest * 1.08,
    farthest: far,
    baseTime: 1 / 60,
    gain: exposedFor(surfaces),
    surfaces,
  };
}

/** A photographer's choice of exposure: nine tenths of the picture stay below three quarters of saturation. */
function exposedFor(surfaces: readonly Surface[]): number {
  const seen: number[] = [];
  const out = new Float64Array(PAINT_VALUES);
  for (let y = -0.95; y < 1; y += 0.1) {
    for (let x = -1.45; x < 1.5; x += 0.1) {
      let brightest = 0;
      for (const { bounds, paint } of surfaces) {
        if (x < bounds.left || x > bounds.right || y < bounds.top || y > bounds.bottom) continue;
        paint(x, y, out);
        brightest += out[3] * (Math.max(out[0], out[1], out[2]) - brightest);
      }
      seen.push(brightest);
    }
  }
  return 0.75 / Math.max(percentile(Float32Array.from(seen), 90), 0.02);
}

/** A gradient across the picture, and a shadow. */
function lightOf(seed: number): Light {
  const stops = between(1.5, 7, 0, 40, seed);
  const angle = between(0, 6.2832, 1, 40, seed);
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const edge = between(-0.5, 0.5, 2, 40, seed);
  const shadow = between(0, 2, 3, 40, seed);
  const peak = between(0.5, 1.6, 4, 40, seed);
  return (x, y) => {
    const along = smoothstep(-1.4, 1.2, x * dx + y * dy);
    const shaded = smoothstep(edge - 0.04, edge + 0.04, x * dy - y * dx + 0.2 * Math.sin(3 * x));
    return peak * 2 ** (-stops * along - shadow * shaded);
  };
}

function placed(seed: number, i: number, q: number): Place {
  const size = between(0.16, 0.5, i, 12, seed);
  return {
    seed: seed * 3 + i,
    x: between(-1.3, 1.3, i, 10, seed),
    y: between(-0.75, 0.85, i, 11, seed),
    size,
    q,
    // At most a quarter of its depth from edge to edge.
    slantX: between(-0.12, 0.12, i, 13, seed) * (q / size),
    slantY: between(-0.12, 0.12, i, 14, seed) * (q / size),
  };
}

function layer(stage: Stage, seed: number, i: number, q: number, light: Light): Surface {
  const place = placed(seed, i, q);
  const kind = unit2(i, 20, seed);
  if (kind < 0.25) return card(stage, place, light, false);
  if (kind < 0.4) return card(stage, place, light, true);
  if (kind < 0.55) return ball(stage, place, light, true);
  if (kind < 0.68) return ball(stage, place, light, false);
  if (kind < 0.78) return wires(stage, place.seed, q, light);
  if (kind < 0.86) return lamps(stage, place.seed, q, 3 * 6 ** unit2(i, 21, seed));
  if (kind < 0.93) {
    return stems(stage, place.seed, {
      count: 5,
      left: place.x - 0.6,
      right: place.x + 0.6,
      lean: 0.4,
      inverseDepth: q,
      colour: [0.4, 0.38, 0.15],
      light,
    });
  }
  return foliage(stage, { inverseDepth: q, part: i, density: 0.15, size: 0.22, light });
}
