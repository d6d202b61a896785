import { laplacian } from '../../develop/start/pixels/filters.js';
import { createPicture, type Picture } from '../../model/picture.js';
import { debevecMerge, debevecResponse } from './debevec.js';
import { collapsed, gaussianPyramid, laplacianPyramid, levelsOf } from './pyramid.js';
import type { PhotoStack } from './stack.js';

/** Ways to put a focus stack or a bracket together as they are in textbooks and in most programs. */

/** As files show light, about: sharpness is compared and pictures are blended in this, as programs do. In logarithms
 * the noise of shadows looks sharper than anything else (3 dB for the choice, 10 for the pyramid). */
const GAMMA = 2.2;

/** Every focus: Debevec's merge, sRGB undone where there is one exposure, to the power 1 / GAMMA. */
function mergedFoci(stack: PhotoStack): Picture[] {
  const response = debevecResponse(stack);
  const { width, height } = stack;
  return stack.brackets.map((bracket) => ({
    width,
    height,
    channels: 3,
    data: debevecMerge(bracket, response).map((log) => Math.exp(log / GAMMA)),
  }));
}

const meanOf = ({ width, height, data }: Picture): Float32Array =>
  Float32Array.from(
    { length: width * height },
    (_, p) => (data[3 * p] + data[3 * p + 1] + data[3 * p + 2]) / 3,
  );

const linear = (shown: Picture): Picture => ({
  ...shown,
  data: shown.data.map((v) => Math.max(v, 1e-3) ** GAMMA),
});

/**
 * Choice by Laplacian maximum: every pixel comes from the focus whose second differences are the strongest
 * there. No neighbourhood, no smoothing.
 *
 * @returns linear radiance.
 */
export function laplacianChoice(stack: PhotoStack): Picture {
  const foci = mergedFoci(stack);
  if (foci.length === 1) return linear(foci[0]);
  const { width, height } = stack;
  const edges = foci.map((picture) => laplacian(meanOf(picture), width, height));
  const out = createPicture(width, height, 3);
  for (let p = 0; p < width * height; p++) {
    const { data } = foci[strongest(edges, p)];
    for (let c = 0; c < 3; c++) out.data[3 * p + c] = data[3 * p + c];
  }
  return linear(out);
}

/**
 * Laplacian pyramid fusion: at every place of every level the coefficient of the focus in which it is largest, of the
 * top level the mean.
 *
 * @returns linear radiance.
 */
export function pyramidFusion(stack: PhotoStack): Picture {
  const foci = mergedFoci(stack);
  if (foci.length === 1) return linear(foci[0]);
  const levels = levelsOf(stack.width, stack.height);
  const pyramids = foci.map((picture) => laplacianPyramid(picture, levels));
  const fused = pyramids[0].map((first, level) => {
    const same = pyramids.map((pyramid) => pyramid[level]);
    const out = createPicture(first.width, first.height, 3);
    if (level === levels - 1) {
      for (const { data } of same) {
        for (let i = 0; i < data.length; i++) out.data[i] += data[i] / same.length;
      }
      return out;
    }
    const strength = same.map(meanOf);
    for (let p = 0; p < strength[0].length; p++) {
      const { data } = same[strongest(strength, p)];
      for (let c = 0; c < 3; c++) out.data[3 * p + c] = data[3 * p + c];
    }
    return out;
  });
  return linear(collapsed(fused));
}

/** Which map is farthest from 0 at a place. */
function strongest(maps: readonly Float32Array[], at: number): number {
  let best = 0;
  for (let k = 1; k < maps.length; k++) {
    if (Math.abs(maps[k][at]) > Math.abs(maps[best][at])) best = k;
  }
  return best;
}

/** Width of the bell of well-exposed values around one half. */
const EXPOSED_SIGMA = 0.2;

/**
 * Exposure fusion after Mertens, Kautz & Van Reeth, "Exposure fusion", Pacific Graphics 2007, with all exponents 1: weights by
 * contrast, saturation and good exposure, blended in a pyramid. Of all photographs, whatever their focus.
 *
 * @returns a picture to look at, display-encoded in [0, 1]: its light is not that of the scene.
 */
export function exposureFusion({ width, height, brackets }: PhotoStack): Picture {
  const pictures = brackets.flatMap(({ pixels }) =>
    pixels.map((bytes): Picture => {
      return { width, height, channels: 3, data: Float32Array.from(bytes, (v) => v / 255) };
    }),
  );
  const weights = pictures.map(goodness);
  for (let p = 0; p < width * height; p++) {
    const total = weights.reduce((sum, w) => sum + w.data[p], 0);
    for (const w of weights) w.data[p] /= total;
  }
  const levels = levelsOf(width, height);
  const sums = laplacianPyramid(createPicture(width, height, 3), levels);
  pictures.forEach((picture, k) => {
    const shares = gaussianPyramid(weights[k], levels);
    laplacianPyramid(picture, levels).forEach(({ data }, level) => {
      const share = shares[level].data;
      const sum = sums[level].data;
      for (let i = 0; i < data.length; i++) sum[i] += share[Math.floor(i / 3)] * data[i];
    });
  });
  const fused = collapsed(sums);
  return { ...fused, data: fused.data.map((v) => Math.min(Math.max(v, 0), 1)) };
}

function goodness(picture: Picture): Picture {
  const { width, height, data } = picture;
  const contrast = laplacian(meanOf(picture), width, height);
  const out = createPicture(width, height, 1);
  for (let p = 0; p < out.data.length; p++) {
    const [r, g, b] = [data[3 * p], data[3 * p + 1], data[3 * p + 2]];
    const mean = (r + g + b) / 3;
    const saturation = Math.sqrt(((r - mean) ** 2 + (g - mean) ** 2 + (b - mean) ** 2) / 3);
    const off = (r - 0.5) ** 2 + (g - 0.5) ** 2 + (b - 0.5) ** 2;
    out.data[p] = Math.abs(contrast[p]) * saturation * Math.exp(-off / (2 * EXPOSED_SIGMA ** 2)) + 1e-12;
  }
  return out;
}
