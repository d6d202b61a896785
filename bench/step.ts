import { configSchema } from '../model/config.js';
import { initialParameters } from '../model/initial.js';
import { atlasWidths, freeBlurWidths, mapWidths } from '../model/layout.js';
import { RandomStream, Stream } from '../model/philox.js';
import { type Capture, createPlan, type Plan } from '../model/plan.js';
import { createCudaEngine } from '../runner/engines/cuda.js';
import { freshState, type SceneData } from '../runner/engines/engine.js';
import { createNativeEngine, type NativeOptions } from '../runner/engines/native.js';

/**
 * One training step, timed against the machine's own multiply-add peak measured in the same run.
 * W: the paper's camera on a hash grid, 8192 pixels × 9 taps. P: the default, 16 patches of 16² with halo 6 in 9 frames,
 * two layers (DESIGN: the numbers to reach are ratios to that peak).
 */
export type Workload = 'W' | 'P';

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
  /** Of a device: gigabytes a second that copies in its memory reach. */
  readonly peakGigabytes?: number;
  /** Share of the processor time by phase; empty on a device. */
  readonly phases: Record<string, number>;
}

interface Work {
  readonly plan: Plan;
  readonly data: SceneData;
  /** Floating-point operations a step. */
  readonly flop: number;
}

const weights = (widths: readonly number[]) =>
  widths.slice(1).reduce((sum, out, l) => sum + out * widths[l]!, 0);

function frames(count: number, pixels: number): SceneData['frames'] {
  const random = new RandomStream(1, Stream.scene);
  return Array.from({ length: count }, () => ({
    data: Uint8Array.from({ length: 3 * pixels }, () => random.word() & 255),
  }));
}

function workW(): Work {
  const side = 450;
  const config = configSchema.parse({
    atlas: { form: 'hash', levels: 16, base: 16, finest: 1, log2Table: 16, hidden: [64, 64] },
    residual: false,
    blur: { form: 'free', taps: 9, hidden: [64, 64, 64], maxShift: 10 },
    tone: { form: 'mlp', hidden: 128 },
    exposure: 'known',
    loss: { slope: false, sharpness: 0, inequality: false },
    train: { pixels: 8192, rates: { atlasGrid: 1e-3, atlasMlp: 1e-3 } },
  });
  const capture: Capture = {
    width: side,
    height: side,
    frames: [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }],
    focus: [0],
    kappa: 1,
  };
  const plan = createPlan(capture, config, 1);
  // Forward, gradient of the inputs, gradient of the weights: three products of each.
  const perPixel = 9 * weights(atlasWidths(config)) + weights(freeBlurWidths(config)) + 3 * 2 * 128;
  return { plan, data: { frames: frames(1, side * side) }, flop: 2 * 3 * perPixel * config.train.pixels };
}

function workP(): Work {
  const [width, height, reach] = [450, 300, 6];
  const config = configSchema.parse({
    layers: 2,
    blur: { form: 'lens', render: 'patches', patch: 16, reach },
    train: { patches: 16 },
  });
  const settings = [-1, 0, 1];
  const capture: Capture = {
    width,
    height,
    frames: settings.flatMap((_, focus) =>
      [-3, 0, 3].map((ev, exposure) => ({ focus, exposure, ev, aperture: 1 })),
    ),
    focus: settings,
    kappa: 2.3,
  };
  const plan = createPlan(capture, config, 1);
  const pixels = width * height;
  const radiance = Float32Array.from({ length: 7 * pixels }, (_, i) => -3 + 2 * Math.sin(i * 0.37));
  // Slanted planes: circles of confusion from 0 to 4.6 pixels, as in the sample captures.
  const defocus = Float32Array.from({ length: 2 * pixels }, (_, i) => ((i % width) / width) * 2 - 1);
  const side = 16 + 2 * reach;
  const network = weights(atlasWidths(config)) + weights(mapWidths(config));
  const spread = spreadPairs(plan, defocus, reach) * 16 * 16 * (4 + 5) * 3;
  return {
    plan,
    data: { frames: frames(9, pixels), start: { radiance, defocus } },
    flop: 16 * (2 * 3 * network * side * side + 2 * spread),
  };
}

/** Mean number of sources whose disk reaches a pixel, over all views. */
function spreadPairs(plan: Plan, defocus: Float32Array, reach: number): number {
  const { capture } = plan;
  let sum = 0;
  for (const f of capture.focus) {
    for (let x = 0; x < capture.width; x++) {
      const c2 = (capture.kappa * (defocus[x]! - f)) ** 2;
      const rho = Math.sqrt(Math.min(c2, (reach - 0.6) ** 2) + 0.25);
      for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) if (Math.hypot(dx, dy) < rho + 0.5) sum++;
    }
  }
  return sum / capture.width;
}

export interface StepBenchOptions extends NativeOptions {
  /** @default native */
  readonly engine?: 'native' | 'cuda';
  /** Device of the cuda engine. */
  readonly device?: string;
  readonly rounds?: number;
}

/** Times a workload: `rounds` of a few steps each, peak measured between them so that both see the same machine. */
export async function benchStep(workload: Workload, options: StepBenchOptions = {}): Promise<StepReport> {
  const { plan, data, flop } = workload === 'W' ? workW() : workP();
  const machine = options.engine === 'cuda' ? cudaMachine(options) : nativeMachine(options);
  const session = await machine.engine.open(plan, data, freshState(initialParameters(plan)));
  await session.train(5);
  session.ticks();
  const seconds: number[] = [];
  const peaks: { flops: number; bytes?: number }[] = [];
  for (let round = 0; round < (options.rounds ?? 9); round++) {
    peaks.push(await machine.peak(0.05));
    const t0 = performance.now();
    await session.train(machine.steps);
    seconds.push((performance.now() - t0) / 1000 / machine.steps);
  }
  const ticks = session.ticks();
  session.close();
  const total = Object.values(ticks).reduce((a, b) => a + b, 0);
  const secondsPerStep = median(seconds);
  const gflops = flop / secondsPerStep / 1e9;
  const peakGflops = Math.max(...peaks.map((p) => p.flops)) / 1e9;
  const bytes = Math.max(...peaks.map((p) => p.bytes ?? 0));
  return {
    workload,
    engine: machine.name,
    isa: machine.isa,
    threads: machine.threads,
    secondsPerStep,
    gflops,
    peakGflops,
    ratioToPeak: gflops / peakGflops,
    ...(bytes > 0 ? { peakGigabytes: bytes / 1e9 } : {}),
    phases: total > 0 ? Object.fromEntries(Object.entries(ticks).map(([p, t]) => [p, t / total])) : {},
  };
}

/** An engine to time, its own ceilings, and how many steps a round takes. */
function nativeMachine(options: StepBenchOptions) {
  const engine = createNativeEngine(options);
  const { isa, threads } = engine;
  const peak = async (s: number): Promise<{ flops: number; bytes?: number }> => ({
    flops: await engine.peak(s),
  });
  return { name: 'native' as const, engine, isa, threads, steps: 8, peak };
}

function cudaMachine({ device }: StepBenchOptions) {
  const engine = createCudaEngine(device === undefined ? {} : { device });
  return {
    name: 'cuda' as const,
    engine,
    isa: engine.device,
    threads: 1,
    // A device's step is short: enough of them to outlast the clock's grain and the start of the first.
    steps: 100,
    peak: (s: number): Promise<{ flops: number; bytes?: number }> => engine.peak(s),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
