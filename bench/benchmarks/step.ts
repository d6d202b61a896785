import { freshState } from '../../engine/engine.js';
import { createCudaEngine } from '../../engine/native/cuda-engine.js';
import { createNativeEngine, type NativeOptions } from '../../engine/native/native-engine.js';
import { initialParameters } from '../../model/initial.js';
import { type Work, type Workload, workOf } from './workloads.js';

/** One training step, timed against the machine's own ceilings measured in the same run. */
export interface StepReport {
  readonly workload: Workload;
  readonly engine: 'native' | 'cuda';
  /** Instruction set, or the device. */
  readonly isa: string;
  /** Of the processor. */
  readonly threads: number;
  /** Median over the rounds. */
  readonly secondsPerStep: number;
  /** Floating-point operations of the networks, the tone mapper and the spread alone, per second. */
  readonly gflops: number;
  readonly peakGflops: number;
  readonly ratioToPeak: number;
  /** Of a device: gigabytes a second that networks and grids alone move, what copies reach, and their ratio. */
  readonly gigabytes?: number;
  readonly peakGigabytes?: number;
  readonly ratioToCopies?: number;
  /** Share of the time by phase; of a device, of steps that are launched kernel by kernel. */
  readonly phases: Record<string, number>;
}

export interface StepBenchOptions extends NativeOptions {
  /** @default native */
  readonly engine?: 'native' | 'cuda';
  /** Device of the cuda engine. */
  readonly device?: string;
}

/** Times a workload on this machine. */
export function benchStep(workload: Workload, options: StepBenchOptions = {}): Promise<StepReport> {
  const machine = options.engine === 'cuda' ? deviceMachine(options) : nativeMachine(options);
  return timeStep(workload, workOf(workload), machine);
}

/** An engine to time, and its own ceilings. */
export type Machine = ReturnType<typeof nativeMachine> | ReturnType<typeof deviceMachine>;

/** How long to measure. */
export interface Effort {
  /** @default 9 */
  readonly rounds?: number;
  /** Seconds of steps in a round, one step at least. @default 0.25 */
  readonly seconds?: number;
}

/** Seconds of the probe of the peak before each round. */
const PROBE = 0.05;

/** Times rounds of steps, the peak measured between them so that both see the same machine. */
export async function timeStep(
  workload: Workload,
  { plan, data, flop, bytes }: Work,
  machine: Machine,
  { rounds = 9, seconds = 0.25 }: Effort = {},
): Promise<StepReport> {
  // From the middle of training, where every loss counts.
  const state = { ...freshState(initialParameters(plan)), step: Math.round(plan.config.train.steps / 2) };
  const session = await machine.engine.open(plan, data, state);
  const secondsOf = async (steps: number) => {
    const began = performance.now();
    await session.train(steps);
    return (performance.now() - began) / 1000 / steps;
  };
  // The first step also touches memory and records what a device repeats.
  await secondsOf(1);
  const steps = Math.max(1, Math.round(seconds / (await secondsOf(1))));
  session.ticks();
  const spent: number[] = [];
  const peaks: { flops: number; bytes?: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    peaks.push(await machine.peak(PROBE));
    spent.push(await secondsOf(steps));
  }
  session.timePhases(true);
  await session.train(Math.ceil(steps / 5));
  const ticks = session.ticks();
  session.close();
  const total = Object.values(ticks).reduce((a, b) => a + b, 0);
  const secondsPerStep = median(spent);
  const gflops = flop / secondsPerStep / 1e9;
  const peakGflops = Math.max(...peaks.map((p) => p.flops)) / 1e9;
  const gigabytes = bytes / secondsPerStep / 1e9;
  const peakGigabytes = Math.max(...peaks.map((p) => p.bytes ?? 0)) / 1e9;
  return {
    workload,
    engine: machine.name,
    isa: machine.isa,
    threads: machine.threads,
    secondsPerStep,
    gflops,
    peakGflops,
    ratioToPeak: gflops / peakGflops,
    ...(peakGigabytes > 0 ? { gigabytes, peakGigabytes, ratioToCopies: gigabytes / peakGigabytes } : {}),
    phases: Object.fromEntries(Object.entries(ticks).map(([p, t]) => [p, t / total])),
  };
}

export function nativeMachine(options: StepBenchOptions) {
  const engine = createNativeEngine(options);
  const { isa, threads } = engine;
  const peak = async (s: number): Promise<{ flops: number; bytes?: number }> => ({
    flops: await engine.peak(s),
  });
  return { name: 'native' as const, engine, isa, threads, peak };
}

/** `library`: the emulated kernels, for tests. */
export function deviceMachine({
  device,
  library,
}: Pick<StepBenchOptions, 'device'> & { readonly library?: 'cuda' | 'emulated' }) {
  const engine = createCudaEngine({
    ...(device === undefined ? {} : { device }),
    ...(library === undefined ? {} : { library }),
  });
  return {
    name: 'cuda' as const,
    engine,
    isa: engine.device,
    threads: 1,
    peak: (s: number): Promise<{ flops: number; bytes?: number }> => engine.peak(s),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
