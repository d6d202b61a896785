import { describe, expect, it } from 'vitest';
import { estimateResponse } from './comparagram.js';
import { defocus, expose, sceneRadiance, trueResponse } from './synthetic-capture.fixture.js';

const scene = sceneRadiance(160, 110);
const centred = (ev: readonly number[]) => {
  const mean = ev.reduce((sum, value) => sum + value, 0) / ev.length;
  return ev.map((value) => value - mean);
};
const worst = (ev: readonly number[], truth: readonly number[]) =>
  Math.max(...centred(ev).map((value, i) => Math.abs(value - centred(truth)[i])));
const bracket = (ev: readonly number[], seed = 7) => ev.map((e, k) => expose(scene, e, { seed: seed + k }));

/** The pixel value of ln x among the ln exposures of the codes, whose code 253 is saturation. */
function valueAt(codes: Float64Array, lnX: number): number {
  const z = codes.findIndex((g) => g - codes[253] >= lnX);
  const [below, above] = [codes[z - 1] - codes[253], codes[z] - codes[253]];
  return (z - (above > below ? (above - lnX) / (above - below) : 0)) / 255;
}

describe('estimateResponse', () => {
  it.each([
    { truth: [-3, 0, 3], guess: [-3, 1, 3] },
    { truth: [-2, 0, 2], guess: [-2, -0.7, 2] },
    { truth: [-4, -2, 0, 2, 4], guess: [-4, -1.5, -0.5, 2.5, 4] },
    { truth: [-3, -1.7, -1.2, 0.4, 0.7, 2.2, 3], guess: [-3, -2, -1, 0, 1, 2, 3] },
  ])('recovers the exposures $truth from $guess', ({ truth, guess }) => {
    const groups = [truth.map((_, i) => i)];
    const { ev, residual } = estimateResponse([bracket(truth)], { groups, ev: guess, known: false });
    expect(worst(ev, truth)).toBeLessThan(0.015);
    expect(residual).toBeLessThan(2);
  });

  it('leaves known exposures as they are', () => {
    const ev = [-3, 0.2, 3];
    const result = estimateResponse([bracket([-3, 0, 3])], { groups: [[0, 1, 2]], ev, known: true });
    expect(result.ev).toEqual(ev);
  });

  it('measures the response of each channel, never falling', () => {
    const truth = [-2, 0, 2];
    const { g } = estimateResponse([bracket(truth)], { groups: [[0, 1, 2]], ev: truth, known: true });
    for (let c = 0; c < 3; c++) {
      for (let z = 1; z < 256; z++) expect(g[c][z]).toBeGreaterThanOrEqual(g[c][z - 1]);
      let squares = 0;
      for (let k = 0; k < 100; k++) {
        const lnX = -0.05 * k;
        squares += (valueAt(g[c], lnX) - trueResponse(c, Math.exp(lnX))) ** 2;
      }
      expect(Math.sqrt(squares / 100)).toBeLessThan(6 / 255);
    }
  });

  it('ties exposures over the focus settings', () => {
    const truth = [-3, 0, 3];
    const stacks = [0, 1, 2].map((f) => truth.map((e) => expose(defocus(scene, f), e, { seed: 20 + f })));
    const groups = stacks.map(() => [0, 1, 2]);
    const { ev } = estimateResponse(stacks, { groups, ev: [-3, 0.3, 3], known: false });
    expect(ev).toHaveLength(3);
    expect(worst(ev, truth)).toBeLessThan(0.015);
  });

  it('learns every frame alone where no exposure repeats', () => {
    const truth = [-3, 0.1, 2.9, -2.8, -0.2, 3.2];
    const guess = [-3, 0, 3, -3, 0, 3];
    const frames = bracket(truth);
    const stacks = [frames.slice(0, 3), frames.slice(3)];
    const result = estimateResponse(stacks, {
      groups: [
        [0, 1, 2],
        [3, 4, 5],
      ],
      ev: guess,
      known: false,
    });
    // Pairs link the frames of a stack only: each stack keeps the mean of its guess, the ranges their sum.
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
    expect(sum(result.ev.slice(0, 3))).toBeCloseTo(0, 6);
    expect(sum(result.ev.slice(3))).toBeCloseTo(0, 6);
    expect(result.ev[2] - result.ev[0] + result.ev[5] - result.ev[3]).toBeCloseTo(12, 6);
    // The guess has both ranges 6; the truth's are 5.9 and 6.
    expect((result.ev[2] - result.ev[0]) / (result.ev[5] - result.ev[3])).toBeCloseTo(5.9 / 6, 2);
    const share = (ev: readonly number[]) => (ev[1] - ev[0]) / (ev[2] - ev[0]);
    expect(share(result.ev)).toBeCloseTo(share(truth), 2);
    expect(share(result.ev.slice(3))).toBeCloseTo(share(truth.slice(3)), 2);
  });

  it('heeds masks', () => {
    const truth = [-2, 0, 2];
    const frames = bracket(truth);
    const mask = new Uint8Array(160 * 110).fill(1);
    for (let p = 0; p < mask.length; p++) {
      if (p % 160 < 80) continue;
      mask[p] = 0;
      frames[1].data.fill(120, 3 * p, 3 * p + 3);
    }
    const exposures = { groups: [[0, 1, 2]], ev: [-2, 0.5, 2], known: false };
    const masked = estimateResponse([frames], exposures, { masks: [[undefined, mask, undefined]] });
    expect(worst(masked.ev, truth)).toBeLessThan(0.02);
    const bare = estimateResponse([frames], exposures);
    expect(worst(bare.ev, truth)).toBeGreaterThan(3 * worst(masked.ev, truth));
  });

  it('discounts what moves', () => {
    const truth = [-2, 0, 2];
    const frames = bracket(truth);
    for (let p = 0; p < 160 * 110; p++) {
      if (p % 160 < 24) frames[2].data.fill(90, 3 * p, 3 * p + 3);
    }
    const { ev } = estimateResponse([frames], { groups: [[0, 1, 2]], ev: [-2, 0.5, 2], known: false });
    expect(worst(ev, truth)).toBeLessThan(0.05);
  });

  it('does not let a frame without light set the range', () => {
    const truth = [-14, -3, 0, 3];
    const { ev } = estimateResponse([bracket(truth)], {
      groups: [[0, 1, 2, 3]],
      ev: [-14, -3, 0.5, 3],
      known: false,
    });
    expect(ev[3] - ev[1]).toBeCloseTo(6, 2);
    expect(ev[2] - ev[1]).toBeCloseTo(3, 1);
  });

  it('holds the range by a frame that is white nearly everywhere, but measured', () => {
    const truth = [-4, -2, 0, 2, 4];
    // Light from 2 stops below full on at the brightest exposure, and darker in one pixel in thirty.
    const bright = { ...scene, data: scene.data.map((u) => Math.max(u, -1.6)) };
    for (let i = 0; i < bright.data.length; i += 90)
      bright.data.set(
        scene.data.subarray(i, i + 3).map((u) => u - 2.5),
        i,
      );
    const frames = truth.map((e, k) => expose(bright, e, { seed: 7 + k }));
    const given = [-4, -2.2, 0.3, 1.7, 4];
    const { ev } = estimateResponse([frames], { groups: [[0, 1, 2, 3, 4]], ev: given, known: false });
    expect(ev[4] - ev[0]).toBeCloseTo(8, 9);
    expect(worst(ev, truth)).toBeLessThan(0.05);
  });

  it('takes 16-bit frames', () => {
    const truth = [-2, 0, 2];
    const frames = truth.map((e) => expose(scene, e, { bits: 16 }));
    const { ev } = estimateResponse([frames], { groups: [[0, 1, 2]], ev: [-2, 0.5, 2], known: false });
    expect(worst(ev, truth)).toBeLessThan(0.015);
  });

  it('gives the same bits each time', () => {
    const exposures = { groups: [[0, 1, 2]], ev: [-3, 0.4, 3], known: false };
    const [a, b] = [0, 1].map(() => estimateResponse([bracket([-3, 0, 3])], exposures));
    expect(b.ev).toEqual(a.ev);
    expect(b.g).toEqual(a.g);
  });

  it('answers sRGB where no two frames of a focus differ', () => {
    const [frame] = bracket([0]);
    const { g, ev } = estimateResponse([[frame], [frame]], {
      groups: [[0], [1]],
      ev: [0, 0.4],
      known: false,
    });
    expect(ev).toEqual([0, 0.4]);
    expect(g[0][128] - g[0][255]).toBeCloseTo(Math.log(0.2159), 3);
  });

  it('says what is wrong with its input', () => {
    const frames = bracket([-2, 2]);
    const small = expose(sceneRadiance(80, 50), 2, { name: 'small.png' });
    const estimate = (stack: typeof frames, groups: number[][], ev: number[]) => () =>
      estimateResponse([stack], { groups, ev, known: false });
    expect(estimate([frames[0], small], [[0, 1]], [0, 1])).toThrow(
      /small.png is 80×50 but ev-2.png is 160×110/,
    );
    expect(estimate(frames, [[0, 1]], [1, 1])).toThrow(/range is unknown/);
    expect(estimate(frames, [[0, 2]], [0, 1])).toThrow(/exposure group 2, which has no finite EV/);
    expect(estimate(frames, [[0]], [0])).toThrow(/2 frames but 1 exposure groups/);
    const mask = new Uint8Array(5);
    expect(() =>
      estimateResponse(
        [frames],
        { groups: [[0, 1]], ev: [-2, 2], known: true },
        { masks: [[mask, undefined]] },
      ),
    ).toThrow(/mask of ev-2.png has 5 pixels/);
  });
});
