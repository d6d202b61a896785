import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, Program } from '../../bench/trials/cluster/program.js';
import { createKey } from '../../edge-api/keys/keys.js';
import { signWebhook } from '../../edge-api/webhooks/deliver.js';
import { ensureBuilt } from '../support/binary.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

/** The API as a process of its own, as it is run: what it takes of the machine, and what survives its death. */

const MINUTES = 60_000;
let database: TestDatabase;
let folder: string;
let url: string;
let api: Program;
let key: string;

beforeAll(async () => {
  await ensureBuilt();
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'implicam-api-process-'));
  const limits = { ratePerMinute: 1_000_000, burst: 100_000 };
  key = (await createKey(database.db, { tenant: 'acme', name: 'process', ...limits })).secret;
  await serve();
}, 3 * MINUTES);
afterAll(async () => {
  await api?.stop();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(): Promise<void> {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const args = ['serve', '--port', `${port}`, '--no-migrate', '--private-webhooks'];
  const environment = { DATABASE_URL: database.url, IMPLICAM_DATA: folder, IMPLICAM_LOG: 'warn' };
  api = new Program('serve', args, undefined, environment);
  await api.line(/serving the web page/);
}

async function call(method: string, path: string, body?: Uint8Array | object): Promise<Response> {
  const binary = body instanceof Uint8Array;
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body && !binary ? { 'content-type': 'application/json' } : {}),
  };
  const content = binary ? (body as Uint8Array<ArrayBuffer>) : body && JSON.stringify(body);
  return fetch(`${url}/v1${path}`, { method, headers, ...(content ? { body: content } : {}) });
}

async function newSession(): Promise<string> {
  const response = await call('POST', '/sessions', {});
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

/** Most memory that a process has had, in megabytes (Linux). */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** `FLOOD=10000 npx vitest run test/api/process.test.ts`; docs/operate/SERVICE.md has what came of it. */
const FLOOD = Number(process.env.FLOOD ?? 160);
/** Photographs that one session takes; in a small flood most of them are there already. */
const MOST = 512;
const THERE = process.env.FLOOD ? 0 : MOST - 40;

test('a flood of tiny photographs ends at the bound of a session, within bounded memory, and others are served', {
  timeout: 10 * MINUTES,
}, async () => {
  const tiny = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#345' } })
    .png()
    .toBuffer();
  const [flooded, other] = [await newSession(), await newSession()];
  await sql`
    insert into frames (session, number, name, bytes, sha256, format, camera, object_key, state)
    select ${flooded}, 9999 - n, n::text, 1, sha256(n::text::bytea), 'png', '{}', n::text, 'checked'
    from generate_series(1, ${THERE}::int) as n`.execute(database.db);
  const codes = new Map<string, number>();
  let next = 0;
  const client = async () => {
    while (next < FLOOD) {
      const number = next++;
      // What comes after the picture makes each file another one.
      const body = Buffer.concat([tiny, Buffer.from(`n${number}`)]);
      const answer = await call('PUT', `/sessions/${flooded}/frames/${number}`, body);
      const { code = '' } = (await answer.json()) as { code?: string };
      const name = `${answer.status} ${code}`.trim();
      codes.set(name, (codes.get(name) ?? 0) + 1);
    }
  };
  const flood = Promise.all(Array.from({ length: 8 }, client));
  const statuses = new Set<number>();
  const slowest = { ms: 0 };
  while (next < FLOOD) {
    const began = performance.now();
    statuses.add((await call('GET', `/sessions/${other}`)).status);
    slowest.ms = Math.max(slowest.ms, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await flood;
  const taken = MOST - THERE;
  expect(Object.fromEntries(codes)).toEqual({ '201': taken, '413 frames-too-many': FLOOD - taken });
  expect([...statuses]).toEqual([200]);
  const whole = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#345' } })
    .png()
    .toBuffer();
  expect((await call('PUT', `/sessions/${other}/frames/0`, whole)).status).toBe(201);
  if (!existsSync('/proc/self/status')) return;
  const megabytes = peakMemory(api.pid);
  if (process.env.FLOOD)
    console.log(`${FLOOD} photographs: ${megabytes.toFixed(0)} MB, slowest ${slowest.ms.toFixed(0)} ms`);
  expect(megabytes).toBeLessThan(512);
});

describe('a webhook', () => {
  interface Delivery {
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  test('comes again after the process that was sending it was killed', { timeout: 2 * MINUTES }, async () => {
    const deliveries: Delivery[] = [];
    const receiver = createServer(async (request, response) => {
      let body = '';
      for await (const piece of request) body += piece;
      deliveries.push({ headers: request.headers, body });
      // The first one is never answered: its sender dies while it waits.
      if (deliveries.length > 1) response.writeHead(204).end();
    });
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
    try {
      const { port } = receiver.address() as AddressInfo;
      const made = await call('POST', '/webhooks', {
        url: `http://127.0.0.1:${port}/hook`,
        events: ['created'],
      });
      const { secret } = (await made.json()) as { secret: string };
      const session = await newSession();
      await vi.waitUntil(() => deliveries.length === 1, { timeout: MINUTES });
      await api.kill();
      await serve();
      // The minute passes for which the dead process may still be at it.
      await sql`update webhook_outbox set next_at = now() where delivered_at is null`.execute(database.db);
      await vi.waitUntil(() => deliveries.length === 2, { timeout: MINUTES });
      const [first, again] = deliveries as [Delivery, Delivery];
      expect(again.headers['implicam-delivery']).toBe(first.headers['implicam-delivery']);
      expect(again.body).toBe(first.body);
      expect(JSON.parse(again.body)).toMatchObject({ type: 'created', session, number: 1 });
      for (const { headers, body } of deliveries) {
        const expected = signWebhook(secret, Number(headers['implicam-timestamp']), body);
        expect(headers['implicam-signature']).toBe(expected);
      }
      await expect
        .poll(() => database.db.selectFrom('webhook_outbox').select(['attempts', 'last_result']).execute(), {
          timeout: MINUTES,
        })
        .toEqual([{ attempts: 2, last_result: 'status 204' }]);
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  });
});
