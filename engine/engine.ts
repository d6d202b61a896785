import { ImplicamError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { ReductionOperation } from '../model/reduction.js';

/** What a trainer learns from, beside its plan. */
export interface SceneData {
  /** One a frame of the plan, in its order: interleaved RGB (full scale 255 or 65535), and which pixels count (0: not). */
  readonly frames: readonly { readonly data: Uint8Array | Uint16Array; readonly mask?: Uint8Array }[];
  /** The classical start, planar: ln `radiance` [3][H·W], and the `defocus` map [H·W], empty where there is none. */
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

/** The scene evaluated at every pixel, planar. */
export interface BakedPlanes {
  /** [3][H·W] ln radiance, start pictures included, clamped as in docs/reference/MODEL.md. */
  readonly radiance: Float32Array;
  /** [H·W] signed defocus map s, start included; empty without a lens. */
  readonly defocus: Float32Array;
}

/** One trainer on one device. Calls are queued: one runs at a time. */
export interface Trainer {
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

/** Sums over samples of a step, or of a part of it. */
export interface StepSums {
  readonly loss: number;
  /** Σ of unweighted squared errors, and how many samples. */
  readonly squared: number;
  readonly samples: number;
}

/**
 * A trainer of which this process may host only some shards, and whose step is taken apart so that several processes
 * take it together:
 *
 * 1. `compute(step, lanes)`: the gradients of the hosted shards.
 * 2. The exchange that `planReduction` (model/reduction.ts) lists for each lane: `combine`, `take` and send, receive and
 *    `add`, until one slot holds the sum of all shards; that goes back to everybody as bytes.
 * 3. `apply(roots)`: the update, after which `step` is done.
 *
 * The bits are those of `train` in one process that hosts every shard, wherever the shards live, and whatever the number of
 * lanes. A node of the tree stands in the buffer of one of its shards that is hosted here, its slot.
 *
 * Between `compute` and `apply` the step is open: `train`, `gradient` and another `compute` are refused. A tiled
 * training's tiles are updated during `compute`, because nobody else needs their gradients: there `save` and `bake` are
 * refused too, and a step that cannot be finished is never repaired in place: `load` a snapshot, which drops it.
 *
 * What is out of turn or does not fit (a hosted shard, the tree's order, the trainer, the step, the precision, the
 * length or checksum of bytes) rejects with the ImplicamError `reduction-refused`, and changes nothing.
 */
export interface ShardedTrainer extends Trainer {
  /** The shards hosted here, ascending. `train` and `gradient` need all of the plan's. */
  readonly shards: readonly number[];
  /**
   * What the state has of these runs now, one after the other: of each the parameters, then the moments `m`, then `v`.
   *
   * @param ahead bytes that the result's buffer has before it, for the caller; a multiple of four
   */
  saveRuns(runs: readonly Run[], ahead?: number): Promise<Float32Array>;
  /** Gradients of the hosted shards for `step`, which must be the state's. Their sums, in the order of shards. */
  compute(step: number, lanes?: number): Promise<StepSums>;
  /** Adds slot `from` to slot `into`, both hosted; must be a sum of the tree. */
  combine(into: number, from: number, lane?: number): Promise<void>;
  /**
   * The value in the slot as it is now: bytes for `add` or `apply` elsewhere (engine/native/reduction/reduction.h).
   *
   * @param into memory for them, where it is large enough: the result then is a view of it
   */
  take(slot: number, lane?: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Adds a received node's value to slot `slot`; the bytes must not change before it is done. */
  add(slot: number, bytes: Uint8Array): Promise<void>;
  /**
   * Updates the parameters by the sum of all shards: of each lane the slot, or its bytes; none after `exchange`. Progress as
   * `train` reports it.
   */
  apply(roots: readonly Root[]): Promise<Progress>;
}

/** Membership in an exchange from device to device. */
export interface Membership {
  /** What all members have in common, made by one of them: `DeviceLink.newId`. */
  readonly id: Uint8Array;
  /** This member's number, from 0, and how many there are. */
  readonly rank: number;
  readonly ranks: number;
}

/** The member with which an exchange failed, and why. */
export interface PeerLost {
  readonly member: number;
  readonly why: string;
}

/**
 * A trainer on a device whose sums can go straight to other devices of this machine. Between `join` and `leave` step 2 is one
 * call, `exchange`, in one lane: what it sums is what bytes would have given, bit for bit.
 */
export interface LinkedTrainer extends ShardedTrainer {
  /** All members join at the same time. Rejects where that does not succeed by the deadline. */
  join(membership: Membership, deadlineMs: number): Promise<void>;
  /**
   * Takes the operations of this member's plan in their order; members are ranks.
   *
   * @param patienceMs how long one of them may take
   * @returns with whom it failed: the step is lost, and only `leave` can follow
   */
  exchange(
    operations: readonly ReductionOperation<number>[],
    patienceMs: number,
  ): Promise<PeerLost | undefined>;
  /** May be called at any time and does not wait: an exchange in progress fails soon, and so do later ones, until `leave`. */
  abort(): void;
  /** Ends the membership; never rejects for what others do. */
  leave(): Promise<void>;
}

/** A run of the parameter vector: [from, to). */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/** The sum of all shards of a lane: the number of a hosted slot, or a received value. */
export type Root = number | Uint8Array;

export interface OpenOptions {
  /**
   * Shards to host here, in any order. Of a tiled training only their parts of frames, start pictures and state are read,
   * and only those are saved and baked; arrays keep the whole training's size, and what is not touched takes no memory.
   * @default all
   */
  readonly shards?: readonly number[];
}

/** Every implementation of the numerics, the best first. */
export const ENGINES = ['cuda', 'native', 'tfjs'] as const;
export type EngineName = (typeof ENGINES)[number];

/** What a process must say of its device for others to exchange with it directly. */
export interface DevicePlacement {
  /** The machine, as long as it runs. */
  readonly node: string;
  /** The device among all of that machine. */
  readonly device: string;
  /** Version of the library that carries values: 10000 · major + 100 · minor + patch. */
  readonly version: number;
}

/** The way from this process' device to others of the machine. Its trainers are `LinkedTrainer`s. */
export interface DeviceLink extends DevicePlacement {
  /** The library's file. */
  readonly path: string;
  newId(): Promise<Uint8Array>;
}

/** An implementation of the numerics. */
export interface Engine {
  readonly name: EngineName;
  /** What makes its bits: engines of one kind give the same ones. "native avx2", "cuda 9.0", "tfjs", … */
  readonly kind: string;
  /** Where it runs, for reports: "cpu avx2, 2 threads", "cuda 0: NVIDIA H200", "tfjs cpu", … */
  readonly device: string;
  /** Its trainers are `ShardedTrainer`s. A runner needs that, even for a training that it has to itself. */
  readonly reducing: boolean;
  /** The way to other devices, or why there is none; engines that run on no device have neither. */
  readonly link?: DeviceLink | { readonly missing: string };
  open(plan: Plan, data: SceneData, state: TrainingState, options?: OpenOptions): Promise<Trainer>;
}

/** Whether the trainer's steps can be shared with other processes. */
export function isReducing(trainer: Trainer): trainer is ShardedTrainer {
  return 'compute' in trainer;
}

/** Whether the trainer can exchange from device to device. */
export function isJoining(trainer: Trainer): trainer is LinkedTrainer {
  return 'join' in trainer;
}

/** @throws ImplicamError `engine-unusable` for an engine whose trainers cannot be hosted by runners */
export function requireReducing({ name, reducing }: Engine): void {
  if (reducing) return;
  throw new ImplicamError(
    'engine-unusable',
    `the ${name} engine trains in one process only, never for a coordinator: build the native engine (npm run build:native)`,
    { status: 501 },
  );
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
