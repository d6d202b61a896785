import { beforeAll, describe, expect, test } from 'vitest';
import { ImplicamError } from '../../../model/errors.js';
import type { Picture } from '../../../model/picture.js';
import { type FocusResult, sweepFocus } from './focus.js';
import { correlation, type LayeredScene, layeredScene } from './layered-scene.fixture.js';

/** Root mean square difference of ln radiance. */
function error(a: Picture, b: Picture): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return Math.sqrt(sum / a.data.length);
}

/**
 * Where depth can be seen: there is texture, and no depth edge within four pixels, beside which the nearer surface's blur
 * covers the farther one.
 */
function clearOf(scene: LayeredScene): (p: number) => boolean {
  const { width, height, data } = scene.s;
  return (p) => {
    const x = p % width;
    const y = Math.floor(p / width);
    for (const [i, j] of [
      [4, 0],
      [-4, 0],
      [0, 4],
      [0, -4],
    ] as const) {
      const xx = Math.min(Math.max(x + i, 0), width - 1);
      const yy = Math.min(Math.max(y + j, 0), height - 1);
      if (Math.abs(data[yy * width + xx] - data[p]) > 0.2) return false;
    }
    return scene.texture[p] > 0.1;
  };
}

describe('three views of a layered scene', () => {
  let scene: LayeredScene;
  let result: FocusResult;
  beforeAll(() => {
    scene = layeredScene();
    result = sweepFocus(scene.views, scene.focus, [1, 1, 1]);
  });

  test('the blur scale is found', () => {
    expect(result.kappa / scene.kappa).toBeGreaterThan(0.85);
    expect(result.kappa / scene.kappa).toBeLessThan(1.15);
    const costs = result.statistics.kappaCurve.map((point) => point.cost);
    expect(Math.max(...costs)).toBeGreaterThan(2 * Math.min(...costs));
  });

  test('depth correlates with the truth, also between the focus settings', () => {
    const s = scene.s.data;
    const clear = clearOf(scene);
    expect(correlation(result.s.data, s, clear)).toBeGreaterThan(0.98);
    expect(correlation(result.s.data, s)).toBeGreaterThan(0.9);
    const between = (p: number): boolean => clear(p) && s[p] < -0.3 && s[p] > -0.95;
    expect(correlation(result.s.data, s, between)).toBeGreaterThan(0.9);
  });

  test('the all-in-focus picture is closer to the truth than any view', () => {
    const best = Math.min(...scene.views.map((view) => error(view, scene.truth)));
    expect(error(result.allInFocus, scene.truth)).toBeLessThan(0.75 * best);
  });

  test('the same again gives the same bits', () => {
    const again = sweepFocus(scene.views, scene.focus, [1, 1, 1]);
    expect(again.s.data).toEqual(result.s.data);
    expect(again.kappa).toBe(result.kappa);
  });

  test('focus counted the other way round and in another unit mirrors depth', () => {
    const focus = scene.focus.map((f) => 5 - 10 * f);
    const other = sweepFocus(scene.views, focus, [1, 1, 1]);
    expect(other.kappa).toBeCloseTo(result.kappa / 10, 1);
    expect(correlation(other.s.data, result.s.data)).toBeLessThan(-0.97);
  });

  test('exposures that differ are evened out and reported', () => {
    const views = scene.views.map((view, v) => ({ ...view, data: view.data.map((x) => x + 0.2 * v) }));
    const uneven = sweepFocus(views, scene.focus, [1, 1, 1]);
    expect(uneven.gains[0][1] - uneven.gains[2][1]).toBeCloseTo(0.4, 1);
    expect(correlation(uneven.s.data, result.s.data)).toBeGreaterThan(0.98);
  });

  test('pixels without data in a view are taken from others', () => {
    const valid = new Uint8Array(scene.s.data.length);
    for (let p = 0; p < valid.length; p++) valid[p] = p % scene.s.width < 30 ? 0 : 1;
    const data = scene.views[0].data.map((x, i) => (valid[Math.floor(i / 3)] === 0 ? -20 : x));
    const views = [{ ...scene.views[0], data }, scene.views[1], scene.views[2]];
    const masked = sweepFocus(views, scene.focus, [1, 1, 1], { valid: [valid, undefined, undefined] });
    expect(Math.min(...masked.allInFocus.data)).toBeGreaterThan(-15);
    const shown = (p: number): boolean => valid[p] === 1;
    const whole = correlation(result.s.data, scene.s.data, shown);
    expect(correlation(masked.s.data, scene.s.data, shown)).toBeGreaterThan(whole - 0.01);
  });

  test('a known blur scale is kept', () => {
    const known = sweepFocus(scene.views, scene.focus, [1, 1, 1], { kappa: 2.5 });
    expect(known.kappa).toBeCloseTo(2.5, 9);
    expect(known.statistics.kappaCurve).toEqual([]);
  });

  test('depth can be swept at a fraction of the size', () => {
    const small = sweepFocus(scene.views, scene.focus, [1, 1, 1], { sweepPixels: 9000 });
    expect(small.statistics.sweepWidth).toBeLessThan(120);
    expect(small.s.width).toBe(scene.s.width);
    expect(correlation(small.s.data, scene.s.data)).toBeGreaterThan(0.85);
  });
});

test('two views tell near from far, and the scale within a factor', () => {
  const scene = layeredScene({ focus: [-0.9, 0.9], kappa: 3, seed: 11 });
  const result = sweepFocus(scene.views, scene.focus, [1, 1]);
  expect(correlation(result.s.data, scene.s.data, clearOf(scene))).toBeGreaterThan(0.95);
  expect(result.kappa).toBeGreaterThan(2);
  expect(result.kappa).toBeLessThan(4);
});

test('of many views nine are swept and all are used', () => {
  const focus = Array.from({ length: 12 }, (_, i) => -1 + (2 * i) / 11);
  const scene = layeredScene({ width: 150, height: 100, focus, kappa: 3 });
  const apertures = focus.map(() => 1);
  const result = sweepFocus(scene.views, focus, apertures);
  expect(result.statistics.sweepViews).toBe(9);
  expect(correlation(result.s.data, scene.s.data, clearOf(scene))).toBeGreaterThan(0.95);
});

test('a stopped-down view is less blurred', () => {
  const scene = layeredScene({ width: 120, height: 80, kappa: 3 });
  const closed = layeredScene({ width: 120, height: 80, kappa: 1.5 });
  const views = [scene.views[0], scene.views[1], closed.views[2]];
  const result = sweepFocus(views, scene.focus, [1, 1, 0.5]);
  expect(result.kappa / 3).toBeGreaterThan(0.8);
  expect(result.kappa / 3).toBeLessThan(1.2);
});

test('nonsense is refused', () => {
  const scene = layeredScene({ width: 32, height: 24 });
  expect(() => sweepFocus(scene.views, [0, 0, 0], [1, 1, 1])).toThrow(ImplicamError);
});
