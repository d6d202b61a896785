import { sql, type Transaction } from 'kysely';
import type { Database } from '../migrations/schema.js';
import { ImplicamError } from '../model/errors.js';
import { appendTo } from './append-events.js';
import type { NewEvent } from './events.js';

/**
 * What lets a coordinator write about a session: a lease in the session's row, with a number that grows with every
 * claim. Every write names its lease and changes nothing when the session has another one by now (fencing), so that a
 * coordinator that was thought dead cannot harm. Clocks do not matter: the server's decides when a lease ends.
 */

/** The right to write about a session, until it is lost. */
export interface Lease {
  readonly session: string;
  readonly owner: string;
  readonly number: number;
}

/** Condition: the session still has this lease. Who expired but was not replaced still holds it. */
export function held({ session, owner, number }: Lease) {
  return sql<boolean>`id = ${session} and lease_owner = ${owner} and lease_number = ${number}`;
}

/**
 * Changes the session's row under its lease, and locks it for the rest of the transaction.
 *
 * @throws ImplicamError `lease-lost`
 */
export async function guarded(tx: Transaction<Database>, lease: Lease, values: Record<string, unknown>) {
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

/** Appends events under the session's lease. @throws ImplicamError `lease-lost` */
export async function append(
  tx: Transaction<Database>,
  lease: Lease,
  events: readonly NewEvent[],
): Promise<void> {
  await guarded(tx, lease, { updated_at: sql`now()` });
  await appendTo(tx, lease.session, events);
}

/** The error of a coordinator that writes about a session which it no longer holds. */
function leaseLost({ session, owner, number }: Lease): ImplicamError {
  return new ImplicamError(
    'lease-lost',
    `${owner} no longer holds session ${session} (lease ${number}): drop it and write nothing`,
    { status: 409 },
  );
}
