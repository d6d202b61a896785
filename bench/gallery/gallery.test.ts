import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../../model/picture.js';
import { sharpnessRatio } from '../scores/sharpness.js';
import { fillHoles, readNpz, readPfm } from './maps.js';
import { simulate } from './simulate.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'implicam-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('depth maps of data sets', () => {
  it('PFM has its rows from the bottom up', async () => {
    const path = join(folder, 'map.pfm');
    const floats = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
    await writeFile(path, Buffer.concat([Buffer.from('Pf\n3 2\n-1\n'), floats]));
    const map = await readPfm(path);
    expect(map).toMatchObject({ width: 3, height: 2, channels: 1 });
    expect([...map.data]).toEqual([4, 5, 6, 1, 2, 3]);
    await writeFile(path, Buffer.concat([Buffer.from('Pf\n3 2\n1\n'), floats.subarray(0, 20)]));
    await expect(readPfm(path)).rejects.toThrow(/map\.pfm.*cut short/);
  });

  it('NumPy archives are read, compressed as they are', async () => {
    const path = join(folder, 'map.npz');
    const npy = (descr: string) => {
      const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (2, 3), }`.padEnd(117) + '\n';
      const head = Buffer.from(`\x93NUMPY\x01\x00..${header}`, 'latin1');
      head.writeUInt16LE(header.length, 8);
      return Buffer.concat([
        head,
        Buffer.from(Float32Array.of(1, 2, 3, 4, 5, Number.POSITIVE_INFINITY).buffer),
      ]);
    };
    await writeFile(path, zipped('arr_0.npy', npy('<f4')));
    const map = await readNpz(path);
    expect(map).toMatchObject({ width: 3, height: 2 });
    expect([...map.data]).toEqual([1, 2, 3, 4, 5, Number.POSITIVE_INFINITY]);
    await writeFile(path, zipped('arr_0.npy', npy('<i4')));
    await expect(readNpz(path)).rejects.toThrow(/no two-dimensional float32 array/);
  });

  it('holes take the nearest value', () => {
    const map: Picture = {
      width: 4,
      height: 1,
      channels: 1,
      data: Float32Array.of(0, 2, Number.NaN, Number.POSITIVE_INFINITY),
    };
    expect([...fillHoles(map).data]).toEqual([2, 2, 2, 2]);
  });
});

/** A zip archive of one deflated file. */
function zipped(name: string, content: Buffer): Buffer {
  const data = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(data.length, 20);
  central.writeUInt16LE(name.length, 28);
  return Buffer.concat([local, Buffer.from(name), data, central, Buffer.from(name)]);
}

/** A chequered wall, its right half nearer. */
function scene(width: number, height: number) {
  const radiance = createPicture(width, height, 3);
  const inverseDepth = createPicture(width, height, 1);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    radiance.data.fill(((x >> 2) + (y >> 2)) % 2 ? 0.1 : 1.5, 3 * i, 3 * i + 3);
    inverseDepth.data[i] = x < width / 2 ? 0.5 : 1;
  }
  return { radiance, inverseDepth };
}

describe('simulated captures', () => {
  const [width, height] = [64, 48];
  const { radiance, inverseDepth } = scene(width, height);
  const contrast = (data: ArrayLike<number>, x0: number, x1: number) => {
    let sum = 0;
    for (let y = 12; y < 36; y++) {
      for (let x = x0; x < x1; x++) {
        sum += Math.abs(data[3 * (y * width + x)] - data[3 * (y * width + x + 1)]);
      }
    }
    return sum;
  };

  it('blur what is out of focus and leave sharp what is in focus', () => {
    const { frames } = simulate(radiance, inverseDepth, { evs: [-3], focus: 3, radius: 5, seed: 1 });
    expect(frames).toHaveLength(3);
    const [near, , far] = frames;
    expect(contrast(far.data, 4, 24)).toBeGreaterThan(3 * contrast(near.data, 4, 24));
    expect(contrast(near.data, 40, 60)).toBeGreaterThan(3 * contrast(far.data, 40, 60));
  });

  it('lose no light in a flat place, at the border either', () => {
    const flat = createPicture(width, height, 3);
    flat.data.fill(0.7);
    const options = { evs: [0], focus: 2, radius: 5, seed: 1 };
    for (const { data } of simulate(flat, inverseDepth, options).frames) {
      const green = Array.from({ length: width * height }, (_, i) => data[3 * i + 1]);
      expect(Math.max(...green) - Math.min(...green)).toBeLessThan(14);
    }
  });

  it('keep the truth on the scale of the frames, with their exposures', () => {
    const { frames, truth } = simulate(radiance, inverseDepth, {
      evs: [-2, 2],
      focus: 1,
      radius: 0,
      seed: 1,
    });
    expect(truth.stack.brackets[0].evs).toEqual([-2, 2]);
    expect(frames[1].camera.exposureTime! / frames[0].camera.exposureTime!).toBe(16);
    const logs = Array.from({ length: width * height }, (_, i) => Math.log(truth.radiance.data[3 * i]));
    expect(Math.exp(logs.reduce((a, b) => a + b) / logs.length)).toBeCloseTo(0.18, 2);
  });
});

describe('sharpness against the sharpest frame', () => {
  const panel = (sharp: (x: number) => boolean): Picture => {
    const picture = createPicture(96, 64, 3);
    for (let i = 0; i < 96 * 64; i++) {
      const [x, y] = [i % 96, Math.floor(i / 96)];
      picture.data.fill((x + y) % 2 ? (sharp(x) ? 1 : 0.6) : sharp(x) ? 0 : 0.4, 3 * i, 3 * i + 3);
    }
    return picture;
  };

  it('is 1 where it is as sharp as the best frame, and less where it is not', () => {
    const frames = [panel((x) => x < 48), panel((x) => x >= 48)];
    const all = sharpnessRatio(
      panel(() => true),
      frames,
    )!;
    expect(all.median).toBeGreaterThan(0.99);
    expect(all.low).toBeGreaterThan(0.99);
    const none = sharpnessRatio(
      panel(() => false),
      frames,
    )!;
    expect(none.median).toBeLessThan(0.3);
  });

  it('has nothing to say of flat pictures', () => {
    const flat = createPicture(64, 64, 3);
    expect(sharpnessRatio(flat, [flat])).toBeUndefined();
  });
});
