import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../model/philox.js';
import { handHeld, IDENTITY, invert, movingObject, multiply, project, referenceFrame } from './motion.js';

const focusIndex = [0, 0, 0, 1, 1, 1, 2, 2, 2];

describe('handHeld', () => {
  it('leaves the reference frame alone and moves the others by a little', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => {
        const [width, height] = [450, 300];
        const views = handHeld(new RandomStream(seed, 2), focusIndex, 3, width, height);
        expect(views[referenceFrame(9)].homography).toEqual(IDENTITY);
        const at = new Float64Array(2);
        let moved = 0;
        for (const { homography } of views) {
          for (const [x, y] of [
            [0, 0],
            [width, 0],
            [width / 2, height / 2],
            [0, height],
          ] as const) {
            project(homography, x, y, at);
            const shift = Math.hypot(at[0] - x, at[1] - y);
            moved = Math.max(moved, shift);
            expect(shift).toBeLessThan(0.05 * width);
          }
        }
        expect(moved).toBeGreaterThan(1);
      }),
      { numRuns: 40 },
    );
  });

  it('breathes with focus by half a per cent to one', () => {
    const views = handHeld(new RandomStream(3, 2), focusIndex, 3, 450, 300);
    const scale = (i: number) => {
      const [a, b] = [new Float64Array(2), new Float64Array(2)];
      project(views[i].homography, 224, 150, a);
      project(views[i].homography, 226, 150, b);
      return Math.hypot(b[0] - a[0], b[1] - a[1]) / 2;
    };
    const breathing = scale(7) / scale(1) - 1;
    expect(breathing).toBeGreaterThan(0.002);
    expect(breathing).toBeLessThan(0.012);
  });
});

it('invert undoes', () => {
  const views = handHeld(new RandomStream(8, 2), focusIndex, 3, 450, 300);
  for (const { homography } of views) {
    const back = multiply(homography, invert(homography));
    back.forEach((v, i) => {
      expect(v / back[8]).toBeCloseTo(IDENTITY[i], 9);
    });
  }
});

it('movingObject drifts steadily through its place in the reference frame', () => {
  const views = movingObject(new RandomStream(1, 3), 5, 0.02);
  expect(Math.hypot(...views[2].shift)).toBe(0);
  for (let i = 1; i < 5; i++) {
    const [a, b] = [views[i - 1].shift, views[i].shift];
    expect(Math.hypot(b[0] - a[0], b[1] - a[1])).toBeCloseTo(0.02, 9);
  }
});
