import { setTimeout as sleep } from 'node:timers/promises';
import { ImplicamError } from '../../../model/errors.js';
import type { Random } from '../cluster/random.js';
import type { PersistentClient } from './client.js';
import { type FrameRow, type Photograph, putPhotograph, sendInParts } from './uploads.js';

/** A session that was begun and left with one photograph. */
export interface Draft {
  readonly session: string;
  readonly frame: FrameRow;
}

export interface BackgroundOptions {
  readonly client: PersistentClient;
  readonly photographs: readonly Photograph[];
  readonly random: Random;
  /** Names what is made. */
  readonly name: string;
  /** A trained session to ask for renders of. */
  readonly trained: string;
}

/** Sessions begun in one round, and the pause between two requests, in milliseconds. */
const MOST_DRAFTS = 8;
const PAUSE = 100;

/**
 * Sends requests until `isOver` returns true, so that something is always in progress when a process dies: begins sessions
 * and sends a photograph, reads states, and asks for renders that are not cached.
 *
 * @throws ImplicamError `contradiction`, `late`, `refused`
 */
export async function sendBackgroundRequests(
  options: BackgroundOptions,
  isOver: () => boolean,
): Promise<Draft[]> {
  const { client, random, trained } = options;
  const drafts: Draft[] = [];
  while (!isOver()) {
    const kind = random.below(4);
    if (kind === 0 && drafts.length < MOST_DRAFTS) drafts.push(await beginDraft(options, drafts.length));
    else if (kind === 1) await client.ask('GET', `/v1/sessions/${trained}`);
    else {
      const focus = random.between(-1, 1).toFixed(4);
      const query = `kind=refocus&focus=${focus}&width=${48 + random.below(40)}&format=jpeg`;
      const { bytes } = await client.ask('GET', `/v1/sessions/${trained}/render?${query}`);
      if (bytes.readUInt16BE(0) !== 0xffd8) throw new ImplicamError('contradiction', `${query} is no JPEG`);
    }
    await sleep(PAUSE);
  }
  return drafts;
}

async function beginDraft(
  { client, photographs, random, name }: BackgroundOptions,
  index: number,
): Promise<Draft> {
  const key = `${name} draft ${index}`;
  const asked = { body: { notes: key }, headers: { 'idempotency-key': key } };
  const { id: session } = await client.json<{ id: string }>('POST', '/v1/sessions', asked);
  const photograph = random.pick(photographs);
  const frame =
    random.unit() < 0.5
      ? await putPhotograph(client, session, photograph)
      : await sendInParts(client, session, photograph, random);
  const again = await client.json<{ id: string }>('POST', '/v1/sessions', asked);
  if (again.id !== session) {
    throw new ImplicamError('contradiction', `one idempotency key gave ${session} and ${again.id}`);
  }
  return { session, frame };
}

/** Checks that drafts are as the service has confirmed them, then deletes them. @returns what is wrong */
export async function checkDrafts(client: PersistentClient, drafts: readonly Draft[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { session, frame } of drafts) {
    const path = `/v1/sessions/${session}`;
    const found = await client.ask('GET', `${path}/frames`, { expect: [404] });
    const rows = found.status === 200 ? (JSON.parse(found.bytes.toString()) as FrameRow[]) : [];
    if (rows.length !== 1 || rows[0].sha256 !== frame.sha256)
      wrong.push(`draft ${session} lost its photograph`);
    // Its answer may be lost: then it is gone all the same.
    await client.ask('DELETE', path, { expect: [404] });
    const { status } = await client.ask('GET', path, { expect: [404] });
    if (status !== 404) wrong.push(`draft ${session} was deleted and is there`);
  }
  return wrong;
}
