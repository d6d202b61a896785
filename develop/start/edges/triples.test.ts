import { expect, test } from 'vitest';
import { portableKernels } from '../kernels.js';
import { sharesOf, triplesOf } from './triples.js';

const ones = (count: number) => Array.from({ length: count }, () => 1);

test('three views make one triple, near to far whatever their order', () => {
  expect(triplesOf([0, 1, -0.5], ones(3), 4)).toEqual([{ views: [1, 0, 2], spans: [4, -2] }]);
});

test('of two views the farther one comes twice', () => {
  expect(triplesOf([0, 1], ones(2), 3)).toEqual([{ views: [1, 0, 0], spans: [3, 0] }]);
});

test('an aperture widens the circles of its view', () => {
  expect(triplesOf([1, 0, -1], [2, 1, 1], 3)[0].spans).toEqual([6, -3]);
});

test('every inner view is a middle, and its neighbours are as far as they need be', () => {
  const focus = [0, 1, 2, 3, 4];
  expect(triplesOf(focus, ones(5), 2).map((t) => t.views)).toEqual([
    [4, 3, 2],
    [3, 2, 1],
    [2, 1, 0],
  ]);
  // One pixel of circle between neighbours is too little to tell them apart.
  expect(triplesOf(focus, ones(5), 1).map((t) => t.views)).toEqual([
    [4, 3, 1],
    [4, 2, 0],
    [3, 1, 0],
  ]);
});

test('shares add up to one, are whole away from changes, and blend at them', () => {
  const [width, height] = [60, 8];
  // From the farthest view on the left to the nearest on the right.
  const source = Uint8Array.from({ length: width * height }, (_, p) => Math.floor((p % width) / 12));
  const { planes } = sharesOf(source, width, height, [0, 1, 2, 3, 4], portableKernels);
  expect(planes).toHaveLength(3);
  for (let p = 0; p < source.length; p++) {
    expect(planes[0][p] + planes[1][p] + planes[2][p]).toBeCloseTo(1, 5);
  }
  expect([2, 18, 30, 42, 57].map((x) => planes.map((plane) => plane[x]))).toEqual([
    [0, 0, 1],
    [0, 0, 1].map((v) => expect.closeTo(v, 1)),
    [0, 1, 0],
    [1, 0, 0].map((v) => expect.closeTo(v, 1)),
    [1, 0, 0],
  ]);
  const steps = Array.from(planes[1].subarray(20, 30), (v, x) => v - planes[1][19 + x]);
  expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.2);
});
