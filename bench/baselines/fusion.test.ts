import { describe, expect, it } from 'vitest';
import { createPicture, type Picture } from '../../model/picture.js';
import { encodeSrgb } from '../../model/render/display-curves.js';
import { gradientNoise } from '../samples/texture.js';
import { psnr, scoreRadiance } from '../scores/scores.js';
import { exposureFusion, laplacianChoice, pyramidFusion } from './fusion.js';
import { collapsed, gaussianPyramid, laplacianPyramid, levelsOf } from './pyramid.js';

const [WIDTH, HEIGHT] = [90, 61];

function textured(): Picture {
  const picture = createPicture(WIDTH, HEIGHT, 3);
  for (let i = 0; i < picture.data.length; i++) {
    const p = Math.floor(i / 3);
    const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
    picture.data[i] = 0.3 * 2 ** (2 * gradientNoise(x / 3, y / 3, 1) + gradientNoise(x / 9, y / 9, i % 3));
  }
  return picture;
}

/** The picture with one half of it blurred by a box. */
function halfBlurred(picture: Picture, left: boolean): Picture {
  const out = { ...picture, data: picture.data.slice() };
  for (let y = 3; y < HEIGHT - 3; y++) {
    for (let x = left ? 3 : WIDTH / 2; x < (left ? WIDTH / 2 : WIDTH - 3); x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < 49; k++) {
          sum += picture.data[3 * ((y + (k % 7) - 3) * WIDTH + x + Math.floor(k / 7) - 3) + c];
        }
        out.data[3 * (y * WIDTH + x) + c] = sum / 49;
      }
    }
  }
  return out;
}

const photograph = ({ data }: Picture, ev = 0) =>
  Uint8Array.from(data, (v) => Math.round(255 * encodeSrgb(Math.min(v * 2 ** ev, 1))));

describe('pyramids', () => {
  it('are collapsed to the picture that they were made of', () => {
    const picture = textured();
    const back = collapsed(laplacianPyramid(picture, levelsOf(WIDTH, HEIGHT)));
    for (let i = 0; i < back.data.length; i++) expect(back.data[i]).toBeCloseTo(picture.data[i], 5);
  });

  it('keep an even picture even', () => {
    const even = { ...createPicture(37, 20, 1), data: new Float32Array(740).fill(0.4) };
    for (const level of gaussianPyramid(even, 3)) {
      for (const v of level.data) expect(v).toBeCloseTo(0.4, 5);
    }
    for (const v of laplacianPyramid(even, 3)[0].data) expect(v).toBeCloseTo(0, 5);
  });
});

describe.each([
  ['choice by Laplacian maximum', laplacianChoice, 1],
  ['Laplacian pyramid fusion', pyramidFusion, 3],
] as const)('%s', (_, method, gain) => {
  const truth = textured();
  const bracket = (left: boolean) => ({ pixels: [photograph(halfBlurred(truth, left))], evs: [0] });

  it('is better than either photograph of a focus stack', () => {
    const stack = { width: WIDTH, height: HEIGHT, brackets: [bracket(true), bracket(false)] };
    const alone = method({ ...stack, brackets: [bracket(true)] });
    const score = scoreRadiance(method(stack), truth).muPsnr;
    expect(score).toBeGreaterThan(scoreRadiance(alone, truth).muPsnr + gain);
  });
});

describe('exposure fusion', () => {
  it('takes what is well exposed', () => {
    const truth = textured();
    const brackets = [{ pixels: [-3, 0, 3].map((ev) => photograph(truth, ev)), evs: [-3, 0, 3] }];
    const fused = exposureFusion({ width: WIDTH, height: HEIGHT, brackets });
    const mean = fused.data.reduce((s, v) => s + v, 0) / fused.data.length;
    expect(mean).toBeGreaterThan(0.35);
    expect(mean).toBeLessThan(0.75);
    expect(fused.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  });

  it('gives one photograph back', () => {
    const pixels = photograph(textured());
    const fused = exposureFusion({
      width: WIDTH,
      height: HEIGHT,
      brackets: [{ pixels: [pixels], evs: [0] }],
    });
    const same = { ...fused, data: Float32Array.from(pixels, (v) => v / 255) };
    expect(psnr(fused, same)).toBeGreaterThan(90);
  });
});
