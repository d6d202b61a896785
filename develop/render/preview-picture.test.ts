import { describe, expect, test } from 'vitest';
import { readFrame } from '../../imaging/read.js';
import { createPicture } from '../../model/picture.js';
import { makePreview } from './preview-picture.js';

const grey = (width: number, height: number, light: number) => {
  const picture = createPicture(width, height, 3);
  picture.data.fill(light);
  return picture;
};
/** A camera whose pixel values are the square root of light. */
const tone = (_channel: number, lnExposure: number) => Math.exp(lnExposure / 2);

describe('a preview', () => {
  test('is at most 960 pixels wide', async () => {
    const { bytes, width, height } = await makePreview(grey(1600, 30, 0.2), { ev: [0, 0], tone });
    expect([width, height]).toEqual([960, 18]);
    expect(await readFrame({ name: 'preview.jpg', bytes })).toMatchObject({ width, height });
    expect(await makePreview(grey(41, 30, 0.2), { ev: [0], tone })).toMatchObject({ width: 41, height: 30 });
  });

  test('is black where no photograph shows anything, and elsewhere as without', async () => {
    const light = grey(32, 32, 0.25);
    const seen = createPicture(32, 32, 1);
    seen.data.fill(1, 0, 16 * 32);
    const read = async (part?: typeof seen) => {
      const { bytes } = await makePreview(light, { ev: [0], tone }, undefined, part);
      return (await readFrame({ name: 'preview.jpg', bytes })).data;
    };
    const [whole, part] = [await read(), await read(seen)];
    expect(part[3 * 32 * 4]).toBe(whole[3 * 32 * 4]);
    expect(whole[3 * 32 * 28]).toBeGreaterThan(50);
    expect(part[3 * 32 * 28]).toBeLessThan(3);
  });

  test('looks as photographs of one exposure do', async () => {
    const { bytes } = await makePreview(grey(32, 32, 0.25), { ev: [-1, -1, -1], tone });
    const { data } = await readFrame({ name: 'preview.jpg', bytes });
    expect(data[0]).toBeCloseTo(255 * Math.sqrt(0.25 / 2), -0.5);
  });
});
