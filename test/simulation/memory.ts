import type { HeldSnapshot, TrainingId } from '../../coordinator/scheduler/types.js';
import { Violation } from './durable.js';

/** Snapshots that a runner may hold of one training before something has been forgotten. */
const MOST = 12;
/** Shards fit in the bits of a number. */
const BITS = 30;

interface Held {
  /** Shards. */
  readonly mask: number;
  /** Of which the numbers are not those of a run without faults. */
  readonly wrong: number;
}

const NOTHING: Held = { mask: 0, wrong: 0 };

/** What a runner process has in its memory: of each training the snapshots by step, of each a mask of shards. */
export class SimMemory {
  private readonly trainings = new Map<TrainingId, Map<number, Held>>();

  constructor(
    /** Whose it is, for messages. */
    private readonly owner: string,
  ) {}

  /** Adds shards to a snapshot. */
  keep(training: TrainingId, step: number, mask: number, wrong = false): void {
    const steps = this.trainings.get(training) ?? new Map<number, Held>();
    this.trainings.set(training, steps);
    const held = steps.get(step) ?? NOTHING;
    const others = held.wrong & ~mask;
    steps.set(step, { mask: held.mask | mask, wrong: wrong ? others | mask : others });
    if (steps.size > MOST) throw new Violation(`${this.owner} holds ${steps.size} snapshots of ${training}`);
  }

  has(training: TrainingId, step: number, mask: number): boolean {
    return (this.at(training, step).mask & mask) === mask;
  }

  isWrong(training: TrainingId, step: number, mask: number): boolean {
    return (this.at(training, step).wrong & mask) !== 0;
  }

  private at(training: TrainingId, step: number): Held {
    return this.trainings.get(training)?.get(step) ?? NOTHING;
  }

  /** Drops the snapshots of those steps. */
  drop(training: TrainingId, which: (step: number) => boolean): void {
    const steps = this.trainings.get(training);
    for (const step of [...(steps?.keys() ?? [])]) if (which(step)) steps!.delete(step);
  }

  /** Drops all of a training. */
  forget(training: TrainingId): void {
    this.trainings.delete(training);
  }

  /** Everything, shard by shard, as a runner says it when it connects. */
  held(): HeldSnapshot[] {
    const held: HeldSnapshot[] = [];
    for (const [training, steps] of this.trainings) {
      for (const [step, { mask }] of steps) {
        for (let first = 0; first < BITS; first++) {
          if ((mask >> first) & 1) held.push({ training, step, shards: { first, count: 1 } });
        }
      }
    }
    return held;
  }
}
