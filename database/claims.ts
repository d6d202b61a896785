import { sql, type Transaction } from 'kysely';
import type { Database, FrameTable, SessionState } from '../migrations/schema.js';
import { appendTo } from './append-events.js';
import { type Db, secondsFromNow } from './connection.js';
import { append, held, type Lease } from './lease.js';

/** How coordinators take up sessions, keep them and give them back. */

/** A frame to train on: where it is and what is known of it. */
export interface ClaimedFrame {
  readonly number: number;
  readonly name: string;
  readonly objectKey: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Camera settings as `CameraSettings`; what the client stated goes before EXIF. */
  readonly camera: Record<string, unknown>;
  /** `unchecked`: nobody has decoded it yet. */
  readonly state: FrameTable['state'];
}

/** A session that was claimed: everything that training needs to know. */
export interface Claim {
  readonly lease: Lease;
  readonly tenant: string;
  readonly run: number;
  readonly preset: string;
  readonly quality: string;
  readonly seed: number;
  readonly steps: number | null;
  /** Whether results say where the photographs were taken. */
  readonly gps: boolean;
  /** Version that the model of this run will have. */
  readonly modelVersion: number;
  /** Where the training was: the newest committed snapshot of this run. */
  readonly snapshot: { readonly step: number; readonly manifest: Record<string, unknown> } | null;
  /** In the order of their numbers. */
  readonly frames: readonly ClaimedFrame[];
  readonly cancelRequested: boolean;
}

/**
 * Takes up the next session: one whose coordinator was lost before one that waits, each in the order of the queue. Two
 * callers never get the same one.
 *
 * @param seconds how long the lease lasts without being renewed
 * @returns undefined where nothing waits
 */
export async function claimNext(db: Db, owner: string, seconds: number): Promise<Claim | undefined> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: string; lease_number: number; run: number; was: SessionState }>`
      with next as (
        select id, state from sessions
        where state = 'queued' or (state = 'training' and lease_expires < now())
        order by state = 'queued', queue_order
        for update skip locked limit 1
      )
      update sessions s set state = 'training', lease_owner = ${owner}, lease_number = s.lease_number + 1,
        lease_expires = ${secondsFromNow(seconds)}, updated_at = now()
      from next where s.id = next.id
      returning s.id, s.lease_number, s.run, next.state as was`.execute(tx);
    const [row] = rows;
    if (!row) return undefined;
    const lease: Lease = { session: row.id, owner, number: row.lease_number };
    if (row.was === 'training') await append(tx, lease, [{ type: 'requeued', data: { run: row.run } }]);
    await append(tx, lease, [{ type: 'started', data: { run: row.run } }]);
    await tx
      .updateTable('training_runs')
      .set({ state: 'running', started_at: sql`coalesce(started_at, now())` })
      .where('session', '=', row.id)
      .where('number', '=', row.run)
      .execute();
    return readClaim(tx, lease);
  });
}

async function readClaim(tx: Transaction<Database>, lease: Lease): Promise<Claim> {
  const session = await tx
    .selectFrom('sessions as s')
    .innerJoin('training_runs as r', (join) =>
      join.onRef('r.session', '=', 's.id').onRef('r.number', '=', 's.run'),
    )
    .select(['s.tenant', 's.run', 's.model_version', 's.cancel_requested', 's.gps'])
    .select(['r.preset', 'r.quality', 'r.seed', 'r.steps', 'r.snapshot_step', 'r.snapshot'])
    .where('s.id', '=', lease.session)
    .executeTakeFirstOrThrow();
  const frames = await tx
    .selectFrom('frames')
    .selectAll()
    .where('session', '=', lease.session)
    .orderBy('number')
    .execute();
  const { snapshot_step: step, snapshot: manifest } = session;
  return {
    lease,
    tenant: session.tenant,
    run: session.run,
    preset: session.preset,
    quality: session.quality,
    seed: session.seed,
    steps: session.steps,
    gps: session.gps,
    modelVersion: (session.model_version ?? 0) + 1,
    snapshot: step !== null && manifest !== null ? { step, manifest } : null,
    frames: frames.map((f) => ({
      number: f.number,
      name: f.name,
      objectKey: f.object_key,
      bytes: f.bytes,
      sha256: f.sha256.toString('hex'),
      camera: f.camera,
      state: f.state,
    })),
    cancelRequested: session.cancel_requested,
  };
}

/** What a coordinator is to do with a session that it holds. `lost`: another has it, or it is gone; write nothing. */
export type Instruction = 'continue' | 'cancel' | 'delete' | 'lost';

/** Makes the lease last `seconds` from now. Call it at least three times in that time. */
export async function renew(db: Db, lease: Lease, seconds: number): Promise<Instruction> {
  const row = await db
    .updateTable('sessions')
    .set({ lease_expires: secondsFromNow(seconds) })
    .where(held(lease))
    .returning(['state', 'cancel_requested'])
    .executeTakeFirst();
  if (!row) return 'lost';
  if (row.state === 'deleting') return 'delete';
  return row.cancel_requested ? 'cancel' : 'continue';
}

/**
 * Gives a session back: to the front of the queue, or, where it is to be deleted, to its end. Quietly does nothing when
 * the lease is lost.
 */
export async function release(db: Db, lease: Lease): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('sessions')
      .set({
        state: sql`case state when 'training' then 'queued' else state end`,
        lease_owner: null,
        lease_expires: null,
        updated_at: sql`now()`,
      })
      .where(held(lease))
      .returning(['state', 'run'])
      .executeTakeFirst();
    if (row?.state === 'queued') {
      await appendTo(tx, lease.session, [{ type: 'requeued', data: { run: row.run } }]);
    }
  });
}
