import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
import { expose, sceneRadiance } from '../response/synthetic-capture.fixture.js';
import { groupExposures } from './exposures.js';

const [width, height] = [100, 40];

/** Equal settings: black on the left, white on the right, and between them `share` of the width of grey `code`. */
function frame(name: string, code: number, share: number): Frame {
  const data = new Uint8Array(3 * width * height);
  const edge = (share * width) / 2;
  for (let i = 0; i < data.length; i++) {
    const x = (Math.floor(i / 3) % width) + 0.5 - width / 2;
    // A ramp about the code, as no real edge is all of one value.
    data[i] = x < -edge ? 0 : x > edge ? 255 : Math.round(code * (1 + (0.5 * x) / edge));
  }
  return { name, width, height, data, camera: { exposureTime: 0.01, fNumber: 4, iso: 100 } };
}

describe('exposures in EXIF', () => {
  it('are contradicted by frames that differ in much of the picture', () => {
    const groups = groupExposures([frame('a', 60, 0.5), frame('b', 110, 0.5)], []);
    expect(groups.fromCamera).toBe(false);
    expect(groups.notes.join('\n')).toMatch(/b is \d\.\d stops brighter than a at the same settings/);
  });

  it('are not contradicted by lamps, out of focus in one of the frames', () => {
    // A dark room; the lamps of the left third are points in one frame, discs of light in the other.
    const [width, height] = [240, 160];
    const room = (name: string, lit: (x: number, y: number, dark: number) => number): Frame => {
      const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
        return lit(x, y, 24 + ((7 * x + 11 * y) % 17));
      });
      return { name, width, height, data, camera: { exposureTime: 0.01, fNumber: 4, iso: 100 } };
    };
    const lamps = (x: number) => x < width / 3;
    const sharp = room('a', (x, y, dark) => (lamps(x) && x % 20 === 10 && y % 20 === 10 ? 255 : dark));
    const blurred = room('b', (x, _, dark) => (lamps(x) ? 60 + dark : dark));
    expect(groupExposures([sharp, blurred], [])).toMatchObject({ fromCamera: true, groupOf: [0, 0] });
    const brighter = room('b', (_x, _y, dark) => 2 * dark);
    expect(groupExposures([sharp, brighter], []).fromCamera).toBe(false);
  });

  it('are not contradicted by the edges between black and white, which change with focus', () => {
    const groups = groupExposures([frame('a', 60, 0.06), frame('b', 110, 0.06)], []);
    expect(groups).toMatchObject({ fromCamera: true, groupOf: [0, 0], ev: [0] });
  });
});

describe('exposures seen in pictures alone', () => {
  const scene = sceneRadiance(160, 110);
  const seen = (ev: readonly number[]) =>
    groupExposures(
      ev.map((e, k) => expose(scene, e, { seed: 3 + k })),
      [],
    ).ev;

  // The fixture's response is contrasty and shows wider steps: 2.45 stops instead of 2.
  it.each([[[-3, 0, 3]], [[-2, 0, 2]], [[-4, -2, 0, 2, 4]]])(
    'are taken for steps that cameras bracket by: %j',
    (ev) => {
      expect(seen(ev)).toEqual(ev);
    },
  );
});
