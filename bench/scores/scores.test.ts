import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile } from '../../model/percentile.js';
import { createPicture, luminance, type Picture } from '../../model/picture.js';
import { alignRadiance, correlation, depthEdges, muLaw, psnr, scoreRadiance, srgbPsnr } from './scores.js';
import { ssim } from './ssim.js';

/** A radiance picture of about ten stops with texture in every channel, from a linear congruential generator. */
function scene(seed: number, width = 24, height = 20): Picture {
  const picture = createPicture(width, height, 3);
  let state = seed >>> 0;
  for (let i = 0; i < picture.data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    picture.data[i] = 2 ** (-6 + (10 * state) / 2 ** 32);
  }
  return picture;
}

function mapped(p: Picture, f: (v: number, i: number) => number): Picture {
  return { ...p, data: p.data.map(f) };
}

describe('percentile', () => {
  it('agrees with sorting and linear interpolation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (values, p) => {
          const sorted = Float32Array.from(values).sort();
          const at = (p / 100) * (sorted.length - 1);
          const low = sorted[Math.floor(at)];
          const high = sorted[Math.ceil(at)];
          const expected = low + (high - low) * (at - Math.floor(at));
          expect(percentile(Float32Array.from(values), p)).toBeCloseTo(expected, 6);
        },
      ),
    );
  });

  it('leaves its input alone and refuses no values', () => {
    const values = Float32Array.of(3, 1, 2);
    expect(percentile(values, 50)).toBe(2);
    expect([...values]).toEqual([3, 1, 2]);
    expect(() => percentile(new Float32Array(0), 50)).toThrow(/no values/);
  });
});

describe('alignment', () => {
  it('finds the gain and exponent of every channel', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.tuple(fc.double({ min: -4, max: 4, noNaN: true }), fc.double({ min: 0.5, max: 2, noNaN: true })),
        (seed, [logGain, exponent]) => {
          const truth = scene(seed);
          const predicted = mapped(truth, (v) => Math.exp((Math.log(v) - logGain) / exponent));
          for (const fit of alignRadiance(predicted, truth, 'affine').fits) {
            expect(fit.exponent).toBeCloseTo(exponent, 3);
            expect(fit.logGain).toBeCloseTo(logGain, 3);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is not led astray by one pixel in twenty being wildly wrong', () => {
    const truth = scene(7);
    const predicted = mapped(truth, (v, i) => (i % 20 === 0 ? v * 1000 : v / 3));
    for (const fit of alignRadiance(predicted, truth, 'channel').fits) {
      expect(Math.abs(fit.logGain - Math.log(3))).toBeLessThan(0.02);
    }
  });

  it('keeps values that have no logarithm out of the fit', () => {
    const truth = scene(9);
    const predicted = mapped(truth, (v, i) => (i < 3 ? [Number.NaN, -1, Infinity][i] : v * 2));
    const { picture, fits } = alignRadiance(predicted, truth, 'channel');
    expect(fits[0].logGain).toBeCloseTo(-Math.log(2), 5);
    expect([...picture.data.slice(0, 3)]).toEqual([0, 0, 0]);
    expect(Number.isFinite(scoreRadiance(predicted, truth).muPsnr)).toBe(true);
  });
});

describe('scores', () => {
  const noisy = (truth: Picture) => mapped(truth, (v, i) => v * (1 + 0.1 * Math.sin(i * 1.7)));

  it('do not see one gain', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (gain) => {
        const truth = scene(3);
        const scores = scoreRadiance(noisy(truth), truth);
        const again = scoreRadiance(
          mapped(noisy(truth), (v) => v * gain),
          truth,
        );
        for (const key of ['muPsnr', 'muPsnrPerChannel', 'srgbPsnr'] as const) {
          expect(again[key]).toBeCloseTo(scores[key], 2);
        }
        expect(again.ssim).toBeCloseTo(scores.ssim, 4);
        expect(again.deltaE.p95).toBeCloseTo(scores.deltaE.p95, 2);
      }),
      { numRuns: 20 },
    );
  });

  it('see a colour cast, say how much of it there is, and what it costs', () => {
    const truth = scene(3);
    const plain = scoreRadiance(noisy(truth), truth);
    const cast = scoreRadiance(
      mapped(noisy(truth), (v, i) => v * [1.1, 1, 1 / 1.1][i % 3]),
      truth,
    );
    expect(cast.muPsnr).toBeLessThan(plain.muPsnr - 0.5);
    expect(cast.muPsnrPerChannel).toBeCloseTo(plain.muPsnrPerChannel, 2);
    expect(cast.srgbPsnr).toBeLessThan(plain.srgbPsnr - 0.5);
    expect(cast.deltaE.median).toBeGreaterThan(plain.deltaE.median);
    [1 / 1.1, 1, 1.1].forEach((gain, c) => {
      expect(cast.channelGains[c]).toBeCloseTo(gain * plain.channelGains[c], 1);
      expect(Math.abs(plain.channelGains[c] - 1)).toBeLessThan(0.01);
    });
  });

  it('an exponent costs nothing in the affine variant, and something in the other', () => {
    const truth = scene(4);
    const bent = mapped(truth, (v) => v ** 1.2);
    const scores = scoreRadiance(bent, truth);
    expect(scores.muPsnrAffine).toBeGreaterThan(90);
    expect(scores.muPsnr).toBeLessThan(30);
  });

  it('fall as the noise grows', () => {
    const truth = scene(5);
    const at = (s: number) =>
      scoreRadiance(
        mapped(truth, (v, i) => v * Math.exp(s * Math.sin(i * 2.3))),
        truth,
      );
    const order = [0, 0.02, 0.1, 0.4].map(at);
    for (let i = 1; i < order.length; i++) {
      for (const key of ['muPsnr', 'srgbPsnr', 'ssim'] as const) {
        expect(order[i][key]).toBeLessThan(order[i - 1][key]);
      }
    }
    expect(order[0].ssim).toBeCloseTo(1, 6);
  });

  // The numbers that the reference script (NumPy) gives for the same two pictures.
  it('agree with the reference implementation', () => {
    const truth = createPicture(40, 30, 3);
    const predicted = createPicture(40, 30, 3);
    for (let i = 0; i < truth.data.length; i++) {
      truth.data[i] = Math.exp(3 * Math.sin(i * 0.37) + 1.5 * Math.cos(i * 0.011));
      predicted.data[i] = truth.data[i] * Math.exp(0.2 * Math.sin(i * 1.3) + 0.3 * (i % 3) - 1);
    }
    const scores = scoreRadiance(predicted, truth);
    expect(scores.muPsnrPerChannel).toBeCloseTo(REFERENCE.muPsnrPerChannel, 3);
    expect(scores.muPsnrAffine).toBeCloseTo(REFERENCE.muPsnrAffine, 3);
    const balanced = alignRadiance(predicted, truth, 'channel').picture;
    expect(srgbPsnr(balanced, truth)).toBeCloseTo(REFERENCE.srgbPsnr, 3);
  });

  it('split at depth edges', () => {
    const truth = scene(6, 64, 24);
    const inverseDepth = createPicture(64, 24, 1);
    for (let i = 0; i < inverseDepth.data.length; i++) inverseDepth.data[i] = i % 64 < 32 ? 0.5 : 2;
    const edges = depthEdges(inverseDepth);
    expect(edges.slice(0, 64).reduce((s, v) => s + v, 0)).toBe(12);
    const wrongAtEdge = mapped(truth, (v, i) =>
      edges[Math.floor(i / 3)] === 1 && i % 2 === 0 ? v * 1.5 : v,
    );
    const scores = scoreRadiance(wrongAtEdge, truth, inverseDepth);
    expect(scores.muPsnrFlat!).toBeGreaterThan(scores.muPsnrEdge! + 10);
    expect(depthEdges(createPicture(8, 8, 1)).some((v) => v === 1)).toBe(false);
  });

  it('refuse pictures that do not cover the same pixels, and pictures without light', () => {
    expect(() => scoreRadiance(scene(1), scene(1, 20, 24))).toThrow(/24x20.*20x24/);
    expect(() => scoreRadiance(createPicture(8, 8, 3), scene(1, 8, 8))).toThrow(/channel 0/);
    expect(() => scoreRadiance(scene(1, 8, 8), createPicture(8, 8, 3))).toThrow(/no light/);
    expect(() => srgbPsnr(createPicture(4, 4, 1), createPicture(4, 4, 1))).toThrow(/three channels/);
  });
});

describe('parts', () => {
  it('the μ-law maps [0, white] onto [0, 1] monotonically', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (a, b) => {
          const p = { width: 2, height: 1, channels: 1, data: Float32Array.of(a, b) };
          const [x, y] = muLaw(p, 1).data as unknown as [number, number];
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(1);
          if (p.data[0] < p.data[1]) expect(x).toBeLessThanOrEqual(y);
        },
      ),
    );
  });

  it('PSNR of a constant error is its decibels', () => {
    const a = createPicture(5, 4, 3);
    expect(
      psnr(
        a,
        mapped(a, () => 0.1),
      ),
    ).toBeCloseTo(20, 4);
    expect(psnr(a, a)).toBeCloseTo(120, 6);
    expect(psnr(a, a, new Uint8Array(20), 1)).toBeNaN();
  });

  it('SSIM is symmetric, at most 1, and low for unrelated pictures', () => {
    const a = luminance(muLaw(scene(11, 40, 32), 16));
    const b = luminance(muLaw(scene(12, 40, 32), 16));
    expect(ssim(a, b)).toBeCloseTo(ssim(b, a), 10);
    expect(ssim(a, b)).toBeLessThan(0.3);
    expect(ssim(a, a)).toBeCloseTo(1, 10);
  });

  it('correlation knows sign, ignores gain and offset, and has no answer for a constant', () => {
    const a = luminance(scene(13));
    expect(
      correlation(
        a,
        mapped(a, (v) => 3 * v - 7),
      ),
    ).toBeCloseTo(1, 5);
    expect(
      correlation(
        a,
        mapped(a, (v) => 1 - v),
      ),
    ).toBeCloseTo(-1, 5);
    expect(
      correlation(
        a,
        mapped(a, () => 0.1),
      ),
    ).toBeNaN();
  });
});

const REFERENCE = { muPsnrPerChannel: 36.31987, muPsnrAffine: 36.31081, srgbPsnr: 35.07497 };
