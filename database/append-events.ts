import { type Kysely, sql } from 'kysely';
import type { Database } from '../migrations/schema.js';
import { json } from './connection.js';
import type { NewEvent } from './events.js';

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
