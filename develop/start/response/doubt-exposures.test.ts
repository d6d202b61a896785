import { describe, expect, it } from 'vitest';
import { estimateDoubtfully } from './doubt-exposures.js';
import { expose, sceneRadiance } from './synthetic-capture.fixture.js';

const scene = sceneRadiance(160, 110);
const truth = [-3, 0, 3];
const stack = truth.map((ev, k) => expose(scene, ev, { seed: 7 + k }));
const develop = (ev: readonly number[], known = true) =>
  estimateDoubtfully([stack], { groups: [ev.map((_, k) => k)], ev, known });

describe('estimateDoubtfully', () => {
  it('keeps exposures that the pictures confirm, to the bit', () => {
    expect(develop(truth)).toMatchObject({ ev: truth, known: true });
  });

  it.each([0.3, -0.2, 0.1])('corrects a middle exposure that is %d stops off', (off) => {
    const { ev, known } = develop([-3, off, 3]);
    expect(known).toBe(false);
    expect(ev[1] - (ev[0] + ev[2]) / 2).toBeCloseTo(0, 1);
    expect(Math.abs(ev[1] - (ev[0] + ev[2]) / 2)).toBeLessThan(0.02);
    expect(ev[2] - ev[0]).toBeCloseTo(6, 9);
  });

  it('does not believe that a camera is off by a stop', () => {
    expect(develop([-3, 1, 3])).toMatchObject({ ev: [-3, 1, 3], known: true });
  });

  it('has nothing to correct with two exposures', () => {
    const two = { groups: [[0, 1]], ev: [-3, 0.3], known: true };
    expect(estimateDoubtfully([stack.slice(0, 2)], two)).toMatchObject({ ev: [-3, 0.3], known: true });
  });

  it('corrects exposures of pictures most of which is one wall, too', () => {
    // One code at every exposure: it agrees with any, and half of all pixels have it.
    const wall = { ...scene, data: scene.data.slice() };
    for (let i = 0; i < wall.data.length; i++) if (i % 480 < 312) wall.data[i] = -2 - 0.3 * (i % 3);
    const frames = truth.map((ev, k) => expose(wall, ev, { seed: 7 + k, noise: false }));
    const exposures = { groups: [[0, 1, 2]], ev: [-3, 0.15, 3], known: true };
    const { ev, known } = estimateDoubtfully([frames], exposures);
    expect(known).toBe(false);
    expect(Math.abs(ev[1] - (ev[0] + ev[2]) / 2)).toBeLessThan(0.02);
  });

  it('learns exposures that nobody knows', () => {
    const { ev, known } = develop([-3, 1, 3], false);
    expect(known).toBe(false);
    expect(Math.abs(ev[1] - (ev[0] + ev[2]) / 2)).toBeLessThan(0.02);
  });
});
