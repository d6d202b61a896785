import { expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import { layeredScene } from '../depth/layered-scene.fixture.js';
import { portableKernels } from '../kernels.js';
import { believed } from './belief.js';

const scene = layeredScene();
const { width, height } = scene.truth;
const input = {
  views: scene.views,
  focus: scene.focus,
  aperture: [1, 1, 1],
  gains: [0, 1, 2].map(() => [0, 0, 0]),
  valid: [undefined, undefined, undefined],
};
const share = (classical: Picture, network: Picture, s = scene.s) =>
  believed(input, s, scene.kappa, classical, network, portableKernels);
const meanOf = (plane: Float32Array) => plane.reduce((sum, v) => sum + v, 0) / plane.length;

test('of the truth and a view the truth is believed, whichever of them is the network’s', () => {
  expect(meanOf(share(scene.views[1], scene.truth))).toBeGreaterThan(0.7);
  expect(meanOf(share(scene.truth, scene.views[1]))).toBeLessThan(0.4);
});

test('of two that are alike each gets half where the map is right', () => {
  const shares = share(scene.truth, scene.truth);
  expect([...shares].sort()[Math.floor(0.2 * shares.length)]).toBeCloseTo(0.5, 2);
});

test('where neither explains the frames the network is preferred', () => {
  const wrong = { ...scene.truth, data: scene.truth.data.map((v, i) => v + (i % 3) - 1) };
  expect(meanOf(share(wrong, wrong))).toBeCloseTo(0.8, 2);
});

test('what no view sees differs from nothing', () => {
  const valid = [
    new Uint8Array(width * height),
    new Uint8Array(width * height),
    new Uint8Array(width * height),
  ];
  const shares = believed(
    { ...input, valid },
    scene.s,
    scene.kappa,
    scene.truth,
    scene.views[0],
    portableKernels,
  );
  expect(shares.every((v) => v >= 0 && v <= 1)).toBe(true);
});
