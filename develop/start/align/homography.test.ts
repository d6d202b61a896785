import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cornerMotion, fromNormalised, IDENTITY, invert, multiply, project } from './homography.js';

const small = fc.double({ min: -0.2, max: 0.2, noNaN: true });
/** Maps near the identity in normalised positions, as frames of one capture have them. */
const maps = fc
  .tuple(small, small, small, small, small, small, small, small)
  .map(([a, b, c, d, e, f, g, h]) => [1 + a, b, c, d, 1 + e, f, g / 2, h / 2, 1]);
const positions = fc.tuple(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: -1, max: 1, noNaN: true }),
);

it('undoes a map by its inverse', () => {
  fc.assert(
    fc.property(maps, positions, (m, [x, y]) => {
      const [u, v] = project(invert(m), ...project(m, x, y));
      expect(Math.hypot(u - x, v - y)).toBeLessThan(1e-9);
    }),
  );
});

it('multiplies maps into one after the other', () => {
  fc.assert(
    fc.property(maps, maps, positions, (a, b, [x, y]) => {
      const [u, v] = project(multiply(a, b), x, y);
      const [s, t] = project(a, ...project(b, x, y));
      expect(Math.hypot(u - s, v - t)).toBeLessThan(1e-9);
    }),
  );
});

it('takes normalised maps to pixels', () => {
  const shift = fromNormalised([1, 0, 0.1, 0, 1, -0.2, 0, 0, 1], 300, 200);
  expect(project(shift, 10, 20)).toEqual([expect.closeTo(25, 9), expect.closeTo(-10, 9)]);
  // The middle of the picture is where a scale stays.
  const scale = fromNormalised([1.1, 0, 0, 0, 1.1, 0, 0, 0, 1], 300, 200);
  expect(project(scale, 150, 100)).toEqual([expect.closeTo(150, 9), expect.closeTo(100, 9)]);
  expect(cornerMotion(scale, 300, 200)).toBeCloseTo(0.1 * Math.hypot(150, 100), 9);
  expect(cornerMotion(IDENTITY, 300, 200)).toBe(0);
});
