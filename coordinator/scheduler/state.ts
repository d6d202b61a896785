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
  /** The smallest demand of one training, in bytes, that did not fit; null while everything has fitted. */
  refusedBytes: number | null;
  /** Steps per second of the reference workload as observed in its trainings; null if nothing was observed. */
  observed: number | null;
  /** How often the observed speed was dropped after a probation. */
  probations: number;
  /** Snapshots that it reported when it registered, of trainings that are not known yet. */
  unclaimed: HeldSnapshot[];
  /** The command `released` was sent. */
  released: boolean;
}

/** A member of the present placement, and what it reported in this epoch. */
export interface MemberState extends Member {
  hosted: boolean;
  step: number;
  /** Step of the newest snapshot that it and its buddy hold. */
  taken: number;
  /** How long that snapshot took, its copy included; 0 if not known. */
  copyMs: number;
  /** How long its own part of a step took in the last window; 0 if not known. */
  computeMs: number;
  /** Observed speed over assumed speed, as far as all windows of the evidence agree. */
  speedRatio: number;
  /** Sequence number of its last report: shows which member has been silent longest. */
  lastReport: number;
}

/** A runner has the pieces of some shards of a snapshot in its memory. */
export interface Holding {
  runner: RunnerId;
  step: number;
  shards: ShardRange;
}

export interface Exclusion {
  /** How often it was excluded. */
  count: number;
  /** Excluded at present; a timer ends it. */
  active: boolean;
}

/** What the scheduler knows of one training. */
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
  /** Runners from which others fetch that step. */
  sources: RunnerId[];
  /** The first snapshot of this placement is safe: runners outside it may drop what they hold. */
  settled: boolean;
  /** Step up to which the members may train. */
  until: number;
  /** Steps of the snapshots that are ordered but not safe yet, ascending. */
  pending: number[];
  /** Step of the newest safe snapshot of this placement: every member and its buddy hold it. */
  base: number;
  /** Newest step that every member has applied. */
  committed: number;
  /** Largest step ever committed: steps above it are progress, steps below it are repeated. */
  highWater: number;
  /** Observed steps per second; 0 if not known. */
  rate: number;
  /** Observed over predicted speed of its steps on any runner: the error of the cost model. Null if not known. */
  scale: number | null;
  /** Consecutive windows that contradict the assumed speeds of the members; short ones count as less than one. */
  evidence: number;
  /** How often it moved because of observed speeds, and the windows since it last moved. */
  speedMoves: number;
  windowsSinceMove: number;
  /** Whether anything moved since the watchdog last fired, and how often in a row it fired without any movement. */
  movedSinceCheck: boolean;
  idleChecks: number;

  holdings: Holding[];
  /** Runners that may still have something of this training in memory. */
  participants: RunnerId[];
  /** The members of the previous epoch still have to be sent `park`. */
  parkPending: boolean;

  /** Complete snapshots in the object store, as in the spec, without those found damaged. Never empty. */
  stored: StoredSnapshot[];
  durableEngine: string | null;
  windowsSinceStore: number;
  /** The snapshot that is being written to the object store. */
  store: { step: number; stored: Record<RunnerId, Piece[]>; failed: RunnerId[] } | null;
  /** The manifest that is being written; it outlives the placement that made it. */
  commit: { epoch: Epoch; step: number; engine: string; snapshots: StoredSnapshot[] } | null;
  storeAttempts: number;
  /** Waits before the next attempt to store. */
  storeBackingOff: boolean;

  exclusions: Record<RunnerId, Exclusion>;
  accusations: { accuser: RunnerId; accused: RunnerId }[];
  /** Failures since the last progress. */
  deaths: RunnerId[];
  failures: { reason: string; count: number }[];
  evictions: number;
  /** Waits before the next placement. */
  backingOff: boolean;
  /** Why it is placed again. */
  why: string;

  /** Values of `State.topology` and `State.speeds` when a better placement was last looked for. */
  evaluatedTopology: number;
  evaluatedSpeeds: number;
  /** The last `waiting` command, so that it is not repeated. */
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
  /** Null: the timer is about a runner, whatever it hosts. */
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
  /** Incremented by everything that may make a better placement possible. */
  topology: number;
  /** Incremented whenever the observed speed of a runner changes. */
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
  const { step } = spec.stored[0];
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
  return training.stored[0].step;
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

/** Starts the next round: reports of earlier ones are ignored from now on. */
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
