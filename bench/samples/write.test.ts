import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFrames } from '../../imaging/capture.js';
import { readPicture } from '../../imaging/read.js';
import { exposureValue } from '../../model/picture.js';
import { renderCapture } from './capture.js';
import { roughExposures, writeSample } from './write.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'implicam-sample-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const options = { width: 72, height: 48, focus: 2, exposures: 3 } as const;

describe('writeSample', () => {
  it('writes what was rendered, and what the camera did as EXIF', async () => {
    const folder = join(root, 'exact', 'nested');
    const truth = await writeSample(folder, options);
    const capture = renderCapture(options);
    const frames = await readFrames([folder]);
    expect(frames.map((f) => f.name)).toEqual(truth.frames.map((f) => f.file));
    const base = exposureValue(frames[1].camera)!;
    frames.forEach((frame, i) => {
      const shot = capture.frames[i];
      expect(frame.data).toEqual(shot.pixels);
      expect(exposureValue(frame.camera)! - base).toBeCloseTo(shot.ev, 4);
      expect(frame.camera.focusDistance).toBeCloseTo(shot.focusDistance, 4);
      expect(frame.camera.fNumber).toBeCloseTo(shot.fNumber, 4);
      expect(frame.camera.focalLength).toBe(50);
    });
    const radiance = await readPicture(join(folder, truth.files.radiance));
    expect(radiance.data).toEqual(capture.truth.radiance.data);
    const depth = await readPicture(join(folder, truth.files.depth));
    expect(depth.channels).toBe(1);
    expect(depth.data).toEqual(capture.truth.depth.data);
    expect(truth.files.perFocus).toHaveLength(2);
  });

  it('rough EXIF has no distances, none has nothing', async () => {
    const rough = join(root, 'rough');
    const truth = await writeSample(rough, { ...options, exif: 'rough' });
    const frames = await readFrames([rough]);
    expect(frames.every((f) => f.camera.focusDistance === undefined)).toBe(true);
    const evs = frames.map((f) => exposureValue(f.camera)!);
    expect(evs[2] - evs[0]).toBeCloseTo(6, 4);
    expect(Math.abs(evs[1] - (evs[0] + evs[2]) / 2)).toBeGreaterThan(0.1);
    expect(truth.frames.map((f) => f.ev)).toEqual([-3, 0, 3, -3, 0, 3]);
    const none = join(root, 'none');
    await writeSample(none, { ...options, exif: 'none' });
    for (const frame of await readFrames([none])) expect(exposureValue(frame.camera)).toBeUndefined();
  });

  it('replaces an earlier sample whole, and refuses a folder with anything else', async () => {
    const folder = join(root, 'again');
    await writeSample(folder, { ...options, exposures: 3 });
    await writeSample(folder, { ...options, exposures: 1 });
    const names = await readdir(folder);
    expect(names.filter((n) => n.endsWith('.png'))).toHaveLength(2);
    await writeFile(join(folder, 'holiday.png'), 'mine');
    await expect(writeSample(folder, options)).rejects.toThrow(/holiday\.png.*empty folder/);
    expect(await readdir(folder)).toContain('truth.json');
    await expect(writeSample(join(root, 'x'), { exif: 'kind' as never })).rejects.toThrow(
      /exact, rough or none/,
    );
  });
});

it('rough exposures keep mean and range, and err between by at most 0.3 stops', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 1e6 }), (count, seed) => {
      const evs = Array.from({ length: count }, (_, i) => 2 * i - count);
      const rough = roughExposures(evs, seed);
      const sum = (a: readonly number[]) => a.reduce((s, v) => s + v, 0);
      expect(sum(rough)).toBeCloseTo(sum(evs), 9);
      expect(rough.at(-1)! - rough[0]).toBeCloseTo(evs.at(-1)! - evs[0], 9);
      const drift = rough[0] - evs[0];
      rough.forEach((ev, i) => {
        expect(Math.abs(ev - evs[i] - drift)).toBeLessThanOrEqual(0.3 + 1e-9);
      });
    }),
  );
});
