import type { Plan } from '../../model/plan.js';

/** Shares of a training after which people are shown a picture of what is learned. */
const SHARES = [0.1, 0.3, 0.6];
/** Shortest time between two pictures, in milliseconds. */
const SPACING = 3000;
/** Share of the training's time that all its pictures may take. */
const BUDGET = 0.05;
/** What a picture takes a pixel before one was made, in milliseconds. */
const FIRST_GUESS = 1e-3;

/**
 * When to make the pictures of a training: at certain shares of its steps, and never for more than a small share of its
 * time. A large scene's come later, or not at all.
 */
export class PreviewSchedule {
  private readonly targets: number[];
  private readonly began: number;
  private cost: number;
  private spent = 0;
  private last = Number.NEGATIVE_INFINITY;
  /** The target that a picture is being made for. */
  private asked: number | undefined;

  /**
   * @param from the step at which this part of the training begins: what was before is not shown again
   * @param began when it begins, in milliseconds of any clock
   */
  constructor({ capture: { width, height }, config }: Plan, from: number, began: number) {
    this.targets = SHARES.map((share) => Math.ceil(share * config.train.steps)).filter((s) => s > from);
    this.began = began;
    this.cost = FIRST_GUESS * width * height;
  }

  /** Whether to make one of a snapshot of this step; asks for one at most. */
  isDue(step: number, now: number): boolean {
    const [target] = this.targets;
    if (target === undefined || step < target || now - this.last < SPACING) return false;
    if (this.spent + this.cost > BUDGET * (now - this.began)) return false;
    while (this.targets.length > 0 && this.targets[0] <= step) this.asked = this.targets.shift();
    this.last = now;
    return true;
  }

  /** What the one that was asked for has taken, in milliseconds. One that came to nothing may be tried again. */
  took(milliseconds: number, made: boolean): void {
    this.spent += milliseconds;
    this.cost = Math.max(milliseconds, made ? 0 : this.cost);
    if (!made && this.asked !== undefined) this.targets.unshift(this.asked);
    this.asked = undefined;
  }
}
