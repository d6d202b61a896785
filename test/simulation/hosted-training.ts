import type { Epoch, RunnerCommand, RunnerId, TrainingId } from '../../coordinator/scheduler/types.js';
import { StepTimes } from '../../runner/step-times.js';

export type HostCommand = Extract<RunnerCommand, { type: 'host' }>;

/** What a runner sends its peers when it has computed a step. */
export interface Gradient {
  readonly training: TrainingId;
  readonly epoch: Epoch;
  readonly peer: RunnerId;
  readonly step: number;
  /** Its numbers are not those of a run without faults. */
  readonly wrong: boolean;
}

/** A training's shards on a runner, for one epoch. */
export class HostedTraining {
  readonly peers: RunnerId[];
  /** Step whose result is applied. */
  step: number;
  started = false;
  until: number;
  snapshots: number[] = [];
  computing = false;
  readonly times = new StepTimes();
  readonly accused = new Set<RunnerId>();
  reportedAt = Number.NEGATIVE_INFINITY;
  /** Its numbers are not those of a run without faults, because it began with what was damaged. */
  wrong = false;
  private counted = { step: 0, at: Number.POSITIVE_INFINITY };
  /** Steps whose gradients are known: one's own, and those that peers sent. */
  private readonly ready = new Map<RunnerId, number>();

  constructor(
    readonly command: HostCommand,
    private readonly self: RunnerId,
    /** A fault: it hangs, but the process is alive. */
    public hung: boolean,
  ) {
    this.peers = command.placement.map(({ runner }) => runner).filter((runner) => runner !== self);
    this.step = command.step;
    this.until = command.step;
  }

  /** Whether there is a step to compute now. */
  get mayCompute(): boolean {
    if (!this.started || this.computing || this.hung || this.step >= this.until) return false;
    return (this.ready.get(this.self) ?? -1) <= this.step;
  }

  /** Whether everybody's gradient of the next step is known. */
  get mayApply(): boolean {
    const everybody = [this.self, ...this.peers];
    return this.started && everybody.every((runner) => (this.ready.get(runner) ?? -1) > this.step);
  }

  /** One's own gradient of the next step is computed. */
  computed(): Gradient {
    const { training, epoch } = this.command;
    const step = this.step + 1;
    this.ready.set(this.self, step);
    return { training, epoch, peer: this.self, step, wrong: this.wrong };
  }

  receive({ peer, step, wrong }: Gradient): void {
    this.ready.set(peer, step);
    this.wrong ||= wrong;
  }

  /** Steps a second since the last call, at a time; 0 the first time. */
  rate(now: number): number {
    const { step, at } = this.counted;
    this.counted = { step: this.step, at: now };
    return now > at ? (1000 * (this.step - step)) / (now - at) : 0;
  }

  /** Whether a gradient is of this epoch. */
  isMeant({ training, epoch }: Gradient): boolean {
    return training === this.command.training && epoch === this.command.epoch;
  }
}
