import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { alignFrames } from './frames.js';
import { type Homography, IDENTITY, project } from './homography.js';
import { motion, photograph, type View } from './scene.fixture.js';

const size = { width: 240, height: 160 };

/** The farthest that two homographies take a corner apart, in pixels. */
function apart(a: Homography, b: Homography): number {
  const corners = [0, size.width].flatMap((x) => [0, size.height].map((y) => [x, y] as const));
  return Math.max(
    ...corners.map(([x, y]) => {
      const [p, q] = [project(a, x, y), project(b, x, y)];
      return Math.hypot(p[0] - q[0], p[1] - q[1]);
    }),
  );
}

function capture(views: readonly Omit<View, 'width' | 'height'>[]): Frame[] {
  return views.map((view, i) => photograph(`${i}.png`, { ...size, seed: i + 1, noise: 1, ...view }));
}

const same = (n: number) => Array.from({ length: n }, () => 0);

describe('alignFrames', () => {
  it('finds homographies between exposures', () => {
    const truth = [
      motion(size, { x: 5.3, y: -3.8, roll: 0.012, scale: 1.004, tilt: 0.004 }),
      IDENTITY,
      motion(size, { x: -7.1, y: 2.2, roll: -0.008, tilt: -0.003 }),
    ];
    const ev = [-2, 0, 1.5];
    const frames = capture(truth.map((homography, i) => ({ homography, ev: ev[i] })));
    const { reference, frames: aligned } = alignFrames(frames, { ev, focus: same(3) });
    expect(reference).toBe(1);
    expect(aligned.map((f) => f.outcome)).toEqual(['moved', 'reference', 'moved']);
    aligned.forEach((f, i) => {
      expect(apart(f.homography, truth[i])).toBeLessThan(0.15);
    });
  });

  it('finds motion between frames that are blurred in different places', () => {
    const truth = [motion(size, { x: -2.6, y: 4.4, roll: 0.006, scale: 0.993 }), IDENTITY];
    const blurs = [
      [0, 2.5],
      [2, 0],
    ] as const;
    const frames = capture(truth.map((homography, i) => ({ homography, blur: blurs[i] })));
    const { frames: aligned } = alignFrames(frames, { ev: same(2), focus: [0, 1] });
    expect(aligned[0].outcome).toBe('moved');
    expect(apart(aligned[0].homography, truth[0])).toBeLessThan(0.25);
  });

  it('moves the brightest frame of another focus, of which the reference shows little', () => {
    const truth = [
      motion(size, { x: 1.6, y: -1.2, roll: 0.004 }),
      motion(size, { x: -1.2, y: 1, roll: -0.003 }),
      motion(size, { x: 2.2, y: 0.8, roll: 0.002 }),
      motion(size, { x: -0.9, y: -1.4, roll: 0.005 }),
      IDENTITY,
      motion(size, { x: 1.1, y: 0.7, roll: 0.003 }),
      motion(size, { x: -1.8, y: 1.1, roll: -0.004 }),
      motion(size, { x: 1.4, y: 1.6, roll: -0.002 }),
      motion(size, { x: -1.3, y: -1.5, roll: -0.005 }),
    ];
    const ev = [-3, 0, 2.3, -3, 0, 2.3, -3, 0, 2.3];
    const focus = [0, 0, 0, 1, 1, 1, 2, 2, 2];
    const blurs = [
      [0, 4],
      [2, 2],
      [4, 0],
    ] as const;
    const frames = capture(truth.map((homography, i) => ({ homography, ev: ev[i], blur: blurs[focus[i]] })));
    const { frames: aligned } = alignFrames(frames, { ev, focus });
    // By way of the brightest frame of the reference's focus the last one is 0.7 pixels off.
    aligned.forEach((f, i) => {
      expect(f.outcome).toBe(i === 4 ? 'reference' : 'moved');
      expect(apart(f.homography, truth[i])).toBeLessThan(0.2);
    });
  });

  it('takes focus breathing for motion: a change of scale', () => {
    const truth = [0.99, 0.995, 1, 1.005, 1.01].map((scale) => motion(size, { scale }));
    const frames = capture(truth.map((homography, i) => ({ homography, blur: [0.5 * i, 2 - 0.5 * i] })));
    const { frames: aligned } = alignFrames(frames, { ev: same(5), focus: [0, 1, 2, 3, 4] });
    aligned.forEach((f, i) => {
      expect(f.outcome).toBe(i === 2 ? 'reference' : 'moved');
      expect(apart(f.homography, truth[i])).toBeLessThan(0.25);
    });
    expect(aligned[0].model).toBe('similarities');
  });

  it.each([
    ['exposures', [{ ev: -3 }, {}, { ev: 2 }], [-3, 0, 2], same(3)],
    ['focus', [{ blur: [0, 4] }, { blur: [2, 2] }, { blur: [4, 0] }], same(3), [0, 1, 2]],
    [
      'both',
      [{ ev: -2, blur: [0, 3] }, { blur: [0, 3] }, { ev: -2, blur: [3, 0] }, { blur: [3, 0] }],
      [-2, 0, -2, 0],
      [0, 0, 1, 1],
    ],
    [
      'something that moves',
      [{ square: [60, 70] }, { square: [80, 70] }, { square: [100, 70] }],
      same(3),
      same(3),
    ],
  ] as const)('leaves a tripod capture that differs in %s exactly as it is', (_, views, ev, focus) => {
    const { frames: aligned } = alignFrames(capture(views as never), { ev, focus });
    for (const f of aligned) {
      expect(f.outcome).not.toBe('moved');
      expect(f.outcome).not.toBe('failed');
      expect(f.homography).toEqual(IDENTITY);
    }
  });

  it('uses the simplest model that explains a motion', () => {
    const truth = [motion(size, { x: 3.4, y: -1.7 }), IDENTITY, motion(size, { x: 1, roll: 0.02 })];
    const frames = capture(truth.map((homography) => ({ homography })));
    const { frames: aligned } = alignFrames(frames, { ev: same(3), focus: same(3) });
    expect(aligned[0].model).toBe('shifts');
    expect(aligned[2].model).toBe('similarities');
  });

  it('finds shifts of a tenth of the picture', () => {
    const truth = motion(size, { x: 23, y: -11, roll: 0.01 });
    const frames = capture([{ homography: truth }, {}]);
    const { frames: aligned } = alignFrames(frames, { ev: same(2), focus: same(2) });
    expect(apart(aligned[0].homography, truth)).toBeLessThan(0.2);
  });

  it('leaves a frame of something else where it is', () => {
    const frames = capture([{ homography: motion(size, { x: 4000, y: 3000, roll: 1 }) }, {}, {}]);
    const { frames: aligned } = alignFrames(frames, { ev: same(3), focus: same(3) });
    expect(aligned[0].outcome).not.toBe('moved');
    expect(aligned[0].homography).toEqual(IDENTITY);
    expect(aligned[2].outcome).toBe('aligned');
  });

  it('says so when a frame shows nothing', () => {
    const frames = capture([{}, {}, {}]);
    frames[2] = { ...frames[2], data: new Uint8Array(frames[2].data.length) };
    const { frames: aligned } = alignFrames(frames, { ev: same(3), focus: same(3) });
    expect(aligned[2]).toMatchObject({ outcome: 'failed', homography: IDENTITY });
  });

  it('does not look at what is masked', () => {
    const frames = capture([{}, {}]);
    // The left third of one frame is a shifted copy, as alignment by somebody else leaves it.
    const data = frames[0].data.slice();
    const masks = [new Uint8Array(size.width * size.height).fill(1), undefined];
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < 80; x++) {
        const p = y * size.width + x;
        masks[0]![p] = 0;
        data.set(frames[0].data.subarray(3 * (p + 6), 3 * (p + 6) + 3), 3 * p);
      }
    }
    frames[0] = { ...frames[0], data };
    const { frames: aligned } = alignFrames(frames, { ev: same(2), focus: same(2), masks });
    expect(aligned[0].outcome).toBe('aligned');
    expect(aligned[0].motion).toBeLessThan(0.05);
  });

  it('reads 16 bits like 8', () => {
    const truth = motion(size, { x: 2.5, y: 1.5, roll: 0.01 });
    const frames = capture([{ homography: truth }, {}]).map((frame) => ({
      ...frame,
      data: Uint16Array.from(frame.data, (v) => 257 * v),
    }));
    const { frames: aligned } = alignFrames(frames, { ev: same(2), focus: same(2) });
    expect(apart(aligned[0].homography, truth)).toBeLessThan(0.15);
  });
});
