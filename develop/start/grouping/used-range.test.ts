import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { usedBits, widened } from './used-range.js';

const frame = (...samples: number[]): Frame => ({
  name: 'a.tif',
  width: samples.length / 3,
  height: 1,
  data: Uint16Array.from(samples),
  camera: {},
});

describe('the range that 16-bit frames use', () => {
  it.each([
    [10, 1023],
    [12, 4095],
    [12, 4040],
    [12, 2300],
    [14, 16383],
  ])('is %i bits where the brightest sample of all is %i', (bits, brightest) => {
    expect(usedBits([frame(3, 40, 500), frame(7, 9, brightest)])).toBe(bits);
  });

  it.each([9000, 16_384, 40_000, 65_535])('is all of it where the brightest is %i', (brightest) => {
    expect(usedBits([frame(3, 40, 500), frame(7, 9, brightest)])).toBeUndefined();
  });

  it('is that of a sensor which clips before its last code', () => {
    const clipped = Array.from({ length: 3000 }, (_, i) => (i % 10 === 0 ? 15_900 : 5 * i));
    expect(usedBits([frame(...clipped)])).toBe(14);
    expect(usedBits([frame(...clipped.map((v, i) => v - (i % 400)))])).toBeUndefined();
  });

  it('is not looked for in 8 bits, nor in black', () => {
    expect(usedBits([{ ...frame(1, 2, 3), data: new Uint8Array([1, 2, 3]) }])).toBeUndefined();
    expect(usedBits([frame(0, 0, 0)])).toBeUndefined();
  });

  it('is widened to full scale', () => {
    expect([...widened([frame(0, 2048, 4095)], 12)[0].data]).toEqual([0, 32_776, 65_535]);
  });
});
