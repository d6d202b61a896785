import { expect, test } from 'vitest';
import { LOG_STEPS, quantisedLog } from '../pixels/log-steps.js';
import { blurLadder, circleAt, rungOf } from './blur-ladder.js';
import { diskBlurPlane } from './disk-blur.js';
import { focusStack } from './focus-stack.js';
import { layeredScene } from './layered-scene.fixture.js';

test('places on the ladder and circles are each other’s inverse', () => {
  for (const circle of [0, 0.1, 0.5, 1, 1.01, 3, 17]) expect(circleAt(rungOf(circle))).toBeCloseTo(circle, 9);
  for (let place = 0; place < 12; place += 0.25) expect(rungOf(circleAt(place))).toBeCloseTo(place, 9);
});

test('interpolated rungs look like the blur itself', () => {
  const scene = layeredScene({ width: 120, height: 80 });
  const { stack } = focusStack(scene.views, scene.focus, [1, 1, 1], 1e6);
  const { width, height, floor } = stack;
  const light = stack.light[0];
  const ladder = blurLadder(stack, light, 9);
  const sharp = ladder.logs[0][0];
  for (const circle of [0.5, 1.6, 3, 5, 8]) {
    const exact = quantisedLog(diskBlurPlane(light[0], width, height, circle, undefined, 99), floor);
    const rung = Math.floor(rungOf(circle));
    const t = rungOf(circle) - rung;
    let error = 0;
    let effect = 0;
    for (let p = 0; p < exact.length; p++) {
      const value = ladder.logs[rung][0][p] * (1 - t) + ladder.logs[rung + 1][0][p] * t;
      error += Math.abs(value - exact[p]);
      effect += Math.abs(sharp[p] - exact[p]);
    }
    expect(effect / exact.length / LOG_STEPS).toBeGreaterThan(0.005);
    expect(error / effect).toBeLessThan(0.12);
  }
});
