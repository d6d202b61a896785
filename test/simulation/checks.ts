import type { State } from '../../coordinator/scheduler/state.js';
import {
  type Command,
  type Epoch,
  type Event,
  epochOf,
  type Member,
  type RunnerId,
  type RunnerReport,
  type StoredSnapshot,
  type TrainingId,
} from '../../coordinator/scheduler/types.js';
import type { Dice } from './clock.js';
import { type Durable, maskOf, Violation } from './durable.js';

/** The scheduler, or something that is wrong in it. */
export type Step = (state: State, event: Event) => Command[];

/** What the checks know of one epoch, from what was ordered and what was truly done. */
interface EpochRecord {
  /** Shards that a `host` command was sent for. */
  owned: number;
  /** Members by whether their `host` command allows an exchange from device to device. */
  readonly exchanges: Map<boolean, RunnerId[]>;
  /** Steps that each runner has really applied. */
  readonly applied: Map<RunnerId, number>;
  readonly taken: Map<RunnerId, number>;
  /** Longest that a snapshot took somebody, its copy included. */
  copyMs: number;
  placement: readonly Member[];
  from: number;
  progress: number;
  /** Newest snapshot that all members reported. */
  safe: number;
}

/** A safe snapshot, and who of those who hold it has been lost since. */
interface Safe {
  readonly step: number;
  readonly holders: Set<RunnerId>;
  readonly lost: Set<RunnerId>;
}

/** What must hold at every moment of every schedule. */
export class Checks {
  private readonly epochs = new Map<TrainingId, Map<Epoch, EpochRecord>>();
  private readonly safe = new Map<TrainingId, Safe>();
  private readonly newest = new Map<TrainingId, Epoch>();
  /** Stored snapshots that the coordinator knows, and knows no harm of. */
  private readonly stored = new Map<TrainingId, readonly StoredSnapshot[]>();

  constructor(
    private readonly durable: Durable,
    private readonly dice: Dice,
    private readonly step: Step,
    /** Longest window where a snapshot takes so many milliseconds, in steps. */
    private readonly longestWindow: (copyMs: number) => number,
  ) {}

  private record(training: TrainingId, epoch: Epoch): EpochRecord {
    let records = this.epochs.get(training);
    if (records === undefined) {
      records = new Map();
      this.epochs.set(training, records);
    }
    let record = records.get(epoch);
    if (record === undefined) {
      record = {
        owned: 0,
        exchanges: new Map(),
        applied: new Map(),
        taken: new Map(),
        copyMs: 0,
        placement: [],
        from: 0,
        progress: -1,
        safe: -1,
      };
      records.set(epoch, record);
    }
    return record;
  }

  /** A runner has really applied a step. */
  applied(training: TrainingId, epoch: Epoch, runner: RunnerId, step: number): void {
    this.record(training, epoch).applied.set(runner, step);
  }

  /** Looks at an event before the scheduler does. */
  before(state: State, event: Event): void {
    if (event.type === 'runnerLost') {
      for (const safe of this.safe.values()) if (safe.holders.has(event.runner)) safe.lost.add(event.runner);
    }
    if (event.type === 'trainingSubmitted') {
      this.safe.delete(event.spec.id);
      this.stored.set(event.spec.id, event.spec.stored);
    }
    if (event.type === 'committed') {
      const { manifest, spec } = this.durable.rows.get(event.training)!;
      this.stored.set(event.training, [...manifest.snapshots, ...spec.stored]);
    }
    if (event.type !== 'snapshotTaken') return;
    const training = state.trainings[event.training];
    if (training === undefined || epochOf(training.spec.lease, training.round) !== event.epoch) return;
    const record = this.record(event.training, event.epoch);
    record.copyMs = Math.max(record.copyMs, event.milliseconds);
    record.taken.set(event.runner, Math.max(event.step, record.taken.get(event.runner) ?? 0));
    const least = Math.min(...record.placement.map(({ runner }) => record.taken.get(runner) ?? -1));
    if (least <= record.safe) return;
    record.safe = least;
    // Only one who trains with nobody else around has no buddy, and then nothing is promised.
    if (record.placement.some(({ buddy }) => buddy === null)) this.safe.delete(event.training);
    else {
      const holders = new Set(record.placement.flatMap(({ runner, buddy }) => [runner, buddy!]));
      this.safe.set(event.training, { step: least, holders, lost: new Set() });
    }
  }

  /** All members exchange in one way, and from device to device only within a box. */
  private exchangeAgreed(state: State, { exchanges }: EpochRecord): void {
    if (exchanges.size > 1) throw new Violation('members were sent different ways to exchange');
    const boxes = new Set(exchanges.get(true)?.map((runner) => state.runners[runner].info.link?.node));
    if (boxes.size > 1 || boxes.has(undefined))
      throw new Violation('devices of different boxes are to exchange');
  }

  on(state: State, command: Command): void {
    switch (command.type) {
      case 'host': {
        const record = this.record(command.training, command.epoch);
        const mask = maskOf(command.shards);
        if ((record.owned & mask) !== 0) throw new Violation(`two owners in epoch ${command.epoch}`);
        record.owned |= mask;
        record.exchanges.set(command.devices, [
          ...(record.exchanges.get(command.devices) ?? []),
          command.runner,
        ]);
        this.exchangeAgreed(state, record);
        break;
      }
      case 'placed':
        this.placed(command);
        break;
      case 'damaged': {
        const known = this.stored.get(command.training)!;
        this.stored.set(
          command.training,
          known.filter((snapshot) => snapshot.step !== command.step),
        );
        break;
      }
      case 'advance':
        this.granted(command);
        break;
      case 'release': {
        const safe = this.safe.get(command.training);
        if (safe?.holders.has(command.runner)) safe.lost.add(command.runner);
        break;
      }
      case 'progress':
        this.progress(command);
        break;
      case 'finished': {
        const row = this.durable.rows.get(command.training)!;
        if (row.manifest.snapshots[0]?.step !== row.spec.steps)
          throw new Violation(`${command.training} finished too early`);
        break;
      }
      case 'released':
        for (const { placement } of Object.values(state.trainings)) {
          if (placement.some(({ runner, buddy }) => runner === command.runner || buddy === command.runner)) {
            throw new Violation(`${command.runner} may exit although it is needed`);
          }
        }
        break;
      default:
        break;
    }
  }

  private placed(command: Extract<Command, { type: 'placed' }>): void {
    const { training, epoch, step, placement } = command;
    const record = this.record(training, epoch);
    record.placement = placement;
    record.from = step;
    const all = maskOf({ first: 0, count: this.durable.rows.get(training)!.spec.shards.length });
    if (record.owned !== all) throw new Violation(`epoch ${epoch} has shards without an owner`);
    if (epoch <= (this.newest.get(training) ?? 0)) {
      // A coordinator that was thought dead may still place, under its old lease only.
      const lease = this.durable.rows.get(training)!.lease;
      if (epoch >= epochOf(lease, 0)) throw new Violation(`epoch ${epoch} of ${training} came twice`);
      return;
    }
    this.newest.set(training, epoch);
    const row = this.durable.rows.get(training)!;
    const intact = this.stored.get(training)!.find(({ pieces }) => this.durable.intact(row, pieces));
    if (intact !== undefined && step < intact.step) {
      throw new Violation(`${training} goes back to ${step} although ${intact.step} is stored whole`);
    }
    const safe = this.safe.get(training);
    if (safe !== undefined && safe.lost.size <= 1 && step < safe.step) {
      throw new Violation(`${training} goes back to ${step} although ${safe.step} is held`);
    }
  }

  private granted(command: Extract<Command, { type: 'advance' }>): void {
    const record = this.record(command.training, command.epoch);
    const base = Math.max(record.safe, record.from);
    if (command.until > base + 2 * this.longestWindow(record.copyMs)) {
      throw new Violation(`granted to ${command.until}, more than two windows beyond ${base}`);
    }
  }

  private progress(command: Extract<Command, { type: 'progress' }>): void {
    const record = this.record(command.training, command.epoch);
    if (command.step <= record.progress) throw new Violation(`progress went back to ${command.step}`);
    record.progress = command.step;
    for (const { runner } of record.placement) {
      const applied = record.applied.get(runner) ?? -1;
      if (applied < command.step) {
        throw new Violation(`step ${command.step} counts as committed, ${runner} is at ${applied}`);
      }
    }
  }

  bounds(state: State): void {
    const trainings = Object.values(state.trainings);
    const excluded = trainings.reduce((sum, { exclusions }) => sum + Object.keys(exclusions).length, 0);
    const most = 6 * trainings.length + excluded + Object.keys(state.runners).length;
    if (Object.keys(state.timers).length > most) throw new Violation('too many timers');
    for (const { pending, holdings, spec } of trainings) {
      if (pending.length > 3) throw new Violation(`${pending.length} snapshots outstanding`);
      if (holdings.length > 400) throw new Violation(`${spec.id}: ${holdings.length} holdings`);
    }
  }

  /** Shows the scheduler an old report once more: nothing may change. */
  stale(state: State, report: RunnerReport | null): void {
    const training = report === null ? undefined : state.trainings[report.training];
    if (report === null || training === undefined) return;
    if (report.epoch >= epochOf(training.spec.lease, training.round) || !this.dice.chance(0.02)) return;
    const before = JSON.stringify(state);
    const commands = this.step(state, report);
    if (commands.length > 0 || JSON.stringify(state) !== before) {
      throw new Violation(`a report of an old epoch (${report.type}) changed something`);
    }
  }
}
