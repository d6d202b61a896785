import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CameraSettings, Frame, Picture } from '../../../model/picture.js';
import { defocus, expose, gaussian, sceneRadiance } from '../response/synthetic-capture.fixture.js';
import { type Grouping, groupFrames } from './frames.js';

/** A scene with detail everywhere, as photographs have, of four stops. */
function texturedScene(width: number, height: number): Picture {
  const scene = sceneRadiance(width, height);
  const data = scene.data.map((u, i) => -2.2 + 0.5 * (u + 3.2) + 0.5 * gaussian(5, Math.floor(i / 3)));
  return { ...scene, data };
}
const scene = texturedScene(288, 192);
const views = [0, 1, 2].map((focus) => defocus(scene, focus));

interface Shot {
  readonly focus: number;
  readonly ev: number;
  readonly camera?: CameraSettings;
}
const shoot = ({ focus, ev, camera }: Shot, k: number): Frame =>
  expose(views[focus], ev, { seed: 3 + k, name: `${k}.png`, camera });
const grid = [0, 1, 2].flatMap((focus) => [-2, 0, 2].map((ev): Shot => ({ focus, ev })));
const frames = grid.map(shoot);
const times = (ev: number): CameraSettings => ({ exposureTime: 2 ** ev / 100, fNumber: 4, iso: 100 });

const focusOf = (grouping: Grouping) => grouping.frames.map((f) => f.focus);
const evOf = (grouping: Grouping) => grouping.frames.map((f) => f.ev);

describe('groupFrames without EXIF', () => {
  it('finds focus and exposure of a grid', () => {
    const grouping = groupFrames(frames);
    expect(grouping.preset).toBe('focus-exposure');
    expect(focusOf(grouping)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(evOf(grouping)).toEqual([-2, 0, 2, -2, 0, 2, -2, 0, 2]);
    expect(grouping.focus).toEqual([1, 0, -1]);
    expect(grouping.exposuresKnown).toBe(false);
    expect(grouping.notes.join('\n')).toMatch(/no frame has an exposure time.*whole stops/s);
  });

  it('takes one focus where that is asked for', () => {
    const grouping = groupFrames(frames, true);
    expect(grouping.preset).toBe('exposure');
    expect(focusOf(grouping)).toEqual(frames.map(() => 0));
    expect(evOf(grouping)).toEqual([-2, 0, 2, -2, 0, 2, -2, 0, 2]);
  });

  it('finds the same groups in any order of the frames', () => {
    const order = fc.shuffledSubarray([...frames.keys()], { minLength: frames.length });
    fc.assert(
      fc.property(order, (list) => {
        const grouping = groupFrames(list.map((i) => frames[i]));
        const labels = new Map<number, number>();
        list.forEach((i, k) => {
          const { focus, ev } = grouping.frames[k];
          expect(ev).toBe(grid[i].ev);
          expect(labels.get(grid[i].focus) ?? focus).toBe(focus);
          labels.set(grid[i].focus, focus);
        });
        expect(new Set(labels.values()).size).toBe(3);
        // Without distances focus runs in order of appearance.
        expect(grouping.frames[0].focus).toBe(0);
      }),
      { numRuns: 6, seed: 1 },
    );
  });

  it('knows a bracket, a focus stack, and frames that differ in both at once', () => {
    const bracket = groupFrames(grid.filter((s) => s.focus === 1).map(shoot));
    expect(bracket.preset).toBe('exposure');
    expect(bracket.focus).toEqual([0]);
    const stack = groupFrames(grid.filter((s) => s.ev === 0).map(shoot));
    expect(stack.preset).toBe('focus');
    expect(focusOf(stack)).toEqual([0, 1, 2]);
    expect(evOf(stack)).toEqual([0, 0, 0]);
    const diagonal = groupFrames([0, 1, 2].map((k) => shoot({ focus: k, ev: 1.5 * k - 1.5 }, k)));
    expect(diagonal.preset).toBe('focus-exposure');
    expect(focusOf(diagonal)).toEqual([0, 1, 2]);
  });

  it('does not take repeated shots for a focus stack', () => {
    const grouping = groupFrames([0, 1, 2].map((k) => shoot({ focus: 1, ev: 0 }, k)));
    expect(grouping.preset).toBe('exposure');
    expect(focusOf(grouping)).toEqual([0, 0, 0]);
    expect(grouping.notes.join()).toMatch(/taken as one focus/);
  });

  it('tells what it assumed where steps are no whole stops', () => {
    const grouping = groupFrames([-1.9, -0.5, 0.1, 2.3].map((ev, k) => shoot({ focus: 0, ev }, k)));
    expect(grouping.notes.join()).toMatch(/true range cannot be seen/);
    const ev = evOf(grouping);
    const truth = [-1.9, -0.5, 0.1, 2.3];
    ev.forEach((value, k) => {
      expect(Math.abs(value - truth[k])).toBeLessThan(0.5);
    });
    expect(ev.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
  });
});

describe('groupFrames with EXIF', () => {
  it('takes exposures and distances from the camera: nearest first, linear in inverse distance', () => {
    const metres = [4, 0.5, 1];
    const grouping = groupFrames(
      grid.map(({ focus, ev }, k) =>
        shoot({ focus, ev, camera: { ...times(ev), focusDistance: metres[focus] } }, k),
      ),
    );
    expect(focusOf(grouping)).toEqual([2, 2, 2, 0, 0, 0, 1, 1, 1]);
    expect(grouping.focus.map((f) => f.toFixed(4))).toEqual(['1.0000', '-0.1429', '-1.0000']);
    expect(grouping.exposuresKnown).toBe(true);
    evOf(grouping).forEach((ev, k) => {
      expect(ev).toBeCloseTo(grid[k].ev, 9);
    });
  });

  it('takes the focus from the pictures where the camera wrote one distance for all', () => {
    const grouping = groupFrames(
      grid.map(({ focus, ev }, k) => shoot({ focus, ev, camera: { ...times(ev), focusDistance: 2 } }, k)),
    );
    expect(focusOf(grouping)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it('does not believe exposures that the pictures contradict', () => {
    const same = groupFrames(frames.slice(0, 3).map((frame) => ({ ...frame, camera: times(0) })));
    expect(same.exposuresKnown).toBe(false);
    evOf(same).forEach((ev, k) => {
      expect(Math.abs(ev - grid[k].ev)).toBeLessThan(0.6);
    });
    expect(same.notes.join()).toMatch(/2.png is \d\.\d stops brighter than 0.png at the same settings/);
    const reversed = groupFrames([2, 0, -2].map((ev, k) => ({ ...frames[k], camera: times(ev) })));
    expect(reversed.exposuresKnown).toBe(false);
    expect(evOf(reversed)[0]).toBeLessThan(-1);
    expect(evOf(reversed)[2]).toBeGreaterThan(1);
  });

  it('does not believe distances that wander while the picture stays', () => {
    const grouping = groupFrames(
      [-2, 0, 2].map((ev, k) =>
        shoot({ focus: 1, ev, camera: { ...times(ev), focusDistance: 1 + 0.03 * k } }, k),
      ),
    );
    expect(grouping.preset).toBe('exposure');
    expect(focusOf(grouping)).toEqual([0, 0, 0]);
  });

  it.each([0, 1, 2])(
    'fits the exposure of one frame that lacks its own between the others: %i',
    (lacking) => {
      const ev = [-2.5, 0, 2.5];
      const some = ev.map((e, k) => shoot({ focus: 0, ev: e, camera: k === lacking ? {} : times(e) }, k));
      const grouping = groupFrames(some);
      evOf(grouping).forEach((value, k) => {
        expect(value).toBeCloseTo(ev[k], 9);
      });
      expect(grouping.exposuresKnown).toBe(false);
      expect(grouping.notes.join()).toContain(`EXIF does not give the exposure of ${lacking}.png`);
    },
  );

  it.each([4 / 3, 8 / 3])('takes exposure compensation of ±%f stops for the exposures', (step) => {
    const ev = [-step, 0, step];
    const some = ev.map((e, k) => shoot({ focus: 0, ev: e, camera: { exposureBias: e } }, k));
    const grouping = groupFrames(some);
    evOf(grouping).forEach((value, k) => {
      expect(value).toBeCloseTo(ev[k], 9);
    });
    expect(grouping.exposuresKnown).toBe(true);
    expect(grouping.notes.join()).toContain('EXIF gives 3 exposure compensations');
  });

  it('takes the same exposure compensation everywhere for nothing said', () => {
    const some = [-2, 0, 2].map((e, k) => shoot({ focus: 0, ev: e, camera: { exposureBias: 0 } }, k));
    expect(groupFrames(some).notes.join()).toMatch(/no frame has an exposure time/);
  });

  it.each([
    [-2, 0, 0, 2],
    [-2, -2, 0, 2],
    [-2, 0, 2, 2, 0],
  ])('takes retakes of one focus for one focus: %j', (...ev) => {
    const some = ev.map((e, k) => shoot({ focus: 0, ev: e, camera: times(e) }, 10 + k));
    const grouping = groupFrames(some);
    expect(focusOf(grouping)).toEqual(ev.map(() => 0));
    expect(grouping.preset).toBe('exposure');
  });

  it('believes one distance for all where every exposure was taken once', () => {
    // Another focus at each exposure, to the eye.
    const shots = [-2, 0, 2].map(
      (ev, focus): Shot => ({ focus, ev, camera: { ...times(ev), focusDistance: 2 } }),
    );
    expect(focusOf(groupFrames(shots.map(shoot)))).toEqual([0, 0, 0]);
    const unknown = shots.map((shot) => ({ ...shot, camera: times(shot.ev) }));
    expect(new Set(focusOf(groupFrames(unknown.map(shoot)))).size).toBeGreaterThan(1);
  });

  it('keeps the focus settings of a grid of which one frame was taken twice', () => {
    const some = [...grid, { ...grid[4], camera: undefined }].map((shot, k) => shoot(shot, 30 + k));
    const grouping = groupFrames(some);
    expect(focusOf(grouping)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 1]);
  });

  it('reads the relative aperture', () => {
    const stack = [0, 1, 2].map((focus) =>
      shoot(
        {
          focus,
          ev: 0,
          camera: { exposureTime: 0.01, fNumber: focus === 2 ? 8 : 4, iso: focus === 2 ? 400 : 100 },
        },
        focus,
      ),
    );
    expect(groupFrames(stack).frames.map((f) => f.aperture)).toEqual([1, 1, 0.5]);
  });
});

describe('groupFrames at its limits', () => {
  it('takes a single frame as an exposure of one', () => {
    const grouping = groupFrames([frames[0]]);
    expect(grouping).toMatchObject({
      preset: 'exposure',
      focus: [0],
      frames: [{ focus: 0, exposure: 0, ev: 0 }],
    });
  });

  it('survives pictures without content', () => {
    const flat = (value: number): Frame => ({
      name: `${value}`,
      width: 40,
      height: 30,
      data: new Uint8Array(3600).fill(value),
      camera: {},
    });
    for (const values of [
      [0, 0],
      [255, 255],
      [0, 255],
      [80, 160],
    ]) {
      const grouping = groupFrames(values.map(flat));
      expect(grouping.frames.every((f) => Number.isFinite(f.ev))).toBe(true);
    }
  });

  it('refuses what cannot be grouped', () => {
    expect(() => groupFrames([])).toThrow(/no frames/);
    const small = { ...expose(sceneRadiance(20, 10), 0), name: 'small.jpg' };
    expect(() => groupFrames([frames[0], small])).toThrow(/small.jpg is 20×10 but 0.png is 288×192/);
  });
});
