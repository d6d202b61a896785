import { describe, expect, test } from 'vitest';
import { blackWhereUnseen, seenShare, unseenOf, withAlpha } from './unseen.js';

const mask = (...values: number[]) => Uint8Array.from(values);

describe('what no photograph shows', () => {
  test('is what all masks leave out', () => {
    const found = unseenOf([mask(0, 0, 1, 0, 0, 1), mask(0, 1, 1, 0, 0, 0)]);
    expect(found).toEqual({ runs: [0, 1, 2, 2, 1], share: 0.5 });
    expect(Array.from(seenShare(3, 2, found!.runs).data)).toEqual([0, 1, 1, 0, 0, 1]);
    expect(unseenOf([mask(1, 0), mask(1, 0)])!.runs).toEqual([1, 1]);
  });

  test('is nothing where one frame is whole, or the frames complete one another', () => {
    expect(unseenOf([mask(0, 0), undefined])).toBeUndefined();
    expect(unseenOf([mask(0, 1), mask(1, 0)])).toBeUndefined();
    expect(unseenOf([])).toBeUndefined();
  });

  test('is black, and transparent', () => {
    const picture = {
      width: 3,
      height: 1,
      channels: 3,
      data: Float32Array.from({ length: 9 }, (_, i) => i + 1),
    };
    const alpha = { width: 3, height: 1, channels: 1, data: Float32Array.of(1, 0.5, 0) };
    expect(Array.from(withAlpha(picture, alpha, false).data)).toEqual([1, 2, 3, 1, 4, 5, 6, 0.5, 0, 0, 0, 0]);
    expect(Array.from(withAlpha(picture, alpha, true).data)).toEqual([
      1, 2, 3, 1, 2, 2.5, 3, 0.5, 0, 0, 0, 0,
    ]);
    expect(Array.from(blackWhereUnseen(picture, alpha).data)).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0]);
    expect(picture.data[8]).toBe(9);
  });
});
