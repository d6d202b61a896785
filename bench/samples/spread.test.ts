import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiskSpread } from './spread.js';

const SIZE = 41;
const CENTRE = 20;

/** The picture of opaque pixels with these radii and values on black, spread. */
function spreadAll(
  pixels: readonly { x: number; y: number; radius: number; value: number }[],
  size = SIZE,
  largest = 9,
  continuous = false,
): Float32Array {
  const picture = new Float32Array(size * size * 3);
  const spread = new DiskSpread(largest, 0, size, continuous);
  const values = new Float64Array(4);
  for (let y = 0; y < size; y++) {
    for (const p of pixels) {
      if (p.y !== y) continue;
      values.fill(p.value, 0, 3);
      values[3] = 1;
      spread.add(p.x, y, p.radius, values, 0);
    }
    const done = y - spread.reach;
    if (done >= 0) spread.finish(done, picture, done * size * 3, size);
    else spread.drop(done);
  }
  for (let y = size - spread.reach; y < size; y++) spread.finish(y, picture, y * size * 3, size);
  return picture;
}

describe('DiskSpread', () => {
  it('keeps all light, in a symmetric disk with the right second moment', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 9, noNaN: true }),
        fc.double({ min: 0.01, max: 1e4, noNaN: true }),
        (r, v) => {
          const picture = spreadAll([{ x: CENTRE, y: CENTRE, radius: r, value: v }]);
          let sum = 0;
          let moment = 0;
          let asymmetry = 0;
          for (let y = 0; y < SIZE; y++) {
            for (let x = 0; x < SIZE; x++) {
              const k = picture[3 * (y * SIZE + x)] / v;
              sum += k;
              moment += k * ((x - CENTRE) ** 2 + (y - CENTRE) ** 2);
              asymmetry += Math.abs(k - picture[3 * ((2 * CENTRE - y) * SIZE + (2 * CENTRE - x))] / v);
            }
          }
          expect(sum).toBeCloseTo(1, 4);
          expect(asymmetry).toBeLessThan(1e-4);
          // A disk has r²/2; pixels add up to 1/6 to it.
          if (r > 1) expect(Math.abs(moment - (r * r) / 2)).toBeLessThan(0.3 + 0.05 * r);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('agrees with the covered area of every pixel', () => {
    const radius = 4.5;
    const picture = spreadAll([{ x: CENTRE, y: CENTRE, radius, value: 1 }]);
    const n = 32;
    let worst = 0;
    for (let y = CENTRE - 6; y <= CENTRE + 6; y++) {
      for (let x = CENTRE - 6; x <= CENTRE + 6; x++) {
        let inside = 0;
        for (let s = 0; s < n * n; s++) {
          const dx = x - CENTRE - 0.5 + ((s % n) + 0.5) / n;
          const dy = y - CENTRE - 0.5 + (Math.floor(s / n) + 0.5) / n;
          if (dx * dx + dy * dy < radius * radius) inside++;
        }
        const area = inside / (n * n) / (Math.PI * radius * radius);
        worst = Math.max(worst, Math.abs(area - picture[3 * (y * SIZE + x)]));
      }
    }
    // Rows are exact; within a row the rounded end may lie a fraction of a pixel off.
    expect(worst * Math.PI * radius * radius).toBeLessThan(0.25);
  });

  it('leaves a sharp pixel alone', () => {
    const picture = spreadAll([{ x: 7, y: 9, radius: 0.3, value: 5 }]);
    expect(picture[3 * (9 * SIZE + 7)]).toBe(5);
    expect(picture.reduce((s, v) => s + v, 0)).toBe(15);
  });

  it('shows an even slanted surface as even', () => {
    const size = 80;
    const pixels: { x: number; y: number; radius: number; value: number }[] = [];
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) pixels.push({ x, y, radius: Math.abs(x - 40) * 0.08, value: 2 });
    }
    const deviation = (continuous: boolean) => {
      const picture = spreadAll(pixels, size, 4, continuous);
      let worst = 0;
      for (let y = 8; y < size - 8; y++) {
        for (let x = 8; x < size - 8; x++)
          worst = Math.max(worst, Math.abs(picture[3 * (y * size + x)] / 2 - 1));
      }
      return worst;
    };
    expect(deviation(true)).toBeLessThan(1e-6);
    expect(deviation(false)).toBeLessThan(0.06);
  });

  it('lays a half transparent disk over what is behind', () => {
    const picture = new Float32Array(SIZE * SIZE * 3).fill(4);
    const spread = new DiskSpread(2, 0, SIZE);
    spread.add(CENTRE, CENTRE, 0, Float64Array.of(0.5, 0.25, 0, 0.5), 0);
    spread.finish(CENTRE, picture, CENTRE * SIZE * 3, SIZE);
    const at = 3 * (CENTRE * SIZE + CENTRE);
    expect([...picture.slice(at, at + 3)]).toEqual([2.5, 2.25, 2]);
    expect(picture[at + 3]).toBe(4);
  });
});
