import { expect, test } from 'vitest';
import { describeNative } from '../../engine/engines.fixture.js';
import { createCudaEngine } from '../../engine/native/cuda-engine.js';
import {
  createNativeEngine,
  type DisplayCurve,
  type NativeEngine,
  nativeIsas,
} from '../../engine/native/native-engine.js';
import { type Camera, readCamera } from '../../model/camera/camera.js';
import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { RandomStream, Stream } from '../../model/philox.js';
import type { Picture } from '../../model/picture.js';
import { createPlan } from '../../model/plan.js';
import { encodeSrgb, filmic } from '../../model/render/display-curves.js';
import {
  type BakedScene,
  composeAllInFocus,
  composeRefocus,
  exposeRadiance,
  type ToneCurve,
} from '../../model/render/render.js';

/** The native renderer against the renders in plain TypeScript, with every kernel that this processor runs. */

/**
 * Of linear light, relative: single precision in another order. Most of it is lost where a disk's rim just reaches a
 * pixel.
 */
const LIGHT_TOLERANCE = 1e-4;
/** Of display values: the native renderer reads curves from a table of 64 samples an octave. Below half a step of 8 bits. */
const DISPLAY_TOLERANCE = 1 / 512;
/** A texture with a bumpy defocus map. */
function randomScene(width: number, height: number, seed = 1): BakedScene {
  const random = new RandomStream(seed, Stream.scene);
  const area = width * height;
  const radiance = Float32Array.from({ length: 3 * area }, () => -6 + 7 * random.unit());
  const defocus = Float32Array.from({ length: area }, () => 2 * random.unit() - 1);
  return { width, height, radiance, defocus };
}

function learnedCamera(): Camera {
  const config = configSchema.parse({ blur: { form: 'none' } });
  const frames = [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }];
  const plan = createPlan({ width: 8, height: 8, frames, focus: [0], kappa: 1 }, config, 1);
  const curves = [0.4, 0.5, 0.7].map((power) =>
    Array.from({ length: 40 }, (_, j) => Math.exp(-9 + (9 * j) / 39) ** power - Math.exp(-9 * power)),
  );
  return readCamera(plan, initialParameters(plan, { curves }));
}

const camera = learnedCamera();
const clip = (v: number) => Math.min(1, Math.max(0, v));
const CURVES: Record<ToneCurve, DisplayCurve | null> = {
  linear: null,
  srgb: (_, x) => clip(encodeSrgb(x)),
  filmic: (_, x) => encodeSrgb(filmic(x)),
  learned: (c, x) => clip(camera.tone(c, Math.log(x + 1e-8))),
};

/** Largest difference, each value relative to its own size plus `floor`; NaN if any of them is. */
function worst(actual: Float32Array, expected: Float32Array, floor: number): number {
  expect(actual).toHaveLength(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    largest = Math.max(largest, Math.abs(actual[i] - expected[i]) / (Math.abs(expected[i]) + floor));
  }
  return largest;
}

/** Odd sizes, single lines, a pixel, and more than one tile of each size that the renderer works in. */
const SIZES: [number, number][] = [
  [1, 1],
  [1, 9],
  [17, 1],
  [3, 2],
  [67, 65],
  [131, 37],
];

/** Everything that renders: the kernels of each instruction set, and the device's, emulated. */
const RENDERERS: [string, (threads: number) => { renderer: NativeEngine['renderer'] }][] = nativeIsas().map(
  (isa) => [isa, (threads) => createNativeEngine({ isa, threads })],
);
RENDERERS.push(['a device', () => createCudaEngine({ library: 'emulated' })]);

describeNative.each(RENDERERS)('native renders with the kernels %s', (_, engine) => {
  const rendererOf = (scene: BakedScene, threads = 2) =>
    engine(threads).renderer(scene.width, scene.height, scene);

  test.each(SIZES)('%d × %d: the lens at several apertures and focuses', (width, height) => {
    const scene = randomScene(width, height);
    const renderer = rendererOf(scene);
    // Circles from a fraction of a pixel to wider than the picture.
    for (const [focus, kappa, aperture] of [
      [0, 1, 0.2],
      [-0.6, 2.5, 1],
      [0.9, 4, 1],
      [2, 6, 0.7],
    ] as const) {
      const expected = composeRefocus(scene, { focus, kappa, aperture });
      const actual = renderer.render(focus, kappa * aperture, 1, null);
      expect(worst(actual, expected.data, 1e-3), `f ${focus}, κ·a ${kappa * aperture}`).toBeLessThan(
        LIGHT_TOLERANCE,
      );
    }
  });

  test.each(SIZES)('%d × %d: everything in focus', (width, height) => {
    const scene = randomScene(width, height);
    const expected = composeAllInFocus(scene).data;
    const actual = rendererOf(scene).render(0.3, 0, 1, null);
    expect(worst(actual, expected, 1e-6)).toBeLessThan(LIGHT_TOLERANCE);
  });

  test('circles wider than a tile, held at their widest', () => {
    const scene = randomScene(31, 18);
    const renderer = rendererOf(scene);
    for (const scale of [18, 40]) {
      const expected = composeRefocus(scene, { focus: 1, kappa: scale, aperture: 1 });
      const actual = renderer.render(1, scale, 1, null);
      expect(worst(actual, expected.data, 1e-3), `${scale}`).toBeLessThan(LIGHT_TOLERANCE);
    }
  });

  test.each(['linear', 'srgb', 'filmic', 'learned'] as const)('tone %s, at several exposures', (tone) => {
    const scene = randomScene(45, 23);
    const renderer = rendererOf(scene);
    const sharp = composeAllInFocus(scene);
    const blurred = composeRefocus(scene, { focus: 0.2, kappa: 3, aperture: 1 });
    for (const ev of [-6, -1.3, 0, 2, 12]) {
      const compare = (light: Picture, actual: Float32Array) => {
        const { data } = exposeRadiance(light, tone, ev, camera);
        if (tone === 'linear')
          return expect(worst(actual, data, 1e-3 * 2 ** ev)).toBeLessThan(LIGHT_TOLERANCE);
        // A floor of one makes the difference all but absolute.
        expect(worst(actual, data, 1), `${ev} stops`).toBeLessThan(DISPLAY_TOLERANCE);
        expect(actual.every((v) => v >= 0 && v <= 1)).toBe(true);
      };
      compare(sharp, renderer.render(0, 0, 2 ** ev, CURVES[tone]));
      compare(blurred, renderer.render(0.2, 3, 2 ** ev, CURVES[tone]));
    }
  });

  test('a flat scene stays flat behind any lens, to the border', () => {
    const [width, height] = [75, 41];
    const scene = randomScene(width, height);
    scene.radiance.fill(Math.log(3));
    for (const v of rendererOf(scene).render(0.4, 7, 1, null)) expect(v / 3).toBeCloseTo(1, 3);
  });

  test('the same bits for any number of threads', () => {
    const scene = randomScene(150, 140);
    const [one, three] = [1, 3].map((threads) => rendererOf(scene, threads).render(0.1, 4, 1, CURVES.filmic));
    expect(Buffer.compare(Buffer.from(one.buffer), Buffer.from(three.buffer))).toBe(0);
  });

  test('a render does not depend on the one before', () => {
    const scene = randomScene(66, 50);
    const renderer = rendererOf(scene);
    const first = renderer.render(0.1, 2, 1, null);
    renderer.render(-1, 17, 4, CURVES.srgb);
    renderer.render(0, 0, 1, null);
    expect(renderer.render(0.1, 2, 1, null)).toEqual(first);
  });

  test('a display curve reaches its ends: black, and white far above it', () => {
    const scene = randomScene(4, 1);
    const white = Math.log(1e4);
    scene.radiance.set([-14, white, white, -14, -14, white, 0, -14, -14, white, white, -14]);
    const out = rendererOf(scene).render(0, 0, 1, CURVES.srgb);
    const expected = exposeRadiance(composeAllInFocus(scene), 'srgb', 0).data;
    expect(worst(out, expected, 1)).toBeLessThan(1e-5);
    expect([out[3], out[0] < 1e-4, out[6] > 0.999]).toEqual([1, true, true]);
  });
});
