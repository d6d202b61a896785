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
  readonly rounds?: number;
}

/** Times a workload: `rounds` of a few steps each, peak measured between them so that both see the same machine. */
export function benchStep(workload: Workload, options: StepBenchOptions = {}): Promise<StepReport> {
  const machine = options.engine === 'cuda' ? deviceMachine(options) : nativeMachine(options);
  return timeStep(workload, workOf(workload), machine, options.rounds);
}

/** An engine to time, its own ceilings, how many steps a round takes, and how many are timed by phase. */
export type Machine = ReturnType<typeof nativeMachine> | ReturnType<typeof deviceMachine>;

export async function timeStep(
  workload: Workload,
  { plan, data, flop, bytes }: Work,
  machine: Machine,
  rounds = 9,
): Promise<StepReport> {
  const session = await machine.engine.open(plan, data, freshState(initialParameters(plan)));
  await session.train(Math.min(5, machine.steps));
  session.ticks();
  const seconds: number[] = [];
  const peaks: { flops: number; bytes?: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    peaks.push(await machine.peak(0.05));
    const t0 = performance.now();
    await session.train(machine.steps);
    seconds.push((performance.now() - t0) / 1000 / machine.steps);
  }
  session.timePhases(true);
  await session.train(machine.timedSteps);
  const ticks = session.ticks();
  session.close();
  const total = Object.values(ticks).reduce((a, b) => a + b, 0);
  const secondsPerStep = median(seconds);
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

function nativeMachine(options: StepBenchOptions) {
  const engine = createNativeEngine(options);
  const { isa, threads } = engine;
  const peak = async (s: number): Promise<{ flops: number; bytes?: number }> => ({
    flops: await engine.peak(s),
  });
  return { name: 'native' as const, engine, isa, threads, steps: 8, timedSteps: 0, peak };
}

/** `library`, `steps`: the emulated kernels, a few steps of them, for tests. */
export function deviceMachine({
  device,
  library,
  steps = 100,
}: Pick<StepBenchOptions, 'device'> & { readonly library?: 'cuda' | 'emulated'; readonly steps?: number }) {
  const engine = createCudaEngine({
    ...(device === undefined ? {} : { device }),
    ...(library === undefined ? {} : { library }),
  });
  return {
    name: 'cuda' as const,
    engine,
    isa: engine.device,
    threads: 1,
    // A device's step is short: enough of them to outlast the clock's grain and the start of the first.
    steps,
    timedSteps: Math.ceil(steps / 5),
    peak: (s: number): Promise<{ flops: number; bytes?: number }> => engine.peak(s),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
