import { type ExpressionBuilder, type Kysely, type Selectable, sql } from 'kysely';
import type { Database, SessionTable } from '../../migrations/schema.js';
import { refusal } from '../http/refusal.js';
import type { SessionResource } from '../schemas.js';

/** Reading sessions: always those of one tenant, never those that are being deleted. */

type Handle = Kysely<Database>;

const position = sql<number | null>`
  case when s.state = 'queued' then
    (select count(*) + 1 from sessions q where q.state = 'queued' and q.queue_order < s.queue_order) end`;

const frameCount = (e: ExpressionBuilder<Database & { s: SessionTable }, 's'>) =>
  e
    .selectFrom('frames')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .whereRef('frames.session', '=', 's.id')
    .as('frames');

export function selectSessions(db: Handle, tenant: string) {
  return db
    .selectFrom('sessions as s')
    .selectAll('s')
    .select(frameCount)
    .select(position.as('position'))
    .where('s.tenant', '=', tenant)
    .where('s.state', '<>', 'deleting');
}

export type SessionRow = Selectable<SessionTable> & {
  readonly frames: number | null;
  readonly position: number | null;
};

/** A session of the tenant. @throws ImplicamError `session-missing` (404), also where it is another tenant's */
export async function readSession(db: Handle, tenant: string, id: string): Promise<SessionRow> {
  const row = await selectSessions(db, tenant).where('s.id', '=', id).executeTakeFirst();
  if (!row) throw sessionMissing(id);
  return row;
}

/** The session's row, locked until the transaction ends. @throws ImplicamError `session-missing` */
export async function lockSession(tx: Handle, tenant: string, id: string): Promise<Selectable<SessionTable>> {
  const row = await tx
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', id)
    .where('tenant', '=', tenant)
    .where('state', '<>', 'deleting')
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw sessionMissing(id);
  return row;
}

/**
 * Locks the tenant, so that its quotas are counted by one request at a time. Not FOR UPDATE: rows that refer to the
 * tenant (an idempotency key, just before) hold it with FOR KEY SHARE, and of two such requests each would wait for the
 * other.
 */
export async function lockTenant(tx: Handle, tenant: string): Promise<void> {
  await tx.selectFrom('tenants').select('id').where('id', '=', tenant).forNoKeyUpdate().execute();
}

/** Bytes of photographs that a tenant keeps, and of those that it has begun to upload. */
export async function storedBytes(db: Handle, tenant: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(bytes), 0)::bigint as bytes from (
      select f.bytes from frames f join sessions s on s.id = f.session where s.tenant = ${tenant}
      union all
      select u.bytes_total from uploads u join sessions s on s.id = u.session
      where s.tenant = ${tenant} and u.state = 'open'
    ) as kept`.execute(db);
  return rows[0].bytes;
}

const sessionMissing = (id: string) =>
  refusal(404, 'session-missing', `there is no session ${id}: it was deleted, or belongs to another key`);

/** What clients see of a session. */
export function presentSession(row: SessionRow): SessionResource {
  return {
    id: row.id,
    state: row.state as SessionResource['state'],
    preset: row.preset,
    quality: row.quality,
    notes: row.notes,
    gps: row.gps,
    frames: row.frames ?? 0,
    width: row.width,
    height: row.height,
    training: presentProgress(row),
    model: row.model_version,
    error: row.error,
    lastEvent: row.last_event,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export function presentProgress(row: SessionRow): SessionResource['training'] {
  return {
    run: row.run,
    position: row.position,
    phase: row.phase,
    step: row.step,
    stepsTotal: row.steps_total,
    loss: row.loss,
    psnr: row.psnr,
  };
}
