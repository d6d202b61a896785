import { mix32 } from '../../samples/hash.js';

/** A stream of numbers from a seed, for schedules of faults. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = mix32(seed);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    return mix32(this.state) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}
