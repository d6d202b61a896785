import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendTo } from '../../database/append-events.js';
import { json } from '../../database/connection.js';
import type { OpenApiDocument } from '../../edge-api/service/docs-page.js';
import { apiDocument } from '../../edge-api/service/openapi.js';
import { type TestApi, testApi } from './api.js';

/**
 * Two tenants and every route there is, made from the route table: a new route is tested by being there, and fails until
 * this file knows what its parameters stand for.
 */

const document = apiDocument('0') as OpenApiDocument;
const routes = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => ({ method: method.toUpperCase(), path })),
);
const own = routes.filter(({ path }) => path.startsWith('/v1/') && path.includes('{'));
const shared = routes.filter(({ path }) => path.startsWith('/v1/') && !path.includes('{'));

let api: TestApi;
let mine: string;
let other: string;
let ids: Record<string, string>;
beforeAll(async () => {
  api = await testApi();
  mine = await api.key({ tenant: 'mine', managesKeys: true });
  other = await api.key({ tenant: 'other', managesKeys: true });
  ids = await everything();
});
afterAll(() => api.close());

/** One of each thing that a route can name, all of the tenant `mine`. */
async function everything(): Promise<Record<string, string>> {
  const made = async (response: Response) => (await response.json()) as { id: string };
  const { id: session } = await made(await api.call(mine, 'POST', '/v1/sessions'));
  const picture = sharp({ create: { width: 32, height: 32, channels: 3, background: '#357' } });
  const body = await picture.jpeg().toBuffer();
  const frame = await api.call(mine, 'PUT', `/v1/sessions/${session}/frames/0`, { body });
  expect(frame.status).toBe(201);
  const upload = await api.call(mine, 'POST', `/v1/sessions/${session}/uploads`, {
    headers: { 'tus-resumable': '1.0.0', 'upload-length': '10', 'upload-metadata': 'frame MQ==' },
  });
  const webhook = await api.call(mine, 'POST', '/v1/webhooks', { body: { url: 'https://mine.example/' } });
  const key = await api.call(mine, 'POST', '/v1/keys', { body: { name: 'second' } });
  await api.deps.objects.put(`sessions/${session}/model`, Buffer.from('model'));
  await api.deps.objects.put(`sessions/${session}/out.exr`, Buffer.from('out'));
  await appendTo(api.db, session, [
    {
      type: 'preview',
      data: { key: `sessions/${session}/out.exr`, type: 'image/png', width: 1, height: 1, step: 0 },
    },
  ]);
  await api.db
    .insertInto('training_runs')
    .values({ session, number: 1, state: 'finished', preset: 'auto', quality: 'draft', seed: 1 })
    .execute();
  await api.db
    .insertInto('models')
    .values({
      session,
      version: 1,
      run: 1,
      object_key: `sessions/${session}/model`,
      bytes: 5,
      sha256: Buffer.alloc(32),
      parameters_sha256: '0'.repeat(64),
      steps: 1,
      loss: null,
      psnr: null,
      outputs: json([{ name: 'out.exr', key: `sessions/${session}/out.exr`, type: 'image/x-exr', bytes: 3 }]),
    })
    .execute();
  const { last } = await api.db
    .selectFrom('events')
    .select(sql<string>`max(number)::text`.as('last'))
    .executeTakeFirstOrThrow();
  return {
    session,
    frame: '0',
    upload: (await made(upload)).id,
    event: last,
    version: '1',
    output: 'out.exr',
    webhook: (await made(webhook)).id,
    key: (await made(key)).id,
  };
}

/** A request that the owner's key would be served with. */
function requestOf(method: string, path: string, replaced: Record<string, string> = {}) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = { ...ids, ...replaced }[name];
    if (value === undefined)
      throw new Error(`${path}: nothing is known of {${name}}: add it to everything()`);
    return value;
  });
  const upload = { 'tus-resumable': '1.0.0', 'upload-length': '5', 'upload-metadata': 'frame MQ==' };
  const part = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  const headers = path.includes('/uploads') ? { ...upload, ...part } : {};
  const bytes = method === 'PUT' || (method === 'PATCH' && path.includes('/uploads'));
  const body = bytes ? Buffer.from('bytes') : method === 'PATCH' ? { iso: 100 } : undefined;
  return { filled, options: { headers, body } };
}

/** What the tenant has, as rows and objects, but what only counts requests. */
async function state(): Promise<unknown> {
  const tables = [
    'sessions',
    'frames',
    'uploads',
    'training_runs',
    'events',
    'models',
    'webhooks',
    'api_keys',
  ];
  const rows = [];
  for (const table of tables) {
    rows.push((await sql`select * from ${sql.table(table)} t order by t::text`.execute(api.db)).rows);
  }
  return [rows, await api.deps.objects.list('')];
}

describe('a tenant', () => {
  test.each(own)('cannot reach what is of another: $method $path', async ({ method, path }) => {
    const before = await state();
    const { filled, options } = requestOf(method, path);
    const response = await api.call(other, method, filled, options);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json',
    ]);
    expect(await state()).toEqual(before);
  });

  test.each(own)(
    'is not told by its answer whether there is one: $method $path',
    async ({ method, path }) => {
      const absent = {
        session: randomUUID(),
        upload: randomUUID(),
        webhook: randomUUID(),
        key: randomUUID(),
      };
      const codes = [];
      for (const replaced of [{}, absent]) {
        const { filled, options } = requestOf(method, path, replaced);
        const { code } = (await (await api.call(other, method, filled, options)).json()) as { code: string };
        codes.push(code);
      }
      expect(codes[0]).toBe(codes[1]);
    },
  );

  test.each(shared.filter(({ method }) => method === 'GET'))(
    'sees nothing of another in lists: $path',
    async ({ method, path }) => {
      const response = await api.call(other, method, path);
      expect(response.status).toBe(200);
      const text = await response.text();
      for (const name of ['session', 'webhook', 'key', 'upload']) expect(text).not.toContain(ids[name]);
      expect(text).not.toContain('mine');
    },
  );

  test.each([...own, ...shared])('is not served without a key: $method $path', async ({ method, path }) => {
    const { filled, options } = requestOf(method, path);
    for (const key of [undefined, 'nonsense', `ik_0123456789_${'a'.repeat(43)}`]) {
      expect((await api.call(key, method, filled, options)).status).toBe(401);
    }
  });

  // Last, since it deletes: the same requests with the owner's key, which shows that they could have been served.
  const order = [...own].sort((a, b) => {
    const rank = ({ method, path }: { method: string; path: string }) =>
      (method === 'DELETE' ? 1000 : 0) - path.length;
    return rank(a) - rank(b);
  });
  test.each(order)('is served with its own key: $method $path', async ({ method, path }) => {
    const { filled, options } = requestOf(method, path);
    const response = await api.call(mine, method, filled, options);
    expect([401, 403, 404]).not.toContain(response.status);
  });
});

test('the route table is the whole of what the app answers', () => {
  const documented = new Set(
    routes.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const served = api.app.routes
    .filter(({ method, path }) => method !== 'ALL' && method !== 'OPTIONS' && path.startsWith('/v1/'))
    .map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(served)].filter((route) => !documented.has(route))).toEqual([]);
});
