import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { components, dilate, erode, nearestFeature, open } from './distance.js';

const mask = fc.tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 })).chain(([w, h]) =>
  fc.record({
    w: fc.constant(w),
    h: fc.constant(h),
    bits: fc.array(fc.boolean(), { minLength: w * h, maxLength: w * h }),
  }),
);

test('the nearest feature is as near as any', () => {
  fc.assert(
    fc.property(mask, ({ w, h, bits }) => {
      const { index, squared } = nearestFeature(Uint8Array.from(bits, Number), w, h);
      const features = bits.flatMap((b, p) => (b ? [p] : []));
      const apart = (p: number, q: number): number =>
        ((p % w) - (q % w)) ** 2 + (Math.floor(p / w) - Math.floor(q / w)) ** 2;
      for (let p = 0; p < w * h; p++) {
        if (features.length === 0) {
          expect(index[p]).toBe(-1);
          expect(squared[p]).toBe(Number.POSITIVE_INFINITY);
          continue;
        }
        expect(squared[p]).toBe(Math.min(...features.map((q) => apart(p, q))));
        expect(bits[index[p]]).toBe(true);
        expect(apart(p, index[p])).toBe(squared[p]);
      }
    }),
    { numRuns: 200 },
  );
});

const picture = (rows: string[]): Uint8Array => Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0));

test('dilation, erosion and opening by a disk', () => {
  const dot = picture(['.....', '.....', '..#..', '.....', '.....']);
  expect(dilate(dot, 5, 5, 1)).toEqual(picture(['.....', '..#..', '.###.', '..#..', '.....']));
  expect(erode(dilate(dot, 5, 5, 1), 5, 5, 1)).toEqual(dot);
  const line = picture(['.......', '.###...', '.######', '.###...', '.......']);
  expect(open(line, 7, 5, 1)).toEqual(picture(['.......', '..##...', '.####..', '..##...', '.......']));
});

test('components touch along sides, not corners', () => {
  const { labels, count } = components(picture(['##..', '..#.', '#.##']), 4);
  expect(count).toBe(3);
  expect([...labels]).toEqual([1, 1, 0, 0, 0, 0, 2, 0, 3, 0, 2, 2]);
});
