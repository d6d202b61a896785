import type { SessionId, SessionSpec } from '../../coordinator/scheduler/types.js';

/** Shards as bits of a number: schedules have few. */
export function maskOf(shards: { first: number; count: number }): number {
  return (2 ** shards.count - 1) * 2 ** shards.first;
}

export interface Row {
  spec: SessionSpec;
  /** Number of the newest lease. */
  lease: number;
  state: 'active' | 'finished' | 'failed' | 'cancelled';
  why: string;
  manifest: { step: number; engine: string | null };
  /** Pieces in the object store: step → shards. */
  pieces: Map<number, number>;
}

/** What outlives every process: rows of sessions and the object store. */
export class Durable {
  readonly rows = new Map<SessionId, Row>();
  /** Nobody can write pieces before this time. */
  outageUntil = 0;

  add(spec: SessionSpec): void {
    const manifest = { step: 0, engine: null };
    this.rows.set(spec.id, { spec, lease: 0, state: 'active', why: '', manifest, pieces: new Map() });
  }

  /** Claims a session: what a coordinator knows of it when it starts. */
  claim(id: SessionId): SessionSpec {
    const row = this.rows.get(id)!;
    row.lease++;
    return {
      ...row.spec,
      lease: row.lease,
      durableStep: row.manifest.step,
      engine: row.manifest.engine,
    };
  }

  /** Writes a manifest; false if the lease is not the newest. */
  commit(id: SessionId, lease: number, step: number, engine: string): boolean {
    const row = this.rows.get(id)!;
    if (row.lease !== lease || row.state !== 'active') return false;
    const all = maskOf({ first: 0, count: row.spec.shards.length });
    if (row.pieces.get(step) !== all)
      throw new Violation(`manifest of ${id} at ${step} without all its pieces`);
    if (step < row.manifest.step) {
      throw new Violation(`durable step of ${id} went back from ${row.manifest.step} to ${step}`);
    }
    if (row.manifest.engine !== null && row.manifest.engine !== engine) {
      throw new Violation(`${id} began on ${row.manifest.engine} and goes on on ${engine}`);
    }
    row.manifest = { step, engine };
    return true;
  }

  /** Ends a session's row; false if the lease is not the newest. */
  end(id: SessionId, lease: number, state: Row['state'], why: string): boolean {
    const row = this.rows.get(id)!;
    if (row.lease !== lease || row.state !== 'active') return false;
    row.state = state;
    row.why = why;
    return true;
  }
}

/** Something that must never happen did. */
export class Violation extends Error {}
