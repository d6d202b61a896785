import { expect, test } from 'vitest';
import { benchPyTorch } from '../../bench/benchmarks/pytorch.js';
import { deviceMachine, timeStep } from '../../bench/benchmarks/step.js';
import { workOf } from '../../bench/benchmarks/workloads.js';
import { SAMPLES } from '../../engine/conformance/runs.js';
import { describeNative } from '../../engine/engines.fixture.js';

/** What `bench step` tells of a device, on the emulated kernels and a small model. */
describeNative('a timed step', () => {
  test('is held against what the device reaches, by phase', async () => {
    const { plan, data } = SAMPLES[0]![1]();
    const machine = deviceMachine({ library: 'emulated', steps: 2 });
    const report = await timeStep('P', { plan, data, flop: 1e6, bytes: 1e7 }, machine, 2);
    expect(report).toMatchObject({ engine: 'cuda', isa: 'cuda kernels, emulated' });
    const { secondsPerStep, gflops, peakGflops, ratioToPeak, gigabytes, peakGigabytes, ratioToCopies } =
      report;
    expect(gflops).toBeCloseTo(1e6 / secondsPerStep / 1e9);
    expect(ratioToPeak).toBeCloseTo(gflops / peakGflops);
    expect(gigabytes).toBeCloseTo(1e7 / secondsPerStep / 1e9);
    expect(ratioToCopies).toBeCloseTo(gigabytes! / peakGigabytes!);
    const shares = Object.values(report.phases);
    expect(shares.every((share) => share > 0)).toBe(true);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1);
  });
});

test('the workloads are what they are said to be', () => {
  const [w, p] = [workOf('W'), workOf('P')];
  expect(
    w.plan.config.train.pixels * (w.plan.config.blur.form === 'free' ? w.plan.config.blur.taps : 0),
  ).toBe(8192 * 9);
  expect(p.plan.config.train.patches).toBe(16);
  // Three products of the scene's network at each query are the most of it.
  expect(w.flop).toBeGreaterThan(2 * 3 * 8192 * 9 * (32 * 64 + 64 * 64 + 64 * 3));
  expect(w.bytes).toBeGreaterThan(4 * 8192 * 9 * 2 * (32 + 64 + 64 + 3));
});

test('PyTorch that is not there is told of', async () => {
  const report = await benchPyTorch('P', { device: 'cpu', threads: 1, python: '/nonexistent/python3' });
  expect(report).toEqual({ skipped: 'there is no python3' });
});
