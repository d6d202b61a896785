import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FEATURES, type GridLevel, gridLevels, gridNodes, nodeIndex } from './hash-grid.js';

const options = fc.record({
  levels: fc.integer({ min: 1, max: 20 }),
  base: fc.double({ min: 1, max: 40, noNaN: true }),
  finest: fc.double({ min: 0.01, max: 4, noNaN: true }),
  log2Table: fc.integer({ min: 8, max: 14 }),
});
const side = fc.integer({ min: 1, max: 400 });

/** Levels of any grid over any rectangle, one after the other. */
function everyLevel(check: (level: GridLevel, width: number, height: number, index: number) => void): void {
  fc.assert(
    fc.property(options, side, side, (o, width, height) => {
      for (const [l, level] of gridLevels(o, width, height).entries()) check(level, width, height, l);
    }),
  );
}

describe('gridLevels', () => {
  test('cover the whole rectangle with cells', () => {
    everyLevel(({ nx, ny, scale }, width, height) => {
      // The last cell begins at node n − 2; at least one cell even over a single pixel.
      expect(Math.min(nx, ny)).toBeGreaterThanOrEqual(2);
      expect((nx - 1) / scale).toBeGreaterThanOrEqual(width);
      expect((ny - 1) / scale).toBeGreaterThanOrEqual(height);
      // No more than one cell beyond it.
      expect((nx - 2) / scale).toBeLessThan(width);
      expect((ny - 2) / scale).toBeLessThan(height);
    });
  });

  test('hold single-precision scales, so that every engine finds the same cell', () => {
    everyLevel(({ scale }) => expect(Math.fround(scale)).toBe(scale));
  });

  test('are dense where the nodes fit into the table, and hashed above', () => {
    fc.assert(
      fc.property(options, side, side, (o, width, height) => {
        for (const { nx, ny, nodes, hashed } of gridLevels(o, width, height)) {
          expect(hashed).toBe(nx * ny > 2 ** o.log2Table);
          expect(nodes).toBe(hashed ? 2 ** o.log2Table : nx * ny);
        }
      }),
    );
  });

  test('follow one another without overlap, each on its own cache line of 16 floats', () => {
    fc.assert(
      fc.property(options, side, side, (o, width, height) => {
        const levels = gridLevels(o, width, height);
        let end = 0;
        for (const level of levels) {
          expect((FEATURES * level.offset) % 16).toBe(0);
          expect(level.offset).toBeGreaterThanOrEqual(end);
          expect(level.offset - end).toBeLessThan(8);
          end = level.offset + level.nodes;
        }
        expect(gridNodes(levels)).toBeGreaterThanOrEqual(end);
        expect(gridNodes(levels) % 8).toBe(0);
      }),
    );
  });

  test('climb geometrically from the coarsest to the finest', () => {
    const levels = gridLevels({ levels: 5, base: 16, finest: 1, log2Table: 20 }, 256, 100);
    const cells = levels.map((l) => l.scale * 256);
    for (const [l, expected] of [16, 32, 64, 128, 256].entries()) expect(cells[l]).toBeCloseTo(expected, 4);
    expect(levels[0]).toMatchObject({ nx: 17, ny: 8 });
    expect(levels[4]).toMatchObject({ nx: 257, ny: 101 });
  });

  test('are never coarser than their base, even where the finest would be', () => {
    for (const level of gridLevels({ levels: 3, base: 32, finest: 0.01, log2Table: 12 }, 64, 64)) {
      expect(level.scale * 64).toBeCloseTo(32, 4);
    }
  });

  test('may be one alone', () => {
    expect(gridLevels({ levels: 1, base: 4, finest: 2, log2Table: 12 }, 8, 8)).toHaveLength(1);
    expect(gridNodes([])).toBe(0);
  });
});

describe('nodeIndex', () => {
  test('stays within its level', () => {
    fc.assert(
      fc.property(options, side, side, fc.nat(), fc.nat(), (o, width, height, i, j) => {
        for (const level of gridLevels(o, width, height)) {
          const index = nodeIndex(level, i % level.nx, j % level.ny);
          expect(index).toBeGreaterThanOrEqual(level.offset);
          expect(index).toBeLessThan(level.offset + level.nodes);
        }
      }),
    );
  });

  test('gives every node of a dense level its own place', () => {
    const level = gridLevels({ levels: 2, base: 6, finest: 1, log2Table: 12 }, 31, 17)[1];
    expect(level.hashed).toBe(false);
    const seen = new Set<number>();
    for (let y = 0; y < level.ny; y++) for (let x = 0; x < level.nx; x++) seen.add(nodeIndex(level, x, y));
    expect(seen.size).toBe(level.nodes);
  });

  test('spreads a hashed level evenly over its table, and never puts neighbours into one place', () => {
    const level = gridLevels({ levels: 1, base: 200, finest: 1, log2Table: 10 }, 200, 200)[0];
    expect(level.hashed).toBe(true);
    const load = new Uint32Array(level.nodes);
    let meetings = 0;
    for (let y = 0; y < level.ny; y++) {
      for (let x = 0; x < level.nx; x++) {
        const index = nodeIndex(level, x, y);
        load[index - level.offset]++;
        if (index === nodeIndex(level, x + 1, y)) meetings++;
      }
    }
    expect(meetings).toBe(0);
    const mean = (level.nx * level.ny) / level.nodes;
    expect(Math.min(...load)).toBeGreaterThan(0.5 * mean);
    expect(Math.max(...load)).toBeLessThan(2 * mean);
  });

  test('multiplies in 32 bits as the native engine does', () => {
    const level: GridLevel = { offset: 8, nx: 5000, ny: 5000, nodes: 2 ** 17, hashed: true, scale: 1 };
    // (4321 · 2654435761) mod 2³² computed with integers of any length.
    const product = Number((4321n * 2654435761n) & 0xffffffffn);
    const expected = Number((BigInt(1234) ^ BigInt(product)) & BigInt(2 ** 17 - 1));
    expect(nodeIndex(level, 1234, 4321)).toBe(8 + expected);
  });
});
