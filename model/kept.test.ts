import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeKept, keepStart, keptRows, keptSchema } from './kept.js';

const SIDE = 8;

/** The share kept at every pixel. */
function sharesOf(kept: string, width: number, height: number): Float32Array {
  const row = keptRows(kept, width, height);
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) row(y, out.subarray(y * width, (y + 1) * width));
  return out;
}

const size = fc.integer({ min: 1, max: 70 });

/** A picture of whole blocks, and which of them keep their start. */
const blocks = fc
  .record({ columns: fc.integer({ min: 1, max: 9 }), rows: fc.integer({ min: 1, max: 9 }) })
  .chain(({ columns, rows }) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.constant(rows),
      bits: fc.array(fc.boolean(), { minLength: columns * rows, maxLength: columns * rows }),
    }),
  );

describe('what keeps its start', () => {
  test('comes back as it was written, block by block', () => {
    fc.assert(
      fc.property(blocks, ({ columns, rows, bits }) => {
        const [width, height] = [columns * SIDE, rows * SIDE];
        const block = (p: number) => Math.floor(p / width / SIDE) * columns + Math.floor((p % width) / SIDE);
        const share = Float32Array.from({ length: width * height }, (_, p) => (bits[block(p)] ? 1 : 0));
        const kept = encodeKept(share, width, height);
        if (!bits.includes(true)) {
          expect(kept).toBeUndefined();
          return;
        }
        expect(keptSchema.parse(kept)).toBe(kept);
        const back = sharesOf(kept!, width, height);
        // Four pixels stand around a centre; straight lines are symmetric about it.
        const middle = (b: number) => {
          const [x, y] = [(b % columns) * SIDE + 3, Math.floor(b / columns) * SIDE + 3];
          const at = [y * width + x, y * width + x + 1, (y + 1) * width + x, (y + 1) * width + x + 1];
          return at.reduce((sum, p) => sum + back[p], 0) / 4;
        };
        bits.forEach((bit, b) => {
          if (bit) expect(middle(b)).toBeGreaterThan(0.75);
          else expect(middle(b)).toBeLessThan(0.25);
        });
        expect(Math.min(...back)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...back)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is all of the picture where all of it is kept, at any size', () => {
    fc.assert(
      fc.property(size, size, (width, height) => {
        const kept = encodeKept(new Float32Array(width * height).fill(1), width, height);
        expect(sharesOf(kept!, width, height).every((v) => v === 1)).toBe(true);
      }),
    );
  });

  test('is nothing where no block keeps a quarter', () => {
    const share = new Float32Array(32 * 24).fill(0.24);
    expect(encodeKept(share, 32, 24)).toBeUndefined();
    expect(encodeKept(share.fill(0.26), 32, 24)).toBeDefined();
    expect(encodeKept(share.fill(0), 32, 24)).toBeUndefined();
  });

  test('is refused for a picture of another size', () => {
    const kept = encodeKept(new Float32Array(64 * 64).fill(1), 64, 64)!;
    expect(() => keptRows(kept, 64, 64)).not.toThrow();
    for (const [width, height] of [
      [128, 64],
      [64, 32],
      [8, 8],
    ]) {
      expect(() => keptRows(kept, width, height)).toThrow(
        expect.objectContaining({ code: 'kept-invalid', name: 'ImplicamError' }),
      );
    }
    expect(keptSchema.safeParse('not base64!').success).toBe(false);
  });
});

describe('putting the start back', () => {
  const [width, height] = [64, 48];
  const inside = (x: number, y: number) => x >= 16 && x < 48 && y >= 16 && y < 32;
  const share = Float32Array.from({ length: width * height }, (_, p) =>
    inside(p % width, Math.floor(p / width)) ? 1 : 0,
  );
  const kept = encodeKept(share, width, height)!;
  const plane = (seed: number, planes: number) =>
    Float32Array.from({ length: planes * width * height }, (_, i) => Math.sin(seed + i / 3.7));

  test.each([1, 3])(
    'is exactly the start in the middle, what was trained away from it: %d planes',
    (planes) => {
      const [trained, start] = [plane(1, planes), plane(5, planes)];
      const out = trained.slice();
      keepStart(out, start, kept, width, height);
      for (let i = 0; i < out.length; i++) {
        const p = i % (width * height);
        const [x, y] = [p % width, Math.floor(p / width)];
        // From the centres of the outermost kept blocks inwards, and from those of their neighbours outwards.
        const within = x >= 20 && x < 44 && y >= 20 && y < 28;
        const beyond = x < 12 || x >= 52 || y < 12 || y >= 36;
        if (within) expect(out[i]).toBe(start[i]);
        else if (beyond) expect(out[i]).toBe(trained[i]);
        else {
          expect(out[i]).toBeGreaterThanOrEqual(Math.min(start[i], trained[i]) - 1e-6);
          expect(out[i]).toBeLessThanOrEqual(Math.max(start[i], trained[i]) + 1e-6);
        }
      }
    },
  );
});
