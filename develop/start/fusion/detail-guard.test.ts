import { describe, expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import { startKernels } from '../compiled.js';
import { gaussian } from '../pixels/filters.js';
import { allButBleeding, blended, lostDetail } from './detail-guard.js';

const WIDTH = 128;
const HEIGHT = 96;
const kernels = startKernels(1);

/** A picture of ln radiance by pixel; the same in all channels. */
const pictureOf = (of: (x: number, y: number) => number): Picture => {
  const data = new Float32Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) {
    const p = Math.floor(i / 3);
    data[i] = of(p % WIDTH, Math.floor(p / WIDTH));
  }
  return { width: WIDTH, height: HEIGHT, channels: 3, data };
};

const blurred = ({ data, ...rest }: Picture, sigma: number): Picture => {
  const out = new Float32Array(data.length);
  for (let c = 0; c < 3; c++) {
    const plane = Float32Array.from({ length: data.length / 3 }, (_, p) => data[3 * p + c]);
    gaussian(plane, rest.width, rest.height, sigma, plane);
    for (let p = 0; p < plane.length; p++) out[3 * p + c] = plane[p];
  }
  return { ...rest, data: out };
};

const where = (a: Picture, b: Picture, inside: (x: number, y: number) => boolean): Picture => ({
  ...a,
  data: a.data.map((v, i) => {
    const p = Math.floor(i / 3);
    return inside(p % WIDTH, Math.floor(p / WIDTH)) ? b.data[i] : v;
  }),
});

const sharp = pictureOf((x, y) => -2 + 0.5 * Math.sin(x / 1.5) * Math.cos(y / 1.7) + 0.1 * Math.sin(x / 9));
const hole = (x: number, y: number) => Math.hypot(x - 64, y - 48) < 20;
/** The mean share over pixels. */
const over = (share: ArrayLike<number>, inside: (x: number, y: number) => boolean) => {
  let [sum, count] = [0, 0];
  for (let p = 0; p < share.length; p++) {
    if (!inside(p % WIDTH, Math.floor(p / WIDTH))) continue;
    sum += share[p];
    count++;
  }
  return sum / count;
};

const guard = (picture: Picture, detailed: Picture, over: { views?: Picture[]; circle?: number } = {}) =>
  lostDetail({ picture, detailed, views: [detailed], white: 0, circle: 6, ...over }, kernels);

describe('a picture that lost detail', () => {
  test('is replaced in a hole of blur, and only there', () => {
    const { lost } = guard(where(sharp, blurred(sharp, 3), hole), sharp);
    expect(over(lost, (x, y) => Math.hypot(x - 64, y - 48) < 12)).toBeGreaterThan(0.97);
    const far = (x: number, y: number) => Math.hypot(x - 64, y - 48) > 36;
    expect(over(lost, far)).toBeLessThan(1e-3);
    const mended = blended(where(sharp, blurred(sharp, 3), hole), sharp, lost);
    let most = 0;
    mended.data.forEach((v, i) => {
      const p = Math.floor(i / 3);
      if (Math.hypot((p % WIDTH) - 64, Math.floor(p / WIDTH) - 48) < 12)
        most = Math.max(most, Math.abs(v - sharp.data[i]));
    });
    expect(most).toBeLessThan(0.05);
  });

  test('is not one that has more of it than the other', () => {
    const { lost } = guard(sharp, where(sharp, blurred(sharp, 3), hole));
    expect(lost.every((v) => v === 0)).toBe(true);
  });

  test('is not one that is the same', () => {
    const { lost, bleeding } = guard(sharp, { ...sharp, data: sharp.data.slice() });
    expect(lost.every((v) => v === 0)).toBe(true);
    expect(bleeding.every((v) => v === 0)).toBe(true);
  });

  test('is not one that lacks no more than rounding adds', () => {
    const rounded = pictureOf((x, y) => -1.5 + 0.004 * (((x * 7 + y * 13) % 5) - 2));
    expect(guard(blurred(rounded, 3), rounded).lost.every((v) => v === 0)).toBe(true);
  });

  test('is not judged along the border, over which what is beyond it blurs', () => {
    const { lost } = guard(blurred(sharp, 3), sharp, { circle: 8 });
    // Seams are smooth by 2.5 pixels.
    expect(over(lost, (x) => x < 1)).toBeLessThan(0.05);
    expect(over(lost, (x, y) => x > 24 && x < WIDTH - 24 && y > 24 && y < HEIGHT - 24)).toBeGreaterThan(0.97);
  });
});

describe('beside a bright light', () => {
  const from = (x: number, y: number) => Math.hypot(x - 64, y - 48);
  const lamp = (x: number, y: number) => from(x, y) < 6;
  // So far from the lamp that its own edge is no detail of it.
  const beside = (x: number, y: number) => from(x, y) > 21 && from(x, y) < 29;
  const lit = where(
    sharp,
    pictureOf(() => 0.5),
    lamp,
  );
  /** Light of the lamp, out of focus, over surroundings that are sharp below it. */
  const veiled = where(
    lit,
    { ...sharp, data: sharp.data.map((v) => v + 0.7) },
    (x, y) => !lamp(x, y) && from(x, y) < 32,
  );
  const picture = where(lit, blurred(sharp, 3), (x, y) => from(x, y) > 18 && from(x, y) < 32);

  test('nothing is taken from what is brighter than the picture', () => {
    const { lost, bleeding } = guard(picture, veiled, { views: [lit, veiled], circle: 26 });
    expect(over(bleeding, beside)).toBeGreaterThan(0.95);
    expect(over(lost, beside)).toBeLessThan(0.05);
    const share = allButBleeding(bleeding, WIDTH, HEIGHT, kernels);
    expect(over(share, beside)).toBeLessThan(0.1);
    expect(over(share, (x, y) => from(x, y) > 42)).toBeGreaterThan(0.99);
  });

  test.each([
    ['without a lamp', { views: [sharp, sharp], circle: 26 }],
    ['where its circle does not reach', { views: [lit, veiled], circle: 10 }],
  ])('the same is taken %s', (_, more) => {
    const { lost, bleeding } = guard(picture, veiled, more);
    expect(over(bleeding, beside)).toBe(0);
    expect(over(lost, beside)).toBeGreaterThan(0.8);
  });

  test('what is no brighter than the picture is taken there, too', () => {
    const { lost } = guard(picture, lit, { views: [lit, veiled], circle: 26 });
    expect(over(lost, beside)).toBeGreaterThan(0.8);
  });
});

test('what is blended has the share of the one and of the other', () => {
  const [a, b] = [pictureOf(() => -1), pictureOf(() => -3)];
  const share = Float32Array.from({ length: WIDTH * HEIGHT }, (_, p) => (p % 5) / 4);
  blended(a, b, share).data.forEach((v, i) => {
    if (i % 97 === 0) expect(v).toBeCloseTo(-1 - 2 * share[Math.floor(i / 3)], 5);
  });
  expect(a.data[0]).toBe(-1);
});
