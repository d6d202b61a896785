import { expect, test } from 'vitest';
import { ImplicamError } from '../../../model/errors.js';
import type { Picture } from '../../../model/picture.js';
import { LOG_STEPS, quantisedLog } from '../pixels/log-steps.js';
import { checkFocusStack, focusStack, halveStack, medianOf, thinStack } from './focus-stack.js';

function view(width: number, height: number, gain = 0): Picture {
  const data = Float32Array.from(
    { length: width * height * 3 },
    (_, i) => -2 + Math.sin(i / 97) + (((i * 7919) % 13) / 13) * 0.5 + gain,
  );
  return { width, height, channels: 3, data };
}

test('brightness is evened out between views, and what was added is reported', () => {
  const { stack, gains } = focusStack([view(96, 64), view(96, 64, 0.3)], [0, 1], [1, 1], 1e6);
  for (let c = 0; c < 3; c++) {
    expect(gains[0][c]).toBeCloseTo(0.15, 3);
    expect(gains[1][c]).toBeCloseTo(-0.15, 3);
  }
  for (let p = 0; p < 96 * 64; p++) expect(stack.light[0][0][p] / stack.light[1][0][p]).toBeCloseTo(1, 3);
});

test('the two mixes average to the mean of the channels', () => {
  const picture = view(32, 32);
  const { stack } = focusStack([picture, picture], [0, 1], [1, 1], 1e6);
  const [warm, cool] = stack.light[0];
  for (let p = 0; p < 32 * 32; p++) {
    const mean = [0, 1, 2].reduce((sum, c) => sum + Math.exp(picture.data[3 * p + c]) / 3, 0);
    expect((warm[p] + cool[p]) / 2 / mean).toBeCloseTo(1, 4);
  }
});

test('large views are reduced to the budget, by their areas in linear light', () => {
  const { stack } = focusStack([view(400, 200), view(400, 200)], [0, 1], [1, 1], 5000, [
    new Uint8Array(400 * 200).fill(1).fill(0, 0, 400 * 20),
    undefined,
  ]);
  expect([stack.width, stack.height, stack.reduction]).toEqual([100, 50, 4]);
  expect(stack.valid[1]).toBeUndefined();
  expect(stack.valid[0]!.slice(0, 500).every((v) => v === 0)).toBe(true);
  expect(stack.valid[0]!.slice(500).every((v) => v === 1)).toBe(true);
  const half = halveStack(stack);
  expect([half.width, half.height, half.reduction, half.logs[0][0].length]).toEqual([50, 25, 8, 1250]);
});

test('logarithms are exact to a step', () => {
  const plane = Float32Array.from({ length: 5000 }, (_, i) => 10 ** (-6 + i / 600));
  quantisedLog(plane, 1e-4).forEach((v, i) => {
    expect(Math.abs(v - LOG_STEPS * Math.log(plane[i] + 1e-4))).toBeLessThan(1.6);
  });
});

test('thinning keeps the ends of focus and spreads the rest', () => {
  const focus = [3, 0, 7, 1, 5, 2, 6, 4];
  const views = focus.map(() => view(16, 16));
  const { stack } = focusStack(
    views,
    focus,
    focus.map(() => 1),
    1e6,
  );
  expect(thinStack(stack, 3).focus).toEqual([0, 4, 7]);
  expect(thinStack(stack, 8)).toBe(stack);
});

test.each([
  ['too few', [view(16, 16)], [0], [1]],
  ['sizes', [view(16, 16), view(17, 16)], [0, 1], [1, 1]],
  ['channels', [view(16, 16), { ...view(16, 16), channels: 1 }], [0, 1], [1, 1]],
  ['missing focus', [view(16, 16), view(16, 16)], [0], [1, 1]],
  ['the same focus', [view(16, 16), view(16, 16)], [2, 2], [1, 1]],
  ['no number', [view(16, 16), view(16, 16)], [0, Number.NaN], [1, 1]],
  ['no aperture', [view(16, 16), view(16, 16)], [0, 1], [1, 0]],
  ['tiny', [view(4, 4), view(4, 4)], [0, 1], [1, 1]],
])('refused: %s', (_, views, focus, aperture) => {
  expect(() => checkFocusStack(views, focus, aperture)).toThrow(ImplicamError);
});

test('medians', () => {
  expect(medianOf([3, 1, 2])).toBe(2);
  expect(medianOf([4, 1, 2, 3])).toBe(2.5);
});
