import type { Plan } from '../../model/plan.js';

/** What a session learns from, beside its plan. */
export interface SceneData {
  /** One a frame of the plan, in its order: interleaved RGB (full scale 255 or 65535), and which pixels count (0: not). */
  readonly frames: readonly { readonly data: Uint8Array | Uint16Array; readonly mask?: Uint8Array }[];
  /** The classical start, planar: `radiance` [outputs][H·W] as the scene network's outputs, `defocus` [layers][H·W]. */
  readonly start?: { readonly radiance: Float32Array; readonly defocus: Float32Array };
}

/** Everything that continues training bit for bit. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly parameters: Float32Array;
  /** First and second moments of Adam, as long as the parameters; empty for zeros. */
  readonly m: Float32Array;
  readonly v: Float32Array;
}

export interface Progress {
  readonly step: number;
  /** Total loss of the last step. */
  readonly loss: number;
  /** PSNR in dB of the last step's samples against the frames, unweighted, clipped pixels as inequalities. */
  readonly psnr: number;
}

export interface TrainOptions {
  /** Stops after the step in progress; `train` then returns normally with the steps done. */
  readonly signal?: AbortSignal;
  /** Called a few times a second, never during a step. */
  readonly onProgress?: (progress: Progress) => void;
}

/** The scene evaluated at every pixel, planar, in the order of the network's outputs, before exp and sigmoid. */
export interface BakedPlanes {
  /** [outputs][H·W] ln radiance (and opacity logit), start pictures included, clamped as in docs/MODEL.md. */
  readonly radiance: Float32Array;
  /** [layers][H·W] signed defocus map s, start included; empty without a lens. */
  readonly defocus: Float32Array;
}

/** One session on one device. Calls are queued: one runs at a time. */
export interface EngineSession {
  readonly plan: Plan;
  load(state: TrainingState): Promise<void>;
  /** The state now. Without `moments` (default: with), `m` and `v` may be empty: enough to render, half the memory. */
  save(options?: { readonly moments?: boolean }): Promise<TrainingState>;
  /** Runs up to `steps` further steps. */
  train(steps: number, options?: TrainOptions): Promise<Progress>;
  /** Loss and gradient of a step at the loaded parameters, all shards summed; changes nothing. */
  gradient(step: number): Promise<Progress & { readonly gradient: Float32Array }>;
  bake(): Promise<BakedPlanes>;
  close(): void;
}

/** An implementation of the numerics. */
export interface Engine {
  readonly name: 'native' | 'tfjs';
  /** Where it runs, for reports: "cpu avx2, 2 threads", "tfjs cpu", … */
  readonly device: string;
  open(plan: Plan, data: SceneData, state: TrainingState): Promise<EngineSession>;
}

/** The state before the first step. */
export function freshState(parameters: Float32Array): TrainingState {
  return {
    step: 0,
    parameters,
    m: new Float32Array(parameters.length),
    v: new Float32Array(parameters.length),
  };
}
