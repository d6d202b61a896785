import * as z from 'zod';

const ms = (value: number) => z.number().positive().default(value);
const count = (value: number) => z.number().int().positive().default(value);

/** Settings of the coordinator's decisions; every one has a default that suits a handful of machines. */
export const SchedulerOptions = z.strictObject({
  /** What a loss may cost: no more than this much training is repeated. Snapshots are taken twice as often. */
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
  /** A running training is placed anew only if its step rate is predicted to grow by this factor. */
  rebalanceGain: z.number().min(1).default(1.15),
  /** … and if that is predicted to save this much time until the training's end. */
  rebalanceSavedMs: ms(10_000),
  /**
   * How long a runner without work counts as slower than it measured itself while others train, because a training saw it so: at
   * first, and at most (doubles each time).
   */
  probationMs: ms(60_000),
  maxProbationMs: ms(3_600_000),
  /** Until every runner must have restored its shards, and longer by the time that its memory takes at `slowestBytesPerMs`. */
  hostDeadlineMs: ms(60_000),
  /** What a network or store that works moves at least, in bytes a millisecond. */
  slowestBytesPerMs: z.number().positive().default(20_000),
  /** Until a step must be seen, at least; trainings with slow steps get `stallSteps` steps' time. */
  stallDeadlineMs: ms(10_000),
  stallSteps: count(20),
  /** Until a snapshot must be in the object store (longer by its size, as for hosting), and a manifest written. */
  storeDeadlineMs: ms(60_000),
  /** How long accusations between peers are gathered before one of them is blamed. */
  blameMs: ms(500),
  /** How long an evicted runner is kept out of the training: first time, and at most (doubles each time). */
  exclusionMs: ms(30_000),
  maxExclusionMs: ms(600_000),
  /** Waits between attempts after trouble without progress: first, and at most (doubles each time). */
  retryMs: ms(2_000),
  maxRetryMs: ms(60_000),
  /** The same failure this often without progress fails the training; any failures three times as often do, too. */
  failureLimit: count(5),
  /** So many different runners dying with the training without progress in between fail it. */
  deathLimit: count(3),
  /** Evictions without progress that fail the training. */
  evictionLimit: count(12),
  /** Attempts at writing one snapshot to the object store. */
  storeLimit: count(20),
});

export type SchedulerOptions = z.infer<typeof SchedulerOptions>;
