import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import { startKernels } from '../compiled.js';
import { gaussian } from '../pixels/filters.js';
import { GAMMA } from './bands.js';
import { type Fusion, type FusionInput, fuseViews } from './fusion.js';
import { SLACK } from './sums.js';

const WIDTH = 96;
const HEIGHT = 64;
const WHITE = 0.4;
const kernels = startKernels(1);

/** A repeatable number in [0, 1). */
function hash01(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 2147483647);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  h = Math.imul(h ^ (h >>> 16), 2246822519);
  return ((h ^ (h >>> 13)) >>> 0) / 4294967296;
}

/** Textured everywhere, codes between 40 and 200. */
const sharp = [0, 1, 2].map((c) =>
  Float32Array.from({ length: WIDTH * HEIGHT }, (_, p) => {
    const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
    return 120 + 40 * Math.sin(x / 2.3 + y / 5 + c) + 40 * (hash01(x >> 1, y >> 1, c + 3) - 0.5) * 2;
  }),
);

/** Codes as a view. */
function viewOf(planes: readonly Float32Array[]): Picture {
  const data = new Float32Array(3 * WIDTH * HEIGHT);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < WIDTH * HEIGHT; p++)
      data[3 * p + c] = WHITE + GAMMA * Math.log(Math.max(planes[c][p], 0.05) / 255);
  return { width: WIDTH, height: HEIGHT, channels: 3, data };
}

const codesOf = ({ data }: Picture) => data.map((v) => 255 * Math.exp((v - WHITE) / GAMMA));

/** The scene blurred by a Gaussian whose width in pixels is a function of the column. */
function photograph(sigma: (x: number) => number): Picture {
  const levels = new Map<number, Float32Array[]>([[0, sharp]]);
  return viewOf(
    [0, 1, 2].map((c) =>
      sharp[c].map((_, p) => {
        const s = sigma(p % WIDTH);
        if (!levels.has(s))
          levels.set(
            s,
            sharp.map((plane) => gaussian(plane, WIDTH, HEIGHT, s)),
          );
        return levels.get(s)![c][p];
      }),
    ),
  );
}

const fuse = (over: Partial<FusionInput> & Pick<FusionInput, 'views'>) =>
  fuseViews(
    {
      focus: over.views.map((_, v) => v),
      valid: over.views.map(() => undefined),
      white: WHITE,
      ...over,
    },
    kernels,
  );

/** Largest difference in codes over the columns that are asked for. */
function largest(a: Picture, b: Picture, column: (x: number) => boolean): number {
  const [own, other] = [codesOf(a), codesOf(b)];
  let most = 0;
  for (let i = 0; i < own.length; i++) {
    if (column(Math.floor(i / 3) % WIDTH)) most = Math.max(most, Math.abs(own[i] - other[i]));
  }
  return most;
}

/** The same to the bit; a failure names the plane and not its thousands of numbers. */
function expectSame(a: Fusion, b: Fusion): void {
  const planes = ({ picture, ...rest }: Fusion) => ({ light: picture.data, ...rest });
  const other = planes(b);
  for (const [name, plane] of Object.entries(planes(a))) {
    const same = plane.every((v, p) => Object.is(v, other[name as keyof typeof other][p]));
    expect(same, name).toBe(true);
  }
}

describe('a fusion of two views, each sharp in one half', () => {
  const left = photograph((x) => (x < WIDTH / 2 ? 0 : 3));
  const right = photograph((x) => (x < WIDTH / 2 ? 3 : 0));
  const fused = fuse({ views: [left, right] });

  test('is the sharp one within a code, away from the seam', () => {
    const away = (x: number) => Math.abs(x - WIDTH / 2) > 12;
    expect(largest(fused.picture, viewOf(sharp), away)).toBeLessThan(1);
    // Neither of them is that.
    expect(largest(left, viewOf(sharp), away)).toBeGreaterThan(20);
  });

  test('knows where each was sharp', () => {
    const share = (x0: number, x1: number, source: number) => {
      let found = 0;
      for (let y = 0; y < HEIGHT; y++)
        for (let x = x0; x < x1; x++) found += fused.source[y * WIDTH + x] === source ? 1 : 0;
      return found / (HEIGHT * (x1 - x0));
    };
    expect(share(0, WIDTH / 2 - 8, 0)).toBe(1);
    expect(share(WIDTH / 2 + 8, WIDTH, 1)).toBe(1);
  });

  test('is the same to the bit whatever the order in which they are given', () => {
    const middle = photograph(() => 1.5);
    const all = { views: [left, middle, right], focus: [-1, 0.2, 1] };
    const expected = fuse(all);
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (order) => {
        const fused = fuse({
          views: order.map((v) => all.views[v]),
          focus: order.map((v) => all.focus[v]),
        });
        expectSame({ ...fused, source: fused.source.map((v) => order[v]) }, expected);
      }),
      { numRuns: 6 },
    );
  });
});

describe('what is fused', () => {
  test('never leaves what the views show at a pixel by more than the slack', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 4 }), (seed, count) => {
        const views = Array.from({ length: count }, (_, v) =>
          viewOf(sharp.map((plane) => plane.map((_, p) => 1 + 253 * hash01(p, v, seed)))),
        );
        const codes = codesOf(fuse({ views }).picture);
        const all = views.map(codesOf);
        let beyond = 0;
        for (let i = 0; i < codes.length; i++) {
          const here = all.map((of) => of[i]);
          // Bounds are kept as whole codes.
          const below = Math.floor(Math.min(...here)) - codes[i];
          beyond = Math.max(beyond, below, codes[i] - Math.ceil(Math.max(...here)));
        }
        expect(beyond).toBeLessThan(SLACK + 0.05);
      }),
      { numRuns: 5 },
    );
  });

  test('has nothing of what a view does not show', () => {
    const plain = photograph(() => 2);
    const hidden = (p: number) => p % WIDTH > 30 && p % WIDTH < 60 && p > 10 * WIDTH && p < 50 * WIDTH;
    const mask = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => (hidden(p) ? 0 : 1));
    const withHole = (of: (p: number) => number) =>
      viewOf(sharp.map((plane) => plane.map((v, p) => (hidden(p) ? of(p) : v))));
    const fusedWith = (of: (p: number) => number) =>
      fuse({ views: [plain, withHole(of)], valid: [undefined, mask] });
    // Whatever stands there, however sharp: not a bit of the result depends on it.
    const black = fusedWith(() => 0);
    const checked = fusedWith((p) => (p % 2 === 0 ? 250 : 5));
    expectSame(checked, black);
    const codes = codesOf(black.picture);
    const shown = codesOf(plain);
    for (let p = 0; p < WIDTH * HEIGHT; p++)
      if (hidden(p)) {
        for (let c = 0; c < 3; c++) expect(Math.abs(codes[3 * p + c] - shown[3 * p + c])).toBeLessThan(12);
        expect(black.source[p]).toBe(0);
      }
  });

  test('begins with what a later view shows, where the first two show nothing', () => {
    const mask = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => (p % WIDTH < 20 ? 0 : 1));
    const hiding = (of: number) =>
      viewOf(sharp.map((plane) => plane.map((v, p) => (mask[p] === 0 ? of : v))));
    const fusedWith = (of: number) =>
      fuse({ views: [hiding(of), hiding(of), viewOf(sharp)], valid: [mask, mask, undefined] });
    expectSame(fusedWith(3), fusedWith(249));
    expect(largest(fusedWith(3).picture, viewOf(sharp), () => true)).toBeLessThan(1);
  });

  test('keeps what is brighter than white', () => {
    const bright = viewOf(sharp.map((plane) => plane.map((v) => 6 * v)));
    const { picture } = fuse({ views: [bright, bright] });
    expect(largest(picture, bright, () => true)).toBeLessThan(1);
    expect(Math.max(...codesOf(picture))).toBeGreaterThan(1000);
  });

  test('of one view twice is that view', () => {
    const view = viewOf(sharp);
    expect(largest(fuse({ views: [view, view] }).picture, view, () => true)).toBeLessThan(0.1);
  });
});

describe('where a pixel is sharpest', () => {
  /** Views at these settings of a plane at `depth`, blurred by two pixels a unit. */
  const stackOf = (focus: readonly number[], depth: number) => ({
    focus,
    views: focus.map((f) => photograph(() => Math.max(0.3, 2 * Math.abs(f - depth)))),
  });
  const medianOf = (values: Float32Array) => values.slice().sort()[values.length >> 1];

  test.each([
    [[0, 1, 2, 3, 4], 2],
    [[0, 1, 2, 3, 4], 1.7],
    [[0, 1, 2, 3, 4], 2.5],
    [[-4, -2, 0, 2, 4], 0.6],
    [[4, 3, 2, 1, 0], 1.3],
  ])('is found between the settings %j: %f', (focus, depth) => {
    const { focus: found, confidence } = fuse(stackOf(focus, depth));
    const step = Math.abs(focus[1] - focus[0]);
    expect(Math.abs(medianOf(found) - depth)).toBeLessThan(0.2 * step);
    expect(medianOf(confidence)).toBeGreaterThan(5);
  });

  test('is that of the end where the plane lies beyond it', () => {
    expect(medianOf(fuse(stackOf([0, 1, 2], -1)).focus)).toBe(0);
    expect(medianOf(fuse(stackOf([0, 1, 2], 3)).focus)).toBe(2);
  });

  test('is not told where nothing is textured', () => {
    const flat = viewOf(sharp.map((plane) => plane.map(() => 100)));
    const { confidence } = fuse({ views: [flat, flat, flat] });
    for (const c of confidence) expect(c).toBeLessThan(1.5);
  });
});
