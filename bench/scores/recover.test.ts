import { describe, expect, it } from 'vitest';
import { configSchema } from '../../model/config.js';
import { findGroup } from '../../model/layout.js';
import { createPicture } from '../../model/picture.js';
import { createPlan, type Homography, IDENTITY } from '../../model/plan.js';
import { resample, viewHomography } from './recover.js';

const ramp = (width: number, height: number) => {
  const picture = createPicture(width, height, 2);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      picture.data[2 * (y * width + x)] = x + 0.5;
      picture.data[2 * (y * width + x) + 1] = y + 0.5;
    }
  }
  return picture;
};

describe('a picture in the view of another frame', () => {
  it('is the same in its own', () => {
    const picture = ramp(8, 6);
    const { data } = resample(picture, IDENTITY);
    for (const [i, v] of data.entries()) expect(v).toBeCloseTo(picture.data[i], 5);
  });

  it('is read where the homography of docs/reference/MODEL.md leads', () => {
    const [width, height, side] = [40, 30, 40];
    const h: Homography = [1.01, 0.02, 0.03, -0.02, 0.99, -0.01, 0.01, 0.02];
    const seen = resample(ramp(width, height), h);
    for (const [x, y] of [
      [12, 9],
      [20, 15],
      [28, 20],
    ] as const) {
      const u = (2 * (x + 0.5) - width) / side;
      const v = (2 * (y + 0.5) - height) / side;
      const z = h[6] * u + h[7] * v + 1;
      const at = 2 * (y * width + x);
      expect(seen.data[at]).toBeCloseTo((((h[0] * u + h[1] * v + h[2]) / z) * side + width) / 2, 4);
      expect(seen.data[at + 1]).toBeCloseTo((((h[3] * u + h[4] * v + h[5]) / z) * side + height) / 2, 4);
    }
  });

  it('counts what was learned on top of the registration, but not for the reference', () => {
    const frame = { exposure: 0, ev: 0, aperture: 1, homography: [1, 0, 0.1, 0, 1, 0, 0, 0] as Homography };
    const capture = {
      width: 20,
      height: 10,
      frames: [
        { ...frame, focus: 0, homography: IDENTITY },
        { ...frame, focus: 1 },
      ],
      focus: [-1, 1],
      kappa: 1,
    };
    const config = configSchema.parse({
      atlas: { form: 'hash', levels: 1, log2Table: 8, hidden: [4] },
      blur: { form: 'none' },
      registration: 'affine',
    });
    const plan = createPlan(capture, config, 1);
    const parameters = new Float32Array(plan.layout.size);
    parameters.set([0.25, -0.5], findGroup(plan.layout, 'registration')!.offset);
    expect(viewHomography(plan, parameters, 0)).toEqual([...IDENTITY]);
    expect(viewHomography(plan, parameters, 1)).toEqual([1, 0, 0.35, 0, 1, -0.5, 0, 0]);
  });
});
