import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { expose, gaussian, sceneRadiance } from '../response/synthetic-capture.fixture.js';
import { videoRange } from './video-range.js';

const scene = sceneRadiance(150, 100);

/** A bracket, its codes changed one by one. */
function bracket(
  evs: readonly number[],
  change: (code: number, i: number, frame: number) => number,
): Frame[] {
  return evs.map((ev, e) => {
    const frame = expose(scene, ev, { seed: 20 + e });
    const data = frame.data.map((v, i) => Math.max(0, Math.min(255, Math.round(change(v, i, e)))));
    return { ...frame, data: data as Uint8Array };
  });
}

const limited = (code: number) => 16 + (219 / 255) * code;
const WIDE = [-6, 0, 6];

describe('video range', () => {
  it.each([0, 0.7])('is told by black at 16 and white at 235, with noise of %d codes', (sigma) => {
    expect(videoRange(bracket(WIDE, (v, i, e) => limited(v) + sigma * gaussian(e, i)))).toBe('certain');
  });

  it('is told of 16 bits alike', () => {
    const deep = bracket(WIDE, limited).map((f) => ({
      ...f,
      data: Uint16Array.from(f.data, (v) => 257 * v),
    }));
    expect(videoRange(deep)).toBe('certain');
  });

  it('is not seen in frames of full range, also hazy, dim or dark ones', () => {
    expect(videoRange(bracket(WIDE, (v) => v))).toBe('no');
    expect(videoRange(bracket([-1, 0, 1], (v) => 60 + 0.4 * v))).toBe('no');
    expect(videoRange(bracket([-1, 0, 1], (v) => 16 + 0.6 * v))).toBe('no');
    expect(videoRange(bracket(WIDE, (v) => (235 / 255) * v))).toBe('no');
    expect(videoRange(bracket(WIDE, (v) => 16 + (239 / 255) * v))).toBe('no');
    expect(videoRange(bracket(WIDE, (v) => 30 + (205 / 255) * v - (v < 3 ? 10 : 0)))).not.toBe('certain');
  });

  it('is not certain where low contrast ends between the two by chance', () => {
    const even = Uint8Array.from({ length: 3 * 5000 }, (_, i) => 16 + ((7 * Math.floor(i / 3)) % 220));
    expect(videoRange([{ name: 'a', width: 100, height: 50, data: even, camera: {} }])).toBe('no');
  });

  it('is in doubt where shadows end just above black, and not where they end far from it', () => {
    expect(videoRange(bracket(WIDE, (v) => limited(Math.max(v, 4))))).toBe('doubtful');
    expect(videoRange(bracket([3, 6], (v) => limited(Math.max(v, 40))))).toBe('no');
  });

  it('is not seen where masks leave nothing', () => {
    const mask = new Uint8Array(150 * 100);
    expect(videoRange(bracket(WIDE, limited).map((f) => ({ ...f, mask })))).toBe('no');
  });
});
