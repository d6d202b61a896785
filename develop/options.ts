import type {
  BakedPlanes,
  Engine,
  EngineName,
  Progress,
  SceneData,
  TrainingState,
} from '../engine/engine.js';
import type { Look } from '../model/camera/camera.js';
import type { ModelConfig } from '../model/config.js';
import type { Picture, PictureOrigin } from '../model/picture.js';
import type { Capture } from '../model/plan.js';
import { PRESETS, type Preset, QUALITIES, type Quality } from '../model/presets.js';
import type { BakedScene } from '../model/render/render.js';
import type { StartKernels } from './start/kernels.js';

export { PRESETS, type Preset, QUALITIES, type Quality };

/** Phases of a development, in order; without steps to take there is no `train`. */
export type DevelopPhase = 'register' | 'start' | 'train' | 'render';

/** What `develop` reports while it trains. */
export interface DevelopProgress extends Progress {
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

export interface DevelopOptions {
  /** @default 'auto' */
  readonly preset?: Preset;
  /** @default 'standard' */
  readonly quality?: Quality;
  /** @default the best that this machine can run */
  readonly engine?: EngineName;
  /** Device of the cuda engine, by index or UUID. @default IMPLICAM_DEVICE, else the first */
  readonly device?: string;
  /** Threads of the native engine, and of the start. @default all processors */
  readonly threads?: number;
  /** The inner loops of the start. @default compiled, where they were built: the same bits */
  readonly startKernels?: StartKernels;
  /** @default 1 */
  readonly seed?: number;
  /** Whether results say where the photographs were taken. @default false */
  readonly gps?: boolean;
  /** Training steps. @default what the quality says */
  readonly steps?: number;
  /** Continue from here instead of from the classical start: same frames, same configuration. */
  readonly resume?: TrainedModel;
  /** Stops after the step in progress; the result is what was learned so far, marked `interrupted`. */
  readonly signal?: AbortSignal;
  /** What trains. @default this process */
  readonly train?: TrainFunction;
  readonly onPhase?: (phase: DevelopPhase) => void;
  /** What was noted while the photographs were read: it begins the notes of the development. */
  readonly notes?: readonly string[];
  /** What was decided and why, one sentence at a time. */
  readonly onNote?: (note: string) => void;
  /**
   * The classical all-in-focus picture, linear radiance, how to show it, and, where frames leave some of it out, how far
   * one shows each pixel. What begins after it waits for a promise.
   */
  readonly onPreview?: (radiance: Picture, look: Look, seen?: Picture) => Promise<void> | void;
  readonly onProgress?: (progress: DevelopProgress) => void;
}

/** What a trainer takes: a model that stands at some step, and the registered frames. */
export interface TrainingJob {
  readonly model: TrainedModel;
  readonly frames: SceneData['frames'];
  readonly engine: Engine;
  readonly options: DevelopOptions;
}

export interface TrainingOutcome {
  /** At the last step, or, with moments, at the one where the signal stopped it. */
  readonly state: TrainingState;
  readonly progress: Progress;
  /** The scene at every pixel, where the trainer has it already. */
  readonly planes?: BakedPlanes;
  readonly seconds: { readonly train: number; readonly bake: number };
}

/** Trains a model to its last step, or to the signal of the options. */
export type TrainFunction = (job: TrainingJob) => Promise<TrainingOutcome>;

/** A trained model as it is stored: enough to render, and with moments enough to continue bit for bit. */
export interface TrainedModel {
  readonly capture: Capture;
  readonly config: ModelConfig;
  readonly seed: number;
  readonly start?: SceneData['start'];
  /** `m` and `v` are empty in a model that is only meant to render. */
  readonly state: TrainingState;
  /** SHA-256 over the frames' pixels, hex: a resumed run must see the same photographs. */
  readonly framesSha256: string;
  readonly info: ModelInfo;
}

/** What a model remembers of its photographs for the files of its renders. */
export type ModelOrigin = Omit<PictureOrigin, 'software' | 'camera' | 'focusDistance'>;

/** What a model file says of its origin. */
export interface ModelInfo {
  readonly preset: Exclude<Preset, 'auto'>;
  readonly quality: Quality;
  readonly engine: string;
  readonly device: string;
  readonly frames: readonly { readonly file: string; readonly ev: number; readonly focus: number }[];
  readonly notes: readonly string[];
  /** What the files of its renders say of the photographs; absent in models of earlier versions. */
  readonly origin?: ModelOrigin;
}

export interface Development {
  readonly model: TrainedModel;
  readonly interrupted: boolean;
  /** Steps done over all runs of this model. */
  readonly steps: number;
  readonly loss: number;
  /** PSNR of the last step's samples against the frames, dB. */
  readonly framePsnr: number;
  readonly seconds: {
    readonly register: number;
    readonly start: number;
    readonly train: number;
    readonly render: number;
  };
  /** The scene at every pixel and the camera: what renders are made from. */
  readonly baked: BakedScene;
}
