import { describe, expect, test } from 'vitest';
import { benchPyTorch } from '../../bench/benchmarks/pytorch.js';
import { deviceMachine, nativeMachine, timeStep } from '../../bench/benchmarks/step.js';
import { WORKLOADS, workOf } from '../../bench/benchmarks/workloads.js';
import { SAMPLES } from '../../engine/conformance/runs.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { nativeIsas } from '../../engine/native/native-engine.js';

/** What `bench step` tells of a device, on the emulated kernels and a small model. */
describeNative('a timed step', () => {
  test('is held against what the device reaches, by phase', async () => {
    const { plan, data } = SAMPLES[0][1]();
    const machine = deviceMachine({ library: 'emulated' });
    const work = { plan, data, flop: 1e6, bytes: 1e7 };
    const report = await timeStep('focus-exposure', work, machine, { rounds: 2, seconds: 0.001 });
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

describeNative.each(nativeIsas())('the peak of %s', (isa) => {
  test.each(WORKLOADS)('is above every step of %s', async (workload) => {
    // A full batch of 512-wide layers would take seconds a step; a small one runs the same loops.
    const work = workOf(workload, workload === 'neucam' ? { pixels: 64 } : {});
    const report = await timeStep(workload, work, nativeMachine({ isa }), { rounds: 3, seconds: 0.05 });
    expect(report.isa).toBe(isa);
    expect(report.ratioToPeak).toBeGreaterThan(0);
    expect(report.ratioToPeak).toBeLessThan(1);
  });
});

describe('a workload', () => {
  test('is what its preset trains', () => {
    const [stack, bracket, paper] = WORKLOADS.map((workload) => workOf(workload).plan.config);
    expect(stack).toMatchObject({ blur: { form: 'lens', patch: 16, reach: 8 }, train: { patches: 16 } });
    expect(bracket).toMatchObject({ blur: { form: 'none' }, train: { pixels: 4096 } });
    expect(paper).toMatchObject({ atlas: { form: 'siren', width: 512 }, train: { pixels: 1575 } });
  });

  test('counts three products of a network at each of its queries', () => {
    const atlas = (inputs: number) => inputs * 64 + 64 * 64 + 64 * 3;
    expect(workOf('exposure').flop).toBe(2 * 3 * 4096 * atlas(16));
    // Nine taps in three views; the rest, tone mapper and blur, is little beside 512-wide layers.
    const { flop } = workOf('neucam');
    const siren = 2 * 3 * 1575 * 3 * 9 * (2 * 512 + 3 * 512 * 512 + 512 * 3);
    expect(flop).toBeGreaterThan(siren);
    expect(flop).toBeLessThan(1.01 * siren);
    const camera = 3 * 64 + 2 * 64 * 64 + 64 * 27 + 3 * 2 * 128;
    expect(workOf('W').flop).toBe(2 * 3 * 8192 * (9 * atlas(32) + camera));
    expect(workOf('W').bytes).toBeGreaterThan(4 * 8192 * 9 * 2 * (32 + 64 + 64 + 3));
  });

  test('counts the spread over the disks beside the networks', () => {
    const networks = 16 * 32 ** 2 * (32 * 64 + 64 * 64 + 64 * 3 + (20 * 32 + 32));
    const spread = workOf('focus-exposure').flop / 2 - 3 * networks;
    // Disks of no radius to the widest: eight to twelve products a source, one to 150 sources a pixel and view.
    expect(spread / (16 * 16 ** 2 * 3)).toBeGreaterThan(8);
    expect(spread / (16 * 16 ** 2 * 3)).toBeLessThan(12 * 150);
  });
});

test('PyTorch that is not there is told of', async () => {
  const report = await benchPyTorch('exposure', {
    device: 'cpu',
    threads: 1,
    python: '/nonexistent/python3',
  });
  expect(report).toEqual({ skipped: 'there is no python3' });
});
