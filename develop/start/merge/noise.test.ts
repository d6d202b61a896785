import { describe, expect, it } from 'vitest';
import { responseFrom } from '../response/response.js';
import { expose, sceneRadiance, trueResponse } from '../response/synthetic-capture.fixture.js';
import { measureNoise, type SensorNoise } from './noise.js';

const scene = sceneRadiance(240, 160);
const camera = responseFrom((channel, lnX) => trueResponse(channel, Math.exp(lnX)));
const EV = [-3, 0, 3];
/** Of the fixture: 10,000 electrons, 4 of read noise. */
const variance = (x: number, { shot, read }: Pick<SensorNoise, 'shot' | 'read'>) => shot * x + read;
const TRUE = { shot: 1e-4, read: 1.6e-7 };

describe('measureNoise', () => {
  it('finds the noise of the camera, in 8 and 16 bits', () => {
    for (const bits of [8, 16] as const) {
      const frames = EV.map((ev, k) => expose(scene, ev, { bits, seed: 3 + k }));
      const noise = measureNoise([frames], [EV], camera)!;
      for (const x of [0.01, 0.1, 0.7]) {
        const ratio = variance(x, noise) / variance(x, TRUE);
        expect(ratio).toBeGreaterThan(0.75);
        expect(ratio).toBeLessThan(1.35);
      }
      expect(noise.rounding > 0).toBe(bits === 8);
    }
  });

  it('finds hardly any where there is none', () => {
    const frames = EV.map((ev) => expose(scene, ev, { noise: false }));
    const noise = measureNoise([frames], [EV], camera)!;
    expect(variance(0.1, noise)).toBeLessThan(0.2 * variance(0.1, TRUE));
  });

  it('is not taken in by frames that slipped', () => {
    const frames = EV.map((ev, k) => expose(scene, ev, { seed: 3 + k }));
    const still = measureNoise([frames], [EV], camera)!;
    const smooth = {
      ...scene,
      data: scene.data.map((_, i) => scene.data[3 * 240 * 8 + (i % 3)] - 2 + i / 9e4),
    };
    const flat = EV.map((ev, k) => expose(smooth, ev, { seed: 3 + k }));
    const slipped = flat.map((f, k) => ({ ...f, data: f.data.slice(3 * k) }));
    const cut = slipped.map((f) => {
      const data = new Uint8Array(240 * 160 * 3);
      data.set(f.data.subarray(0, data.length));
      return { ...f, data };
    });
    const moved = measureNoise([cut], [EV], camera)!;
    expect(variance(0.1, moved) / variance(0.1, still)).toBeLessThan(1.4);
  });

  it('says nothing where frames do not overlap, or all is masked', () => {
    const one = expose(scene, 0);
    expect(measureNoise([[one]], [[0]], camera)).toBeUndefined();
    expect(measureNoise([[one, one]], [[0, 0]], camera)).toBeUndefined();
    expect(measureNoise([[expose(scene, -9), expose(scene, 9)]], [[-9, 9]], camera)).toBeUndefined();
    const frames = EV.map((ev) => expose(scene, ev));
    const masks = [frames.map(() => new Uint8Array(240 * 160))];
    expect(measureNoise([frames], [EV], camera, masks)).toBeUndefined();
  });
});
