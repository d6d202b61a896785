import { describe, expect, it } from 'vitest';
import { IDENTITY, invert } from './homography.js';
import { motion, photograph } from './scene.fixture.js';
import { warpFrame } from './warp.js';

const size = { width: 96, height: 64 };

describe('warpFrame', () => {
  it('changes nothing under the identity', () => {
    const frame = photograph('a.png', size);
    const { frame: out, mask } = warpFrame(frame, IDENTITY);
    expect(out.data).toEqual(frame.data);
    expect(mask.every((m) => m === 1)).toBe(true);
  });

  it('brings a frame to the reference', () => {
    const homography = motion(size, { x: 3.3, y: -2.4, roll: 0.03, scale: 1.02, tilt: 0.01 });
    // Sharp enough to show a tenth of a pixel, and not sharper than pixels can hold.
    const reference = photograph('a.png', { ...size, blur: [1.5, 1.5] });
    const frame = photograph('b.png', { ...size, homography, blur: [1.5, 1.5] });
    const { frame: out, mask } = warpFrame(frame, homography);
    let worst = 0;
    let seen = 0;
    for (let y = 2; y < size.height - 2; y++) {
      for (let x = 2; x < size.width - 2; x++) {
        const p = y * size.width + x;
        if (mask[p] === 0 || mask[p - 2] === 0 || mask[p + 2] === 0) continue;
        if (mask[p - 2 * size.width] === 0 || mask[p + 2 * size.width] === 0) continue;
        seen++;
        worst = Math.max(worst, Math.abs(out.data[3 * p] - reference.data[3 * p]));
      }
    }
    expect(seen).toBeGreaterThan(0.8 * size.width * size.height);
    expect(worst).toBeLessThanOrEqual(2);
  });

  it('masks what the frame does not show', () => {
    const frame = photograph('a.png', size);
    const { mask } = warpFrame(frame, motion(size, { x: 10 }));
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) expect(mask[y * size.width + x]).toBe(x < 10 ? 0 : 1);
    }
  });

  it('masks what the frame masks, as far as interpolation reads', () => {
    const frame = photograph('a.png', size);
    const valid = new Uint8Array(size.width * size.height).fill(1);
    valid[30 * size.width + 40] = 0;
    const { mask } = warpFrame(frame, motion(size, { x: 4.5 }), valid);
    const masked = [...mask.keys()].filter((p) => mask[p] === 0 && p % size.width > 5);
    const columns = new Set(masked.map((p) => p % size.width));
    expect([...columns].sort()).toEqual([42, 43, 44, 45, 46, 47]);
    expect(masked).toContain(30 * size.width + 44);
  });

  it('keeps 16 bits, and their ends', () => {
    const { data, ...rest } = photograph('a.png', size);
    const wide = { ...rest, data: Uint16Array.from(data, (v) => (v > 120 ? 65535 : 0)) };
    const { frame } = warpFrame(wide, invert(motion(size, { x: 0.5, y: 0.5 })));
    expect(frame.data).toBeInstanceOf(Uint16Array);
    const inside = frame.data.filter((v) => v > 0 && v < 65535);
    expect(inside.length).toBeGreaterThan(0);
    expect(frame.data.includes(65535)).toBe(true);
    expect(frame.data.includes(0)).toBe(true);
  });

  it('keeps clipped lights clipped, and the dark beside them dark', () => {
    const { data, ...rest } = photograph('a.png', size);
    const light = data.map((_, i) => (Math.floor(i / 3) % size.width < 48 ? 255 : 20));
    const { frame } = warpFrame({ ...rest, data: light }, motion(size, { x: 4.5 }));
    for (let x = 5; x < size.width; x++) {
      const v = frame.data[3 * (30 * size.width + x)];
      if (x < 51) expect(v).toBe(255);
      if (x > 53) expect(v).toBe(20);
    }
  });

  it('keeps frames sharp', () => {
    const frame = photograph('a.png', { ...size, blur: [0.6, 0.6] });
    const half = motion(size, { x: 0.5, y: 0.5 });
    const there = warpFrame(frame, half).frame;
    const back = warpFrame(there, invert(half)).frame;
    const strength = (d: ArrayLike<number>, i: number) => Math.abs(2 * d[i] - d[i - 3] - d[i + 3]);
    let kept = 0;
    let had = 0;
    for (let y = 8; y < size.height - 8; y++) {
      for (let x = 8; x < size.width - 8; x++) {
        kept += strength(back.data, 3 * (y * size.width + x));
        had += strength(frame.data, 3 * (y * size.width + x));
      }
    }
    expect(kept / had).toBeGreaterThan(0.85);
  });
});
