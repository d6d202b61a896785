import { assert } from '../../model/errors.js';
import { SchedulerOptions } from './options.js';
import {
  type Command,
  type Epoch,
  epochOf,
  type HeldSnapshot,
  type Member,
  type Piece,
  ROUNDS,
  type RunnerId,
  type RunnerInfo,
  type ShardRange,
  type StoredSnapshot,
  type TrainingId,
  type TrainingSpec,
} from './types.js';

/** A runner that is connected. */
export interface RunnerState {
  info: RunnerInfo;
  /** The smallest demand of one training, in bytes, that turned out not to fit; null as long as everything did. */
  refusedBytes: number | null;
  /** Steps per second of the reference workload, as its trainings showed; null where they showed nothing. */
  observed: number | null;
  /** How often that was forgotten because it might be over. */
  probations: number;
  /** What it brought along of trainings that are not known (yet). */
  unclaimed: HeldSnapshot[];
  /** Told that it may exit. */
  released: boolean;
}

/** A member of the present placement, and what it reported in this epoch. */
export interface MemberState extends Member {
  hosted: boolean;
  step: number;
  /** Newest snapshot that it and its buddy hold. */
  taken: number;
  /** How long that took, its copy included; 0 where not known. */
  copyMs: number;
  /** What its own part of a step took in the last window; 0 where not known. */
  computeMs: number;
  /** How much faster than believed it was in all windows of the evidence. */
  speedRatio: number;
  /** Number of its last report among all reports: who has been quiet longest. */
  lastReport: number;
}

/** That a runner has the pieces of some shards of a snapshot in its memory. */
export interface Holding {
  runner: RunnerId;
  step: number;
  shards: ShardRange;
}

export interface Exclusion {
  /** How often it was evicted. */
  count: number;
  /** Kept out at present; a timer ends it. */
  active: boolean;
}

export interface Training {
  spec: TrainingSpec;
  /** Number of its submission: the order of the queue. */
  order: number;
  phase: 'waiting' | 'hosting' | 'training';
  /** Cancelled, but its last snapshot is still being stored. */
  cancelling: boolean;
  round: number;
  engine: string | null;

  /** Empty while waiting. */
  placement: MemberState[];
  /** Predicted milliseconds of a step in this placement. */
  stepMs: number;
  /** Step that this placement started from. */
  from: number;
  /** Runners that others fetch that step from. */
  sources: RunnerId[];
  /** Whoever else is used by this placement may go: its first snapshot is safe. */
  settled: boolean;
  /** Granted: train up to here. */
  until: number;
  /** Snapshots asked for that are not safe yet, ascending. */
  pending: number[];
  /** Newest safe snapshot of this placement: every member and its buddy hold it. */
  base: number;
  /** Applied by every member. */
  committed: number;
  /** Largest step that ever was: what lies above it is progress, what lies below is repetition. */
  highWater: number;
  /** Observed steps a second; 0 where not known. */
  rate: number;
  /** How much faster than the cost model says all of its steps are, whoever takes them; null where not known. */
  scale: number | null;
  /** Windows in a row that contradict what is believed of the members' speeds; short ones count as less than one. */
  evidence: number;
  /** How often it moved because of observed speeds, and windows since it did. */
  speedMoves: number;
  windowsSinceMove: number;
  /** Something moved since the watch timer fired last; how often it fired in vain. */
  movedSinceCheck: boolean;
  idleChecks: number;

  holdings: Holding[];
  /** Whoever may still have something of this training in its memory. */
  participants: RunnerId[];
  /** Members of the epoch before this one have not been told yet that it is over. */
  parkPending: boolean;

  /** Whole snapshots in the object store, as in the spec, without those that turned out to be damaged. Never empty. */
  stored: StoredSnapshot[];
  durableEngine: string | null;
  windowsSinceStore: number;
  /** A snapshot on its way to the object store. */
  store: { step: number; stored: Record<RunnerId, Piece[]>; failed: RunnerId[] } | null;
  /** A manifest on its way; outlives the placement that made it. */
  commit: { epoch: Epoch; step: number; engine: string; snapshots: StoredSnapshot[] } | null;
  storeAttempts: number;
  /** Waiting before the next attempt to store. */
  storeBackingOff: boolean;

  exclusions: Record<RunnerId, Exclusion>;
  accusations: { accuser: RunnerId; accused: RunnerId }[];
  /** Trouble since the last progress. */
  deaths: RunnerId[];
  failures: { reason: string; count: number }[];
  evictions: number;
  /** Waiting before the next placement. */
  backingOff: boolean;
  /** Why it is placed anew. */
  why: string;

  /** Value of `State.topology` when a better placement was last looked for. */
  evaluatedTopology: number;
  /** The same of `State.speeds`. */
  evaluatedSpeeds: number;
  /** The last `waiting` command, not to repeat it. */
  lastWaiting: string;
}

export type TimerKind =
  | 'host'
  | 'watchdog'
  | 'blame'
  | 'store'
  | 'storeBackoff'
  | 'exclude'
  | 'readmit'
  | 'retry'
  | 'probation';

export interface TimerState {
  kind: TimerKind;
  /** Null: of a runner, whatever it hosts. */
  training: TrainingId | null;
  runner: RunnerId | null;
}

/** Everything that the scheduler knows: plain data, so that JSON holds it. */
export interface State {
  readonly options: SchedulerOptions;
  runners: Record<RunnerId, RunnerState>;
  trainings: Record<TrainingId, Training>;
  timers: Record<string, TimerState>;
  nextOrder: number;
  nextTimer: number;
  nextReport: number;
  /** Grows with everything that may make a better placement possible. */
  topology: number;
  /** Grows with everything that is learned of the speed of runners. */
  speeds: number;
  /** Waiting trainings may find a place now. */
  dirty: boolean;
}

/** One call of `step`: the state, and the commands so far. */
export interface Turn {
  readonly state: State;
  readonly options: SchedulerOptions;
  readonly commands: Command[];
}

export function createState(options: Partial<SchedulerOptions>): State {
  return {
    options: SchedulerOptions.parse(options),
    runners: {},
    trainings: {},
    timers: {},
    nextOrder: 1,
    nextTimer: 1,
    nextReport: 1,
    topology: 1,
    speeds: 1,
    dirty: false,
  };
}

export function createTraining(spec: TrainingSpec, order: number): Training {
  const { step } = spec.stored[0]!;
  return {
    spec,
    order,
    phase: 'waiting',
    cancelling: false,
    round: 0,
    engine: spec.engine,
    placement: [],
    stepMs: 0,
    from: step,
    sources: [],
    settled: true,
    until: step,
    pending: [],
    base: step,
    committed: step,
    highWater: step,
    rate: 0,
    scale: null,
    evidence: 0,
    speedMoves: 0,
    windowsSinceMove: 0,
    movedSinceCheck: false,
    idleChecks: 0,
    holdings: [],
    participants: [],
    parkPending: false,
    stored: [...spec.stored],
    durableEngine: spec.engine,
    windowsSinceStore: 0,
    store: null,
    commit: null,
    storeAttempts: 0,
    storeBackingOff: false,
    exclusions: {},
    accusations: [],
    deaths: [],
    failures: [],
    evictions: 0,
    backingOff: false,
    why: 'submitted',
    evaluatedTopology: 0,
    evaluatedSpeeds: 0,
    lastWaiting: '',
  };
}

/** Step of the newest snapshot in the object store. */
export function durableStep(training: Training): number {
  return training.stored[0]!.step;
}

/** What the largest member's memory may take to move, in milliseconds: more than its part of a snapshot does. */
export function movingMs({ options }: Turn, { spec, placement }: Training): number {
  const of = ({ shards: { first, count } }: MemberState) =>
    spec.shards.slice(first, first + count).reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return Math.max(...placement.map(of)) / options.slowestBytesPerMs;
}

/** The training's present epoch. */
export function epoch(training: Training): Epoch {
  return epochOf(training.spec.lease, training.round);
}

/** Opens the next round: from now on reports of the last one change nothing. */
export function nextRound(training: Training): void {
  training.round++;
  assert(training.round < ROUNDS, `training ${training.spec.id} was placed ${ROUNDS} times under one lease`);
}

export function memberOf(training: Training, runner: RunnerId): MemberState | undefined {
  return training.placement.find((member) => member.runner === runner);
}

/** Buddies that are not members themselves. */
export function outsideBuddies(training: Training): RunnerId[] {
  const members = new Set(training.placement.map((member) => member.runner));
  const buddies = training.placement.map((member) => member.buddy);
  return [...new Set(buddies.filter((buddy) => buddy !== null && !members.has(buddy)))] as RunnerId[];
}

/** Trainings, oldest first. */
export function trainingsInOrder(state: State): Training[] {
  return Object.values(state.trainings).sort((a, b) => a.order - b.order);
}
