import { describe, expect, test } from 'vitest';
import { ImplicamError } from '../errors.js';
import { parseRenderQuery, resolveFocus, resolveRegion } from './query.js';

const scene = {
  width: 4,
  height: 2,
  radiance: new Float32Array(24),
  defocus: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
};

describe('parseRenderQuery', () => {
  test('fills in every default', () => {
    expect(parseRenderQuery({})).toEqual({
      kind: 'all-in-focus',
      aperture: 1,
      ev: 0,
      format: 'png',
    });
  });

  test.each(['tiff', 'exr', 'hdr'] as const)('%s holds linear light and nothing else', (format) => {
    expect(parseRenderQuery({ format }).tone).toBe('linear');
  });

  test.each(['png', 'jpeg', 'webp', 'avif', 'ultrahdr'] as const)(
    '%s shows what suits the photographs where no tone is asked for',
    (format) => {
      expect(parseRenderQuery({ format }).tone).toBeUndefined();
      expect(parseRenderQuery({ format, tone: 'local' }).tone).toBe('local');
    },
  );

  test.each([
    [{ kind: 'sharp' }, /kind/],
    [{ kind: 'refocus', focus: 0.2, tap: { x: 1, y: 1 } }, /not both/],
    [{ focus: 0.2 }, /belong to kind refocus/],
    [{ aperture: -1 }, /aperture/],
    [{ ev: Number.NaN }, /ev/],
    [{ width: 2.5 }, /width/],
    [{ region: { x: 0, y: 0, width: 0, height: 3 } }, /region.width/],
    [{ colour: 'red' }, /colour/],
  ])('refuses %j and says why', (input, message) => {
    expect(() => parseRenderQuery(input)).toThrow(ImplicamError);
    expect(() => parseRenderQuery(input)).toThrow(message);
  });
});

describe('resolveFocus', () => {
  const focusOf = (input: object) => resolveFocus(parseRenderQuery({ kind: 'refocus', ...input }), scene);

  test('takes the focus as given, of the tapped pixel, or of the middle', () => {
    expect(focusOf({ focus: -0.25 })).toBe(-0.25);
    expect(focusOf({ tap: { x: 1, y: 1 } })).toBe(5);
    expect(focusOf({})).toBe(6);
  });

  test('refuses a tap outside the picture', () => {
    expect(() => focusOf({ tap: { x: 4, y: 0 } })).toThrow(/4 × 2 pixels/);
  });
});

test('a region lies within the picture', () => {
  expect(resolveRegion(parseRenderQuery({}), scene)).toEqual({ x: 0, y: 0, width: 4, height: 2 });
  const region = { x: 1, y: 0, width: 3, height: 2 };
  expect(resolveRegion(parseRenderQuery({ region }), scene)).toEqual(region);
  const wide = parseRenderQuery({ region: { ...region, width: 4 } });
  expect(() => resolveRegion(wide, scene)).toThrow(/4 × 2/);
});
