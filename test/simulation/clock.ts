/** Simulated time: what is to happen, in order. Two things at the same time happen in the order they were planned. */
export class Clock {
  now = 0;
  private sequence = 0;
  private readonly heap: { time: number; sequence: number; run: () => void }[] = [];

  at(time: number, run: () => void): void {
    const { heap } = this;
    const entry = { time, sequence: this.sequence++, run };
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = entry;
  }

  /** Lets the next thing happen; false if nothing is left. */
  tick(): boolean {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return false;
    if (heap.length > 0) this.sink(last);
    this.now = top.time;
    top.run();
    return true;
  }

  private sink(entry: { time: number; sequence: number; run: () => void }): void {
    const { heap } = this;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], entry)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = entry;
  }
}

function before(a: { time: number; sequence: number }, b: { time: number; sequence: number }): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

/** Random numbers of a schedule (mulberry32). */
export class Dice {
  constructor(private state: number) {}

  /** Uniform in [0, 1). */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Whole number in [low, high]. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(p: number): boolean {
    return this.unit() < p;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.unit() * items.length)]!;
  }
}
