import { createPicture, type Picture } from '../../model/picture.js';

/** Gaussian and Laplacian pyramids after Burt & Adelson, "The Laplacian pyramid as a compact image code", 1983. */

/** The usual kernel, a = 0.4. */
const KERNEL = [0.05, 0.25, 0.4, 0.25, 0.05];

/** Levels that leave a top of about eight pixels. */
export function levelsOf(width: number, height: number): number {
  return Math.max(1, Math.floor(Math.log2(Math.min(width, height))) - 2);
}

/** Half as wide and high, rounded up; borders are mirrored. */
function reduced({ width, height, channels, data }: Picture): Picture {
  const w = Math.ceil(width / 2);
  const h = Math.ceil(height / 2);
  const rows = createPicture(w, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < w; x++) {
      for (let k = -2; k <= 2; k++) {
        const from = (y * width + mirrored(2 * x + k, width)) * channels;
        const to = (y * w + x) * channels;
        for (let c = 0; c < channels; c++) rows.data[to + c] += KERNEL[k + 2] * data[from + c];
      }
    }
  }
  const out = createPicture(w, h, channels);
  const row = w * channels;
  for (let y = 0; y < h; y++) {
    for (let k = -2; k <= 2; k++) {
      const from = mirrored(2 * y + k, height) * row;
      for (let i = 0; i < row; i++) out.data[y * row + i] += KERNEL[k + 2] * rows.data[from + i];
    }
  }
  return out;
}

/** The picture at twice the size: between its pixels the same kernel interpolates. */
function expanded({ width, height, channels, data }: Picture, w: number, h: number): Picture {
  const rows = createPicture(w, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < w; x++) {
      for (let k = -2; k <= 2; k++) {
        if ((x + k) % 2 !== 0) continue;
        const from = (y * width + Math.min(Math.max((x + k) / 2, 0), width - 1)) * channels;
        const to = (y * w + x) * channels;
        for (let c = 0; c < channels; c++) rows.data[to + c] += 2 * KERNEL[k + 2] * data[from + c];
      }
    }
  }
  const out = createPicture(w, h, channels);
  const row = w * channels;
  for (let y = 0; y < h; y++) {
    for (let k = -2; k <= 2; k++) {
      if ((y + k) % 2 !== 0) continue;
      const from = Math.min(Math.max((y + k) / 2, 0), height - 1) * row;
      for (let i = 0; i < row; i++) out.data[y * row + i] += 2 * KERNEL[k + 2] * rows.data[from + i];
    }
  }
  return out;
}

function mirrored(i: number, n: number): number {
  const at = i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
  return Math.min(Math.max(at, 0), n - 1);
}

/** The picture, and ever smaller ones. */
export function gaussianPyramid(picture: Picture, levels: number): Picture[] {
  const out = [picture];
  while (out.length < levels) out.push(reduced(out.at(-1)!));
  return out;
}

/** What each level has that the next does not; last the smallest picture itself. */
export function laplacianPyramid(picture: Picture, levels: number): Picture[] {
  const levelsOfLight = gaussianPyramid(picture, levels);
  return levelsOfLight.map((level, i) => {
    const next = levelsOfLight[i + 1];
    if (next === undefined) return level;
    const coarse = expanded(next, level.width, level.height).data;
    return { ...level, data: level.data.map((v, j) => v - coarse[j]) };
  });
}

/** The picture that a Laplacian pyramid was made from. */
export function collapsed(pyramid: readonly Picture[]): Picture {
  return pyramid.slice(0, -1).reduceRight((coarse, level) => {
    const wide = expanded(coarse, level.width, level.height).data;
    return { ...level, data: level.data.map((v, j) => v + wide[j]) };
  }, pyramid.at(-1)!);
}
