import { expect, test } from 'vitest';
import { byteSize, cameraLine, duration, opening, shutter, stops } from './format.js';

test.each([
  [0.2, 'less than a second'],
  [1.4, '1 s'],
  [89, '89 s'],
  [90, '2 min'],
  [5400, '1 h 30 min'],
  [Number.NaN, '–'],
])('duration(%f)', (seconds, words) => expect(duration(seconds)).toBe(words));

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_700, '1.0 MB'],
  [12_345_678, '12 MB'],
  [3.2e12, '3200 GB'],
])('byteSize(%f)', (bytes, words) => expect(byteSize(bytes)).toBe(words));

test('camera settings as cameras show them, as far as they are known', () => {
  expect(cameraLine({ exposureTime: 1 / 60, fNumber: 2.8, iso: 100, focusDistance: 0.754 })).toBe(
    '1/60 s · f/2.8 · ISO 100 · 0.75 m',
  );
  expect(cameraLine({})).toBe('');
  expect([shutter(0.5), shutter(1 / 4000), shutter(30)]).toEqual(['0.5 s', '1/4000 s', '30 s']);
});

test('exposure in stops', () => {
  expect([-2, -0.04, 0, 0.3, 1].map(stops)).toEqual(['−2', '0', '0', '+0.3', '+1']);
});

test('a lens opening by its f-number, or by the stops where that is not known', () => {
  expect([2, 0, -2, -5].map((stop) => opening(stop, 2.8))).toEqual(['f/1.4', 'f/2.8', 'f/5.6', 'f/16']);
  expect([1, 0, -0.5].map((stop) => opening(stop, undefined))).toEqual([
    '1 stop wider',
    'as captured',
    '0.5 stops narrower',
  ]);
});
