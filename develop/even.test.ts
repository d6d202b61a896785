import { describe, expect, test } from 'vitest';
import type { Frame, Picture } from '../model/picture.js';
import { evenStack } from './even.js';
import type { Light } from './light.js';
import { startKernels } from './start/compiled.js';
import { layeredScene } from './start/depth/layered-scene.fixture.js';
import type { Grouping } from './start/grouping/frames.js';
import { responseValue, srgbResponse } from './start/response/response.js';

const WIDTH = 150;
const HEIGHT = 100;
// As groupings have them: from the nearest on.
const FOCUS = [1, 0, -1];
const response = srgbResponse();
const steady = layeredScene({ width: WIDTH, height: HEIGHT, focus: FOCUS, kappa: 2 }).views;

/** Two corners of every frame are white and black, whatever the light does. */
const white = (p: number) => p % WIDTH > WIDTH - 12 && p < 12 * WIDTH;
const black = (p: number) => p % WIDTH < 12 && p < 12 * WIDTH;

function frameOf({ data }: Picture, bits: 8 | 16, name: string): Frame {
  const most = bits === 8 ? 255 : 65535;
  const codes = data.map((v, i) => {
    const p = Math.floor(i / 3);
    if (white(p)) return most;
    return black(p) ? 0 : Math.max(1, Math.round(most * responseValue(response, i % 3, v)));
  });
  const samples = bits === 8 ? Uint8Array.from(codes) : Uint16Array.from(codes);
  return { name, width: WIDTH, height: HEIGHT, camera: {}, data: samples };
}

/** A stack whose view `v` has so much more ln radiance in the three channels. */
function stackOf(drift: readonly (readonly number[])[], bits: 8 | 16 = 8) {
  const views = steady.map((view, v) => ({
    ...view,
    data: view.data.map((value, i) => {
      if (white(Math.floor(i / 3))) return 0;
      return black(Math.floor(i / 3)) ? -9 : Math.min(0, value + drift[v][i % 3]);
    }),
  }));
  const grouping: Grouping = {
    frames: FOCUS.map((_, focus) => ({ focus, exposure: 0, ev: 0, aperture: 1 })),
    focus: FOCUS,
    preset: 'focus',
    exposuresKnown: true,
    masks: [],
    notes: [],
  };
  const ev = FOCUS.map(() => 0);
  const masks = FOCUS.map(() => undefined);
  const light: Light = { response, ev, exposuresKnown: true, views, noise: undefined, masks, shown: masks };
  const frames = views.map((view, v) => frameOf(view, bits, `${v}.png`));
  return { light, grouping, registered: { frames, masks, moved: false } };
}

function evened(drift: readonly (readonly number[])[], bits: 8 | 16 = 8) {
  const { light, grouping, registered } = stackOf(drift, bits);
  const notes: string[] = [];
  const out = evenStack(light, registered, grouping, (note) => notes.push(note), startKernels(1));
  return { ...out, notes, before: { light, registered } };
}

const STILL = [0, 0, 0];
const LAMP = [
  [0.1, 0.02, -0.1],
  [0, 0, 0],
  [-0.12, 0, 0.08],
];

describe('a stack that drifts in brightness and colour', () => {
  test.each([8, 16] as const)('has the codes of a steady one afterwards, of %d bits', (bits) => {
    const { registered, notes, before } = evened(LAMP, bits);
    const expected = stackOf([STILL, STILL, STILL], bits).registered.frames;
    const unit = bits === 8 ? 1 : 257;
    registered.frames.forEach(({ data }, v) => {
      let [sum, was] = [0, 0];
      for (let i = 0; i < data.length; i++) {
        sum += Math.abs(data[i] - expected[v].data[i]) / unit;
        was += Math.abs(before.registered.frames[v].data[i] - expected[v].data[i]) / unit;
      }
      expect(sum / data.length).toBeLessThan(0.7);
      if (v !== 1) expect(was / data.length).toBeGreaterThan(2);
    });
    expect(notes).toEqual([expect.stringMatching(/drifts .* up to 0\.1[678] stops: evened by a gain/)]);
  });

  test('keeps what is white and what is black, and makes nothing else so', () => {
    const { registered, before } = evened(LAMP);
    registered.frames.forEach(({ data }, v) => {
      const { data: was } = before.registered.frames[v];
      for (const end of [0, 255]) {
        const kept = was.every((code, i) => code !== end || data[i] === end);
        expect(kept).toBe(true);
      }
      expect(data.every((code, i) => code !== 0 || was[i] === 0)).toBe(true);
    });
  });

  test('has views that agree, and a middle one that is as it was', () => {
    const { light, registered, before } = evened(LAMP);
    expect(light.views[1].data).toEqual(before.light.views[1].data);
    expect(registered.frames[1]).toBe(before.registered.frames[1]);
    for (const v of [0, 2]) {
      const { data } = light.views[v];
      const expected = stackOf([STILL, STILL, STILL]).light.views[v].data;
      const inside = (i: number) =>
        !white(Math.floor(i / 3)) && !black(Math.floor(i / 3)) && expected[i] < -0.2;
      let most = 0;
      for (let i = 0; i < data.length; i++)
        if (inside(i)) most = Math.max(most, Math.abs(data[i] - expected[i]));
      expect(most).toBeLessThan(0.02);
    }
  });
});

test('a steady stack is passed on as it is', () => {
  const { light, registered, notes, before } = evened([STILL, STILL, STILL]);
  expect(light).toBe(before.light);
  expect(registered).toBe(before.registered);
  expect(notes).toEqual([]);
});
