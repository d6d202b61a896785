import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { type Db, secondsFromNow } from '../../database/connection.js';
import type { Log } from '../context.js';

/**
 * Webhook deliveries: what the outbox holds is sent until it was taken or given up; at least once, so receivers tell
 * repetitions by `Implicam-Delivery`. A trigger fills the outbox in the transaction that makes the event a fact.
 */

/** Sends one delivery. @returns the receiver's status; throws where it cannot be reached */
export type SendWebhook = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<number>;

/** Seconds until the next attempt, by attempts made: 13 attempts over a good day. */
const BACK_OFF = [5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 14_400, 21_600, 21_600];
/** Deliveries taken at a time, and how long they are ours before another process may take them. */
const BATCH = 20;
const HOLD_SECONDS = 60;

/**
 * The signature of a delivery: HMAC-SHA256 over `timestamp.body`, so that neither can be changed or sent again much
 * later. Receivers compare it with their own, and refuse timestamps older than some minutes.
 */
export function signWebhook(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/**
 * Sends what is due, a batch at a time. Several processes may do it at once.
 *
 * @returns deliveries attempted
 */
export async function deliverWebhooks(db: Db, send: SendWebhook, log: Log): Promise<number> {
  let attempted = 0;
  for (;;) {
    const due = await takeDue(db);
    await Promise.all(due.map((delivery) => deliver(db, send, log, delivery)));
    attempted += due.length;
    if (due.length < BATCH) return attempted;
  }
}

interface Delivery {
  readonly id: number;
  readonly attempts: number;
  readonly payload: { readonly [key: string]: unknown };
  readonly url: string;
  readonly secret: string;
}

/** Takes due deliveries and counts the attempt before it is made: a crash while sending is an attempt too. */
async function takeDue(db: Db): Promise<Delivery[]> {
  const { rows } = await sql<Delivery>`
    with due as (
      select id from webhook_outbox
      where delivered_at is null and failed_at is null and next_at <= now()
      order by next_at limit ${BATCH} for update skip locked
    )
    update webhook_outbox o set attempts = attempts + 1, next_at = ${secondsFromNow(HOLD_SECONDS)}
    from due, webhooks w
    where o.id = due.id and w.id = o.webhook
    returning o.id, o.attempts, o.payload, w.url, w.secret`.execute(db);
  return rows;
}

async function deliver(db: Db, send: SendWebhook, log: Log, delivery: Delivery): Promise<void> {
  const { id, attempts, url, secret } = delivery;
  const body = JSON.stringify(withoutKeys(delivery.payload));
  const timestamp = Math.floor(Date.now() / 1000);
  let result: string;
  let taken = false;
  try {
    const status = await send(
      url,
      {
        'content-type': 'application/json',
        'user-agent': 'implicam',
        'implicam-delivery': String(id),
        'implicam-timestamp': String(timestamp),
        'implicam-signature': signWebhook(secret, timestamp, body),
      },
      body,
    );
    taken = status >= 200 && status < 300;
    result = `status ${status}`;
  } catch (error) {
    result = error instanceof Error ? error.message.slice(0, 200) : 'not reached';
  }
  const wait = BACK_OFF[attempts - 1];
  if (!taken) log.warn({ delivery: id, attempts, result, givenUp: wait === undefined }, 'webhook not taken');
  await db
    .updateTable('webhook_outbox')
    .set({
      last_result: result,
      ...(taken
        ? { delivered_at: sql`now()` }
        : wait === undefined
          ? { failed_at: sql`now()` }
          : { next_at: secondsFromNow(wait) }),
    })
    .where('id', '=', id)
    .execute();
}

/** What a client sees of an event: without the keys of our store. */
function withoutKeys(payload: Delivery['payload']): object {
  const { key: _key, ...data } = payload.data as Record<string, unknown>;
  return { ...payload, data };
}
