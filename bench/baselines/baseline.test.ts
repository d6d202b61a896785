import { describe, expect, it } from 'vitest';
import { createPicture } from '../../model/picture.js';
import { normal } from '../samples/hash.js';
import { invert } from '../samples/motion.js';
import { gradientNoise } from '../samples/texture.js';
import { scoreRadiance } from '../scores/scores.js';
import { bestFrame, linearised } from './best-frame.js';
import { classicalRadiance } from './classical.js';
import { debevecMerge, debevecResponse, srgbResponse } from './debevec.js';
import { focusStack } from './focus-stack.js';
import { registered } from './register.js';

const WIDTH = 80;
const HEIGHT = 60;

/** Radiance of ten stops with structure, and brackets of it through a power-law camera. */
function bracketOf(gamma: number, evs: readonly number[], noise = 0) {
  const radiance = createPicture(WIDTH, HEIGHT, 3);
  for (let i = 0; i < radiance.data.length; i++) {
    const p = Math.floor(i / 3);
    const x = p % WIDTH;
    const y = Math.floor(p / WIDTH);
    radiance.data[i] = 2 ** (-5 + (7 * x) / WIDTH + 2.5 * gradientNoise(x / 6, y / 6, i % 3));
  }
  const pixels = evs.map((ev, j) =>
    Uint8Array.from(radiance.data, (v, i) => {
      const x = v * 2 ** ev * (1 + noise * normal(i, j));
      return Math.round(255 * Math.min(x, 1) ** (1 / gamma));
    }),
  );
  return { radiance, bracket: { pixels, evs } };
}

describe('Debevec', () => {
  it('recovers a power law and the radiance behind it', () => {
    const { radiance, bracket } = bracketOf(2.4, [-3, 0, 3], 0.01);
    const stack = { width: WIDTH, height: HEIGHT, brackets: [bracket] };
    const response = debevecResponse(stack);
    for (const g of response) {
      for (const z of [30, 80, 180, 220]) {
        expect(Math.abs(g[z] - g[128] - 2.4 * Math.log(z / 128))).toBeLessThan(0.15);
      }
    }
    const merged = createPicture(WIDTH, HEIGHT, 3);
    debevecMerge(bracket, response).forEach((v, i) => {
      merged.data[i] = Math.exp(v);
    });
    expect(scoreRadiance(merged, radiance).muPsnr).toBeGreaterThan(38);
    expect(scoreRadiance(classicalRadiance(stack), radiance).muPsnr).toBeCloseTo(
      scoreRadiance(merged, radiance).muPsnr,
      5,
    );
  });

  it('takes the darkest frame where all are white, the brightest where all are black', () => {
    const g = srgbResponse();
    const bracket = { evs: [0, 2], pixels: [Uint8Array.of(255, 0, 128), Uint8Array.of(255, 0, 128)] };
    const [white, black] = debevecMerge(bracket, g) as unknown as [number, number];
    expect(white).toBeCloseTo(g[0][255] - (0.1 * 2 * Math.LN2) / 1.1, 1);
    expect(black).toBeCloseTo(g[1][0] - (2 * Math.LN2) / 1.1, 1);
    expect(() => debevecMerge({ evs: [0, 1], pixels: [new Uint8Array(3), new Uint8Array(6)] }, g)).toThrow(
      /size/,
    );
  });

  it('assumes sRGB where there is one exposure', () => {
    const { bracket } = bracketOf(2.2, [0]);
    const response = debevecResponse({ width: WIDTH, height: HEIGHT, brackets: [bracket] });
    expect(response).toEqual(srgbResponse());
    expect(response[0].every((v, z) => z === 0 || v > response[0][z - 1])).toBe(true);
  });
});

describe('focus stack', () => {
  it('takes every half from the picture in which it is sharp', () => {
    const sharp = (x: number, y: number) => ((x >> 1) + (y >> 1)) % 2;
    const make = (sharpLeft: boolean) =>
      Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
        const p = Math.floor(i / 3);
        const x = p % WIDTH;
        return x < WIDTH / 2 === sharpLeft ? sharp(x, Math.floor(p / WIDTH)) : 0.5;
      });
    const { choice, logRadiance } = focusStack([make(true), make(false)], WIDTH, HEIGHT);
    for (let y = 0; y < HEIGHT; y++) {
      expect(choice[y * WIDTH + 10]).toBe(0);
      expect(choice[y * WIDTH + WIDTH - 10]).toBe(1);
      expect(logRadiance[3 * (y * WIDTH + 10)]).toBe(sharp(10, y));
    }
  });

  it('gives a single picture back', () => {
    const picture = Float32Array.from({ length: 12 * 10 * 3 }, (_, i) => Math.sin(i));
    expect(focusStack([picture], 12, 10).logRadiance).toEqual(picture);
  });
});

describe('best frame', () => {
  it('finds the exposure that is neither dark nor clipped', () => {
    const { radiance, bracket } = bracketOf(2.2, [-6, -1, 6]);
    const stack = { width: WIDTH, height: HEIGHT, brackets: [bracket] };
    const best = bestFrame(stack, radiance);
    expect([best.bracket, best.photo]).toEqual([0, 1]);
    expect(linearised(Uint8Array.of(0, 255, 128), 1, 1).data[1]).toBe(1);
    expect(linearised(Uint8Array.of(0, 255, 128), 1, 1).data[0]).toBeGreaterThan(0);
  });
});

describe('registered', () => {
  const picture = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const p = Math.floor(i / 3);
    return Math.round(128 + 90 * gradientNoise((p % WIDTH) / 9, Math.floor(p / WIDTH) / 9, i % 3));
  });

  it('shifts whole pixels exactly', () => {
    const out = registered(picture, WIDTH, HEIGHT, [1, 0, 3, 0, 1, -2, 0, 0, 1]);
    // What the photograph shows at (10, 20), the reference shows at (13, 18).
    for (let c = 0; c < 3; c++) {
      expect(out[3 * (18 * WIDTH + 13) + c]).toBe(picture[3 * (20 * WIDTH + 10) + c]);
    }
    expect(registered(picture, WIDTH, HEIGHT, [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBe(picture);
  });

  it('is undone by the inverse, up to interpolation', () => {
    const h = [1.01, -0.012, 1.3, 0.011, 0.995, -0.8, 1e-5, -2e-5, 1];
    const back = registered(registered(picture, WIDTH, HEIGHT, h), WIDTH, HEIGHT, invert(h));
    let worst = 0;
    for (let y = 8; y < HEIGHT - 8; y++) {
      for (let x = 8; x < WIDTH - 8; x++) {
        worst = Math.max(worst, Math.abs(back[3 * (y * WIDTH + x)] - picture[3 * (y * WIDTH + x)]));
      }
    }
    expect(worst).toBeLessThan(6);
  });
});
