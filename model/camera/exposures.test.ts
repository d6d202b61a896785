import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Exposures, planExposures } from './exposures.js';

/** ev = base + squash(P δ), as docs/reference/MODEL.md has it. */
function evaluate({ base, basis, squash }: Exposures, delta: number[]): number[] {
  return base.map((ev, i) => {
    const shift = basis[i].reduce((a, p, j) => a + p * delta[j], 0);
    return squash > 0 ? ev + squash * Math.tanh(shift) : ev + shift;
  });
}

const mean = (values: readonly number[]) => values.reduce((a, v) => a + v, 0) / values.length;

/** Frames of a few exposure settings: those of one setting have one exposure. */
const bracket = fc
  .tuple(
    fc.array(
      fc.integer({ min: -600, max: 600 }).map((hundredths) => hundredths / 100),
      { minLength: 1, maxLength: 6 },
    ),
    fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
  )
  .map(([evs, settings]) => settings.map((s) => ({ exposure: s % evs.length, ev: evs[s % evs.length] })));
const delta = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 });

describe('learned exposures', () => {
  test('tied: mean and range stay as they were given, whatever is learned', () => {
    fc.assert(
      fc.property(bracket, delta, (frames, delta) => {
        const given = frames.map((f) => f.ev);
        const ev = evaluate(planExposures(frames, 'tied'), delta);
        expect(mean(ev)).toBeCloseTo(mean(given), 9);
        const along = (values: number[]) => values.reduce((a, v, i) => a + v * (given[i] - mean(given)), 0);
        expect(along(ev)).toBeCloseTo(along(given), 7);
      }),
    );
  });

  test('tied: frames of one setting keep one exposure', () => {
    fc.assert(
      fc.property(bracket, delta, (frames, delta) => {
        const ev = evaluate(planExposures(frames, 'tied'), delta);
        for (const [i, a] of frames.entries()) {
          const same = frames.findIndex((b) => b.exposure === a.exposure);
          expect(ev[i]).toBeCloseTo(ev[same], 9);
        }
      }),
    );
  });

  test('tied: of n settings n − 2 directions are free', () => {
    const frames = [-3, -1, 0, 2].map((ev, exposure) => ({ ev, exposure }));
    const plan = planExposures([...frames, ...frames], 'tied');
    expect(plan.parameters).toBe(4);
    expect(rank(plan.basis)).toBe(2);
  });

  test('tied: nothing is learned where all is pinned', () => {
    for (const evs of [[1.5], [-1, 1]]) {
      const plan = planExposures(
        evs.map((ev, exposure) => ({ ev, exposure })),
        'tied',
      );
      expect(plan).toMatchObject({ parameters: 0, base: evs, squash: 0 });
      expect(evaluate(plan, [])).toEqual(evs);
    }
  });

  test('without any range only the mean is pinned', () => {
    const frames = [0.5, 0.5, 0.5].map((ev, exposure) => ({ ev, exposure }));
    const plan = planExposures(frames, 'tied');
    expect(rank(plan.basis)).toBe(2);
    expect(evaluate(plan, [1, 0, 0])[0]).toBeCloseTo(0.5 + 2 / 3, 9);
  });

  test('known: nothing is learned', () => {
    const frames = [-2, 0, 1.9].map((ev, exposure) => ({ ev, exposure }));
    expect(planExposures(frames, 'known')).toMatchObject({ parameters: 0, base: [-2, 0, 1.9], squash: 0 });
  });

  test('free: every frame on its own from zero, within three stops', () => {
    const plan = planExposures(
      [-2, 0, 1.9].map((ev) => ({ ev, exposure: 0 })),
      'free',
    );
    expect(plan.parameters).toBe(3);
    expect(evaluate(plan, [0, 0, 0])).toEqual([0, 0, 0]);
    expect(evaluate(plan, [99, -99, 0.5])).toEqual([3, -3, 3 * Math.tanh(0.5)]);
  });
});

/** Rank of a small matrix by elimination. */
function rank(matrix: readonly (readonly number[])[]): number {
  const rows = matrix.map((row) => [...row]);
  let found = 0;
  for (let j = 0; j < (rows[0]?.length ?? 0); j++) {
    const pivot = rows.findIndex((row, i) => i >= found && Math.abs(row[j]) > 1e-9);
    if (pivot < 0) continue;
    [rows[found], rows[pivot]] = [rows[pivot], rows[found]];
    for (let i = found + 1; i < rows.length; i++) {
      const factor = rows[i][j] / rows[found][j];
      for (let k = j; k < rows[i].length; k++) rows[i][k] -= factor * rows[found][k];
    }
    found++;
  }
  return found;
}
