/**
 * The interface of the scheduler: events go in, commands come out. Everything is plain data, so that a run can be recorded
 * and replayed. Durations are in milliseconds, sizes in bytes. The protocols are in docs/reference/COORDINATION.md.
 */

/** Identity of one runner process: new for each process start, the same when a process connects again. */
export type RunnerId = string;

/** Identity of one training run. What is trained is a function of it alone: the same id means the same bits. */
export type TrainingId = string;

/**
 * Fencing number of one placement of one training: `lease · 2^20 + round`. It grows with every new lease and every new
 * placement, so the newer of two orders is the one with the larger epoch, whoever gave them.
 */
export type Epoch = number;

/** Shards `first` … `first + count − 1`. */
export interface ShardRange {
  readonly first: number;
  readonly count: number;
}

/** Where a runner's device is, and the version of what carries values from there to others: see proto `DeviceLink`. */
export interface DeviceLink {
  readonly node: string;
  readonly device: string;
  readonly version: number;
}

/** A runner as it registered. */
export interface RunnerInfo {
  readonly id: RunnerId;
  /** Where its peers reach it, HOST:PORT. */
  readonly address: string;
  /** What makes its bits: runners of different engines never share a training. */
  readonly engine: string;
  readonly device: string;
  readonly memoryBytes: number;
  /** Steps per second of the reference workload, measured when it started; `ShardSpec.cost` is in steps of that workload. */
  readonly stepRate: number;
  readonly draining: boolean;
  /** Null: its gradients go through its processor. */
  readonly link: DeviceLink | null;
}

/** A snapshot piece that a runner still holds when it registers (it outlived a coordinator or a connection). */
export interface HeldSnapshot {
  readonly training: TrainingId;
  readonly step: number;
  readonly shards: ShardRange;
}

export interface ShardSpec {
  /** What hosting this shard takes, snapshots included. */
  readonly memoryBytes: number;
  /** Work of one step, in steps of the reference workload (see `RunnerInfo.stepRate`). */
  readonly cost: number;
}

/** A training as the coordinator claimed it. */
export interface TrainingSpec {
  readonly id: TrainingId;
  readonly shards: readonly ShardSpec[];
  /** What every runner of the training needs besides its shards. */
  readonly sharedMemoryBytes: number;
  /** Milliseconds that one hop of the reduction between two runners takes; 2 ⌈log2 n⌉ of them happen in a step. */
  readonly hopMs: number;
  readonly steps: number;
  /** Number of the lease under which the training was claimed; at least 1, larger with each claim. */
  readonly lease: number;
  /** Snapshots in the object store, the newest first; the last is the state that the training begins with. */
  readonly stored: readonly StoredSnapshot[];
  /** Engine that made the stored snapshots; null lets the scheduler choose. */
  readonly engine: string | null;
}

/** A part of a snapshot in the object store. Shard 0 has one more: the parameters that all shards share. */
export interface Piece {
  readonly shard: number;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A whole snapshot in the object store. Whoever reads a piece checks it against what is known of it here. */
export interface StoredSnapshot {
  readonly step: number;
  readonly pieces: readonly Piece[];
}

/** One runner's part in a placement. */
export interface Member {
  readonly runner: RunnerId;
  readonly address: string;
  readonly shards: ShardRange;
  /** Who keeps a copy of this member's snapshots (perhaps no member itself); null where there is nobody else. */
  readonly buddy: RunnerId | null;
}

/** Where the state of some shards is fetched from: a runner's memory, or the object store (null). */
export interface Source {
  readonly shards: ShardRange;
  readonly holder: RunnerId | null;
  readonly address: string | null;
  /** What is to be read of the object store: the pieces of these shards, and what all shards share. */
  readonly pieces: readonly Piece[];
}

/**
 * Why hosting or training failed on a runner. `memory`: did not fit. `data`: the training itself is unusable (fails it).
 * `store`: the object store did not answer. `engine`: anything else.
 */
export type FailureCode = 'memory' | 'data' | 'store' | 'engine';

interface Report {
  readonly runner: RunnerId;
  readonly training: TrainingId;
  readonly epoch: Epoch;
}

/** A picture of what was learned up to a step. It is for display; no decision depends on it. */
export interface PreviewPicture {
  readonly step: number;
  readonly key: string;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
}

/** What a runner reports about a training. Reports of any epoch but the present one are ignored. */
export type RunnerReport =
  /** State restored, peers connected, ready to train; the restored snapshot is held. */
  | (Report & { readonly type: 'hosted' })
  /** All steps up to `step` are applied. The rate is as observed over the last seconds; 0 where not known yet. */
  | (Report & {
      readonly type: 'progressed';
      readonly step: number;
      readonly loss: number;
      readonly psnr: number;
      readonly stepsPerSecond: number;
    })
  /** A picture of what is learned is in the object store. */
  | (Report & { readonly type: 'previewed'; readonly picture: PreviewPicture })
  /** The reporter's own pieces of the snapshot are in its memory, and in its buddy's if it has one. */
  | (Report & {
      readonly type: 'snapshotTaken';
      readonly step: number;
      readonly milliseconds: number;
      /** What a step's own computation took since the last snapshot, in milliseconds; 0 where not known. */
      readonly computeMs: number;
    })
  /** The reporter's own pieces of the snapshot are in the object store. */
  | (Report & { readonly type: 'stored'; readonly step: number; readonly pieces: readonly Piece[] })
  | (Report & { readonly type: 'storeFailed'; readonly step: number; readonly message: string })
  /** What the object store has of this snapshot is not what was written: missing, truncated, or of another content. */
  | (Report & { readonly type: 'damaged'; readonly step: number; readonly message: string })
  /** A peer (member, source or buddy) did not answer within its deadline or broke the connection. */
  | (Report & { readonly type: 'peerFailed'; readonly peer: RunnerId })
  | (Report & { readonly type: 'failed'; readonly code: FailureCode; readonly message: string });

/** What happened. */
export type Event =
  | RunnerReport
  /** Also for a process that connects again: then `snapshots` is what it still holds. */
  | {
      readonly type: 'runnerJoined';
      readonly runner: RunnerInfo;
      readonly snapshots: readonly HeldSnapshot[];
    }
  | {
      readonly type: 'runnerUpdated';
      readonly runner: RunnerId;
      readonly stepRate?: number;
      /** True: it is to shut down (SIGTERM). It may exit once it is sent `released`. */
      readonly draining?: boolean;
    }
  /** `ended`: its connection closed, most likely the process died. `silent`: heartbeats missed. */
  | { readonly type: 'runnerLost'; readonly runner: RunnerId; readonly reason: 'ended' | 'silent' }
  | { readonly type: 'trainingSubmitted'; readonly spec: TrainingSpec }
  | { readonly type: 'trainingCancelled'; readonly training: TrainingId }
  /** Another coordinator has the lease now: nothing of the training may be written any more. */
  | { readonly type: 'leaseLost'; readonly training: TrainingId; readonly lease: number }
  /** Answer to `commit`: the manifest is durable. */
  | {
      readonly type: 'committed';
      readonly training: TrainingId;
      readonly epoch: Epoch;
      readonly step: number;
    }
  | {
      readonly type: 'commitFailed';
      readonly training: TrainingId;
      readonly epoch: Epoch;
      readonly step: number;
      readonly message: string;
    }
  | { readonly type: 'timeout'; readonly id: string };

interface Order {
  readonly runner: RunnerId;
  readonly training: TrainingId;
  readonly epoch: Epoch;
}

/**
 * Orders to runners. A runner remembers the largest epoch it has seen of each training and ignores orders of smaller
 * ones; peers exchange messages only within one epoch.
 */
export type RunnerCommand =
  /**
   * Stop what you do for this training, restore step `step` from `sources` (which cover your shards), drop snapshots
   * above it, keep this one, and answer `hosted`. If `copy`, this snapshot counts as just taken: send it to the
   * buddy, who may be outside the placement, and report `snapshotTaken`.
   */
  | (Order & {
      readonly type: 'host';
      readonly shards: ShardRange;
      readonly placement: readonly Member[];
      readonly buddy: RunnerId | null;
      readonly buddyAddress: string | null;
      readonly step: number;
      readonly sources: readonly Source[];
      readonly copy: boolean;
      /** Gradients may go from device to device: the same for all members. */
      readonly devices: boolean;
    })
  /**
   * Train up to step `until`, in lock-step with the placement, taking a snapshot at each of `snapshots` and copying it
   * to the buddy. An `until` below the present step means: stop stepping now.
   */
  | (Order & { readonly type: 'advance'; readonly until: number; readonly snapshots: readonly number[] })
  /** Write your own pieces of the held snapshot to the object store; answer `stored` or `storeFailed`. */
  | (Order & { readonly type: 'store'; readonly step: number })
  /** Drop snapshots of steps below `below`. */
  | (Order & { readonly type: 'discard'; readonly below: number })
  /** Stop training and free the engine, but keep snapshots: others fetch them. */
  | (Order & { readonly type: 'park' })
  /** Drop everything of this training. */
  | (Order & { readonly type: 'release' });

export type WaitingReason = 'queue' | 'no-runners' | 'memory' | 'engine' | 'excluded' | 'retry';

/** What is to be done. */
export type Command =
  | RunnerCommand
  /** A draining runner hosts and holds nothing that is needed any more: it may exit. */
  | { readonly type: 'released'; readonly runner: RunnerId }
  /**
   * Write the manifest under the training's lease: the snapshot of `step`, and the one before it to fall back to. Answer
   * `committed`, `commitFailed` or `leaseLost`. What the object store has of older ones, but for the initial state, may
   * go then. An earlier manifest (smaller epoch, or the same and a smaller step) never replaces a later one.
   */
  | {
      readonly type: 'commit';
      readonly training: TrainingId;
      readonly epoch: Epoch;
      readonly step: number;
      readonly engine: string;
      /** The newest, of `step`, first. */
      readonly snapshots: readonly StoredSnapshot[];
    }
  /** Start (or restart) the timer with that id; `timeout` when it fires. */
  | { readonly type: 'timer'; readonly id: string; readonly ms: number }
  | { readonly type: 'cancelTimer'; readonly id: string }
  // Facts for logs, metrics and status.
  | {
      readonly type: 'placed';
      readonly training: TrainingId;
      readonly epoch: Epoch;
      readonly engine: string;
      readonly step: number;
      readonly placement: readonly Member[];
      readonly why: string;
    }
  | {
      readonly type: 'waiting';
      readonly training: TrainingId;
      readonly reason: WaitingReason;
      /** Place in the queue, from 1; null where the reason is another. */
      readonly position: number | null;
      readonly message: string;
    }
  /** Every runner of the placement has applied `step`. */
  | {
      readonly type: 'progress';
      readonly training: TrainingId;
      readonly epoch: Epoch;
      readonly step: number;
      readonly loss: number;
      readonly psnr: number;
      readonly stepsPerSecond: number;
    }
  /** A stored snapshot turned out to be damaged; the newest one left is that of step `left`, if there is one. */
  | {
      readonly type: 'damaged';
      readonly training: TrainingId;
      readonly step: number;
      readonly left: number | null;
      readonly message: string;
    }
  | { readonly type: 'preview'; readonly training: TrainingId; readonly picture: PreviewPicture }
  /** The training has ended: the scheduler has forgotten it. */
  | { readonly type: 'finished'; readonly training: TrainingId; readonly step: number }
  | {
      readonly type: 'failed';
      readonly training: TrainingId;
      readonly code: string;
      readonly message: string;
    }
  /** Cancelled; the snapshot of `step` is durable. */
  | { readonly type: 'cancelled'; readonly training: TrainingId; readonly step: number }
  | { readonly type: 'dropped'; readonly training: TrainingId };

/** Rounds that fit in one lease. */
export const ROUNDS = 2 ** 20;

/** Epoch of a round of a lease. Exact up to leases of 2^33. */
export function epochOf(lease: number, round: number): Epoch {
  return lease * ROUNDS + round;
}
