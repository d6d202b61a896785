import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Database } from '../../migrations/schema.js';
import type { AppContext } from '../context.js';
import { refusal } from './refusal.js';

export interface Outcome<T> {
  readonly status: 200 | 201 | 202;
  readonly body: T;
}

/**
 * Does something once for an Idempotency-Key: the deed, the key and the answer are one transaction, so that a crash
 * leaves all or nothing, and of two requests at once the second waits and gets the answer of the first.
 *
 * @throws ImplicamError `idempotency-conflict` where the key was used for another request
 */
export async function once<T>(
  c: AppContext,
  request: unknown,
  work: (tx: Transaction<Database>) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const key = c.req.header('idempotency-key');
  const db = c.get('db');
  if (key === undefined) return db.transaction().execute(work);
  const { tenant } = c.get('principal');
  const hash = createHash('sha256')
    .update(JSON.stringify([c.req.method, c.req.path, request]))
    .digest();
  return db.transaction().execute(async (tx) => {
    // Where the key is being used by a transaction in progress, this waits for its end.
    const fresh = await tx
      .insertInto('idempotency_keys')
      .values({ tenant, key, request_hash: hash })
      .onConflict((conflict) => conflict.doNothing())
      .returning('key')
      .executeTakeFirst();
    if (!fresh) return replay<T>(tx, tenant, key, hash);
    const outcome = await work(tx);
    await tx
      .updateTable('idempotency_keys')
      .set({ status: outcome.status, body: JSON.stringify(outcome.body) })
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .execute();
    return outcome;
  });
}

async function replay<T>(
  tx: Transaction<Database>,
  tenant: string,
  key: string,
  hash: Buffer,
): Promise<Outcome<T>> {
  const row = await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('key', '=', key)
    .executeTakeFirst();
  if (!row?.request_hash.equals(hash)) {
    throw refusal(
      422,
      'idempotency-conflict',
      'this Idempotency-Key was used for another request: use a new one for each thing to be done',
    );
  }
  return { status: row.status as Outcome<T>['status'], body: JSON.parse(row.body!) as T };
}
