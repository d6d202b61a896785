import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Miniflare } from 'miniflare';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, Program } from '../../bench/trials/cluster/program.js';
import { createKey } from '../../edge-api/keys/keys.js';
import { bundleWorker } from '../../edge-api/runtime/bundle-worker.mjs';
import { describeNative } from '../../engine/engines.fixture.js';
import { openStore } from '../../store/open.js';
import { type TestS3, testS3 } from '../store/s3-server.js';
import { ensureBuilt, implicam } from '../support/binary.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

/** The API in workerd, as docs/operate/EDGE.md configures it, with a real Postgres, S3 store, coordinator and runner. */

const MINUTES = 60_000;
const SECRET = 'between worker and coordinator';

const folder = mkdtempSync(join(tmpdir(), 'implicam-worker-'));
const sample = join(folder, 'sample');
const programs: Program[] = [];
let database: TestDatabase;
let s3: TestS3;
let code: string;
let inputs: readonly string[];
let worker: Miniflare;
let origin: string;
let key: string;
let foreignKey: string;

/** What the page says a Worker is configured with. */
function settings() {
  const page = readFileSync(new URL('../../docs/operate/EDGE.md', import.meta.url), 'utf8');
  const setting = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(page)![1];
  return {
    compatibilityDate: JSON.parse(setting('compatibility_date')) as string,
    compatibilityFlags: JSON.parse(setting('compatibility_flags')) as string[],
  };
}

/** What workers wrote to their logs. */
const lines: string[] = [];
const collect = (output: Readable) =>
  createInterface({ input: output }).on('line', (line) => lines.push(line));

const startWorker = (bindings: Record<string, string>) =>
  new Miniflare({
    ...settings(),
    modules: true,
    script: code,
    bindings,
    cf: false,
    host: '127.0.0.1',
    port: 0,
    handleRuntimeStdio: (output: Readable, errors: Readable) => void [output, errors].map(collect),
  });

beforeAll(async () => {
  await ensureBuilt();
  ({ code, inputs } = await bundleWorker());
  [database, s3] = await Promise.all([testDatabase(), testS3()]);
  key = (await createKey(database.db, { tenant: 'acme', name: 'ours' })).secret;
  foreignKey = (await createKey(database.db, { tenant: 'others', name: 'theirs' })).secret;
  const made = await implicam(['sample', sample, '--size', '64x48', '--focus', '3', '--exposures', '1']);
  expect(made.code, made.stderr).toBe(0);

  Object.assign(process.env, s3.env, { DATABASE_URL: database.url, IMPLICAM_GATEWAY_SECRET: SECRET });
  const [hub, gateway] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const store = ['--store', s3.location];
  const coordinator = ['coordinator', '--database', '--listen', hub, '--gateway', gateway, ...store];
  programs.push(new Program('coordinator', coordinator));
  programs.push(new Program('runner', ['runner', '--coordinator', hub, '--threads', '1', ...store]));
  worker = startWorker({
    ...s3.env,
    DATABASE_URL: database.url,
    IMPLICAM_STORE: s3.location,
    IMPLICAM_GATEWAY: `http://${gateway}`,
    IMPLICAM_GATEWAY_SECRET: SECRET,
    IMPLICAM_ORIGINS: 'https://app.example, https://other.example',
  });
  origin = (await worker.ready).origin;
}, 3 * MINUTES);

afterAll(async () => {
  await worker?.dispose();
  await Promise.all(programs.map((program) => program.stop(10_000)));
  await Promise.all([database?.close(), s3?.close()]);
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

type Body = Uint8Array<ArrayBuffer> | string;

function ask(method: string, path: string, body?: Body, as = key): Promise<Response> {
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
  return fetch(`${origin}/v1${path}`, { method, headers, ...(body ? { body } : {}) });
}

async function api(method: string, path: string, body?: Body): Promise<Response> {
  const response = await ask(method, path, body);
  expect(response.ok, `${method} ${path}: ${response.ok ? '' : await response.text()}`).toBe(true);
  return response;
}

/** Events of a stream, until one of a type. */
async function eventsUntil(
  session: string,
  last: readonly string[],
): Promise<{ id: number; type: string }[]> {
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
  const signal = AbortSignal.timeout(2 * MINUTES);
  const response = await fetch(`${origin}/v1/sessions/${session}/events`, { headers, signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const seen: { id: number; type: string }[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [block, rest] = [text.slice(0, end), text.slice(end + 2)];
      text = rest;
      const type = /^event: (.*)$/m.exec(block)?.[1];
      if (!type) continue;
      seen.push({ id: Number(/^id: (.*)$/m.exec(block)?.[1]), type });
      if (last.includes(type)) return seen;
    }
  }
  throw new Error(`the stream ended after ${JSON.stringify(seen)}`);
}

test('the worker holds nothing that wants files, processes or native code', () => {
  const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  expect(packages).toContain('pg-cloudflare');
  for (const name of ['sharp', 'prom-client', 'pino', '@grpc/grpc-js', '@hono/node-server', 'commander']) {
    expect(packages).not.toContain(name);
  }
  const ours = inputs.filter((path) => !path.includes('node_modules'));
  expect(ours).toContain('edge-api/app.ts');
  for (const path of ours) {
    const builtins = [...readFileSync(path, 'utf8').matchAll(/^import (?!type).*'node:(\w+)/gm)].map(
      (m) => m[1],
    );
    expect(['crypto', 'stream'], path).toEqual(expect.arrayContaining(builtins));
  }
});

test('the worker says what it is not configured with', async () => {
  const without = startWorker({ DATABASE_URL: database.url, IMPLICAM_STORE: '/a/folder' });
  try {
    const response = await without.dispatchFetch('http://worker/healthz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('IMPLICAM_STORE') });
  } finally {
    await without.dispose();
  }
});

describeNative('the API in workerd', () => {
  let session: string;

  test('answers for itself', async () => {
    await expect
      .poll(async () => (await fetch(`${origin}/readyz`)).json(), { timeout: MINUTES, interval: 200 })
      .toEqual({ ready: true, parts: { database: 'ok', objects: 'ok', renders: 'ok' } });
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await (await fetch(`${origin}/healthz`)).json()).toEqual({ status: 'ok', version });
    const document = (await (await fetch(`${origin}/openapi.json`)).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');
    expect((await ask('GET', '/sessions', undefined, 'wrong')).status).toBe(401);
    const preflight = await fetch(`${origin}/v1/sessions`, {
      method: 'OPTIONS',
      headers: { origin: 'https://other.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://other.example');
  });

  test('takes photographs, whole and resumably', async () => {
    const made = await api('POST', '/sessions', '{"quality":"draft"}');
    session = ((await made.json()) as { id: string }).id;
    const photographs = readdirSync(sample).filter((name) => name.startsWith('focus'));
    expect(photographs).toHaveLength(3);
    const [first, second, third] = photographs.map((name) => readFileSync(join(sample, name)));
    for (const [number, bytes] of [first, second].entries()) {
      const frame = await api('PUT', `/sessions/${session}/frames/${number}?name=${number}.png`, bytes);
      expect(await frame.json()).toMatchObject({ format: 'png', bytes: bytes.length, state: 'unchecked' });
    }
    await new Promise<void>((onSuccess, onError) =>
      new Upload(third, {
        endpoint: `${origin}/v1/sessions/${session}/uploads`,
        headers: { authorization: `Bearer ${key}` },
        metadata: { frame: '2', filename: '2.png' },
        chunkSize: 2000,
        onError,
        onSuccess: () => onSuccess(),
      }).start(),
    );
    const sent = await api('GET', `/sessions/${session}/frames/2/content`);
    expect(Buffer.from(await sent.arrayBuffer()).equals(third)).toBe(true);
    const text = await ask('PUT', `/sessions/${session}/frames/3`, 'no photograph');
    expect(text.status).toBe(415);
    expect(text.headers.get('content-type')).toContain('application/problem+json');
  });

  test('has it trained, and tells of it', { timeout: 3 * MINUTES }, async () => {
    const told = eventsUntil(session, ['trained', 'failed']);
    await api('POST', `/sessions/${session}/training`, '{"steps":60}');
    const events = await told;
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1));
    const types = events.map(({ type }) => type);
    expect(types.at(-1)).toBe('trained');
    expect(types.filter((type) => type === 'frame')).toHaveLength(3);
    expect(types).toEqual(expect.arrayContaining(['created', 'queued', 'started']));
  });

  test('has it rendered, once', async () => {
    const picture = async () => {
      const response = await api('GET', `/sessions/${session}/render?kind=refocus&focus=0.5&format=png`);
      expect(response.headers.get('content-type')).toBe('image/png');
      return Buffer.from(await response.arrayBuffer());
    };
    const made = await picture();
    expect(made.subarray(1, 4).toString()).toBe('PNG');
    const kept = await openStore(s3.location, s3.env).list(`sessions/${session}/renders/`);
    expect(kept).toHaveLength(1);
    expect(await picture()).toEqual(made);
    const part = await fetch(`${origin}/v1/sessions/${session}/models/latest/file`, {
      headers: { authorization: `Bearer ${key}`, range: 'bytes=0-7' },
    });
    expect(part.status).toBe(206);
    expect((await part.arrayBuffer()).byteLength).toBe(8);
  });

  test('shows none of it to others', async () => {
    for (const path of ['', '/frames', '/frames/0/content', '/events', '/render?format=png', '/models']) {
      const response = await ask('GET', `/sessions/${session}${path}`, undefined, foreignKey);
      expect(response.status, path).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'session-missing' });
    }
    expect((await ask('DELETE', `/sessions/${session}`, undefined, foreignKey)).status).toBe(404);
  });

  test('answers many at a time', async () => {
    const paths = Array.from({ length: 40 }, (_, i) => (i % 2 ? '' : `/frames/${i % 3}/content`));
    const answers = await Promise.all(paths.map((path) => ask('GET', `/sessions/${session}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  });

  test('tidies up by the clock', async () => {
    expect((await api('DELETE', `/sessions/${session}`)).ok).toBe(true);
    const clock = (await worker.getWorker()) as unknown as { scheduled(event: object): Promise<unknown> };
    const objects = openStore(s3.location, s3.env);
    await expect
      .poll(
        async () => {
          await clock.scheduled({ cron: '* * * * *' });
          return objects.list('');
        },
        { timeout: MINUTES, interval: 500 },
      )
      .toEqual([]);
  });

  test('has complained of nothing', () => {
    const requests = lines.filter((line) => line.includes('"message":"request"'));
    expect(requests.length).toBeGreaterThan(60);
    expect(requests.filter((line) => !line.includes('"level":"info"'))).toEqual([]);
    expect(
      lines.filter((line) => /"level":"(warn|error)"/.test(line) && !/not configured/.test(line)),
    ).toEqual([]);
  });
});
