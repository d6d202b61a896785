import { describe, expect, it } from 'vitest';
import { registerFrames } from './register.js';
import { IDENTITY } from './start/align/homography.js';
import { motion, photograph } from './start/align/scene.fixture.js';
import type { Grouping } from './start/grouping/frames.js';

const size = { width: 160, height: 120 };

function bracket(ev: readonly number[], masks: Grouping['masks']): Grouping {
  return {
    frames: ev.map((value, exposure) => ({ focus: 0, exposure, ev: value, aperture: 1 })),
    focus: [0],
    preset: 'exposure',
    exposuresKnown: true,
    masks,
    notes: [],
  };
}

describe('registerFrames', () => {
  it('passes a tripod capture on untouched, with its masks', () => {
    const frames = [-1, 0, 1].map((ev) => photograph(`${ev}.png`, { ...size, ev, noise: 1, seed: 5 + ev }));
    const masks = [new Uint8Array(size.width * size.height).fill(1), undefined, undefined];
    const notes: string[] = [];
    const registered = registerFrames(frames, bracket([-1, 0, 1], masks), (n) => notes.push(n));
    expect(registered.moved).toBe(false);
    registered.frames.forEach((frame, i) => {
      expect(frame).toBe(frames[i]);
      expect(registered.masks[i]).toBe(masks[i]);
    });
    expect(notes).toEqual([expect.stringMatching(/^tripod: aligned to 0\.\d\d pixels, left as they are$/)]);
  });

  it('moves hand-held frames, masks what they lack, and says so', () => {
    const poses = [motion(size, { x: 5, y: 2 }), IDENTITY, motion(size, { x: -3, roll: 0.02 })];
    const frames = poses.map((homography, i) =>
      photograph(`${i}.png`, { ...size, homography, ev: i - 1, noise: 1, seed: i + 1 }),
    );
    const dead = new Uint8Array(size.width * size.height).fill(1);
    dead[60 * size.width + 80] = 0;
    const notes: string[] = [];
    const {
      frames: out,
      masks,
      moved,
    } = registerFrames(frames, bracket([-1, 0, 1], [dead, undefined, undefined]), (n) => notes.push(n));
    expect(moved).toBe(true);
    expect(out[1]).toBe(frames[1]);
    expect(masks[1]).toBeUndefined();
    expect(masks[0]![60 * size.width + 2]).toBe(0);
    expect(masks[0]![62 * size.width + 85]).toBe(0);
    expect(masks[0]![20 * size.width + 85]).toBe(1);
    expect(out.map((f) => f.name)).toEqual(frames.map((f) => f.name));
    expect(notes[0]).toMatch(
      /^hand-held.* frames moved by up to \d\.\d pixels from 1\.png, aligned by shifts, similarities$/,
    );
  });

  it('names a frame in which it recognises nothing', () => {
    const frames = [0, 1].map((i) => photograph(`${i}.png`, { ...size, noise: 1, seed: i + 1 }));
    frames[0] = { ...frames[0], data: new Uint8Array(frames[0].data.length).fill(255) };
    const notes: string[] = [];
    const { moved } = registerFrames(frames, bracket([0, 0], [undefined, undefined]), (n) => notes.push(n));
    expect(moved).toBe(false);
    expect(notes).toEqual(['too little of the picture is recognised in 0.png to tell motion: left unmoved']);
  });

  it('warns where most frames show something else', () => {
    const frames = [0, 1, 2, 3, 4].map((i) => {
      const frame = photograph(`${i}.png`, { ...size, noise: 1, seed: i + 1 });
      return i < 2 ? frame : { ...frame, data: new Uint8Array(frame.data.length).fill(255) };
    });
    const notes: string[] = [];
    registerFrames(
      frames,
      bracket([0, 0, 0, 0, 0], [undefined, undefined, undefined, undefined, undefined]),
      (n) => notes.push(n),
    );
    expect(notes.at(-1)).toMatch(
      /^warning: most frames have too little in common with \d.png to be of one scene/,
    );
  });

  it('has nothing to say about one frame', () => {
    const frames = [photograph('0.png', size)];
    const result = registerFrames(frames, bracket([0], [undefined]), () => expect.fail('no note'));
    expect(result).toEqual({ frames, masks: [undefined], moved: false });
  });
});
