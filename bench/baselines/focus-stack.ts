import { gaussian, laplacian } from '../../develop/start/pixels/filters.js';

/** Sharpness is gathered over a Gaussian of this width, in pixels. */
const SIGMA = 2.5;
/** A little smoothing first: noise is not sharpness. */
const PRE_SIGMA = 0.6;
/** Darker than this, ln radiance is noise. */
const DARKEST = -8;

/**
 * All-in-focus by hard choice: every pixel comes from the picture whose Laplacian of log luminance has the most energy
 * around it; a 5×5 median removes lone choices.
 *
 * @param pictures ln radiance, interleaved RGB, one a focus plane.
 * @returns ln radiance of the choice, and which picture each pixel came from.
 */
export function focusStack(
  pictures: readonly Float32Array[],
  width: number,
  height: number,
): { logRadiance: Float32Array; choice: Uint8Array } {
  const first = pictures[0];
  const best = new Float32Array(width * height).fill(-1);
  const raw = new Uint8Array(width * height);
  pictures.forEach((picture, k) => {
    const energy = contrastEnergy(picture, width, height);
    for (let p = 0; p < raw.length; p++) {
      if (energy[p] > best[p]) {
        best[p] = energy[p];
        raw[p] = k;
      }
    }
  });
  const choice = pictures.length > 1 ? medianOfLabels(raw, width, height, pictures.length) : raw;
  const logRadiance = new Float32Array(first.length);
  for (let p = 0; p < choice.length; p++) {
    const from = pictures[choice[p]];
    logRadiance[3 * p] = from[3 * p];
    logRadiance[3 * p + 1] = from[3 * p + 1];
    logRadiance[3 * p + 2] = from[3 * p + 2];
  }
  return { logRadiance, choice };
}

function contrastEnergy(picture: Float32Array, width: number, height: number): Float32Array {
  const log = new Float32Array(width * height);
  for (let p = 0; p < log.length; p++) {
    const mean = (Math.exp(picture[3 * p]) + Math.exp(picture[3 * p + 1]) + Math.exp(picture[3 * p + 2])) / 3;
    log[p] = Math.max(Math.log(mean), DARKEST);
  }
  const edges = laplacian(gaussian(log, width, height, PRE_SIGMA), width, height);
  for (let p = 0; p < edges.length; p++) edges[p] *= edges[p];
  return gaussian(edges, width, height, SIGMA);
}

const MEDIAN_REACH = 2;

/** Median of small whole numbers over 5×5 windows, by counting; the border is replicated. */
function medianOfLabels(labels: Uint8Array, width: number, height: number, kinds: number): Uint8Array {
  const out = new Uint8Array(labels.length);
  const counts = new Int32Array(kinds);
  const half = ((2 * MEDIAN_REACH + 1) ** 2 + 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      counts.fill(0);
      for (let dy = -MEDIAN_REACH; dy <= MEDIAN_REACH; dy++) {
        const row = Math.min(Math.max(y + dy, 0), height - 1) * width;
        for (let dx = -MEDIAN_REACH; dx <= MEDIAN_REACH; dx++) {
          counts[labels[row + Math.min(Math.max(x + dx, 0), width - 1)]]++;
        }
      }
      let seen = 0;
      let k = 0;
      while (seen + counts[k] < half) seen += counts[k++];
      out[y * width + x] = k;
    }
  }
  return out;
}
