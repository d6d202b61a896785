import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BakedScene,
  composeAllInFocus,
  composeDefocus,
  composeRefocus,
  exposeRadiance,
  focusAt,
} from './render.js';

/** A baked scene from functions of the pixel. */
function bake(
  width: number,
  height: number,
  scene: {
    light: (x: number, y: number, c: number) => number;
    defocus: (x: number, y: number) => number;
  },
): BakedScene {
  const area = width * height;
  const radiance = new Float32Array(3 * area);
  const defocus = new Float32Array(area);
  for (let i = 0; i < area; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let c = 0; c < 3; c++) radiance[c * area + i] = Math.log(scene.light(x, y, c));
    defocus[i] = scene.defocus(x, y);
  }
  return { width, height, radiance, defocus };
}

/** The page's equations, pixel by pixel, nothing shared with the renderer. */
function refocusSlowly(scene: BakedScene, gain: number, focus: number, reach: number): number[] {
  const { width, height, radiance, defocus } = scene;
  const area = width * height;
  const seen = (x: number, y: number) => {
    const sums = [0, 0, 0, 0];
    for (let v = y - reach; v <= y + reach; v++) {
      for (let u = x - reach; u <= x + reach; u++) {
        const at = Math.min(height - 1, Math.max(0, v)) * width + Math.min(width - 1, Math.max(0, u));
        const c = gain * (defocus[at] - focus);
        const c2 = Math.min(c * c, (reach - 0.6) ** 2);
        const rho = Math.sqrt(c2 ** 2 / (c2 + 2 / 3) + 0.25);
        const t = Math.hypot(x - u, y - v);
        const k = Math.min(1, Math.max(0, rho + 0.5 - t)) / (Math.PI * (rho * rho + 1 / 12));
        sums[0] += k;
        for (let i = 0; i < 3; i++) sums[1 + i] += k * Math.exp(radiance[i * area + at]);
      }
    }
    return sums.slice(1).map((s) => s / (sums[0] + 1e-4));
  };
  return Array.from({ length: area }).flatMap((_, i) => seen(i % width, Math.floor(i / width)));
}

const lens = { focus: 0, aperture: 1, kappa: 1 };

describe('composeRefocus', () => {
  test('keeps a constant picture constant, whatever the blur', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -6, max: 6, noNaN: true }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (circle, light) => {
          const scene = bake(13, 9, { light: () => light, defocus: () => circle });
          const { data } = composeRefocus(scene, lens);
          for (const v of data) expect(v / light).toBeCloseTo(1, 3);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('keeps a constant picture constant where the blur changes from pixel to pixel', () => {
    const scene = bake(20, 11, { light: () => 2, defocus: (x, y) => 0.3 * x - 0.4 * y });
    for (const v of composeRefocus(scene, lens).data) expect(v).toBeCloseTo(2, 3);
  });

  test('spreads a point of light over the disk of its circle of confusion', () => {
    const [side, middle, circle] = [25, 12, 5];
    const scene = bake(side, side, {
      light: (x, y) => (x === middle && y === middle ? 1000 : 1e-6),
      defocus: () => circle,
    });
    const { data } = composeRefocus(scene, lens);
    let total = 0;
    for (let i = 0; i < side * side; i++) {
      const distance = Math.hypot((i % side) - middle, Math.floor(i / side) - middle);
      const v = data[3 * i];
      total += v;
      if (distance < circle - 0.5) expect(v).toBeCloseTo(1000 / (Math.PI * (circle ** 2 + 1 / 3)), 0);
      if (distance > circle + 0.6) expect(v).toBeLessThan(1e-3);
    }
    // A disk of pixels holds its area within a per cent.
    expect(total / 1000).toBeCloseTo(1, 1);
  });

  test('loses no light inside the picture: the sum of a scene of one depth stays', () => {
    const scene = bake(40, 40, {
      light: (x, y) => (x > 14 && x < 25 && y > 14 && y < 25 ? 1 + ((x * 7 + y * 3) % 5) : 1e-6),
      defocus: () => -3.3,
    });
    const sum = (values: Float32Array) => values.reduce((a, v) => a + v, 0);
    const [sharp, blurred] = [composeAllInFocus(scene), composeRefocus(scene, lens)];
    expect(sum(blurred.data) / sum(sharp.data)).toBeCloseTo(1, 3);
  });

  test('is nearly the picture itself in focus: a pixel has an extent of its own, ρ² = ¼ at c = 0', () => {
    const scene = bake(9, 8, { light: (x, y, c) => 1 + ((x * 5 + y * 3 + c) % 7), defocus: () => 0.4 });
    const sharp = composeAllInFocus(scene);
    const { data } = composeRefocus(scene, { ...lens, focus: 0.4 });
    for (const [i, v] of data.entries()) expect(v / sharp.data[i]).toBeCloseTo(1, 3);
    // A pinhole is in focus everywhere.
    const pinhole = composeRefocus(scene, { ...lens, aperture: 0 });
    expect(pinhole.data).toEqual(data);
  });

  test('is the page, pixel by pixel', () => {
    const noise = (x: number, y: number, k: number) => (Math.sin(12.9898 * x + 78.233 * y + 3.7 * k) + 1) / 2;
    const scene = bake(11, 7, {
      light: (x: number, y: number, c: number) => 0.1 + 4 * noise(x, y, c),
      defocus: (x: number, y: number) => 3 * noise(x, y, 9) - 1,
    });
    const { data } = composeRefocus(scene, { focus: 0.2, aperture: 0.8, kappa: 1.5, reach: 3 });
    const expected = refocusSlowly(scene, 0.8 * 1.5, 0.2, 3);
    for (const [i, v] of data.entries()) expect(v / expected[i]).toBeCloseTo(1, 5);
  });

  test('renders a region as the same part of the whole', () => {
    const scene = bake(21, 16, {
      light: (x, y, c) => 1 + ((x * 3 + y * 5 + c) % 4),
      defocus: (x, y) => 0.2 * x - 0.1 * y,
    });
    const region = { x: 4, y: 0, width: 9, height: 13 };
    const whole = composeRefocus(scene, lens);
    const part = composeRefocus(scene, lens, region);
    for (let y = 0; y < region.height; y++) {
      for (let i = 0; i < 3 * region.width; i++) {
        const expected = whole.data[3 * ((y + region.y) * 21 + region.x) + i];
        expect(part.data[3 * y * region.width + i] / expected).toBeCloseTo(1, 5);
      }
    }
    expect(() => composeRefocus(scene, lens, { ...region, width: 18 })).toThrow(/region/);
  });

  test('needs a defocus map, and says what to do', () => {
    const scene = { ...bake(3, 3, { light: () => 1, defocus: () => 0 }), defocus: new Float32Array(0) };
    expect(() => composeRefocus(scene, lens)).toThrow(/several focus distances/);
    expect(() => composeDefocus(scene)).toThrow(/several focus distances/);
  });
});

test('the defocus map is that of what is seen', () => {
  const scene = bake(4, 3, { light: () => 1, defocus: (x) => (x < 2 ? 2 : -1) });
  const map = composeDefocus(scene);
  expect(map.channels).toBe(1);
  expect([map.data[0], map.data[3]]).toEqual([expect.closeTo(2, 5), expect.closeTo(-1, 5)]);
  expect(focusAt(scene, 1.7, 0.2)).toBe(2);
  expect(focusAt(scene, 2.1, 2.9)).toBe(-1);
  expect(focusAt(scene, 400, -3)).toBe(-1);
});

describe('exposeRadiance', () => {
  const radiance = { width: 2, height: 1, channels: 3, data: Float32Array.of(0.18, 0.5, 1, 0.01, 4, 0) };

  test('multiplies linear light by two a stop and clips nothing', () => {
    const { data } = exposeRadiance(radiance, 'linear', 1);
    expect([...data]).toEqual([...radiance.data].map((v) => 2 * v));
    expect(radiance.data[2]).toBe(1);
  });

  test('encodes for a display', () => {
    const { data } = exposeRadiance(radiance, 'srgb', 0);
    expect(data[1]).toBeCloseTo(0.7354, 3);
    expect([data[2], data[4], data[5]]).toEqual([1, 1, 0]);
    const filmic = exposeRadiance(radiance, 'filmic', 0).data;
    expect(filmic[0]).toBeCloseTo(data[0], 2);
    expect(filmic[2]).toBeLessThan(1);
  });

  test("asks the camera's response at ln r + ln 2 · ev, channel by channel, and stays in range", () => {
    const camera = {
      focus: [],
      kappa: 1,
      ev: [],
      tone: (channel: number, z: number) => channel + z / 10,
    };
    const { data } = exposeRadiance(radiance, 'learned', 2, camera);
    expect(data[1]).toBeCloseTo(1, 5);
    expect(data[3]).toBe(0);
    expect(exposeRadiance(radiance, 'learned', 5, camera).data[0]).toBeCloseTo(
      (Math.log(0.18) + 5 * Math.LN2) / 10,
      5,
    );
    expect(() => exposeRadiance(radiance, 'learned', 0)).toThrow(/camera/);
  });
});
