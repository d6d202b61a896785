import type {
  Epoch,
  Piece,
  ShardRange,
  StoredSnapshot,
  TrainingId,
  TrainingSpec,
} from '../../coordinator/scheduler/types.js';

/** Shards as bits of a number: schedules have few. */
export function maskOf(shards: { first: number; count: number }): number {
  return (2 ** shards.count - 1) * 2 ** shards.first;
}

/** What an object has in it, as far as schedules tell contents apart; it is its own checksum. */
export type Content = 'right' | 'wrong' | 'damaged';

export interface Row {
  spec: TrainingSpec;
  /** Its steps take this many times longer than the spec says. */
  heaviness: number;
  /** Number of the newest lease. */
  lease: number;
  state: 'active' | 'finished' | 'failed' | 'cancelled';
  why: string;
  manifest: { epoch: Epoch; engine: string | null; snapshots: readonly StoredSnapshot[] };
  /** Pieces in the object store. */
  objects: Map<string, Content>;
}

export function keyOf(training: TrainingId, step: number, shard: number): string {
  return `${training}/${step}/${shard}`;
}

/** What outlives every process: rows of trainings and the object store. */
export class Durable {
  readonly rows = new Map<TrainingId, Row>();
  /** Nobody can write pieces before this time. */
  outageUntil = 0;

  add(spec: TrainingSpec, heaviness: number): void {
    const manifest = { epoch: 0, engine: null, snapshots: [] };
    const objects = new Map<string, Content>();
    for (const { key } of spec.stored.flatMap(({ pieces }) => pieces)) objects.set(key, 'right');
    this.rows.set(spec.id, { spec, heaviness, lease: 0, state: 'active', why: '', manifest, objects });
  }

  /** Claims a training: what a coordinator knows of it when it starts. */
  claim(id: TrainingId): TrainingSpec {
    const row = this.rows.get(id)!;
    row.lease++;
    return {
      ...row.spec,
      lease: row.lease,
      stored: [...row.manifest.snapshots, ...row.spec.stored],
      engine: row.manifest.engine,
    };
  }

  /** Writes a manifest; false if the lease is not the newest. What it does not name goes, but for the initial state. */
  commit(id: TrainingId, lease: number, manifest: Row['manifest']): boolean {
    const row = this.rows.get(id)!;
    if (row.lease !== lease || row.state !== 'active') return false;
    const [newest, older] = manifest.snapshots;
    const step = newest.step;
    for (const shard of row.spec.shards.keys()) {
      if (row.objects.has(keyOf(id, step, shard))) continue;
      throw new Violation(`manifest of ${id} at ${step} without all its pieces`);
    }
    const before = row.manifest.snapshots.find((snapshot) => this.intact(row, snapshot.pieces));
    if (before !== undefined && step < before.step) {
      throw new Violation(`durable step of ${id} went back from ${before.step} to ${step}`);
    }
    const last = row.manifest.snapshots[0];
    if (
      before !== undefined &&
      before === last &&
      !manifest.snapshots.some((one) => one.step === last.step)
    ) {
      throw new Violation(`${id} has nothing to fall back to from ${step}, though ${last.step} is there`);
    }
    if (row.manifest.engine !== null && row.manifest.engine !== manifest.engine) {
      throw new Violation(`${id} began on ${row.manifest.engine} and goes on on ${manifest.engine}`);
    }
    row.manifest = manifest;
    const oldest = (older ?? newest).step;
    for (const key of row.objects.keys()) {
      const of = Number(key.split('/')[1]);
      if (of > 0 && of < oldest) row.objects.delete(key);
    }
    return true;
  }

  /** Writes pieces of a snapshot. */
  write(id: TrainingId, step: number, shards: ShardRange, wrong: boolean): Piece[] {
    const { objects } = this.rows.get(id)!;
    const content = wrong ? 'wrong' : 'right';
    return Array.from({ length: shards.count }, (_, i) => {
      const shard = shards.first + i;
      const key = keyOf(id, step, shard);
      objects.set(key, content);
      return { shard, key, bytes: 1, sha256: content };
    });
  }

  /** Reads pieces of a snapshot, and checks those of which something is known. */
  read(
    id: TrainingId,
    step: number,
    shards: ShardRange,
    known: readonly Piece[],
  ): 'damaged' | 'wrong' | 'right' {
    const { objects } = this.rows.get(id)!;
    let worst: 'wrong' | 'right' = 'right';
    for (let shard = shards.first; shard < shards.first + shards.count; shard++) {
      const key = keyOf(id, step, shard);
      const expected = known.find((piece) => piece.key === key);
      const found = objects.get(key);
      if (found === undefined || (expected !== undefined && found !== expected.sha256)) return 'damaged';
      if (found !== 'right') worst = 'wrong';
    }
    return worst;
  }

  /** Whether the object store has pieces as they were written. */
  intact(row: Row, pieces: readonly Piece[]): boolean {
    return pieces.every(({ key, sha256 }) => row.objects.get(key) === sha256);
  }

  /** A fault: an object is lost, or another content is in its place. */
  damage(id: TrainingId, key: string, lost: boolean): void {
    const { objects } = this.rows.get(id)!;
    if (lost) objects.delete(key);
    else if (objects.has(key)) objects.set(key, 'damaged');
  }

  /** Ends a training's row; false if the lease is not the newest. */
  end(id: TrainingId, lease: number, state: Row['state'], why: string): boolean {
    const row = this.rows.get(id)!;
    if (row.lease !== lease || row.state !== 'active') return false;
    row.state = state;
    row.why = why;
    return true;
  }
}

/** Something that must never happen did. */
export class Violation extends Error {}
