import { between, unit2 } from '../hash.js';
import type { Scene, Stage, Surface } from '../scene.js';
import { boxDistance, covered, fractal, length, smoothstep } from '../texture.js';
import { mat, set } from './parts.js';

/** Somebody in a coat who walks by in front of a scene, a little behind its nearest thing. */
export function withPasserBy(scene: Scene, stage: Stage): Scene {
  return { ...scene, surfaces: [...scene.surfaces, passerBy(stage, 0.95 * scene.nearest)] };
}

function passerBy(stage: Stage, q: number): Surface {
  const seed = stage.seed * 53 + 5;
  const cx = between(-0.7, 0.7, 0, 0, seed);
  const top = between(-0.25, 0.1, 1, 0, seed);
  const coat = [0, 1, 2].map((c) => 0.03 + 0.5 * unit2(c, 2, seed) ** 2);
  const paint = (x: number, y: number, out: Float64Array): void => {
    const [dx, dy] = [x - cx, y - top];
    set(out, 0, 0, 0, 0, q);
    const light = 0.25 + 0.5 * smoothstep(0.25, -0.25, dx);
    const body = covered(boxDistance(dx, dy - 0.75, 0.16 + 0.05 * dy, 0.6, 0.1), stage.pixel);
    const weave = 0.8 + 0.4 * fractal(dx * 20, dy * 20, seed, stage.pixel * 20, 0.65);
    mat(out, coat[0] * light * weave, coat[1] * light * weave, coat[2] * light * weave, body);
    const head = covered(length(dx, dy) - 0.11, stage.pixel);
    mat(out, 0.55 * light, 0.36 * light, 0.27 * light, head);
  };
  const bounds = { left: cx - 0.3, right: cx + 0.3, top: top - 0.15, bottom: 1.7 };
  return { name: 'passer-by', bounds, walks: true, paint };
}
