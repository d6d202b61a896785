import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSrgb, encodeSrgb } from '../../../model/render/display-curves.js';
import {
  enforceMonotone,
  inverseResponse,
  inverseTable,
  knotPosition,
  RESPONSE_KNOTS,
  responseFrom,
  responseSlope,
  responseValue,
  srgbResponse,
} from './response.js';
import { trueResponse } from './synthetic-capture.fixture.js';

const camera = responseFrom((channel, lnX) => trueResponse(channel, Math.exp(lnX)));

describe('camera response', () => {
  it('runs from 0 at −9 to 1 at saturation and stays there', () => {
    for (const response of [camera, srgbResponse()]) {
      for (let c = 0; c < 3; c++) {
        expect(responseValue(response, c, -9)).toBe(0);
        expect(responseValue(response, c, -50)).toBe(0);
        expect(responseValue(response, c, 0)).toBe(1);
        expect(responseValue(response, c, 4)).toBe(1);
        expect(responseSlope(response, c, 0.1)).toBe(0);
      }
    }
  });

  it('follows the curve it was made from to a code', () => {
    for (let lnX = -7; lnX <= 0; lnX += 0.01) {
      for (let c = 0; c < 3; c++) {
        expect(Math.abs(responseValue(camera, c, lnX) - trueResponse(c, Math.exp(lnX)))).toBeLessThan(
          1 / 255,
        );
      }
    }
  });

  it('is undone by its inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.double({ min: -7, max: 0, noNaN: true }), (c, lnX) => {
        expect(inverseResponse(camera, c, responseValue(camera, c, lnX))).toBeCloseTo(lnX, 6);
      }),
    );
    expect(inverseResponse(camera, 0, -1)).toBe(-9);
    expect(inverseResponse(camera, 0, 2)).toBe(0);
  });

  it('tabulates the inverse: rising, white at 0, black at half a code', () => {
    const table = inverseTable(camera, 1);
    for (let z = 1; z < 256; z++) expect(table[z]).toBeGreaterThan(table[z - 1]);
    expect(table[255]).toBe(0);
    expect(responseValue(camera, 1, table[0])).toBeCloseTo(0.5 / 255, 9);
    expect(inverseTable(camera, 1, 65536)[257 * 100]).toBeCloseTo(table[100], 9);
  });

  it('has the slope that differences show', () => {
    const [low, high] = [knotPosition(20) + 0.01, knotPosition(20) + 0.03];
    const slope = (responseValue(camera, 2, high) - responseValue(camera, 2, low)) / (high - low);
    expect(responseSlope(camera, 2, knotPosition(20) + 0.02)).toBeCloseTo(slope, 9);
  });

  it('makes any values a response', () => {
    const values = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: RESPONSE_KNOTS,
      maxLength: RESPONSE_KNOTS,
    });
    fc.assert(
      fc.property(values, (list) => {
        const knots = Float64Array.from(list);
        enforceMonotone(knots, 0);
        expect(knots[0]).toBe(0);
        expect(knots[RESPONSE_KNOTS - 1]).toBe(1);
        for (let k = 1; k < RESPONSE_KNOTS; k++) expect(knots[k]).toBeGreaterThan(knots[k - 1]);
      }),
    );
  });

  it('knows sRGB', () => {
    expect(encodeSrgb(0.18)).toBeCloseTo(0.4614, 4);
    for (let value = 0; value <= 1; value += 0.05)
      expect(encodeSrgb(decodeSrgb(value))).toBeCloseTo(value, 6);
  });
});
