import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../model/picture.js';
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

  it('are not contradicted by the edges between black and white, which change with focus', () => {
    const groups = groupExposures([frame('a', 60, 0.06), frame('b', 110, 0.06)], []);
    expect(groups).toMatchObject({ fromCamera: true, groupOf: [0, 0], ev: [0] });
  });
});
