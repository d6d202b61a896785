import type { HeldSnapshot, SessionId } from '../../coordinator/scheduler/types.js';
import { Violation } from './durable.js';

/** Snapshots that a runner may hold of one session before something has been forgotten. */
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

/** What a runner process has in its memory: of each session the snapshots by step, of each a mask of shards. */
export class SimMemory {
  private readonly sessions = new Map<SessionId, Map<number, Held>>();

  constructor(
    /** Whose it is, for messages. */
    private readonly owner: string,
  ) {}

  /** Adds shards to a snapshot. */
  keep(session: SessionId, step: number, mask: number, wrong = false): void {
    const steps = this.sessions.get(session) ?? new Map<number, Held>();
    this.sessions.set(session, steps);
    const held = steps.get(step) ?? NOTHING;
    const others = held.wrong & ~mask;
    steps.set(step, { mask: held.mask | mask, wrong: wrong ? others | mask : others });
    if (steps.size > MOST) throw new Violation(`${this.owner} holds ${steps.size} snapshots of ${session}`);
  }

  has(session: SessionId, step: number, mask: number): boolean {
    return (this.at(session, step).mask & mask) === mask;
  }

  isWrong(session: SessionId, step: number, mask: number): boolean {
    return (this.at(session, step).wrong & mask) !== 0;
  }

  private at(session: SessionId, step: number): Held {
    return this.sessions.get(session)?.get(step) ?? NOTHING;
  }

  /** Drops the snapshots of those steps. */
  drop(session: SessionId, which: (step: number) => boolean): void {
    const steps = this.sessions.get(session);
    for (const step of [...(steps?.keys() ?? [])]) if (which(step)) steps!.delete(step);
  }

  /** Drops all of a session. */
  forget(session: SessionId): void {
    this.sessions.delete(session);
  }

  /** Everything, shard by shard, as a runner says it when it connects. */
  held(): HeldSnapshot[] {
    const held: HeldSnapshot[] = [];
    for (const [session, steps] of this.sessions) {
      for (const [step, { mask }] of steps) {
        for (let first = 0; first < BITS; first++) {
          if ((mask >> first) & 1) held.push({ session, step, shards: { first, count: 1 } });
        }
      }
    }
    return held;
  }
}
