import { type Kysely, sql, type Transaction } from 'kysely';
import type {
  Database,
  FrameTable,
  ModelTable,
  SessionState,
  StoredError,
  StoredOutput,
} from '../migrations/schema.js';
import { ImplicamError } from '../model/errors.js';
import { type Db, json, secondsFromNow } from './connection.js';
import type { EventData, NewEvent } from './events.js';

/**
 * How coordinators take up sessions, and write about them: a lease in the session's row, with a number that grows with
 * every claim. Every write names its lease and changes nothing when the session has another one by now (fencing), so
 * that a coordinator that was thought dead cannot harm. Clocks do not matter: the server's decides when a lease ends.
 */

/** The right to write about a session, until it is lost. */
export interface Lease {
  readonly session: string;
  readonly owner: string;
  readonly number: number;
}

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
    .select(['s.tenant', 's.run', 's.model_version', 's.cancel_requested'])
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

/** Appends events. @throws ImplicamError `lease-lost` */
export async function appendEvents(db: Db, lease: Lease, events: readonly NewEvent[]): Promise<void> {
  await db.transaction().execute(async (tx) => append(tx, lease, events));
}

/** Notes where the training is, and tells it. @throws ImplicamError `lease-lost` */
export async function recordProgress(db: Db, lease: Lease, progress: EventData<'progress'>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { step, stepsTotal, loss, psnr } = progress;
    await guarded(tx, lease, { step, steps_total: stepsTotal, loss, psnr, updated_at: sql`now()` });
    await appendTo(tx, lease.session, [{ type: 'progress', data: progress }]);
  });
}

/** Notes what the training does now, and tells it. @throws ImplicamError `lease-lost` */
export async function recordPhase(
  db: Db,
  lease: Lease,
  phase: EventData<'phase'>['phase'],
  stepsTotal?: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const total = stepsTotal === undefined ? {} : { steps_total: stepsTotal };
    await guarded(tx, lease, { phase, ...total, updated_at: sql`now()` });
    await appendTo(tx, lease.session, [{ type: 'phase', data: { phase } }]);
  });
}

/** One shard and who has it. */
export interface PlacedShard {
  readonly shard: number;
  readonly runner: string;
  readonly device: string;
}

/** Writes down where the shards are, from which step on, and tells it. @throws ImplicamError `lease-lost` */
export async function recordPlacement(
  db: Db,
  lease: Lease,
  shards: readonly PlacedShard[],
  step: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const runners = new Set(shards.map(({ runner }) => runner)).size;
    await append(tx, lease, [{ type: 'placed', data: { runners, shards: shards.length, step } }]);
    await tx.deleteFrom('shards').where('session', '=', lease.session).execute();
    if (shards.length === 0) return;
    await sql`
      insert into shards (session, shard, runner, device, step)
      select ${lease.session}, shard, runner, device, ${step}
      from jsonb_to_recordset(${json(shards)}) as placed (shard integer, runner text, device text)`.execute(
      tx,
    );
  });
}

/**
 * Makes a snapshot the one to continue from: after this the training never goes back behind its step. The objects it
 * names must be durable already.
 *
 * @throws ImplicamError `lease-lost`, or `snapshot-order` where a newer one is committed
 */
export async function commitSnapshot(
  db: Db,
  lease: Lease,
  step: number,
  manifest: Record<string, unknown>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { run } = await guarded(tx, lease, { updated_at: sql`now()` });
    const row = await tx
      .updateTable('training_runs')
      .set({ snapshot_step: step, snapshot: json(manifest) })
      .where('session', '=', lease.session)
      .where('number', '=', run)
      .where((e) => e.or([e('snapshot_step', 'is', null), e('snapshot_step', '<=', step)]))
      .returning('number')
      .executeTakeFirst();
    if (!row) {
      throw new ImplicamError(
        'snapshot-order',
        `session ${lease.session} has a snapshot after step ${step} already: continue from that one`,
        { status: 409 },
      );
    }
    await appendTo(tx, lease.session, [{ type: 'snapshot', data: { step } }]);
  });
}

/** A trained model in the object store, durable. */
export interface FinishedModel {
  readonly objectKey: string;
  readonly bytes: number;
  readonly sha256: Uint8Array;
  readonly parametersSha256: string;
  readonly steps: number;
  readonly loss: number | null;
  readonly psnr: number | null;
  readonly outputs: readonly StoredOutput[];
}

/** Ends a training with its model. @returns the model's version. @throws ImplicamError `lease-lost` */
export async function finish(db: Db, lease: Lease, model: FinishedModel): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { run, model_version: last } = await guarded(tx, lease, {
      state: 'trained',
      lease_owner: null,
      lease_expires: null,
      cancel_requested: false,
      queue_order: null,
      phase: null,
      error: null,
      step: model.steps,
      steps_total: model.steps,
      loss: model.loss,
      psnr: model.psnr,
      model_version: sql`coalesce(model_version, 0) + 1`,
      updated_at: sql`now()`,
    });
    const version = last!;
    const row: Record<keyof Omit<ModelTable, 'created_at'>, unknown> = {
      session: lease.session,
      version,
      run,
      object_key: model.objectKey,
      bytes: model.bytes,
      sha256: Buffer.from(model.sha256),
      parameters_sha256: model.parametersSha256,
      steps: model.steps,
      loss: model.loss,
      psnr: model.psnr,
      outputs: json(model.outputs),
    };
    await tx
      .insertInto('models')
      .values(row as never)
      .execute();
    await endRun(tx, lease.session, run, 'finished', null);
    const { steps, loss, psnr } = model;
    await appendTo(tx, lease.session, [{ type: 'trained', data: { model: version, steps, loss, psnr } }]);
    return version;
  });
}

/** Ends a training that cannot succeed. @throws ImplicamError `lease-lost` */
export async function fail(db: Db, lease: Lease, error: StoredError): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { run } = await guarded(tx, lease, { ...ENDED, state: 'failed', error: json(error) });
    await endRun(tx, lease.session, run, 'failed', error);
    const { code, message } = error;
    await appendTo(tx, lease.session, [{ type: 'failed', data: { code, message } }]);
  });
}

/** Ends a training that a person stopped; its snapshot is kept. @throws ImplicamError `lease-lost` */
export async function cancelled(db: Db, lease: Lease): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { run, step } = await guarded(tx, lease, { ...ENDED, state: 'cancelled' });
    await endRun(tx, lease.session, run, 'cancelled', null);
    await appendTo(tx, lease.session, [{ type: 'cancelled', data: { step } }]);
  });
}

const ENDED = {
  lease_owner: null,
  lease_expires: null,
  cancel_requested: false,
  queue_order: null,
  phase: null,
  updated_at: sql<Date>`now()`,
};

async function endRun(
  tx: Transaction<Database>,
  session: string,
  run: number,
  state: 'finished' | 'failed' | 'cancelled',
  error: StoredError | null,
): Promise<void> {
  await tx
    .updateTable('training_runs')
    .set({ state, error: error && json(error), finished_at: sql`now()` })
    .where('session', '=', session)
    .where('number', '=', run)
    .execute();
  await tx.deleteFrom('shards').where('session', '=', session).execute();
}

/** Condition: the session still has this lease. Who expired but was not replaced still holds it. */
function held({ session, owner, number }: Lease) {
  return sql<boolean>`id = ${session} and lease_owner = ${owner} and lease_number = ${number}`;
}

/** Changes the session's row under its lease, and locks it for the rest of the transaction. */
async function guarded(tx: Transaction<Database>, lease: Lease, values: Record<string, unknown>) {
  const row = await tx
    .updateTable('sessions')
    .set(values)
    .where(held(lease))
    .where('state', '=', 'training')
    .returning(['run', 'step', 'model_version'])
    .executeTakeFirst();
  if (!row) throw leaseLost(lease);
  return row;
}

async function append(tx: Transaction<Database>, lease: Lease, events: readonly NewEvent[]): Promise<void> {
  await guarded(tx, lease, { updated_at: sql`now()` });
  await appendTo(tx, lease.session, events);
}

/**
 * Appends events to a session in the caller's transaction. The counter in the session's row gives the numbers, so that
 * writers take turns: a reader who has seen event n can never be handed an event before it later.
 */
export async function appendTo(
  tx: Kysely<Database>,
  session: string,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    with counter as (
      update sessions set last_event = last_event + ${events.length} where id = ${session} returning last_event
    )
    insert into events (session, number, type, data)
    select ${session}, counter.last_event - ${events.length} + e.at, e.event ->> 'type', e.event -> 'data'
    from counter, jsonb_array_elements(${json(events)}) with ordinality as e (event, at)`.execute(tx);
}

/** The error of a coordinator that writes about a session which it no longer holds. */
export function leaseLost({ session, owner, number }: Lease): ImplicamError {
  return new ImplicamError(
    'lease-lost',
    `${owner} no longer holds session ${session} (lease ${number}): drop it and write nothing`,
    { status: 409 },
  );
}
