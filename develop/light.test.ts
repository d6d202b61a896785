import { describe, expect, it } from 'vitest';
import { recoverLight } from './light.js';
import type { Grouping } from './start/grouping/frames.js';
import { portableKernels } from './start/kernels.js';
import { expose, sceneRadiance } from './start/response/synthetic-capture.fixture.js';

const size = { width: 120, height: 80 };

/** Two focus settings of two exposures. */
const grouping: Grouping = {
  frames: [0, 1].flatMap((focus) => [-2, 0].map((ev, exposure) => ({ focus, exposure, ev, aperture: 1 }))),
  focus: [1, -1],
  preset: 'focus-exposure',
  exposuresKnown: true,
  masks: [],
  notes: [],
};

/** A mask without the first `columns` of every row. */
const without = (columns: number) =>
  Uint8Array.from({ length: size.width * size.height }, (_, p) => (p % size.width < columns ? 0 : 1));

describe('recoverLight', () => {
  it('takes the border of a view from any of its frames, and says where none shows it', () => {
    const scene = sceneRadiance(size.width, size.height);
    const frames = grouping.frames.map(({ ev }, i) => expose(scene, ev, { name: `${i}.png`, noise: false }));
    const masks = [without(6), without(2), undefined, undefined];
    const light = recoverLight({ frames, masks, moved: true }, grouping, () => undefined, portableKernels);
    const [view, other] = light.views;
    const [shown] = light.shown;
    expect(light.shown[1]).toBeUndefined();
    const columns = Array.from({ length: size.width }, (_, x) => ({ shown: 0, apart: 0 as number, x }));
    for (let p = 0; p < size.width * size.height; p++) {
      const column = columns[p % size.width];
      if (shown![p] === 0) continue;
      column.shown++;
      const apart = Math.abs(view.data[3 * p + 1] - other.data[3 * p + 1]);
      column.apart = Math.max(column.apart, apart);
    }
    for (const { x, shown: count, apart } of columns) {
      if (x < 2) expect(count).toBe(0);
      // What is white in the brighter frame is not told where that is the only one.
      else expect(count).toBeGreaterThan(x < 6 ? 0.9 * size.height : size.height - 1);
      expect(apart).toBeLessThan(0.1);
    }
    // Beyond what any frame shows it is not black: that would blur into what lies beside it.
    const beyond = Array.from({ length: size.height }, (_, y) => {
      const i = 3 * y * size.width + 1;
      return Math.abs(view.data[i] - other.data[i]);
    });
    expect(Math.max(...beyond)).toBeLessThan(0.1);
  });
});
