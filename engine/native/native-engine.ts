import { availableParallelism } from 'node:os';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { checkData, checkShards, checkState } from '../check.js';
import type { BakedPlanes, Engine, OpenOptions, SceneData, TrainingState } from '../engine.js';
import { loadAddon } from './addon.js';
import { createProblem } from './problem.js';
import { createRenderer, type NativeRenderer } from './renderer.js';
import { type NativeTrainer, Trainer } from './trainer.js';

export type { DisplayCurve, NativeRenderer } from './renderer.js';
export type { NativeTrainer } from './trainer.js';

export interface NativeOptions {
  /** Threads of the engine. @default all processors */
  readonly threads?: number;
  /** Kernels: avx512, avx2, sse2, neon; or f64, the double-precision build for tests. @default the widest here */
  readonly isa?: string;
}

export interface NativeEngine extends Engine {
  readonly isa: string;
  readonly threads: number;
  open(plan: Plan, data: SceneData, state: TrainingState, options?: OpenOptions): Promise<NativeTrainer>;
  /** Holds a baked scene ready to render. */
  renderer(width: number, height: number, planes: BakedPlanes): NativeRenderer;
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
  const isa = options.isa ?? addon.isas()[0];
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
    kind: `native ${isa}`,
    device: `cpu ${isa}, ${threads} thread${threads === 1 ? '' : 's'}`,
    reducing: true,
    isa,
    threads,
    peak: (seconds) => addon.peak(isa, threads, seconds),
    renderer(width, height, planes) {
      const renderer = new addon.Renderer(width, height, planes.radiance, planes.defocus, isa, threads);
      return createRenderer(renderer, width, height);
    },
    async open(plan, data, state, options = {}) {
      checkData(plan, data);
      checkState(plan, state);
      const shards = checkShards(plan, options.shards);
      const trainer = new addon.Trainer(createProblem(plan, data, shards), isa, threads);
      trainer.load(state.step, state.parameters, state.m, state.v);
      return new Trainer(plan, shards, trainer, state.step);
    },
  };
}
