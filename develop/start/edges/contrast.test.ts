import { expect, test } from 'vitest';
import { RandomStream, Stream } from '../../../model/philox.js';
import type { Picture } from '../../../model/picture.js';
import { portableKernels } from '../kernels.js';
import { gaussian } from '../pixels/filters.js';
import { lostContrast, MOSTLY, SOMEWHERE } from './contrast.js';

const [width, height] = [96, 64];

/** Fine texture with a little noise on the right, a plain surface with the same noise on the left. */
function picture(strength: number): Picture {
  const random = new RandomStream(5, Stream.scene);
  const data = new Float32Array(3 * width * height);
  for (let p = 0; p < width * height; p++) {
    const [x, y] = [p % width, Math.floor(p / width)];
    const texture = x < 48 ? 0 : strength * Math.sign(Math.sin(x) * Math.sin(1.3 * y));
    const value = -1 + texture + 0.01 * (random.unit() - 0.5);
    data.fill(value, 3 * p, 3 * p + 3);
  }
  return { width, height, channels: 3, data };
}

/** The picture with one patch of it blurred. */
function blurred(from: Picture, radius: number): Picture {
  const planes = [0, 1, 2].map((c) =>
    Float32Array.from({ length: width * height }, (_, p) => from.data[3 * p + c]),
  );
  const soft = planes.map((plane) => gaussian(plane, width, height, 2));
  const data = from.data.map((v, i) => {
    const p = Math.floor(i / 3);
    const away = Math.hypot((p % width) - 72, Math.floor(p / width) - 32);
    return away < radius ? soft[i % 3][p] : v;
  });
  return { ...from, data };
}

const at = (plane: Float32Array, x: number, y: number) => plane[y * width + x];

test('contrast is lost where texture is blurred over more than a circle, and only there', () => {
  const sharp = picture(0.3);
  const lost = lostContrast(sharp, blurred(sharp, 14), 4, MOSTLY, 0, portableKernels);
  expect(at(lost, 72, 32)).toBe(1);
  expect(at(lost, 52, 4)).toBe(0);
  expect(at(lost, 20, 32)).toBe(0);
});

test('a few pixels are no loss', () => {
  const sharp = picture(0.3);
  const lost = lostContrast(sharp, blurred(sharp, 2), 12, MOSTLY, 0, portableKernels);
  expect(Math.max(...lost)).toBe(0);
});

test('noise that is gone is no loss', () => {
  const noisy = picture(0);
  const lost = lostContrast(noisy, blurred(noisy, 14), 4, MOSTLY, 0, portableKernels);
  expect(Math.max(...lost)).toBe(0);
});

test('the sharper picture has lost nothing against the blurred one', () => {
  const sharp = picture(0.3);
  expect(Math.max(...lostContrast(blurred(sharp, 14), sharp, 4, MOSTLY, 0, portableKernels))).toBe(0);
});

test('a smaller part counts where less has to be lost', () => {
  const sharp = picture(0.3);
  const soft = blurred(sharp, 9);
  const total = (lost: Float32Array) => lost.reduce((sum, v) => sum + v, 0);
  const mostly = total(lostContrast(sharp, soft, 10, MOSTLY, 0, portableKernels));
  expect(total(lostContrast(sharp, soft, 10, SOMEWHERE, 0, portableKernels))).toBeGreaterThan(2 * mostly);
});
