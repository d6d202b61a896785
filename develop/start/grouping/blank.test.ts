import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { expose, gaussian, sceneRadiance } from '../response/synthetic-capture.fixture.js';
import { framesThatShow } from './blank.js';

const scene = sceneRadiance(160, 110);
const shots = [-3, 0, 3].map((ev, k) => expose(scene, ev, { seed: 3 + k, name: `${k}.png` }));

/** A frame whose samples are `code` but for some noise. */
function plain(name: string, code: number, noise = 0): Frame {
  const data = Uint8Array.from(shots[0].data, (_, i) =>
    Math.max(0, Math.min(255, Math.round(code + noise * gaussian(9, i)))),
  );
  return { ...shots[0], name, data };
}

function kept(frames: readonly Frame[]) {
  const notes: string[] = [];
  const names = framesThatShow(frames, (sentence) => notes.push(sentence)).map(({ name }) => name);
  return { names, notes };
}

describe('frames that show something', () => {
  it('are all that have more than black and white', () => {
    expect(kept(shots)).toEqual({ names: ['0.png', '1.png', '2.png'], notes: [] });
  });

  it.each([
    ['black', plain('blank', 0)],
    ['noisy black', plain('blank', 1, 1.5)],
    ['white', plain('blank', 255)],
    ['white after compression', plain('blank', 254, 2)],
    ['white at 235', plain('blank', 235)],
  ])('do not include one that is %s', (_, blank) => {
    const { names, notes } = kept([shots[0], blank, ...shots.slice(1)]);
    expect(names).toEqual(['0.png', '1.png', '2.png']);
    expect(notes).toEqual(['blank is black, white or of one colour throughout: left out']);
  });

  it('include one that is black but for a lamp', () => {
    const lamp = plain('lamp', 0);
    for (let y = 50; y < 56; y++) lamp.data.fill(90, 3 * (160 * y + 20), 3 * (160 * y + 26));
    expect(kept([lamp, ...shots]).names).toContain('lamp');
  });

  it('are all of those of a camera of 12 bits in files of 16, dark ones too', () => {
    const deep = [-6, -3, 0].map((ev, k) => {
      const { data, ...frame } = expose(scene, ev, { seed: 3 + k, bits: 16, name: `${k}` });
      return { ...frame, data: Uint16Array.from(data, (v) => v >> 4) };
    });
    expect(kept(deep).names).toEqual(['0', '1', '2']);
  });

  it('must be two at least', () => {
    const [black, white] = [plain('a', 0), plain('b', 255)];
    expect(() => kept([black, white])).toThrow(/^all photographs are black, white or of one colour/);
    expect(() => kept([black, plain('c', 1, 1.5)])).toThrow(/all photographs are black/);
    expect(() => kept([black, shots[1]])).toThrow(/all photographs but 1.png are black/);
  });
});
