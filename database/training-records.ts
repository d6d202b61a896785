import { sql, type Transaction } from 'kysely';
import type { Database, ModelTable, StoredError, StoredOutput } from '../migrations/schema.js';
import { ImplicamError } from '../model/errors.js';
import { appendTo } from './append-events.js';
import { type Db, json } from './connection.js';
import type { EventData, NewEvent } from './events.js';
import { append, guarded, type Lease } from './lease.js';

/** What a coordinator writes down of a training, each time under its lease. */

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

/** Which snapshots to continue from, and the placement that they were made in. */
export interface SnapshotManifest {
  readonly epoch: number;
}

/**
 * Makes a snapshot the one to continue from: after this the training never goes back behind its step, unless what is
 * stored turns out to be damaged; then a later epoch may commit an earlier step. The objects it names must be durable
 * already.
 *
 * @throws ImplicamError `lease-lost`, or `snapshot-order` where a later one is committed
 */
export async function commitSnapshot(
  db: Db,
  lease: Lease,
  step: number,
  manifest: SnapshotManifest & Record<string, unknown>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { run } = await guarded(tx, lease, { updated_at: sql`now()` });
    const row = await tx
      .updateTable('training_runs')
      .set({ snapshot_step: step, snapshot: json(manifest) })
      .where('session', '=', lease.session)
      .where('number', '=', run)
      .where(
        sql<boolean>`(snapshot is null or (snapshot->>'epoch')::bigint < ${manifest.epoch}
          or ((snapshot->>'epoch')::bigint = ${manifest.epoch} and snapshot_step <= ${step}))`,
      )
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

/**
 * Puts other stored snapshots in the place of those that turned out to be damaged, none at all for a beginning from the
 * start.
 *
 * @throws ImplicamError `lease-lost`
 */
export async function replaceSnapshots(
  db: Db,
  lease: Lease,
  left: { readonly step: number; readonly manifest: SnapshotManifest & Record<string, unknown> } | null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { run } = await guarded(tx, lease, { updated_at: sql`now()` });
    await tx
      .updateTable('training_runs')
      .set({ snapshot_step: left?.step ?? null, snapshot: left ? json(left.manifest) : null })
      .where('session', '=', lease.session)
      .where('number', '=', run)
      .execute();
  });
}

/** Notes that the scene and the snapshots of a training are no longer in the object store. */
export async function recordTidied(db: Db, session: string, run: number): Promise<void> {
  await db
    .updateTable('training_runs')
    .set({ tidied_at: sql`now()` })
    .where('session', '=', session)
    .where('number', '=', run)
    .where('state', '=', 'finished')
    .execute();
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
