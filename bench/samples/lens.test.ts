import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lensFor } from './lens.js';
import { pixelSize, Stage, UNIT_MM } from './scene.js';
import { SCENE_NAMES, SCENES } from './scenes/index.js';

describe('lensFor', () => {
  it('follows the thin lens equation', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCENE_NAMES),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0.3, max: 200, noNaN: true }),
        (name, count, z) => {
          const pixel = pixelSize(450, 300);
          const lens = lensFor(SCENES[name](new Stage(1, pixel)), count, pixel, 6);
          const f = lens.focalLength;
          for (const { distance, gain } of lens.foci) {
            const d = distance * 1000;
            const diameter = ((f / lens.fNumber) * (f / (d - f)) * Math.abs(z * 1000 - d)) / (z * 1000);
            const radius = diameter / 2 / (UNIT_MM * pixel);
            expect(Math.abs(gain * (1 / z - 1 / distance))).toBeCloseTo(radius, 6);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('focuses from near to far within the scene, and blurs the worst of it as asked', () => {
    for (const name of SCENE_NAMES) {
      const pixel = pixelSize(450, 300);
      const scene = SCENES[name](new Stage(1, pixel));
      for (const count of [1, 2, 3, 8]) {
        const lens = lensFor(scene, count, pixel, 5);
        const distances = lens.foci.map((f) => f.distance);
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
        expect(distances[0]).toBeGreaterThan(1 / scene.nearest);
        expect(distances.at(-1)!).toBeLessThan(1 / scene.farthest);
        expect(Math.abs(lens.largestRadius / 5 - 1)).toBeLessThan(0.01);
      }
    }
  });
});
