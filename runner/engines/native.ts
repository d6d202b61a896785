import { availableParallelism } from 'node:os';
import { ImplicamError } from '../../model/errors.js';
import { atlasOutputs, mapWidths } from '../../model/layout.js';
import type { Plan } from '../../model/plan.js';
import { randomGamma } from '../../model/sampler.js';
import { rateFactor, sharpnessActive } from '../../model/schedule.js';
import { checkData, checkState } from './check.js';
import type {
  BakedPlanes,
  Engine,
  EngineSession,
  Progress,
  SceneData,
  TrainingState,
  TrainOptions,
} from './engine.js';
import {
  type AddonSession,
  CURVE_FROM,
  CURVE_SHIFT,
  CURVE_SIZE,
  loadAddon,
  PHASES,
  type StepSums,
} from './native/addon.js';
import { createProblem } from './native/problem.js';

export interface NativeOptions {
  /** Threads of the engine. @default all processors */
  readonly threads?: number;
  /** Kernels: avx512, avx2, sse2, neon; or f64, the double-precision build for tests. @default the widest here */
  readonly isa?: string;
}

/** A native session also tells where its time went and computes gradients in double precision (`isa: 'f64'`). */
export interface NativeSession extends EngineSession {
  /** Processor ticks by phase since the last call. */
  ticks(): Record<(typeof PHASES)[number], number>;
  /** Loss and gradient at parameters in double precision. */
  gradientAt(parameters: Float64Array, step: number): Promise<{ loss: number; gradient: Float64Array }>;
}

/** Renders a baked scene at any focus, aperture and exposure. */
export interface NativeRenderer {
  /**
   * Linear radiance times `gain` through the display curve, [H][W][3]; blocks for some ten milliseconds a megapixel.
   * @param scale κ · aperture in pixels a focus unit; 0: everything in focus
   * @param tone display value of linear light, by channel; null: as it is
   */
  render(focus: number, scale: number, gain: number, tone: DisplayCurve | null): Float32Array;
}

export type DisplayCurve = (channel: number, light: number) => number;

export interface NativeEngine extends Engine {
  readonly isa: string;
  readonly threads: number;
  open(plan: Plan, data: SceneData, state: TrainingState): Promise<NativeSession>;
  /** Holds a baked scene ready to render. */
  renderer(width: number, height: number, layers: number, planes: BakedPlanes): NativeRenderer;
  /** FLOP/s of independent multiply-adds on these threads, measured now for about `seconds`. */
  peak(seconds: number): Promise<number>;
}

/** Instruction sets that this build has and this processor runs, widest first; empty where the core is not built. */
export function nativeIsas(): string[] {
  return loadAddon()?.isas() ?? [];
}

/** The fused C++ engine on this machine's processors. Throws where it was not built or cannot run. */
export function createNativeEngine(options: NativeOptions = {}): NativeEngine {
  const addon = loadAddon();
  if (!addon) {
    throw new ImplicamError(
      'engine-missing',
      'the native engine is not built: install a C++20 compiler (g++ 11 or newer) and run npm run build:native, or use --engine tfjs',
      { status: 501 },
    );
  }
  const isa = options.isa ?? addon.isas()[0]!;
  const threads = options.threads ?? availableParallelism();
  if (isa !== 'f64' && !addon.isas().includes(isa)) {
    const there = addon.isas().join(', ');
    throw new ImplicamError(
      'engine-unusable',
      `this processor cannot run the ${isa} kernels; it runs ${there}`,
    );
  }
  return {
    name: 'native',
    device: `cpu ${isa}, ${threads} thread${threads === 1 ? '' : 's'}`,
    isa,
    threads,
    peak: (seconds) => addon.peak(isa, threads, seconds),
    renderer(width, height, layers, planes) {
      const renderer = new addon.Renderer(
        width,
        height,
        layers,
        planes.radiance,
        planes.defocus,
        isa,
        threads,
      );
      return {
        render(focus, scale, gain, tone) {
          const target = new Float32Array(3 * width * height);
          renderer.render(focus, scale, gain, tone && sampleCurve(tone), target);
          return target;
        },
      };
    },
    async open(plan, data, state) {
      checkData(plan, data);
      checkState(plan, state);
      const session = new addon.Session(createProblem(plan, data), isa, threads);
      session.load(state.step, state.parameters, state.m, state.v);
      return new Session(plan, session, state.step);
    },
  };
}

/** Longest time away from JavaScript, in milliseconds: the grain of progress and of cancelling. */
const SLICE = 200;

/** Steps planned for one slice: the schedule is computed here, once, for every engine. */
const PLANNED = 512;

class Session implements NativeSession {
  readonly plan: Plan;
  private readonly addon: AddonSession;
  private step: number;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(plan: Plan, addon: AddonSession, step: number) {
    this.plan = plan;
    this.addon = addon;
    this.step = step;
  }

  load(state: TrainingState): Promise<void> {
    return this.enqueue(async () => {
      checkState(this.plan, state);
      this.addon.load(state.step, state.parameters, state.m, state.v);
      this.step = state.step;
    });
  }

  save({ moments = true }: { readonly moments?: boolean } = {}): Promise<TrainingState> {
    return this.enqueue(async () => {
      const { size } = this.plan.layout;
      const parameters = new Float32Array(size);
      const [m, v] = [new Float32Array(moments ? size : 0), new Float32Array(moments ? size : 0)];
      return { step: this.addon.save(parameters, m, v), parameters, m, v };
    });
  }

  train(steps: number, options: TrainOptions = {}): Promise<Progress> {
    return this.enqueue(async () => {
      const end = this.step + steps;
      let last: Progress = { step: this.step, loss: Number.NaN, psnr: Number.NaN };
      while (this.step < end && !options.signal?.aborted) {
        const count = Math.min(PLANNED, end - this.step);
        const { train } = this.plan.config;
        const factors = Float32Array.from({ length: count }, (_, i) => rateFactor(train, this.step + i));
        const gammas = Float32Array.from({ length: count }, (_, i) =>
          randomGamma(this.plan.seed, this.step + i),
        );
        const sharp = Uint8Array.from({ length: count }, (_, i) =>
          sharpnessActive(this.plan.config, this.step + i) ? 1 : 0,
        );
        const sums = await this.addon.train(factors, gammas, sharp, SLICE);
        this.step += sums.done;
        last = progressOf(this.step, sums);
        options.onProgress?.(last);
      }
      return last;
    });
  }

  gradient(step: number): Promise<Progress & { readonly gradient: Float32Array }> {
    return this.enqueue(async () => {
      const r = await this.addon.gradient(step, randomGamma(this.plan.seed, step), this.sharp(step));
      return { ...progressOf(step, r), gradient: Float32Array.from(r.gradient) };
    });
  }

  gradientAt(parameters: Float64Array, step: number): Promise<{ loss: number; gradient: Float64Array }> {
    return this.enqueue(async () => {
      this.addon.setParameters(parameters);
      const r = await this.addon.gradient(step, randomGamma(this.plan.seed, step), this.sharp(step));
      return { loss: r.loss, gradient: r.gradient };
    });
  }

  bake(): Promise<BakedPlanes> {
    return this.enqueue(async () => {
      const { config, capture } = this.plan;
      const pixels = capture.width * capture.height;
      const radiance = new Float32Array(atlasOutputs(config) * pixels);
      const defocus = new Float32Array((mapWidths(config).at(-1) ?? 0) * pixels);
      await this.addon.bake(radiance, defocus);
      return { radiance, defocus };
    });
  }

  ticks(): Record<(typeof PHASES)[number], number> {
    const ticks = this.addon.ticks();
    return Object.fromEntries(PHASES.map((p, i) => [p, ticks[i]!])) as Record<
      (typeof PHASES)[number],
      number
    >;
  }

  close(): void {
    this.addon.close();
  }

  private sharp(step: number): boolean {
    return sharpnessActive(this.plan.config, step);
  }

  private enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.queue.then(job);
    this.queue = result.catch(() => undefined);
    return result;
  }
}

/** A display curve at the floats that the renderer interpolates between. */
function sampleCurve(tone: DisplayCurve): Float32Array {
  const bits = Int32Array.from({ length: CURVE_SIZE }, (_, j) => CURVE_FROM + j * 2 ** CURVE_SHIFT);
  const light = new Float32Array(bits.buffer);
  const curve = new Float32Array(3 * CURVE_SIZE);
  for (let c = 0; c < 3; c++) {
    for (let j = 0; j < CURVE_SIZE; j++) curve[c * CURVE_SIZE + j] = tone(c, light[j]!);
  }
  return curve;
}

function progressOf(step: number, sums: StepSums): Progress {
  const mse = sums.squared / Math.max(1, sums.samples);
  return { step, loss: sums.loss, psnr: -10 * Math.log10(Math.max(mse, 1e-10)) };
}
