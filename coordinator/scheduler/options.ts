import * as z from 'zod';

const ms = (value: number) => z.number().positive().default(value);
const count = (value: number) => z.number().int().positive().default(value);

/** Settings of the coordinator's decisions; every one has a default that suits a handful of machines. */
export const SchedulerOptions = z.strictObject({
  /** What the loss of a runner may cost: at most this much training is repeated. Snapshots are taken twice as often. */
  snapshotMs: ms(5_000),
  /**
   * Share of the time that the copies of snapshots may take: windows of large trainings are as long as that needs, up to
   * `maxWindowMs`.
   */
  snapshotShare: z.number().positive().max(1).default(0.25),
  maxWindowMs: ms(300_000),
  /** How often a snapshot goes to the object store. */
  storeMs: ms(30_000),
  /** Bounds of a window of the usual length, in steps. */
  minWindowSteps: count(1),
  maxWindowSteps: count(10_000),
  /** Trainings that one runner hosts at a time; more wait in the queue. */
  trainingsPerRunner: count(2),
  /** A running training is moved only if its step rate is predicted to grow by this factor … */
  rebalanceGain: z.number().min(1).default(1.15),
  /** … and the move is predicted to save this much time until the end of the training. */
  rebalanceSavedMs: ms(10_000),
  /**
   * How long a runner stays on probation: it was observed to be slower than it measured itself, and gets no work while others
   * train. Afterwards the observation is dropped. First time, and at most (doubles each time).
   */
  probationMs: ms(60_000),
  maxProbationMs: ms(3_600_000),
  /** Deadline for every member to restore its shards; extended by the time that its memory takes at `slowestBytesPerMs`. */
  hostDeadlineMs: ms(60_000),
  /** Least throughput of a network or store that works, in bytes per millisecond. */
  slowestBytesPerMs: z.number().positive().default(20_000),
  /** Deadline for a step to be committed; trainings with slow steps get the time of `stallSteps` steps. */
  stallDeadlineMs: ms(10_000),
  stallSteps: count(20),
  /** Deadline for storing a snapshot (extended by its size, as for hosting), and for writing a manifest. */
  storeDeadlineMs: ms(60_000),
  /** How long accusations between peers are collected before one of them is evicted. */
  blameMs: ms(500),
  /** How long an evicted runner is excluded from the training: first time, and at most (doubles each time). */
  exclusionMs: ms(30_000),
  maxExclusionMs: ms(600_000),
  /** Backoff between attempts that fail without progress: first, and at most (doubles each time). */
  retryMs: ms(2_000),
  maxRetryMs: ms(60_000),
  /** The same failure this often without progress fails the training; so do three times as many failures of any kind. */
  failureLimit: count(5),
  /** This many different members that die without progress in between fail the training. */
  deathLimit: count(3),
  /** Evictions without progress that fail the training. */
  evictionLimit: count(12),
  /** Attempts at writing one snapshot to the object store. */
  storeLimit: count(20),
});

export type SchedulerOptions = z.infer<typeof SchedulerOptions>;
