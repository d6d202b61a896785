import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Db } from '../../database/connection.js';
import type { ApiKeyTable } from '../../migrations/schema.js';
import { ImplicamError } from '../../model/errors.js';
import type { Principal } from '../context.js';

/** API keys: made, listed, revoked, and checked with their rate limit. The key itself is shown once and never stored. */

export interface KeyLimits {
  readonly ratePerMinute: number;
  readonly burst: number;
  readonly maxSessions: number;
  readonly maxBytes: number;
  readonly maxActive: number;
}

export const defaultKeyLimits: KeyLimits = {
  ratePerMinute: 1200,
  burst: 300,
  maxSessions: 1000,
  maxBytes: 100 * 2 ** 30,
  maxActive: 20,
};

export interface NewKey extends Partial<KeyLimits> {
  readonly tenant: string;
  readonly name: string;
  readonly managesKeys?: boolean;
  readonly expiresAt?: Date;
}

const KEY = /^ik_([0-9a-f]{10})_[\w-]{43}$/;
const TENANT = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** Makes a key, and its tenant where it is new. @returns the row and the key itself, which cannot be had again */
export async function createKey(
  db: Db,
  key: NewKey,
): Promise<{ readonly row: Selectable<ApiKeyTable>; readonly secret: string }> {
  if (!TENANT.test(key.tenant)) {
    throw new ImplicamError(
      'invalid-tenant',
      `'${key.tenant}' cannot be a tenant: use up to 63 lower-case letters, digits, - and _`,
      { exitCode: 2 },
    );
  }
  const prefix = `ik_${randomBytes(5).toString('hex')}`;
  const secret = `${prefix}_${randomBytes(32).toString('base64url')}`;
  const limits = { ...defaultKeyLimits, ...definedOnly(key) };
  const row = await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('tenants')
      .values({ id: key.tenant })
      .onConflict((c) => c.doNothing())
      .execute();
    return tx
      .insertInto('api_keys')
      .values({
        tenant: key.tenant,
        name: key.name,
        prefix,
        hash: hashOf(secret),
        manages_keys: key.managesKeys ?? false,
        rate_per_minute: limits.ratePerMinute,
        burst: limits.burst,
        max_sessions: limits.maxSessions,
        max_bytes: limits.maxBytes,
        max_active: limits.maxActive,
        expires_at: key.expiresAt ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  return { row, secret };
}

function definedOnly(key: NewKey): Partial<KeyLimits> {
  return Object.fromEntries(Object.entries(key).filter(([, value]) => value !== undefined));
}

/** Keys of a tenant, or of all, revoked ones too. */
export async function listKeys(db: Db, tenant?: string): Promise<Selectable<ApiKeyTable>[]> {
  let query = db.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id');
  if (tenant !== undefined) query = query.where('tenant', '=', tenant);
  return query.execute();
}

/** Revokes a key by its id or prefix, from the next request on. @returns whether there is one (of the tenant) */
export async function revokeKey(db: Db, key: string, tenant?: string): Promise<boolean> {
  let update = db
    .updateTable('api_keys')
    .set({ revoked_at: sql`coalesce(revoked_at, now())` })
    .where((e) => e.or([e('prefix', '=', key), e(sql<string>`id::text`, '=', key)]));
  if (tenant !== undefined) update = update.where('tenant', '=', tenant);
  return (await update.returning('id').executeTakeFirst()) !== undefined;
}

export interface Admission {
  readonly principal: Principal;
  readonly allowed: boolean;
  /** Requests left at once. */
  readonly remaining: number;
  /** Seconds until the next request is let through. */
  readonly retryAfter: number;
}

/**
 * Who presents this key, and whether its token bucket lets the request through: one statement, which takes a token.
 *
 * @returns undefined where there is no such key, or it was revoked or has expired
 */
export async function admit(db: Db, secret: string): Promise<Admission | undefined> {
  if (!KEY.test(secret)) return undefined;
  const { rows } = await sql<Selectable<ApiKeyTable> & { tokens: number; allowed: boolean }>`
    with key as (
      select * from api_keys
      where hash = ${hashOf(secret)} and revoked_at is null and (expires_at is null or expires_at > now())
    ), bucket as (
      insert into rate_limits as r (api_key, tokens, allowed)
      select id, burst - 1, true from key
      on conflict (api_key) do update set
        (tokens, allowed, refilled_at) = (
          select full_to - (full_to >= 1)::int, full_to >= 1, clock_timestamp() from (
            select least(k.burst, r.tokens + k.rate_per_minute / 60.0
              * greatest(0, extract(epoch from clock_timestamp() - r.refilled_at))::float8) as full_to
            from key k
          ) as refilled
        )
      returning tokens, allowed
    )
    select key.*, bucket.tokens, bucket.allowed from key, bucket`.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  return {
    principal: {
      key: row.id,
      tenant: row.tenant,
      managesKeys: row.manages_keys,
      maxSessions: row.max_sessions,
      maxBytes: row.max_bytes,
      maxActive: row.max_active,
      ratePerMinute: row.rate_per_minute,
      burst: row.burst,
    },
    allowed: row.allowed,
    remaining: Math.floor(row.tokens),
    retryAfter: ((1 - Math.min(1, row.tokens)) * 60) / row.rate_per_minute,
  };
}
