import type { Status } from './training-client.js';

/** What happened to one training under faults, from its status messages. */
export interface Trace {
  /** Longest time without a new committed step, in milliseconds, counted from when going on was possible. */
  readonly longestGapMs: number;
  /** Longest stretch of training that was repeated, in milliseconds of training, and in steps. */
  readonly repeatedMs: number;
  readonly repeatedSteps: number;
  readonly placements: number;
}

/** Follows the status of a training: gaps between committed steps, and what is repeated after a loss. */
export class Watch {
  private since = performance.now();
  private began = false;
  private gap = 0;
  private repeated = { ms: 0, steps: 0 };
  private placements = 0;
  private wasPlacing = false;
  /** Steps of the present run of training and when they were seen; a placement cuts it back. */
  private reached: { step: number; at: number }[] = [];

  onStatus({ phase, step }: Status): void {
    const now = performance.now();
    const placing = phase === 'TRAINING_PHASE_PLACING';
    if (placing && !this.wasPlacing) this.placed(step);
    this.wasPlacing = placing;
    const last = this.reached.at(-1)?.step ?? -1;
    const over = phase === 'TRAINING_PHASE_FINISHED';
    if ((phase !== 'TRAINING_PHASE_TRAINING' || step <= last) && !over) return;
    if (this.began) this.gap = Math.max(this.gap, now - this.since);
    this.began = true;
    this.since = now;
    this.reached.push({ step, at: now });
  }

  /** Until now nobody could have gone on: the coordinator was away. */
  restartGap(): void {
    this.since = Math.max(this.since, performance.now());
  }

  get trace(): Trace {
    return {
      longestGapMs: this.gap,
      repeatedMs: this.repeated.ms,
      repeatedSteps: this.repeated.steps,
      placements: this.placements,
    };
  }

  private placed(step: number): void {
    this.placements++;
    const last = this.reached.at(-1);
    if (last && last.step > step) {
      const from = this.reached.find((r) => r.step >= step)!;
      this.repeated.ms = Math.max(this.repeated.ms, last.at - from.at);
      this.repeated.steps = Math.max(this.repeated.steps, last.step - step);
    }
    this.reached = this.reached.filter((r) => r.step <= step);
  }
}
