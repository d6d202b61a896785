import { ImplicamError } from '../../model/errors.js';
import { percentile } from '../../model/percentile.js';
import { createPicture, luminance, type Picture } from '../../model/picture.js';
import { encodeSrgb } from '../../model/render/display-curves.js';
import { ciede2000, labOf } from './ciede2000.js';
import { ssim } from './ssim.js';

/**
 * Scores of a recovered picture against a known truth. Radiance is linear light, three channels, any unit: the
 * absolute scale of a photograph is not observable, so one gain is fitted before anything is compared. It is the same
 * for all channels: what colour things have is observable, and a cast is an error.
 */

/**
 * `common` fits one gain for all channels; `channel` one a channel (a colour cast costs nothing then); `affine` also
 * an exponent (a wrong range of exposures neither).
 */
export type Alignment = 'common' | 'channel' | 'affine';

/** What was fitted in one channel: ln truth ≈ exponent · ln predicted + logGain. */
export interface ChannelFit {
  readonly exponent: number;
  readonly logGain: number;
}

/** Colour difference CIEDE2000 of the displayed pictures over their pixels. */
export interface ColourDifference {
  readonly median: number;
  /** 95th percentile. */
  readonly p95: number;
}

/** Scores of one picture of radiance. Decibels, except `channelGains`, `deltaE` and `ssim`; after one common gain but where said. */
export interface RadianceScores {
  /** PSNR of μ-law radiance (μ = 5000). */
  readonly muPsnr: number;
  /** The same after a gain per channel: sees no colour cast. */
  readonly muPsnrPerChannel: number;
  /** The same after a gain and an exponent per channel. */
  readonly muPsnrAffine: number;
  /** What red, green and blue have to be multiplied by after the common gain; 1, 1, 1 has no cast. */
  readonly channelGains: readonly [number, number, number];
  /** PSNR after a common display curve (Reinhard, then sRGB). */
  readonly srgbPsnr: number;
  /** Of the pictures that `srgbPsnr` compares. */
  readonly deltaE: ColourDifference;
  /** SSIM of μ-law luminance. */
  readonly ssim: number;
  /** μ-law PSNR within `EDGE_REACH` pixels of a depth edge, where the truth's inverse depth is given. */
  readonly muPsnrEdge?: number;
  /** μ-law PSNR elsewhere. */
  readonly muPsnrFlat?: number;
}

/** μ of the μ-law, the usual value for HDR scores (Kalantari & Ramamoorthi 2017). */
export const MU = 5000;
/** A pixel is at a depth edge when inverse depth varies by more than `EDGE_STEP` of its span this near, in pixels. */
export const EDGE_REACH = 6;
const EDGE_STEP = 0.075;

/** Residuals of ln radiance beyond this count linearly, not squared (Huber). */
const HUBER = 0.1;
const IRLS_ROUNDS = 8;
/** Identical pictures get 120 dB rather than infinity, so that reports stay JSON. */
const SMALLEST_MSE = 1e-12;

/**
 * All scores of `predicted` radiance against `truth`.
 *
 * @param inverseDepth one channel, any affine unit: gives the split into depth edges and the rest.
 * @throws ImplicamError `shape-mismatch` when sizes or channels differ, `not-finite` when no channel can be fitted.
 */
export function scoreRadiance(predicted: Picture, truth: Picture, inverseDepth?: Picture): RadianceScores {
  requireRadiance(predicted, truth);
  const white = percentile(truth.data, 99.9);
  if (!(white > 0 && white < Infinity)) {
    throw new ImplicamError(
      'not-finite',
      `the truth has no light to compare with: its 99.9th percentile is ${white}`,
    );
  }
  const { picture: scaled, fits: common } = alignRadiance(predicted, truth, 'common');
  const { picture: balanced, fits: own } = alignRadiance(predicted, truth, 'channel');
  const { picture: affine } = alignRadiance(predicted, truth, 'affine');
  const target = muLaw(truth, white);
  const mapped = muLaw(scaled, white);
  const scores = {
    muPsnr: psnr(mapped, target),
    muPsnrPerChannel: psnr(muLaw(balanced, white), target),
    muPsnrAffine: psnr(muLaw(affine, white), target),
    channelGains: own.map((f, c) =>
      Math.exp(f.logGain - common[c].logGain),
    ) as unknown as RadianceScores['channelGains'],
    srgbPsnr: srgbPsnr(scaled, truth),
    deltaE: colourDifference(scaled, truth),
    ssim: ssim(luminance(mapped), luminance(target)),
  };
  if (inverseDepth === undefined) return scores;
  requireSameSize(inverseDepth, truth, 'the inverse depth');
  const edges = depthEdges(inverseDepth);
  return {
    ...scores,
    muPsnrEdge: psnr(mapped, target, edges, 1),
    muPsnrFlat: psnr(mapped, target, edges, 0),
  };
}

/**
 * Fits `predicted` to `truth` in log radiance, all channels together or each its own, over the pixels whose truth lies
 * between the 0.5th and the 99.5th percentile of its channel, by iteratively re-weighted least squares with Huber's weights.
 *
 * Pixels that are not finite or not positive take no part in the fit and become 0.
 */
export function alignRadiance(
  predicted: Picture,
  truth: Picture,
  mode: Alignment,
): { picture: Picture; fits: ChannelFit[] } {
  requireRadiance(predicted, truth);
  const picture = createPicture(truth.width, truth.height, 3);
  const pairs = [0, 1, 2].map((c) => logPairs(predicted.data, truth.data, c));
  const fits =
    mode === 'common' ? Array(3).fill(fitPairs(pairs, mode)) : pairs.map((p) => fitPairs([p], mode));
  for (let c = 0; c < 3; c++) applyFit(predicted.data, picture.data, c, fits[c]);
  return { picture, fits };
}

function applyFit(from: Float32Array, to: Float32Array, channel: number, fit: ChannelFit): void {
  const gain = Math.exp(fit.logGain);
  for (let i = channel; i < from.length; i += 3) {
    const v = from[i];
    if (!(v > 0) || v === Infinity) to[i] = 0;
    else to[i] = fit.exponent === 1 ? v * gain : Math.exp(fit.exponent * Math.log(v) + fit.logGain);
  }
}

/** Logarithms of pixels of both pictures; the first `count` are set. */
interface LogPairs {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly count: number;
}

function fitPairs(channels: readonly LogPairs[], mode: Alignment): ChannelFit {
  let exponent = 1;
  let logGain = 0;
  const weights = channels.map(({ count }) => new Float32Array(count).fill(1));
  for (let round = 0; round < IRLS_ROUNDS; round++) {
    let sw = 0;
    let sx = 0;
    let sy = 0;
    for (const [k, { x, y, count }] of channels.entries()) {
      for (let i = 0; i < count; i++) {
        const w = weights[k][i];
        sw += w;
        sx += w * x[i];
        sy += w * y[i];
      }
    }
    if (mode === 'affine') exponent = slope(channels[0], weights[0], sx / sw, sy / sw);
    logGain = (sy - exponent * sx) / sw;
    for (const [k, { x, y, count }] of channels.entries()) {
      for (let i = 0; i < count; i++) {
        const r = Math.abs(exponent * x[i] + logGain - y[i]);
        weights[k][i] = r < HUBER ? 1 : HUBER / r;
      }
    }
  }
  return { exponent, logGain };
}

function slope({ x, y, count }: LogPairs, weight: Float32Array, mx: number, my: number): number {
  let xy = 0;
  let xx = 0;
  for (let i = 0; i < count; i++) {
    const dx = x[i] - mx;
    xy += weight[i] * dx * (y[i] - my);
    xx += weight[i] * dx * dx;
  }
  return xy / Math.max(xx, 1e-12);
}

/** Logarithms of one channel of both pictures, where both are positive and the truth is neither dark nor glaring. */
function logPairs(predicted: Float32Array, truth: Float32Array, channel: number): LogPairs {
  const n = truth.length / 3;
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) values[i] = truth[3 * i + channel];
  const low = percentile(values, 0.5);
  const high = percentile(values, 99.5);
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const t = truth[3 * i + channel];
    const p = predicted[3 * i + channel];
    if (!(t >= low && t <= high && t > 0 && p > 0 && p < Infinity)) continue;
    x[count] = Math.log(p);
    y[count++] = Math.log(t);
  }
  if (count > 0) return { x, y, count };
  throw new ImplicamError(
    'not-finite',
    `channel ${channel} of the picture has no positive, finite value where the truth is well exposed; ` +
      'score linear radiance (for instance all-in-focus.exr), not logarithms',
  );
}

/** ln(1 + μ·x/white) / ln(1 + μ), with x/white limited to [0, 1]: values in [0, 1]. */
export function muLaw(radiance: Picture, white: number): Picture {
  const out = createPicture(radiance.width, radiance.height, radiance.channels);
  const scale = MU / white;
  const norm = 1 / Math.log1p(MU);
  const { data } = radiance;
  for (let i = 0; i < data.length; i++) {
    out.data[i] = Math.log1p(Math.min(Math.max(data[i] * scale, 0), MU)) * norm;
  }
  return out;
}

/**
 * Peak signal to noise ratio in dB of two pictures with peak 1, over all pixels or over those where
 * `mask` (one entry a pixel) has the value `wanted`. NaN when no pixel is left.
 */
export function psnr(a: Picture, b: Picture, mask?: Uint8Array, wanted = 1): number {
  requireSameSize(a, b, 'the picture');
  const channels = a.channels;
  let sum = 0;
  let count = 0;
  for (let p = 0, i = 0; i < a.data.length; p++) {
    if (mask !== undefined && mask[p] !== wanted) {
      i += channels;
      continue;
    }
    for (let c = 0; c < channels; c++, i++) {
      const d = a.data[i] - b.data[i];
      sum += d * d;
    }
    count += channels;
  }
  return count === 0 ? Number.NaN : -10 * Math.log10(Math.max(sum / count, SMALLEST_MSE));
}

/**
 * PSNR in dB after a common display curve: the truth's log-average luminance becomes 0.18, then Reinhard's y/(1+y) per
 * channel, then the sRGB transfer curve. Both pictures must be on the truth's scale already.
 */
export function srgbPsnr(radiance: Picture, truth: Picture): number {
  requireRadiance(radiance, truth);
  const key = displayKey(truth);
  return psnr(displayed(radiance, key), displayed(truth, key));
}

/** Colour difference of both pictures as `srgbPsnr` displays them. */
export function colourDifference(radiance: Picture, truth: Picture): ColourDifference {
  requireRadiance(radiance, truth);
  const key = displayKey(truth);
  const [a, b] = [radiance.data, truth.data];
  const shown = (data: Float32Array, i: number) =>
    labOf(reinhard(data[i], key), reinhard(data[i + 1], key), reinhard(data[i + 2], key));
  const differences = new Float32Array(truth.width * truth.height);
  for (let p = 0, i = 0; p < differences.length; p++, i += 3) {
    differences[p] = ciede2000(shown(b, i), shown(a, i));
  }
  return { median: percentile(differences, 50), p95: percentile(differences, 95) };
}

/** What brings the log-average of the truth to 0.18. */
function displayKey({ data }: Picture): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) {
    sum += Math.log(Math.max((data[i] + data[i + 1] + data[i + 2]) / 3, 1e-6));
  }
  return 0.18 / Math.exp((3 * sum) / data.length);
}

/** Linear light of the display, 0…1. */
function reinhard(radiance: number, key: number): number {
  const x = Math.max(radiance * key, 0);
  return x === Infinity ? 1 : x / (1 + x);
}

/** A picture as a display shows it: `key` times the light, Reinhard's curve, sRGB's. */
function displayed(radiance: Picture, key: number): Picture {
  const out = createPicture(radiance.width, radiance.height, 3);
  for (let i = 0; i < out.data.length; i++) out.data[i] = encodeSrgb(reinhard(radiance.data[i], key));
  return out;
}

/** Both pictures as `srgbPsnr` displays them, after the common gain. */
export function displayedPair(radiance: Picture, truth: Picture): { picture: Picture; truth: Picture } {
  const key = displayKey(truth);
  const { picture } = alignRadiance(radiance, truth, 'common');
  return { picture: displayed(picture, key), truth: displayed(truth, key) };
}

/**
 * Pearson's correlation of two pictures of one channel (defocus map against inverse depth, say), −1…1, over the pixels
 * where both are finite. NaN when either is constant.
 */
export function correlation(a: Picture, b: Picture): number {
  requireSameSize(a, b, 'the map');
  let n = 0;
  let sa = 0;
  let sb = 0;
  for (let i = 0; i < a.data.length; i++) {
    if (!Number.isFinite(a.data[i]) || !Number.isFinite(b.data[i])) continue;
    n++;
    sa += a.data[i];
    sb += b.data[i];
  }
  const ma = sa / n;
  const mb = sb / n;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.data.length; i++) {
    if (!Number.isFinite(a.data[i]) || !Number.isFinite(b.data[i])) continue;
    const x = a.data[i] - ma;
    const y = b.data[i] - mb;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  // A constant map has only rounding left in its variance: no correlation rather than a random one.
  const constant = aa <= n * (1e-6 * ma) ** 2 || bb <= n * (1e-6 * mb) ** 2;
  return constant ? Number.NaN : ab / Math.sqrt(aa * bb);
}

/** 1 within `EDGE_REACH` pixels of a step in inverse depth, 0 elsewhere. */
export function depthEdges(inverseDepth: Picture): Uint8Array {
  const { width, height, data } = inverseDepth;
  const span = percentile(data, 99) - percentile(data, 1);
  const high = slidingMaximum(data, width, height, EDGE_REACH);
  const negated = data.map((v) => -v);
  const low = slidingMaximum(negated, width, height, EDGE_REACH);
  const mask = new Uint8Array(data.length);
  const step = EDGE_STEP * span;
  for (let i = 0; i < mask.length; i++) mask[i] = high[i] + low[i] > step && step > 0 ? 1 : 0;
  return mask;
}

/** Maximum over the square of side 2·reach + 1, separable; windows end at the border. */
function slidingMaximum(data: Float32Array, width: number, height: number, reach: number): Float32Array {
  const rows = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = -Infinity;
      const end = Math.min(x + reach, width - 1);
      for (let k = Math.max(x - reach, 0); k <= end; k++) best = Math.max(best, data[y * width + k]);
      rows[y * width + x] = best;
    }
  }
  const out = new Float32Array(data.length).fill(-Infinity);
  for (let y = 0; y < height; y++) {
    const end = Math.min(y + reach, height - 1);
    for (let k = Math.max(y - reach, 0); k <= end; k++) {
      for (let x = 0; x < width; x++) {
        const v = rows[k * width + x];
        if (v > out[y * width + x]) out[y * width + x] = v;
      }
    }
  }
  return out;
}

function requireSameSize(a: Picture, b: Picture, what: string): void {
  if (a.width !== b.width || a.height !== b.height) {
    throw new ImplicamError(
      'shape-mismatch',
      `${what} is ${a.width}x${a.height}, but the one it is compared with is ${b.width}x${b.height}; ` +
        'both must cover the same pixels',
    );
  }
}

function requireRadiance(predicted: Picture, truth: Picture): void {
  requireSameSize(predicted, truth, 'the picture');
  if (predicted.channels !== 3 || truth.channels !== 3) {
    throw new ImplicamError(
      'shape-mismatch',
      `radiance has three channels, but these pictures have ${predicted.channels} and ${truth.channels}`,
    );
  }
}
