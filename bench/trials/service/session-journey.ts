import { ImplicamError } from '../../../model/errors.js';
import type { Random } from '../cluster/random.js';
import type { PersistentClient, SeenEvent } from './client.js';
import { sha256 } from './photographs.js';
import { type FrameRow, type Photograph, putPhotograph, sendInParts } from './uploads.js';

/** What the service has confirmed to a client about one session. */
export interface Facts {
  readonly session: string;
  readonly idempotencyKey: string;
  readonly frames: readonly FrameRow[];
  readonly events: readonly SeenEvent[];
  readonly parametersSha256: string;
  readonly renderSha256: string;
}

export interface Journey {
  readonly client: PersistentClient;
  readonly photographs: readonly Photograph[];
  readonly steps: number;
  /** How photographs are sent. */
  readonly way: 'put' | 'parts';
  /** Names the session. */
  readonly idempotencyKey: string;
  readonly random: Random;
}

/** A session may take so long while processes die, in milliseconds; one that has not ended by then hangs. */
const SESSION_DEADLINE = 180_000;

/**
 * One client's way through the service: session, photographs, training, events, renders. Requests that must take effect only
 * once are sent twice.
 *
 * @throws ImplicamError where an answer contradicts an earlier one, or none comes
 */
export async function runJourney(journey: Journey): Promise<Facts> {
  const { client, random, idempotencyKey, steps } = journey;
  const body = { preset: 'auto', quality: 'draft', notes: idempotencyKey };
  const session = await twice(client, '/v1/sessions', idempotencyKey, body, ({ id }) => id as string);
  const frames: FrameRow[] = [];
  for (const photograph of journey.photographs) {
    const row =
      journey.way === 'put'
        ? await putPhotograph(client, session, photograph)
        : await sendInParts(client, session, photograph, random);
    require(row.sha256 === photograph.sha256, `frame ${photograph.number} is another one than was sent`);
    frames.push(row);
  }
  const path = `/v1/sessions/${session}/training`;
  const leaveAfter = () => 1 + random.below(30);
  const following = client.follow(session, ['trained', 'failed', 'cancelled'], SESSION_DEADLINE, leaveAfter);
  following.catch(() => undefined);
  await twice(client, path, `${idempotencyKey} training`, { steps }, ({ run }) => String(run));
  const events = await following;
  const last = events.at(-1)!;
  require(last.type === 'trained', `the session ended ${last.type}: ${JSON.stringify(last.data)}`);
  const models = await client.json<{ parametersSha256: string }[]>('GET', `/v1/sessions/${session}/models`);
  require(models.length === 1, `one training gave ${models.length} models`);
  const renderSha256 = await renderTwice(client, session);
  return {
    session,
    idempotencyKey,
    frames,
    events,
    renderSha256,
    parametersSha256: models[0].parametersSha256,
  };
}

/** Does something once by asking for it twice, at the same time or one after the other. */
async function twice(
  client: PersistentClient,
  path: string,
  key: string,
  body: object,
  what: (answer: Record<string, unknown>) => string,
): Promise<string> {
  const asked = { body, headers: { 'idempotency-key': key } };
  const ask = async () => what(await client.json('POST', path, asked));
  const [one, other] = await Promise.all([ask(), ask()]);
  require(one === other, `one idempotency key gave ${one} and ${other}`);
  require((await ask()) === one, `a repeated request gave another answer than ${one}`);
  return one;
}

async function renderTwice(client: PersistentClient, session: string): Promise<string> {
  const path = `/v1/sessions/${session}/render?kind=refocus&focus=0.5&format=png`;
  const first = await client.ask('GET', path);
  const again = await client.ask('GET', path);
  const hash = sha256(first.bytes);
  require(hash === sha256(again.bytes), 'one render query gave two pictures');
  require(first.headers.get('etag') === again.headers.get('etag'), 'one picture has two ETags');
  return hash;
}

/** Compares a session's present state with what the service has confirmed. @returns what is wrong */
export async function contradictions(client: PersistentClient, facts: Facts): Promise<string[]> {
  const { session, frames, events, parametersSha256 } = facts;
  const wrong: string[] = [];
  const path = `/v1/sessions/${session}`;
  const { state } = await client.json<{ state: string }>('GET', path);
  if (state !== 'trained') wrong.push(`${session} is ${state}`);
  const rows = await client.json<FrameRow[]>('GET', `${path}/frames`);
  for (const frame of frames) {
    const row = rows.find(({ number }) => number === frame.number);
    if (row?.sha256 !== frame.sha256) wrong.push(`${session}: frame ${frame.number} is lost`);
    const content = await client.ask('GET', `${path}/frames/${frame.number}/content`);
    if (sha256(content.bytes) !== frame.sha256) wrong.push(`${session}: frame ${frame.number} has changed`);
  }
  if (rows.length !== frames.length) wrong.push(`${session} has ${rows.length} frames`);
  wrong.push(...(await eventContradictions(client, session, events)));
  const [model, ...more] = await client.json<{ parametersSha256: string }[]>('GET', `${path}/models`);
  if (more.length > 0 || model?.parametersSha256 !== parametersSha256)
    wrong.push(`${session}: another model`);
  return wrong;
}

async function eventContradictions(
  client: PersistentClient,
  session: string,
  seen: readonly SeenEvent[],
): Promise<string[]> {
  const all: SeenEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.number ?? 0;
    const page = await client.json<SeenEvent[]>('GET', `/v1/sessions/${session}/events?after=${after}`);
    if (page.length === 0) break;
    all.push(...page);
  }
  const wrong: string[] = [];
  if (all.some(({ number }, i) => number !== i + 1)) wrong.push(`${session}: event numbers have gaps`);
  for (const [i, event] of seen.entries()) {
    if (JSON.stringify(all[i]) !== JSON.stringify(event))
      wrong.push(`${session}: event ${i + 1} has changed`);
  }
  const count = (type: string) => all.filter((e) => e.type === type).length;
  if (count('created') !== 1) wrong.push(`${session} was created ${count('created')} times`);
  if (count('queued') !== 1) wrong.push(`${session} was queued ${count('queued')} times`);
  if (count('trained') !== 1) wrong.push(`${session} was trained ${count('trained')} times`);
  const frames = all.filter((e) => e.type === 'frame').map((e) => e.data.number);
  if (new Set(frames).size !== frames.length) wrong.push(`${session}: a frame has two events`);
  return wrong;
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new ImplicamError('contradiction', otherwise);
}
