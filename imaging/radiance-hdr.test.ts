import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../model/picture.js';
import { decodeHdr, encodeHdr } from './radiance-hdr.js';
import { random, smoothPicture } from './test-support.js';

const header = (resolution: string, format = '32-bit_rle_rgbe'): Buffer =>
  Buffer.from(`#?RADIANCE\n# by hand\nFORMAT=${format}\nEXPOSURE=2.0\n\n${resolution}\n`, 'latin1');

const file = (resolution: string, ...bytes: number[]): Buffer =>
  Buffer.concat([header(resolution), Buffer.from(bytes)]);

/** Every sample within 1/256 of the largest of its pixel. */
function expectClose(read: Picture, written: Picture): void {
  expect([read.width, read.height, read.channels]).toEqual([written.width, written.height, 3]);
  let worst = 0;
  for (let i = 0; i < written.data.length; i += 3) {
    const pixel = written.data.subarray(i, i + 3);
    const largest = Math.max(...pixel, 1e-45);
    for (let c = 0; c < 3; c++) worst = Math.max(worst, Math.abs(read.data[i + c] - pixel[c]) / largest);
  }
  expect(worst).toBeLessThanOrEqual(1 / 256);
}

describe('round trips', () => {
  it.each([2, 3, 7, 8, 9, 40, 200, 300])('a width of %i', (width) => {
    const picture = smoothPicture(width, 5, 3, 0, 3000);
    const next = random(width);
    // Runs of every length, between noise.
    picture.data.forEach((_, i) => {
      if (Math.floor(i / 3) % width > width / 3) picture.data[i] = next() < 0.2 ? next() * 10 : 0.5;
    });
    expectClose(decodeHdr(encodeHdr(picture)), picture);
  });

  it('any light at all: what is read is written again the same', () => {
    const light = fc.oneof(
      fc.constant(0),
      fc.double({ min: -37, max: 38, noNaN: true }).map((e) => 10 ** e),
    );
    fc.assert(
      fc.property(fc.array(light, { minLength: 6, maxLength: 90 }), (values) => {
        const width = Math.floor(values.length / 6);
        const data = Float32Array.from(values.slice(0, width * 6));
        if (width < 2) return;
        const picture = { width, height: 2, channels: 3, data };
        const bytes = encodeHdr(picture);
        const read = decodeHdr(bytes);
        expectClose(read, picture);
        expect(Buffer.compare(encodeHdr(read), bytes)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('powers of two are exact', () => {
    const data = Float32Array.from({ length: 240 * 3 }, (_, i) => 2 ** (Math.floor(i / 3) - 120));
    const picture = { width: 80, height: 3, channels: 3, data };
    expect(decodeHdr(encodeHdr(picture))).toEqual(picture);
  });

  it('what it cannot hold becomes black or the largest value', () => {
    const data = Float32Array.of(
      -1,
      Number.NaN,
      0,
      1e-42,
      0,
      0,
      Number.POSITIVE_INFINITY,
      3.4e38,
      1,
      5,
      5,
      5,
    );
    const { data: read } = decodeHdr(encodeHdr({ width: 2, height: 2, channels: 3, data }));
    expect([...read.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(read[6]).toBe(read[7]);
    expect(read[6]).toBeGreaterThan(1.6e38);
    expect([...read.subarray(8)]).toEqual([0, 5, 5, 5]);
  });

  it('one channel is written grey', () => {
    const grey = { width: 2, height: 2, channels: 1, data: Float32Array.of(1, 2, 4, 0.5) };
    expect([...decodeHdr(encodeHdr(grey)).data]).toEqual([1, 1, 1, 2, 2, 2, 4, 4, 4, 0.5, 0.5, 0.5]);
    const two = { width: 2, height: 2, channels: 2, data: new Float32Array(8) };
    expect(() => encodeHdr(two)).toThrow(expect.objectContaining({ code: 'channels-invalid' }));
  });
});

describe('files by hand', () => {
  it('plain pixels: mantissa · 2^(exponent − 136), black where the exponent is 0', () => {
    const { data } = decodeHdr(
      file('-Y 2 +X 2', 128, 64, 0, 129, 255, 1, 2, 136, 200, 100, 50, 0, 0, 0, 0, 128),
    );
    expect([...data]).toEqual([1, 0.5, 0, 255, 1, 2, 0, 0, 0, 0, 0, 0]);
  });

  it('old run lengths, the second repeat in a row shifted by eight bits', () => {
    const pixels = 1 + 3 + 256;
    const { data, width } = decodeHdr(
      file(
        `-Y 2 +X ${pixels}`,
        128,
        0,
        0,
        129,
        1,
        1,
        1,
        3,
        1,
        1,
        1,
        1,
        0,
        128,
        0,
        129,
        1,
        1,
        1,
        3,
        1,
        1,
        1,
        1,
      ),
    );
    expect(width).toBe(pixels);
    const line = Array.from({ length: pixels }, () => [1, 0, 0]).flat();
    expect([...data.subarray(0, 3 * pixels)]).toEqual(line);
    expect([...data.subarray(3 * pixels, 3 * pixels + 3)]).toEqual([0, 1, 0]);
  });

  it('new run lengths, a component at a time', () => {
    const line = [2, 2, 0, 8, 136, 128, 8, 0, 1, 2, 3, 4, 5, 6, 7, 130, 9, 6, 1, 2, 3, 4, 5, 6, 136, 136];
    const { data } = decodeHdr(file('-Y 2 +X 8', ...line, ...line));
    expect([...data.subarray(0, 9)]).toEqual([128, 0, 9, 128, 1, 9, 128, 2, 1]);
    expect([...data.subarray(45)]).toEqual([128, 7, 6]);
  });

  it.each([
    ['-Y 2 +X 3', [1, 2, 3, 4, 5, 6]],
    ['-Y 2 -X 3', [3, 2, 1, 6, 5, 4]],
    ['+Y 2 +X 3', [4, 5, 6, 1, 2, 3]],
    ['+Y 2 -X 3', [6, 5, 4, 3, 2, 1]],
    ['+X 3 -Y 2', [1, 3, 5, 2, 4, 6]],
    ['-X 3 -Y 2', [5, 3, 1, 6, 4, 2]],
    ['+X 3 +Y 2', [2, 4, 6, 1, 3, 5]],
    ['-X 3 +Y 2', [6, 4, 2, 5, 3, 1]],
  ])('order of samples %s', (resolution, expected) => {
    const bytes = [1, 2, 3, 4, 5, 6].flatMap((v) => [16 * v, 0, 0, 132]);
    const { width, height, data } = decodeHdr(file(resolution, ...bytes));
    expect([width, height]).toEqual([3, 2]);
    expect([...data].filter((_, i) => i % 3 === 0)).toEqual(expected);
  });

  it('XYZ is converted: the white of sRGB becomes equal parts', () => {
    const white = [0.9505, 1, 1.089].map((v) => Math.round(v * 128));
    const pixel = [...white, 129];
    const bytes = Buffer.concat([
      header('-Y 2 +X 2', '32-bit_rle_xyze'),
      Buffer.from([...pixel, ...pixel, ...pixel, ...pixel]),
    ]);
    for (const value of decodeHdr(bytes).data) expect(Math.abs(value - 1)).toBeLessThan(0.02);
  });

  it.each([
    ['no resolution', header('').subarray(0, 30), 'file-corrupt'],
    ['a resolution of words', file('two by two'), 'file-corrupt'],
    ['the same axis twice', file('-Y 2 +Y 2', ...new Array(16).fill(128)), 'file-corrupt'],
    ['nothing behind the header', file('-Y 2 +X 2'), 'file-corrupt'],
    ['a size beyond the limit', file('-Y 60000 +X 60000'), 'picture-too-large'],
    ['a size of one', file('-Y 1 +X 100'), 'picture-too-small'],
    ['other samples', Buffer.concat([header('-Y 2 +X 2', '16-bit')]), 'format-unsupported'],
    ['a run beyond its line', file('-Y 2 +X 8', 2, 2, 0, 8, 137, 1, 0, 0, 0), 'file-corrupt'],
    ['a run of nothing', file('-Y 2 +X 8', 2, 2, 0, 8, 0, 1, 0, 0, 0), 'file-corrupt'],
    ['a line of another length', file('-Y 2 +X 8', 2, 2, 0, 9, 136, 1, 0, 0, 0), 'file-corrupt'],
    ['a repeat of nothing', file('-Y 2 +X 2', 1, 1, 1, 2, 0, 0, 0, 0), 'file-corrupt'],
    ['an old run beyond its line', file('-Y 2 +X 2', 9, 1, 1, 2, 1, 1, 1, 9), 'file-corrupt'],
  ])('with %s are refused', (_, bytes, code) => {
    expect(() => decodeHdr(bytes, { name: 'a.hdr' })).toThrow(
      expect.objectContaining({ name: 'ImplicamError', code, message: expect.stringContaining('a.hdr') }),
    );
  });
});
