import { describe, expect, it } from 'vitest';
import { percentile } from '../../model/percentile.js';
import type { Picture } from '../../model/picture.js';
import { registered } from '../baselines/register.js';
import { type Capture, type CaptureOptions, exposureValues, renderCapture, truthFrame } from './capture.js';
import { SCENE_NAMES } from './scenes/index.js';

const small = { width: 96, height: 64 };

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Mean squared difference between horizontal neighbours: sharp pictures have more. */
function detail({ width, data }: Picture): number {
  let sum = 0;
  for (let i = 3; i < data.length; i++) {
    if (i % (3 * width) >= 3) sum += (Math.log(data[i] + 0.01) - Math.log(data[i - 3] + 0.01)) ** 2;
  }
  return sum / data.length;
}

describe.each(SCENE_NAMES)('scene %s', (scene) => {
  const capture = renderCapture({ ...small, scene });

  it('is light everywhere, over many stops that the bracket can hold', () => {
    const { data } = capture.truth.radiance;
    expect(data.every((v) => v >= 0 && Number.isFinite(v))).toBe(true);
    const stops = Math.log2(percentile(data, 99.95) / percentile(data, 0.05));
    // A random scene has as many stops as its seed says.
    expect(stops).toBeGreaterThan({ night: 11.5, random: 5 }[scene as string] ?? 9.5);
    expect(percentile(data, 99)).toBeLessThan(8);
  });

  it('has depths within the range of its focus planes, many of them', () => {
    const depth = capture.truth.depth.data;
    expect(depth.every((z) => z > 0.3 && z < 300)).toBe(true);
    expect(new Set(depth.map((z) => Math.round(200 / z))).size).toBeGreaterThan(10);
  });

  it('is sharper with everything in focus than at any single focus', () => {
    const sharp = detail(capture.truth.radiance);
    expect(capture.truth.radiancePerFocus).toHaveLength(3);
    for (const picture of capture.truth.radiancePerFocus) expect(detail(picture)).toBeLessThan(sharp);
  });

  it('loses no light in the lens', () => {
    // Light that leaves over the border comes in there as well.
    const sharp = meanOf(capture.truth.radiance.data);
    for (const picture of capture.truth.radiancePerFocus) {
      expect(Math.abs(meanOf(picture.data) / sharp - 1)).toBeLessThan(0.1);
    }
  });

  it('has a frame for every focus and exposure, brighter with more exposure', () => {
    expect(capture.frames.map((f) => [f.focusIndex, f.ev])).toEqual(
      [0, 1, 2].flatMap((i) => [-3, 0, 3].map((ev) => [i, ev])),
    );
    for (let i = 1; i < 9; i++) {
      if (i % 3 > 0) {
        expect(meanOf(capture.frames[i].pixels)).toBeGreaterThan(meanOf(capture.frames[i - 1].pixels));
      }
    }
  });

  it('has one object that moves', () => {
    expect(capture.camera.scene.surfaces.filter((s) => s.moves)).toHaveLength(1);
  });

  it('fills pictures of any shape', () => {
    for (const [width, height] of [
      [40, 90],
      [120, 30],
    ] as const) {
      const { truth } = renderCapture({ scene, width, height, focus: 2, exposures: 1 });
      expect(truth.depth.data.every((z) => Number.isFinite(z))).toBe(true);
      expect(percentile(truth.radiance.data, 1)).toBeGreaterThan(0);
    }
  });
});

it('every seed has a random scene of its own, with light and depth everywhere', () => {
  const pictures = [2, 3, 4, 5, 6, 7].map((seed) => {
    const { truth, camera } = renderCapture({ ...small, scene: 'random', seed, focus: 2, exposures: 1 });
    expect(truth.radiance.data.every((v) => v >= 0 && Number.isFinite(v))).toBe(true);
    expect(truth.depth.data.every((z) => z > 0.3 && z < 100)).toBe(true);
    expect(camera.scene.surfaces.length).toBeGreaterThanOrEqual(6);
    // The photographer exposed for it.
    expect(percentile(truth.radiance.data, 85)).toBeLessThan(1.2);
    expect(percentile(truth.radiance.data, 97)).toBeGreaterThan(0.15);
    return meanOf(truth.radiance.data);
  });
  expect(new Set(pictures).size).toBe(6);
});

describe('renderCapture', () => {
  const bytes = (c: Capture) => Buffer.concat(c.frames.map((f) => f.pixels)).toString('base64');

  it('gives the same bytes for the same options, others for another seed', () => {
    const options: CaptureOptions = {
      width: 48,
      height: 32,
      scene: 'leaves',
      motion: 'hand',
      focus: 2,
      exposures: 1,
    };
    const first = renderCapture(options);
    expect(bytes(renderCapture(options))).toBe(bytes(first));
    expect(bytes(renderCapture({ ...options, seed: 2 }))).not.toBe(bytes(first));
  });

  it('with one focus shows what the stopped-down lens shows, and calls that the truth', () => {
    const { truth, camera, frames } = renderCapture({ ...small, focus: 1 });
    expect(frames).toHaveLength(3);
    expect(truth.radiance).toBe(truth.radiancePerFocus[0]);
    expect(camera.lens.largestRadius).toBeLessThan(1);
  });

  it('hand-held frames match the still ones where the homography says', () => {
    const options = { width: 150, height: 100, focus: 1, exposures: 3 } as const;
    const still = renderCapture(options);
    const held = renderCapture({ ...options, motion: 'hand' });
    const reference = truthFrame(held);
    expect(held.frames[reference].pixels).toEqual(still.frames[reference].pixels);
    for (const [i, frame] of held.frames.entries()) {
      if (i === reference) continue;
      const truth = still.frames[i].pixels;
      const error = (pixels: Uint8Array) => {
        let sum = 0;
        let n = 0;
        for (let y = 10; y < 90; y++) {
          for (let x = 10; x < 140; x++) {
            sum += (pixels[3 * (y * 150 + x) + 1] - truth[3 * (y * 150 + x) + 1]) ** 2;
            n++;
          }
        }
        return sum / n;
      };
      const aligned = error(registered(frame.pixels, 150, 100, frame.homography));
      expect(aligned).toBeLessThan(0.25 * error(frame.pixels) + 3);
    }
  });

  it('an object in motion changes a part of the picture only', () => {
    const options = { ...small, focus: 1, exposures: 3 } as const;
    const still = renderCapture(options);
    const moved = renderCapture({ ...options, motion: 'object' });
    const changed = moved.frames[2].pixels.filter(
      (v, i) => Math.abs(v - still.frames[2].pixels[i]) > 12,
    ).length;
    expect(changed / (96 * 64 * 3)).toBeGreaterThan(0.002);
    expect(changed / (96 * 64 * 3)).toBeLessThan(0.3);
    expect(moved.frames[1].pixels).toEqual(still.frames[1].pixels);
  });

  it('refuses what it can not do', () => {
    expect(() => renderCapture({ scene: 'attic' as never })).toThrow(
      /"attic".*study, hall, night, leaves, random/,
    );
    expect(() => renderCapture({ width: 0 })).toThrow(/width.*16 to 16384, not 0/);
    expect(() => renderCapture({ focus: 2.5 })).toThrow(/focus planes/);
    expect(() => renderCapture({ exposures: 99 })).toThrow(/exposures/);
    expect(() => renderCapture({ seed: -1 })).toThrow(/seed/);
    expect(() => renderCapture({ motion: 'wild' as never })).toThrow(/motion/);
  });
});

it('exposures are spread around 0', () => {
  expect(exposureValues(1)).toEqual([0]);
  expect(exposureValues(2)).toEqual([-1.5, 1.5]);
  expect(exposureValues(3)).toEqual([-3, 0, 3]);
  expect(exposureValues(5)).toEqual([-4, -2, 0, 2, 4]);
});
