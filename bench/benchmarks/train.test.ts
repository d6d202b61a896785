import { expect, it } from 'vitest';
import { describeNative } from '../../engine/engines.fixture.js';
import { benchTrain } from './train.js';

describeNative('bench train', () => {
  it('scores a run as it goes, from the classical start to its last step', async () => {
    const capture = { width: 64, height: 48, focus: 2, exposures: 2 };
    const options = { capture, steps: 60, threads: 1, stops: [0.1, 0.5] };
    const { curve, secondsToWithinHalfDb } = await benchTrain(options);
    expect(curve[0].step).toBe(0);
    expect(curve.at(-1)!.step).toBe(60);
    for (let i = 1; i < curve.length; i++) {
      expect(curve[i].step).toBeGreaterThan(curve[i - 1].step);
      expect(curve[i].seconds).toBeGreaterThan(curve[i - 1].seconds);
    }
    expect(curve.every((p) => p.muPsnr > 10 && p.muPsnr < 80)).toBe(true);
    const reached = curve.find((p) => p.seconds === secondsToWithinHalfDb)!;
    expect(reached.muPsnr).toBeGreaterThanOrEqual(curve.at(-1)!.muPsnr - 0.5);
  });
});
