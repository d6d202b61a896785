/** Number of last steps that are considered: more would add nothing. */
const MOST = 256;

/**
 * How long steps take, for comparison with other runners. The lower quartile is used: it ignores what disturbs a few steps,
 * but shows what slows down most of them, which the minimum would hide.
 */
export class StepTimes {
  private readonly last: number[] = [];
  private next = 0;

  add(milliseconds: number): void {
    this.last[this.next] = milliseconds;
    this.next = (this.next + 1) % MOST;
  }

  /** Lower quartile of what was added since the last call, in milliseconds; 0 where that was nothing. */
  take(): number {
    const sorted = this.last.splice(0).sort((a, b) => a - b);
    this.next = 0;
    return sorted[Math.floor((sorted.length - 1) / 4)] ?? 0;
  }
}
