import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeSrgb,
  decodeSrgbArray,
  encodeFilmicArray,
  encodeSrgb,
  encodeSrgbArray,
  filmic,
  srgbSampleTable,
} from './display-curves.js';

describe('sRGB', () => {
  it('has the values of the standard', () => {
    expect(encodeSrgb(0)).toBe(0);
    expect(encodeSrgb(1)).toBeCloseTo(1, 12);
    expect(encodeSrgb(0.18)).toBeCloseTo(0.46136, 5);
    expect(encodeSrgb(0.001)).toBeCloseTo(0.01292, 12);
    expect(decodeSrgb(0.5)).toBeCloseTo(0.214041, 6);
  });

  it('is undone by its inverse', () => {
    // The published constants leave the two branches 3e-8 apart where they meet.
    fc.assert(
      fc.property(fc.double({ min: -0.5, max: 20, noNaN: true }), (x) => {
        expect(Math.abs(decodeSrgb(encodeSrgb(x)) - x)).toBeLessThan(1e-7);
      }),
    );
  });

  it('is the same on arrays, to 1e-6', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (xs) => {
          const x = Float32Array.from(xs);
          const encoded = encodeSrgbArray(x);
          const decoded = decodeSrgbArray(x);
          for (let i = 0; i < x.length; i++) {
            expect(Math.abs(encoded[i] - encodeSrgb(x[i]))).toBeLessThan(1e-6);
            expect(Math.abs(decoded[i] - decodeSrgb(x[i]))).toBeLessThan(1e-6);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('brings every 16-bit sample back to itself', () => {
    const linear = srgbSampleTable(65535);
    const back = encodeSrgbArray(linear);
    let wrong = 0;
    for (let k = 0; k <= 65535; k++) if (Math.round(back[k] * 65535) !== k) wrong++;
    expect(wrong).toBe(0);
  });

  it('clips arrays, takes NaN for black and works in place', () => {
    const a = Float32Array.of(-1, Number.NaN, 7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    expect([...encodeSrgbArray(a)]).toEqual([0, 0, 1, 1, 0]);
    expect([...decodeSrgbArray(a)]).toEqual([0, 0, 1, 1, 0]);
    const film = encodeFilmicArray(a);
    expect([film[0], film[1], film[3], film[4]]).toEqual([0, 0, 1, 0]);
    expect(film[2]).toBeCloseTo(encodeSrgb(filmic(7)), 5);
    const b = Float32Array.of(0.18, 0.5);
    expect(encodeSrgbArray(b, b)).toBe(b);
    expect(b[0]).toBeCloseTo(0.46136, 5);
  });

  it('reads a view at any offset', () => {
    const whole = Float32Array.of(9, 0.25, 0.75);
    expect(encodeSrgbArray(whole.subarray(1))[0]).toBeCloseTo(encodeSrgb(0.25), 6);
  });
});

describe('filmic', () => {
  it('keeps black and mid-grey, and reaches white at ten', () => {
    expect(filmic(0)).toBe(0);
    expect(filmic(0.18)).toBeCloseTo(0.18, 4);
    expect(filmic(9)).toBeLessThan(1);
    expect(filmic(10.1)).toBe(1);
    expect(filmic(Number.POSITIVE_INFINITY)).toBe(1);
    expect(filmic(1e30)).toBe(1);
  });

  it('never falls', () => {
    fc.assert(
      fc.property(
        fc.float({ min: 0, max: 20, noNaN: true }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        (x, d) => {
          expect(filmic(x + d)).toBeGreaterThanOrEqual(filmic(x));
        },
      ),
    );
  });

  it('is followed by sRGB on arrays', () => {
    const x = Float32Array.of(0.01, 0.18, 1, 4);
    const y = encodeFilmicArray(x);
    for (let i = 0; i < x.length; i++) expect(y[i]).toBeCloseTo(encodeSrgb(filmic(x[i])), 5);
  });
});
