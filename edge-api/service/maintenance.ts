import { sql } from 'kysely';
import type { Db } from '../../database/connection.js';
import type { ObjectStore } from '../../store/objects.js';
import { trainingFolders } from '../../store/scene/keys.js';
import type { Log } from '../context.js';
import type { Limits } from '../limits.js';

/**
 * What has to be tidied up now and then, by any process, several at once included: sessions that are to be deleted, what
 * trainings left behind, uploads that nobody continues, renders beyond the cache's size, answers and deliveries nobody asks for any more.
 */
export async function maintain(db: Db, objects: ObjectStore, limits: Limits, log: Log): Promise<void> {
  await attempt(log, 'deleting sessions', () => purgeSessions(db, objects));
  await attempt(log, 'tidying trainings', () => tidyTrainings(db, objects));
  await attempt(log, 'dropping uploads', () => dropUploads(db, objects));
  await attempt(log, 'trimming the render cache', () => trimRenders(db, objects, limits.renderCacheBytes));
  await attempt(log, 'forgetting old answers', () => forget(db));
}

/** One task that fails, the object store being away, say, must not keep the others from being done. */
async function attempt(log: Log, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (err) {
    log.warn({ err }, `${what} failed: it is tried again`);
  }
}

/**
 * Takes sessions away for good that a client deleted, once no coordinator holds them: first what they have in the
 * object store, then their rows.
 */
async function purgeSessions(db: Db, objects: ObjectStore): Promise<void> {
  for (;;) {
    const purged = await db.transaction().execute(async (tx) => {
      const row = await tx
        .selectFrom('sessions')
        .select('id')
        .where('state', '=', 'deleting')
        .where(sql<boolean>`(lease_owner is null or lease_expires < now())`)
        .orderBy('updated_at')
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (!row) return false;
      await objects.deletePrefix(`sessions/${row.id}/`);
      await tx.deleteFrom('sessions').where('id', '=', row.id).execute();
      return true;
    });
    if (!purged) return;
  }
}

const TIDIED_AT_A_TIME = 20;

/**
 * Takes scenes and snapshots of trainings away that have their model, or were given up for a newer training: coordinators
 * do it too, but may die before. Doing it twice does no harm.
 */
async function tidyTrainings(db: Db, objects: ObjectStore): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ session: string; number: number }>`
      select r.session, r.number from training_runs r join sessions s on s.id = r.session
      where r.tidied_at is null and (r.state = 'finished' or (r.state in ('failed', 'cancelled') and r.number < s.run))
        and r.finished_at < now() - interval '1 minute'
      order by r.finished_at limit ${TIDIED_AT_A_TIME}`.execute(db);
    for (const { session, number } of rows) {
      for (const folder of trainingFolders(`${session}/runs/${number}`)) await objects.deletePrefix(folder);
      await db
        .updateTable('training_runs')
        .set({ tidied_at: sql`now()` })
        .where('session', '=', session)
        .where('number', '=', number)
        .execute();
    }
    if (rows.length < TIDIED_AT_A_TIME) return;
  }
}

async function dropUploads(db: Db, objects: ObjectStore): Promise<void> {
  const rows = await db
    .deleteFrom('uploads')
    .where(sql<boolean>`expires_at < now()`)
    .returning(['id', 'session'])
    .execute();
  for (const { id, session } of rows) await objects.deletePrefix(`sessions/${session}/uploads/${id}/`);
}

const EVICTED_AT_A_TIME = 100;

/** Drops the renders that were not asked for the longest, until the rest fits. */
async function trimRenders(db: Db, objects: ObjectStore, most: number): Promise<void> {
  for (;;) {
    const { bytes } = await db
      .selectFrom('renders')
      .select(sql<number>`coalesce(sum(bytes), 0)::bigint`.as('bytes'))
      .executeTakeFirstOrThrow();
    if (bytes <= most) return;
    const { rows } = await sql<{ object_key: string }>`
      delete from renders where (session, model_version, query_hash) in (
        select session, model_version, query_hash from (
          select *, sum(bytes) over (order by last_used_at, query_hash) - bytes as before from renders
        ) as oldest
        where before < ${bytes - most} order by before limit ${EVICTED_AT_A_TIME}
      ) returning object_key`.execute(db);
    if (rows.length === 0) return;
    await objects.delete(rows.map(({ object_key }) => object_key));
  }
}

async function forget(db: Db): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where(sql<boolean>`created_at < now() - interval '7 days'`)
    .execute();
  await db
    .deleteFrom('webhook_outbox')
    .where(sql<boolean>`coalesce(delivered_at, failed_at) < now() - interval '7 days'`)
    .execute();
}
