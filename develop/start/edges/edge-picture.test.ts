import { beforeAll, describe, expect, test } from 'vitest';
import type { Picture } from '../../../model/picture.js';
import { startKernels } from '../compiled.js';
import { type FocusViews, selectByDepth } from '../depth/all-in-focus.js';
import { type LayeredScene, layeredScene } from '../depth/layered-scene.fixture.js';
import { type EdgePicture, edgePicture } from './edge-picture.js';

/** Mean square difference of light by the μ-law in dB, over some pixels. */
function decibel(a: Picture, b: Picture, where: (p: number) => boolean): number {
  const curve = (ln: number) => Math.log1p(5000 * Math.exp(ln)) / Math.log1p(5000);
  let [sum, count] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    if (!where(Math.floor(i / 3))) continue;
    sum += (curve(a.data[i]) - curve(b.data[i])) ** 2;
    count++;
  }
  return -10 * Math.log10(sum / count);
}

function inputOf(scene: LayeredScene): FocusViews {
  return {
    views: scene.views,
    focus: scene.focus,
    aperture: scene.focus.map(() => 1),
    gains: scene.focus.map(() => [0, 0, 0]),
    valid: scene.focus.map(() => undefined),
  };
}

/** Within three pixels of a jump of depth. */
function besideEdges({ s }: LayeredScene): (p: number) => boolean {
  const { width, height, data } = s;
  return (p) => {
    const [x, y] = [p % width, Math.floor(p / width)];
    for (let j = -3; j <= 3; j++) {
      for (let i = -3; i <= 3; i++) {
        const [xx, yy] = [Math.min(width - 1, Math.max(0, x + i)), Math.min(height - 1, Math.max(0, y + j))];
        if (Math.abs(data[yy * width + xx] - data[p]) > 0.25) return true;
      }
    }
    return false;
  };
}

describe('a stack with depth edges', () => {
  const kernels = startKernels(2);
  const scene = layeredScene();
  const input = inputOf(scene);
  let classical: Picture;
  let result: EdgePicture;
  beforeAll(() => {
    classical = selectByDepth(input, scene.s.data, scene.kappa);
    result = edgePicture(input, scene.s, scene.kappa, classical, kernels);
  });

  test('is nearer to the truth beside them than the sharpest view by true depth', () => {
    const beside = besideEdges(scene);
    const gain = decibel(result.picture, scene.truth, beside) - decibel(classical, scene.truth, beside);
    expect(gain).toBeGreaterThan(1);
  });

  test('and hardly worse elsewhere, where the true depth is hard to beat', () => {
    const beside = besideEdges(scene);
    const clear = (p: number) => !beside(p);
    const gain = decibel(result.picture, scene.truth, clear) - decibel(classical, scene.truth, clear);
    expect(gain).toBeGreaterThan(-0.3);
  });

  test('says where it took the network’s picture', () => {
    expect(result.taken.data.every((v) => v >= 0 && v <= 1)).toBe(true);
    const share = result.taken.data.reduce((sum, v) => sum + v, 0) / result.taken.data.length;
    expect(share).toBeGreaterThan(0.1);
    const most = result.taken.data.indexOf(Math.max(...result.taken.data));
    expect(result.picture.data[3 * most]).not.toBe(classical.data[3 * most]);
  });

  test('a view that lacks pixels leaves the classical picture there', () => {
    const { width, height } = classical;
    const mask = new Uint8Array(width * height).fill(1);
    for (let y = 0; y < height; y++) mask.fill(0, y * width, y * width + 12);
    const masked = { ...input, valid: [mask, undefined, undefined] };
    const { picture, taken } = edgePicture(masked, scene.s, scene.kappa, classical, kernels);
    expect(taken.data[5 * width + 3]).toBe(0);
    expect(picture.data[3 * (5 * width + 3)]).toBe(classical.data[3 * (5 * width + 3)]);
  });
});

describe('stacks of other sizes gain too', () => {
  const kernels = startKernels(2);

  test('two views', () => {
    const scene = layeredScene();
    const all = inputOf(scene);
    const pick = <T>(list: readonly T[]) => [list[0], list[2]];
    const input = {
      views: pick(all.views),
      focus: pick(all.focus),
      aperture: pick(all.aperture),
      gains: pick(all.gains),
      valid: pick(all.valid),
    };
    const classical = selectByDepth(input, scene.s.data, scene.kappa);
    const { picture } = edgePicture(input, scene.s, scene.kappa, classical, kernels);
    const everywhere = () => true;
    const [before, after] = [classical, picture].map((p) => decibel(p, scene.truth, everywhere));
    expect(after).toBeGreaterThan(before + 0.3);
  });

  test('five views, whose triples leave no seams', () => {
    const scene = layeredScene({ focus: [-1, -0.5, 0, 0.5, 1], kappa: 4 });
    const input = inputOf(scene);
    const classical = selectByDepth(input, scene.s.data, scene.kappa);
    const { picture } = edgePicture(input, scene.s, scene.kappa, classical, kernels);
    const everywhere = () => true;
    const [before, after] = [classical, picture].map((p) => decibel(p, scene.truth, everywhere));
    expect(after).toBeGreaterThan(before + 0.3);
  });
});
