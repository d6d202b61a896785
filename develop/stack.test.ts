import { describe, expect, test } from 'vitest';
import type { Picture } from '../model/picture.js';
import type { Light } from './light.js';
import { startStack } from './stack.js';
import { startKernels } from './start/compiled.js';
import { sweepFocus } from './start/depth/focus.js';
import { layeredScene } from './start/depth/layered-scene.fixture.js';
import { meanOf } from './start/fusion/blend-share.js';
import type { Grouping } from './start/grouping/frames.js';
import { srgbResponse } from './start/response/response.js';

const kernels = startKernels(1);

/** The start of a focus stack of views, without the network. */
function startOf(views: Picture[], focus: readonly number[]) {
  const grouping: Grouping = {
    frames: focus.map((_, f) => ({ focus: f, exposure: 0, ev: 0, aperture: 1 })),
    focus,
    preset: 'focus',
    exposuresKnown: true,
    masks: [],
    notes: [],
  };
  const masks = focus.map(() => undefined);
  const ev = focus.map(() => 0);
  const light: Light = {
    response: srgbResponse(),
    ev,
    exposuresKnown: true,
    views,
    noise: undefined,
    masks,
    shown: masks,
  };
  const notes: string[] = [];
  const start = startStack(light, grouping, true, (note) => notes.push(note), kernels);
  return { ...start, notes };
}

const WIDTH = 160;
const HEIGHT = 120;

const FOCUS = [-1, -0.5, 0, 0.5, 1];
const sceneOf = (kappa: number) => layeredScene({ width: WIDTH, height: HEIGHT, focus: FOCUS, kappa });

/** Root of the mean square difference of ln radiance, away from the border. */
function difference(a: Picture, b: Picture): number {
  let [sum, count] = [0, 0];
  for (let y = 16; y < HEIGHT - 16; y++)
    for (let i = 3 * (y * WIDTH + 16); i < 3 * (y * WIDTH + WIDTH - 16); i++, count++)
      sum += (a.data[i] - b.data[i]) ** 2;
  return Math.sqrt(sum / count);
}

/** What the lens alone makes of the views. */
const byLens = (views: Picture[]) => sweepFocus(views, FOCUS, [1, 1, 1, 1, 1], { kernels });

describe('a scene of one surface', () => {
  test.each([2, 4])('keeps what the lens makes of it, with blur of %d pixels a unit', (kappa) => {
    const { views, truth } = sceneOf(kappa);
    const { blend, allInFocus, s, notes } = startOf(views, FOCUS);
    expect(meanOf(blend)).toBe(0);
    expect(notes).toEqual([]);
    const lens = byLens(views);
    expect(allInFocus.data).toEqual(lens.allInFocus.data);
    expect(s.data).toEqual(lens.s.data);
    expect(difference(allInFocus, truth)).toBeLessThan(0.2);
  });
});

describe('views that no depth behind a lens explains, for they are not focused where they are said to be', () => {
  /** Which view stands at each setting. */
  const ORDER = [2, 4, 1, 3, 0];

  test.each([2, 4])('are blended, with blur of %d pixels a unit', (kappa) => {
    const { views, truth, s: depth } = sceneOf(kappa);
    const mixed = ORDER.map((v) => views[v]);
    const { blend, allInFocus, s, notes } = startOf(mixed, FOCUS);
    expect(meanOf(blend)).toBeGreaterThan(0.95);
    expect(notes).toEqual([expect.stringMatching(/^no depth behind a lens explains these frames/)]);
    const lens = byLens(mixed);
    expect(difference(allInFocus, truth)).toBeLessThan(0.6 * difference(lens.allInFocus, truth));
    // The defocus map says at which setting each place is sharpest, as far as that can be seen.
    const right = (map: Picture) => {
      const settings = depth.data.map((d) => FOCUS[ORDER.indexOf(Math.round((d + 1) / 0.5))]);
      return map.data.filter((value, p) => Math.abs(value - settings[p]) < 0.3).length / settings.length;
    };
    expect(right(s)).toBeGreaterThan(right(lens.s) + 0.2);
  });

  test('are blended in part where most of them are explained', () => {
    const { views, truth } = sceneOf(2);
    const mixed = [1, 0, 3, 2, 4].map((v) => views[v]);
    const { blend, allInFocus, notes } = startOf(mixed, FOCUS);
    expect(meanOf(blend)).toBeGreaterThan(0.005);
    expect(meanOf(blend)).toBeLessThan(0.1);
    expect(notes).toEqual([expect.stringMatching(/^in \d\.\d % of the picture no single depth shows all/)]);
    const lens = byLens(mixed).allInFocus;
    expect(difference(allInFocus, truth)).toBeLessThan(difference(lens, truth));
    // Elsewhere the lens's choice stays, to the bit.
    const untouched = blend.every(
      (share, p) => share > 0 || [0, 1, 2].every((c) => allInFocus.data[3 * p + c] === lens.data[3 * p + c]),
    );
    expect(untouched).toBe(true);
  });
});
