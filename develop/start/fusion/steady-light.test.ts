import { describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../../../model/picture.js';
import { portableKernels } from '../kernels.js';
import { type BrightnessField, evenBrightness, forField } from './even-brightness.js';

const size = { width: 120, height: 90 };
const WHITE = 0;

/** ln radiance of wavy ground below white, and what a view's field adds to it at x, y in −1 … 1. */
function view(added: (x: number, y: number, c: number) => number): Picture {
  const picture = createPicture(size.width, size.height, 3);
  for (let row = 0, i = 0; row < size.height; row++)
    for (let column = 0; column < size.width; column++)
      for (let c = 0; c < 3; c++, i++) {
        const [x, y] = [(2 * column) / (size.width - 1) - 1, (2 * row) / (size.height - 1) - 1];
        const ground = -1.5 + 0.3 * Math.sin(3 * x + y) * Math.cos(2 * y - x) - 0.1 * c;
        picture.data[i] = ground + added(x, y, c);
      }
  return picture;
}

/** The largest difference in ln between a view with its field and the middle one. */
function left(views: readonly Picture[], fields: readonly BrightnessField[]): number {
  const middle = views[views.length >> 1].data;
  let most = 0;
  views.forEach(({ data }, v) => {
    forField(fields[v], size.width, size.height, (p, gains) => {
      for (let c = 0; c < 3; c++) {
        most = Math.max(most, Math.abs(data[3 * p + c] + gains[c] - middle[3 * p + c]));
      }
    });
  });
  return most;
}

const even = (views: readonly Picture[]) =>
  evenBrightness(
    views,
    views.map(() => WHITE),
    portableKernels,
  );

describe('evenBrightness', () => {
  it('undoes a gain of a tenth to a hundredth', () => {
    const views = [-1, 0, 1].map((t) => view((_x, _y, c) => t * Math.log(1.1) * (c === 0 ? 1 : 0.5)));
    const { fields, largest } = even(views)!;
    expect(left(views, fields)).toBeLessThan(0.01);
    expect(largest).toBeCloseTo(Math.log(1.1), 2);
  });

  it('undoes a smooth field of 8 % to a hundredth', () => {
    const views = [-1, 0, 1].map((t) => view((x, y) => t * 0.08 * (0.6 * x - 0.4 * y * y)));
    const { fields } = even(views)!;
    expect(fields[0].degree).toBe(2);
    expect(left(views, fields)).toBeLessThan(0.01);
  });

  it.each([
    ['a gain', () => 0.014],
    ['a field', (x: number, y: number) => 0.02 * x * y + 0.01 * x],
  ])('leaves %s alone that defocus may feign', (_, added) => {
    const views = [-1, 0, 1].map((t) => view((x, y) => t * added(x, y)));
    expect(even(views)).toBeUndefined();
  });
});
