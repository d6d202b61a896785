import { place, predictStepMs } from '../../coordinator/scheduler/placement/placement.js';
import { epoch, type State, type Training } from '../../coordinator/scheduler/state.js';
import type { Command, Epoch, Event, RunnerId, TrainingId } from '../../coordinator/scheduler/types.js';
import { Violation } from './durable.js';
import type { SimRunner } from './runner.js';

/** By then runners have shown what they can, whatever they said of themselves: windows of one placement. */
const WINDOWS = 20;

/** A placement may be worse than the best one of its runners by so much … */
const WORSE = 1.25;

/** … unless the training is about to end: a better one must save this much, in milliseconds. */
const SAVED_MS = 5_000;

/** Moves that a training may make while nothing happens to it or to runners. */
const MOVES = 6;

/** What the checks look at. */
export interface PlacementWorld {
  readonly runners: ReadonlyMap<RunnerId, SimRunner>;
  /** Every runner is as fast as it always is. */
  readonly calm: boolean;
  /** How many times longer a training's steps take than its spec says. */
  heaviness(training: TrainingId): number;
}

interface Known {
  epoch: Epoch;
  /** Newest safe snapshot, and how many there were in calm. */
  base: number;
  windows: number;
}

/** Placements follow what runners really do, and trainings move no more than that takes. */
export class Placements {
  private readonly known = new Map<TrainingId, Known>();
  /** Placements since something happened. */
  private readonly placed = new Map<TrainingId, number>();

  constructor(private readonly world: PlacementWorld) {}

  /** Looks at what an event has led to. */
  after(state: State, event: Event, commands: readonly Command[]): void {
    if (
      !this.world.calm ||
      CHANGES.includes(event.type) ||
      commands.some(({ type }) => ENDS.includes(type))
    ) {
      this.placed.clear();
    }
    for (const command of commands) if (command.type === 'placed') this.count(command.training);
    const training = event.type === 'snapshotTaken' ? state.trainings[event.training] : undefined;
    if (training !== undefined) this.look(state, training);
  }

  private count(training: TrainingId): void {
    const placed = (this.placed.get(training) ?? 0) + 1;
    this.placed.set(training, placed);
    if (placed > 1 + MOVES)
      throw new Violation(`${training} moved ${MOVES + 1} times though nothing happened`);
  }

  private look(state: State, training: Training): void {
    const { spec, base } = training;
    const at = epoch(training);
    let known = this.known.get(spec.id);
    if (known?.epoch !== at) {
      known = { epoch: at, base, windows: 0 };
      this.known.set(spec.id, known);
    }
    if (base <= known.base) return;
    known.base = base;
    known.windows = this.world.calm && !isShared(state, training) ? known.windows + 1 : 0;
    if (known.windows >= WINDOWS) this.compare(training);
  }

  /** The present placement beside the best one of the same runners, by what they really are. */
  private compare(training: Training): void {
    const { spec, placement, committed } = training;
    const members = placement.map(({ runner }, order) => {
      const { stepRate, memoryBytes } = this.world.runners.get(runner)!.truth;
      return { runner, speed: stepRate / this.world.heaviness(spec.id), memoryBytes, order };
    });
    // Only the ratios between runners can be known: whether fewer of them would do depends on what steps really cost.
    const work = { ...spec, hopMs: 0 };
    const now = predictStepMs(work, placement, members);
    const best = place(work, members)!.stepMs;
    if (now < WORSE * best || (spec.steps - committed) * (now - best) < SAVED_MS) return;
    const shares = placement.map(({ runner, shards }) => `${shards.count} on ${runner}`).join(', ');
    throw new Violation(
      `${spec.id} at ${committed} of ${spec.steps} takes ${now.toFixed(0)} ms a step (${shares}), ${best.toFixed(0)} would do`,
    );
  }
}

const CHANGES: readonly string[] = [
  'runnerJoined',
  'runnerLost',
  'runnerUpdated',
  'trainingSubmitted',
  'peerFailed',
];
const ENDS: readonly string[] = ['finished', 'failed', 'cancelled', 'dropped', 'waiting'];

/** Whether another training uses a runner of this one. */
function isShared(state: State, training: Training): boolean {
  const runners = new Set(training.placement.map(({ runner }) => runner));
  return Object.values(state.trainings).some(
    (other) => other !== training && other.placement.some(({ runner }) => runners.has(runner)),
  );
}
