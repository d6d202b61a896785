import { expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import type { FocusViews } from './all-in-focus.js';
import { type CoarseDepth, upsampleDepth } from './upsample-depth.js';

const W = 64;
const H = 48;
/** The picture's edge, which the coarse depths miss by up to two of their pixels. */
const edge = (y: number): number => 30 + 4 * Math.sin(y / 6);

function setting(): { coarse: CoarseDepth; input: FocusViews } {
  const data = new Float32Array(W * H * 3);
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++)
      data.fill(x + 0.5 < edge(y + 0.5) ? -1 : -3, 3 * (y * W + x), 3 * (y * W + x) + 3);
  const view: Picture = { width: W, height: H, channels: 3, data };
  const width = W / 4;
  const height = H / 4;
  const depth = new Float32Array(width * height);
  const plane = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const near = 4 * x + 2 < edge(4 * y + 2);
      depth[y * width + x] = 4 * x + 2 < edge(4 * y + 2) + 3 ? 0.8 : -0.5;
      plane[y * width + x] = Math.log(Math.exp(near ? -1 : -3) + 0.001);
    }
  return {
    coarse: { width, height, depth, colour: [plane, plane], floor: 0.001 },
    input: {
      views: [view, view],
      focus: [-1, 1],
      aperture: [1, 1],
      gains: [
        [0, 0, 0],
        [0, 0, 0],
      ],
      valid: [undefined, undefined],
    },
  };
}

test('depth edges follow the picture’s, and no depth lies between two surfaces', () => {
  const { coarse, input } = setting();
  const s = upsampleDepth(coarse, input, 0.2);
  let wrong = 0;
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      const v = s[y * W + x];
      expect(Math.min(Math.abs(v - 0.8), Math.abs(v + 0.5))).toBeLessThan(1e-5);
      if (v > 0 !== x + 0.5 < edge(y + 0.5)) wrong++;
    }
  // Two pixels of an edge of 48.
  expect(wrong).toBeLessThan(2 * H);
});

test('a smooth surface is interpolated', () => {
  const { coarse, input } = setting();
  coarse.depth.forEach((_, q) => {
    coarse.depth[q] = 0.01 * (q % coarse.width);
  });
  const s = upsampleDepth(coarse, input, 0.2);
  for (let x = 2; x < W - 2; x++) expect(s[10 * W + x]).toBeCloseTo(0.01 * ((x + 0.5) / 4 - 0.5), 5);
});
