import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema, type ModelConfigInput } from './config.js';
import { ImplicamError } from './errors.js';
import { AFFINE, findGroup } from './layout.js';
import { type Capture, createPlan, type FrameSetting, type Homography, IDENTITY } from './plan.js';

const frame = (change: Partial<FrameSetting> = {}): FrameSetting => ({
  focus: 0,
  exposure: 0,
  ev: 0,
  aperture: 1,
  ...change,
});

const captureOf = (frames: FrameSetting[], size = { width: 30, height: 20 }): Capture => ({
  ...size,
  frames,
  focus: [-1, 0, 1],
  kappa: 2,
});

const GRID = { levels: 2, base: 3, finest: 1, log2Table: 8, hidden: [8] };
const plan = (frames: FrameSetting[], config: ModelConfigInput = {}) =>
  createPlan(
    captureOf(frames),
    configSchema.parse({ atlas: { form: 'hash', ...GRID }, blur: { form: 'lens', ...GRID }, ...config }),
    1,
  );

const MOVED: Homography = [1, 0, 0.1, 0, 1, 0, 0, 0];

describe('views', () => {
  test('are frames that differ in exposure alone, in order of appearance', () => {
    const frames = [
      frame({ focus: 1, exposure: 0, ev: -1 }),
      frame({ focus: 0, exposure: 0, ev: -1 }),
      frame({ focus: 1, exposure: 1, ev: 1 }),
      frame({ focus: 0, exposure: 1, ev: 1 }),
    ];
    expect(plan(frames).views).toEqual([
      { focus: 1, aperture: 1, homography: IDENTITY, frames: [0, 2] },
      { focus: 0, aperture: 1, homography: IDENTITY, frames: [1, 3] },
    ]);
  });

  test.each<[string, Partial<FrameSetting>]>([
    ['focus', { focus: 2 }],
    ['aperture', { aperture: 0.5 }],
    ['registration', { homography: MOVED }],
  ])('a frame of another %s is another view', (_, change) => {
    const { views } = plan([frame(), frame(change), frame(change), frame()]);
    expect(views.map((v) => v.frames)).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(views[1]).toMatchObject(change);
  });

  test('a frame that was not registered is one that was not moved', () => {
    expect(plan([frame(), frame({ homography: IDENTITY })]).views).toHaveLength(1);
  });

  test('with learned registration every frame moves on its own', () => {
    const { views } = plan([frame(), frame({ exposure: 1 }), frame()], { registration: 'affine' });
    expect(views.map((v) => v.frames)).toEqual([[0], [1], [2]]);
  });

  test('every frame is in exactly one view', () => {
    const anyFrame = fc.record({
      focus: fc.nat(2),
      exposure: fc.nat(3),
      ev: fc.constant(0),
      aperture: fc.constantFrom(1, 0.5),
      homography: fc.constantFrom(undefined, IDENTITY, MOVED),
    });
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 20 }), fc.boolean(), (frames, learned) => {
        const { views } = plan(frames, { registration: learned ? 'affine' : 'none' });
        const seen = views.flatMap((v) => v.frames).sort((a, b) => a - b);
        expect(seen).toEqual(frames.map((_, i) => i));
        for (const view of views) {
          for (const i of view.frames) {
            expect(frames[i]).toMatchObject({ focus: view.focus, aperture: view.aperture });
            expect(frames[i].homography ?? IDENTITY).toEqual(view.homography);
          }
        }
      }),
    );
  });
});

test('learned registration has six parameters a view but the reference, for six different coefficients', () => {
  const size = (registration: ModelConfigInput['registration'], views: number) => {
    const { layout } = plan(
      Array.from({ length: views }, () => frame()),
      { registration },
    );
    return findGroup(layout, 'registration')?.size;
  };
  expect(size('none', 3)).toBeUndefined();
  expect(size('affine', 1)).toBeUndefined();
  expect(size('affine', 3)).toBe(12);
  // All but the last two, which are those of a perspective.
  expect([...AFFINE].sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

describe('createPlan', () => {
  test('keeps what it was made of', () => {
    const config = configSchema.parse({});
    const capture = captureOf([frame(), frame({ focus: 1 })]);
    expect(createPlan(capture, config, 77)).toMatchObject({ config, capture, seed: 77 });
  });

  test('is a pure function', () => {
    const frames = [frame(), frame({ focus: 2, exposure: 1, ev: 1 }), frame({ exposure: 1, ev: 1 })];
    expect(plan(frames, { registration: 'affine' })).toEqual(plan(frames, { registration: 'affine' }));
  });

  test('cuts large pictures, and lays out grids for every tile', () => {
    const config = configSchema.parse({ atlas: { form: 'hash', ...GRID }, blur: { form: 'none' } });
    const { shards, layout } = createPlan(captureOf([frame()]), config, 1, 200);
    expect(shards.length).toBeGreaterThan(1);
    expect(layout.groups.filter((g) => g.name.startsWith('atlas.grid/'))).toHaveLength(shards.length);
  });

  test('needs a frame', () => {
    expect(() => plan([])).toThrow(ImplicamError);
  });
});
