import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { letIn, shownPixels } from './shown.js';

/** A row of grey pixels. */
const row = (...codes: number[]): Frame => ({
  name: 'row.png',
  width: codes.length,
  height: 1,
  data: Uint8Array.from(codes.flatMap((v) => [v, v, v])),
  camera: {},
});

describe('shownPixels', () => {
  it('says nothing where nothing is masked', () => {
    expect(shownPixels([row(0, 255)], [undefined])).toBeUndefined();
  });

  it('shows what any frame shows, unless all that are left are white or black', () => {
    const dark = row(90, 90, 90, 90, 0, 255);
    const bright = row(255, 200, 255, 200, 255, 255);
    const masks = [Uint8Array.of(1, 0, 0, 0, 1, 1), Uint8Array.of(0, 1, 1, 0, 0, 1)];
    // The last is white in both, as a lamp is: that is shown.
    expect(shownPixels([dark, bright], masks)).toEqual(Uint8Array.of(1, 1, 0, 0, 0, 1));
  });

  it('asks every channel', () => {
    const red: Frame = { ...row(0), data: Uint8Array.of(255, 90, 90) };
    expect(shownPixels([red, row(9)], [undefined, Uint8Array.of(0)])).toEqual(Uint8Array.of(0));
  });
});

describe('letIn', () => {
  it('lets every frame in where the view is not shown, and there alone', () => {
    const masks = [Uint8Array.of(1, 0, 0), undefined, Uint8Array.of(0, 1, 0)];
    expect(letIn(masks, Uint8Array.of(1, 1, 0))).toEqual([
      Uint8Array.of(1, 0, 1),
      undefined,
      Uint8Array.of(0, 1, 1),
    ]);
    expect(letIn(masks, undefined)).toBe(masks);
  });
});
