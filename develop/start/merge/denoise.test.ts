import { describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../../../model/picture.js';
import { responseFrom } from '../response/response.js';
import { expose, muLawPsnr, sceneRadiance, trueResponse } from '../response/synthetic-capture.fixture.js';
import { denoise } from './denoise.js';
import { mergeFrames } from './merge.js';
import { measureNoise } from './noise.js';
import { NoiseScale } from './noise-scale.js';

const camera = responseFrom((channel, lnX) => trueResponse(channel, Math.exp(lnX)));
const EV = [-3, 0, 3];
const NOISE = { shot: 1e-4, read: 1.6e-7, rounding: 1 / 12 / 255 ** 2 };

function bracket(scene: Picture, masks?: Uint8Array[]) {
  const frames = EV.map((ev, k) => expose(scene, ev, { seed: 21 + k }));
  return { frames, merged: mergeFrames(frames, camera, EV, { masks }).radiance };
}

/** Night: dark, with soft ground and a few lights. */
function night(width: number, height: number): Picture {
  const picture = createPicture(width, height, 3);
  for (let i = 0; i < picture.data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const lamp = (x % 40) ** 2 + (y % 40) ** 2 < 20 ? 4.5 : 0;
    picture.data[i] = -5.5 + 0.8 * Math.sin(x / 17) * Math.cos(y / 13) + 0.1 * (i % 3) + lamp;
  }
  return picture;
}

describe('NoiseScale', () => {
  it('goes there and back, and gives every brightness the same noise', () => {
    const scale = new NoiseScale(camera, 1, EV, NOISE);
    for (let u = -8.5; u < 2.5; u += 0.17) expect(scale.radiance(scale.of(u))).toBeCloseTo(u, 2);
    for (const level of [-6, -4, -2, 0, 1.5]) {
      const scene = createPicture(120, 120, 3);
      // A slope spreads rounding evenly.
      for (let k = 0; k < scene.data.length; k++) scene.data[k] = level + (0.4 * k) / scene.data.length;
      const { merged } = bracket(scene);
      const errors = merged.data
        .map((u, k) => scale.of(u) - scale.of(scene.data[k]))
        .filter((_, k) => k % 3 === 1);
      const variance = errors.reduce((a, b) => a + b * b, 0) / errors.length;
      expect(variance).toBeGreaterThan(0.7);
      expect(variance).toBeLessThan(1.4);
    }
  });
});

describe('denoise', () => {
  it('gains 4 dB where most is dark, with the noise that the frames show', () => {
    const scene = night(200, 140);
    const { frames, merged } = bracket(scene);
    const noise = measureNoise([frames], [EV], camera)!;
    const gain = muLawPsnr(denoise(merged, camera, EV, noise), scene) - muLawPsnr(merged, scene);
    expect(gain).toBeGreaterThan(4);
  });

  it('loses nothing where texture is as fine as pixels', () => {
    const scene = sceneRadiance(200, 140);
    const { merged } = bracket(scene);
    expect(muLawPsnr(denoise(merged, camera, EV, NOISE), scene)).toBeGreaterThan(muLawPsnr(merged, scene));
  });

  it('moves no pixel further than its noise reaches, and none that is white everywhere', () => {
    const scene = night(80, 60);
    scene.data.fill(9, 3 * 80 * 20, 3 * 80 * 24);
    const { merged } = bracket(scene);
    const out = denoise(merged, camera, EV, NOISE);
    expect(out.data.subarray(3 * 80 * 20, 3 * 80 * 24)).toEqual(
      merged.data.subarray(3 * 80 * 20, 3 * 80 * 24),
    );
    const scales = [0, 1, 2].map((c) => new NoiseScale(camera, c, EV, NOISE));
    out.data.forEach((u, i) => {
      const scale = scales[i % 3];
      expect(Math.abs(scale.of(u) - scale.of(merged.data[i]))).toBeLessThan(3.2);
    });
  });

  it('takes masked pixels, single rows and pictures of one value', () => {
    const scene = night(60, 40);
    const mask = Uint8Array.from({ length: 60 * 40 }, (_, p) => (p % 60 < 9 ? 0 : 1));
    const { merged } = bracket(scene, [mask, mask, mask]);
    const clean = denoise(merged, camera, EV, NOISE);
    expect(clean.data.every(Number.isFinite)).toBe(true);
    const row = bracket(night(50, 1)).merged;
    expect(denoise(row, camera, EV, NOISE)).toEqual(row);
    const flat = createPicture(8, 8, 3);
    flat.data.fill(-2);
    const out = denoise(flat, camera, EV, NOISE);
    for (const u of out.data) expect(u).toBeCloseTo(-2, 5);
    const still = denoise(merged, camera, EV, { shot: 0, read: 0, rounding: 0 });
    still.data.forEach((u, i) => {
      expect(u).toBeCloseTo(merged.data[i], 2);
    });
  });

  it('leaves what shows no noise, whatever frames differ by', () => {
    // Every pixel twice in each direction: no finest detail.
    const coarse = night(100, 70);
    const scene = createPicture(100, 70, 3);
    const { merged } = bracket(coarse);
    for (let i = 0; i < scene.data.length; i++) {
      const [x, y] = [(Math.floor(i / 3) % 100) >> 2, Math.floor(i / 300) >> 2];
      scene.data[i] = merged.data[3 * (100 * y + x) + (i % 3)];
    }
    const out = denoise(scene, camera, EV, NOISE);
    out.data.forEach((u, i) => {
      expect(u).toBeCloseTo(scene.data[i], 3);
    });
  });
});
