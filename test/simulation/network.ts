import { Clock, type Dice } from './clock.js';

/** A process on a machine. Machines outlive processes; what is cut is the way between machines. */
export abstract class Process {
  alive = true;
  frozenUntil = 0;
  /** When the last message to each other process arrives: a stream keeps its order. */
  readonly arrivals = new Map<Process, number>();

  constructor(
    readonly name: string,
    readonly machine: string,
  ) {}

  /** The connection to another process broke: closed by it (`ended`), or silent for too long. */
  abstract onBroken(other: Process, reason: 'ended' | 'silent'): void;
}

/** Silence after which either end of a connection gives it up. */
export const SILENCE_MS = 3_000;

/**
 * Streams between processes: delayed at random, in order within a stream, in any order between streams. What is sent into
 * a short partition arrives after it; what is sent into a long one is lost, and both ends notice the silence. A frozen process
 * finds its messages when it thaws, but the others have given it up if that took too long.
 */
export class Network {
  readonly clock = new Clock();
  readonly processes = new Set<Process>();
  private readonly cuts = new Map<string, number>();

  constructor(
    readonly dice: Dice,
    private readonly delayMs: number,
  ) {}

  /** Runs something in a process after a while: never if it has died, later if it is frozen. */
  after(ms: number, process: Process, run: () => void): void {
    this.runAt(this.clock.now + ms, process, run);
  }

  private runAt(time: number, process: Process, run: () => void): void {
    this.clock.at(time, () => {
      if (!process.alive) return;
      if (process.frozenUntil > this.clock.now) this.runAt(process.frozenUntil, process, run);
      else run();
    });
  }

  send(from: Process, to: Process, deliver: () => void): void {
    const { now } = this.clock;
    let time = now + this.dice.between(0.2, 1) * this.delayMs;
    const cut = this.cutUntil(from, to);
    if (cut - now >= SILENCE_MS) return;
    if (cut > now) time += cut - now;
    time = Math.max(time, from.arrivals.get(to) ?? 0);
    from.arrivals.set(to, time);
    this.runAt(time, to, deliver);
  }

  /** Time until which the way between two processes is cut. */
  private cutUntil(a: Process, b: Process): number {
    return this.cuts.size === 0 ? 0 : (this.cuts.get(pair(a.machine, b.machine)) ?? 0);
  }

  /** Whether a process would not get an answer from another. */
  down(from: Process, to: Process): boolean {
    const { now } = this.clock;
    return !to.alive || to.frozenUntil > now || this.cutUntil(from, to) > now;
  }

  cut(a: string, b: string, ms: number): void {
    const key = pair(a, b);
    if (a === b || (this.cuts.get(key) ?? 0) > this.clock.now) return;
    this.cuts.set(key, this.clock.now + ms);
    if (ms < SILENCE_MS) return;
    this.clock.at(this.clock.now + SILENCE_MS, () => {
      for (const one of this.on(a)) {
        for (const other of this.on(b)) this.breakBoth(one, other, 'silent');
      }
    });
  }

  private on(machine: string): Process[] {
    return [...this.processes].filter((process) => process.machine === machine);
  }

  freeze(process: Process, ms: number): void {
    if (process.frozenUntil > this.clock.now) return;
    process.frozenUntil = this.clock.now + ms;
    if (ms < SILENCE_MS) return;
    // Others give it up at once when they notice; it hears of that first thing when it thaws.
    this.clock.at(this.clock.now + SILENCE_MS, () => {
      if (!process.alive) return;
      for (const other of this.processes) if (other !== process) this.breakBoth(process, other, 'silent');
    });
  }

  /** Ends a process; whoever can, sees its connections close. */
  kill(process: Process): void {
    if (!process.alive) return;
    process.alive = false;
    this.processes.delete(process);
    for (const other of this.processes) {
      const unseen = this.cutUntil(process, other) > this.clock.now;
      this.after(unseen ? SILENCE_MS : this.delayMs, other, () =>
        other.onBroken(process, unseen ? 'silent' : 'ended'),
      );
    }
  }

  /** Breaks the connections between two processes at both ends. */
  breakBoth(a: Process, b: Process, reason: 'ended' | 'silent'): void {
    this.after(0, a, () => a.onBroken(b, reason));
    this.after(0, b, () => b.onBroken(a, reason));
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
