import { beforeAll, expect, test } from 'vitest';
import { ImplicamError } from '../../../model/errors.js';
import type { FocusViews } from './all-in-focus.js';
import { sweepFocus } from './focus.js';
import { type LayeredScene, layeredScene } from './layered-scene.fixture.js';
import { type Layers, splitLayers } from './layers.js';

let scene: LayeredScene;
let layers: Layers;
beforeAll(() => {
  scene = layeredScene();
  layers = sweepFocus(scene.views, scene.focus, [1, 1, 1], { layers: {} }).layers!;
});

function inputOf({ views, focus }: LayeredScene): FocusViews {
  return {
    views,
    focus,
    aperture: views.map(() => 1),
    gains: views.map(() => [0, 0, 0]),
    valid: views.map(() => undefined),
  };
}

test('what stands in front is foreground, what does not is not', () => {
  let hits = 0;
  let near = 0;
  let misses = 0;
  let far = 0;
  scene.s.data.forEach((s, p) => {
    const front = layers.opacity.data[p] > 0.5 ? 1 : 0;
    if (s > 0.5) {
      near++;
      hits += front;
    } else if (s < -0.2) {
      far++;
      misses += front;
    }
  });
  expect(hits / near).toBeGreaterThan(0.8);
  expect(misses / far).toBeLessThan(0.08);
  expect(layers.share).toBeGreaterThan(0.1);
  expect(layers.share).toBeLessThan(0.35);
});

test('behind the foreground the background goes on', () => {
  // The disc of the scene, in front of the wall and the panel.
  const { width, height } = scene.s;
  const p = Math.floor(0.62 * height) * width + Math.floor(0.4 * width);
  expect(scene.s.data[p]).toBeGreaterThan(0.9);
  expect(layers.sForeground.data[p]).toBeGreaterThan(0.6);
  expect(layers.sBackground.data[p]).toBeLessThan(0.3);
});

test('opacity stays inside (0, 1) and the layers composite to the picture', () => {
  const { background, foreground, opacity } = layers;
  let sum = 0;
  opacity.data.forEach((a, p) => {
    for (let i = 3 * p; i < 3 * p + 3; i++) {
      const light = a * Math.exp(foreground.data[i]) + (1 - a) * Math.exp(background.data[i]);
      sum += Math.abs(Math.log(light) - scene.truth.data[i]);
    }
  });
  expect(Math.min(...opacity.data)).toBeGreaterThan(0.0199);
  expect(Math.max(...opacity.data)).toBeLessThan(0.9801);
  expect(sum / (3 * opacity.data.length)).toBeLessThan(0.1);
});

test('either end of s may be in front', () => {
  const here = splitLayers(inputOf(scene), scene.s, scene.kappa, scene.truth);
  const turned = { ...inputOf(scene), focus: scene.focus.map((f) => -f) };
  const mirrored = { ...scene.s, data: scene.s.data.map((v) => -v) };
  const there = splitLayers(turned, mirrored, scene.kappa, scene.truth, { nearer: 'smaller' });
  expect(there.opacity.data).toEqual(here.opacity.data);
  expect(there.share).toBe(here.share);
});

test('a flat scene has no foreground', () => {
  const flat = { ...scene.s, data: new Float32Array(scene.s.data.length).fill(0.2) };
  const alone = splitLayers(inputOf(scene), flat, scene.kappa, scene.truth);
  expect(alone.share).toBe(0);
  expect(alone.background.data).toEqual(scene.truth.data);
  expect(Math.max(...alone.opacity.data)).toBeLessThan(0.03);
});

test('pictures of different size are refused', () => {
  const small = { width: 4, height: 4, channels: 1, data: new Float32Array(16) };
  expect(() => splitLayers(inputOf(scene), small, 1, scene.truth)).toThrow(ImplicamError);
});
