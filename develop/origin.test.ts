import { expect, test } from 'vitest';
import type { CameraSettings, Origin } from '../model/picture.js';
import { describeRender, originOf, withProgram } from './origin.js';

const frame = (camera: CameraSettings = {}, origin?: Origin) => ({ camera, ...(origin ? { origin } : {}) });
const canon: Origin = {
  make: 'Canon',
  model: 'EOS',
  lens: '50mm',
  zone: 60,
  place: { latitude: 1, longitude: 2 },
};

test('a bracket has no exposure time; what its frames share stays', () => {
  const shared = { fNumber: 8, iso: 100, focalLength: 50 };
  const frames = [
    frame({ ...shared, exposureTime: 1 / 10, time: 2000 }, { ...canon, zone: 120 }),
    frame({ ...shared, exposureTime: 1 / 100, time: 1000 }, canon),
  ];
  expect(originOf(frames)).toEqual({
    ...{ make: 'Canon', model: 'EOS', lens: '50mm', fNumber: 8, iso: 100, focalLength: 50 },
    ...{ time: 1000, zone: 60 },
  });
});

test('frames of one exposure have theirs', () => {
  const frames = [frame({ exposureTime: 0.01, iso: 100 }), frame({ exposureTime: 0.01, iso: 200 })];
  expect(originOf(frames)).toEqual({ exposureTime: 0.01 });
});

test('a setting that some frames do not tell is not shared; a name that some do not tell is', () => {
  expect(originOf([frame({ fNumber: 8 }, { make: 'Canon' }), frame()])).toEqual({ make: 'Canon' });
  expect(
    originOf([frame({}, { make: 'Canon', lens: 'a' }), frame({}, { make: 'Canon', lens: 'b' })]),
  ).toEqual({
    make: 'Canon',
  });
  expect(originOf([frame(), frame()])).toEqual({});
});

test('the place is told where it is asked for, and only there', () => {
  const frames = [frame(), frame({}, canon)];
  expect(originOf(frames)).not.toHaveProperty('place');
  expect(originOf(frames, { gps: false })).not.toHaveProperty('place');
  expect(originOf(frames, { gps: true }).place).toEqual({ latitude: 1, longitude: 2 });
});

test('what was only for the computation is not told: focus distance, compensation, the name for messages', () => {
  const camera = { focusDistance: 1, exposureBias: -1, camera: 'Canon EOS' };
  expect(originOf([frame(camera), frame(camera)])).toEqual({});
});

test('every render says by which program and version it was made', () => {
  const software = expect.stringMatching(/^implicam \d+\.\d+\.\d+/);
  expect(withProgram({ make: 'Canon' })).toEqual({ make: 'Canon', software });
  expect(describeRender({ info: { notes: [], frames: [] } as never })).toEqual({ software });
});
