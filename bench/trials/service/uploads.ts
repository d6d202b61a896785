import { setTimeout as sleep } from 'node:timers/promises';
import { ImplicamError } from '../../../model/errors.js';
import type { Random } from '../cluster/random.js';
import type { PersistentClient } from './client.js';

/** Photographs sent by both ways, with breaks. */

export interface Photograph {
  readonly number: number;
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** A frame of the session as the service presents it. */
export interface FrameRow {
  readonly number: number;
  readonly sha256: string;
  readonly bytes: number;
}

export async function putPhotograph(
  client: PersistentClient,
  session: string,
  { number, name, bytes }: Photograph,
): Promise<FrameRow> {
  const headers = { 'content-type': 'image/png' };
  return client.json('PUT', `/v1/sessions/${session}/frames/${number}?name=${name}`, {
    body: bytes,
    headers,
  });
}

const TUS = { 'tus-resumable': '1.0.0' };
/** Begun uploads that may be given up before a photograph counts as impossible to send. */
const MOST_UPLOADS = 20;

/** By tus, a few parts at a time; some parts are broken off on their way. */
export async function sendInParts(
  client: PersistentClient,
  session: string,
  photograph: Photograph,
  random: Random,
): Promise<FrameRow> {
  for (let begun = 0; begun < MOST_UPLOADS; begun++) {
    const upload = await begin(client, session, photograph);
    if (await sendParts(client, upload, photograph.bytes, random)) {
      return client.json('GET', `/v1/sessions/${session}/frames/${photograph.number}`);
    }
  }
  throw new ImplicamError('late', `photograph ${photograph.number} was not taken in`);
}

async function begin(client: PersistentClient, session: string, { number, name, bytes, sha256 }: Photograph) {
  const pairs = { frame: `${number}`, filename: name, sha256 };
  const metadata = Object.entries(pairs).map(([k, v]) => `${k} ${Buffer.from(v).toString('base64')}`);
  const headers = { ...TUS, 'upload-length': `${bytes.length}`, 'upload-metadata': metadata.join(',') };
  const { headers: answer } = await client.ask('POST', `/v1/sessions/${session}/uploads`, { headers });
  return answer.get('location')!;
}

/** @returns whether the upload became a frame; false: it is gone, another one is to be begun */
async function sendParts(
  client: PersistentClient,
  location: string,
  bytes: Buffer,
  random: Random,
): Promise<boolean> {
  for (;;) {
    const found = await client.ask('GET', location, { expect: [404, 410] });
    if (found.status !== 200) return false;
    const { received, done } = JSON.parse(found.bytes.toString()) as { received: number; done: boolean };
    if (done) return true;
    const part = Math.ceil(bytes.length * random.between(0.3, 1));
    const breaking = random.unit() < 0.3 ? new AbortController() : undefined;
    const headers = {
      ...TUS,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': `${received}`,
    };
    const body = bytes.subarray(received, received + part);
    const sending = client.send('PATCH', location, { headers, body }, breaking?.signal);
    if (breaking) setTimeout(() => breaking.abort(), random.between(0, 20));
    const response = await sending.catch(() => undefined);
    const text = await response?.text().catch(() => undefined);
    const passes =
      response === undefined || response.ok || [404, 408, 409, 410, 429, 503].includes(response.status);
    if (!passes) throw new ImplicamError('refused', `PATCH ${location}: ${response.status} ${text}`);
    if (!response?.ok) await sleep(50);
  }
}
