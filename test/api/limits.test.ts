import { sql } from 'kysely';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimNext } from '../../database/claims.js';
import { finish } from '../../database/training-records.js';
import { maintain } from '../../edge-api/service/maintenance.js';
import { type TestApi, testApi } from './api.js';

/** What one key, one origin, one process may take, and what is tidied up. */

let api: TestApi;
beforeAll(async () => {
  api = await testApi({ limits: { renderCacheBytes: 1000 } });
});
afterAll(() => api.close());

async function photograph(seed: number): Promise<Buffer> {
  const data = Buffer.from(Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 7 + seed * 31) % 256));
  return sharp(data, { raw: { width: 48, height: 32, channels: 3 } })
    .png()
    .toBuffer();
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

async function newSession(key: string): Promise<string> {
  const response = await api.call(key, 'POST', '/v1/sessions', { body: {} });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

/** A session with two photographs and two cached renders of a model. */
async function trainedSession(key: string): Promise<string> {
  const session = await newSession(key);
  for (const n of [0, 1]) {
    const body = await photograph(n);
    expect((await api.call(key, 'PUT', `/v1/sessions/${session}/frames/${n}`, { body })).status).toBe(201);
  }
  expect((await api.call(key, 'POST', `/v1/sessions/${session}/training`)).status).toBe(202);
  const { lease } = (await claimNext(api.db, 'limits', 60))!;
  expect(lease.session).toBe(session);
  await finish(api.db, lease, {
    objectKey: `sessions/${session}/model`,
    bytes: 1,
    sha256: Buffer.alloc(32),
    parametersSha256: 'a'.repeat(64),
    steps: 1,
    loss: null,
    psnr: null,
    outputs: [],
  });
  return session;
}

describe('the rate of a key', () => {
  test('lets a burst through, then says when to come again', async () => {
    const key = await api.key({ ratePerMinute: 30, burst: 3 });
    const ask = () => api.call(key, 'GET', '/v1/sessions');
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(answers.map((a) => a.status).sort()).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
    const [refused] = answers.filter((a) => a.status === 429);
    expect(await codeOf(refused)).toBe('rate-limited');
    expect(refused.headers.get('retry-after')).toMatch(/^[12]$/);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect((await api.call(await api.key(), 'GET', '/v1/sessions')).status).toBe(200);

    // Two seconds pass: one more request has been earned, and no second one.
    await sql`update rate_limits set refilled_at = refilled_at - interval '2 seconds'`.execute(api.db);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    // However long nothing comes, no more than the burst is saved up.
    await sql`update rate_limits set refilled_at = refilled_at - interval '1 hour'`.execute(api.db);
    const later = await Promise.all(Array.from({ length: 5 }, ask));
    expect(later.filter((a) => a.status === 200)).toHaveLength(3);
  });
});

describe('the quota of a key', () => {
  test('of sessions is counted at once and freed by deleting', async () => {
    const key = await api.key({ tenant: 'few-sessions', maxSessions: 2 });
    const ask = () => api.call(key, 'POST', '/v1/sessions', { body: {} });
    const answers = await Promise.all([ask(), ask(), ask(), ask()]);
    expect(answers.map((a) => a.status).sort()).toEqual([201, 201, 403, 403]);
    expect(await codeOf(answers.find((a) => a.status === 403)!)).toBe('quota-sessions');
    const { id } = (await answers.find((a) => a.status === 201)!.json()) as { id: string };
    expect((await api.call(key, 'DELETE', `/v1/sessions/${id}`)).status).toBe(204);
    expect((await ask()).status).toBe(201);
  });

  test('of bytes holds for photographs and for uploads that were begun', async () => {
    const [one, other] = [await photograph(1), await photograph(2)];
    const key = await api.key({ tenant: 'few-bytes', maxBytes: one.length + 50 });
    const session = await newSession(key);
    const path = `/v1/sessions/${session}`;
    expect((await api.call(key, 'PUT', `${path}/frames/0`, { body: one })).status).toBe(201);
    const before = await api.deps.objects.list(`sessions/${session}/`);
    const refused = await api.call(key, 'PUT', `${path}/frames/1`, { body: other });
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'quota-bytes']);
    const begin = (bytes: number) => beginUpload(key, session, bytes);
    expect((await begin(51)).status).toBe(403);
    expect((await begin(40)).status).toBe(201);
    expect((await begin(40)).status).toBe(403);
    expect(await api.deps.objects.list(`sessions/${session}/`)).toEqual(before);
  });

  test('of trainings says when to come again', async () => {
    const key = await api.key({ tenant: 'few-trainings', maxActive: 1 });
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) {
      const session = await newSession(key);
      for (const n of [0, 1]) {
        await api.call(key, 'PUT', `/v1/sessions/${session}/frames/${n}`, { body: await photograph(n) });
      }
      const answer = await api.call(key, 'POST', `/v1/sessions/${session}/training`);
      statuses.push(answer.status);
      if (i === 1) {
        expect(await codeOf(answer)).toBe('quota-active');
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }
    expect(statuses).toEqual([202, 429]);
    await sql`update sessions set state = 'draft', queue_order = null where tenant = 'few-trainings'`.execute(
      api.db,
    );
  });
});

const TUS = { 'tus-resumable': '1.0.0' };

function beginUpload(key: string, session: string, bytes: number): Promise<Response> {
  const metadata = `frame ${Buffer.from('1').toString('base64')}`;
  const headers = { ...TUS, 'upload-length': `${bytes}`, 'upload-metadata': metadata };
  return api.call(key, 'POST', `/v1/sessions/${session}/uploads`, { headers });
}

describe('what is tidied up', () => {
  const tidy = () => maintain(api.db, api.deps.objects, api.deps.limits, api.deps.log);

  test('uploads that nobody continues, and what they hold', async () => {
    const key = await api.key({ tenant: 'uploads', maxBytes: 1000 });
    const session = await newSession(key);
    const [left, alive] = [await beginUpload(key, session, 600), await beginUpload(key, session, 300)];
    const [location, other] = [left, alive].map((r) => r.headers.get('location')!) as [string, string];
    const headers = { ...TUS, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    for (const path of [location, other]) {
      const sent = await api.call(key, 'PATCH', path, { headers, body: new Uint8Array(100) });
      expect([sent.status, sent.headers.get('upload-offset')]).toEqual([204, '100']);
    }
    const id = location.split('/').at(-1)!;
    await sql`update uploads set expires_at = now() - interval '1 second' where id = ${id}`.execute(api.db);
    const gone = await api.call(key, 'HEAD', location);
    expect(gone.status).toBe(410);
    const more = { ...headers, 'upload-offset': '100' };
    const late = await api.call(key, 'PATCH', location, { headers: more, body: new Uint8Array(10) });
    expect([late.status, await codeOf(late)]).toEqual([410, 'upload-expired']);
    expect((await beginUpload(key, session, 200)).status).toBe(403);

    await tidy();
    const kept = await api.deps.objects.list(`sessions/${session}/uploads/`);
    expect(kept).toHaveLength(1);
    expect(kept[0]).toContain(other.split('/').at(-1)!);
    expect((await api.call(key, 'HEAD', location)).status).toBe(404);
    expect((await api.call(key, 'HEAD', other)).headers.get('upload-offset')).toBe('100');
    expect((await beginUpload(key, session, 200)).status).toBe(201);
  });

  test('renders beyond the size of the cache, those first that were not used for the longest', async () => {
    const session = await trainedSession(await api.key({ tenant: 'renders' }));
    const key = (i: number) => `sessions/${session}/renders/1-${i}`;
    for (let i = 0; i < 6; i++) {
      await api.deps.objects.put(key(i), new Uint8Array(300));
      await sql`
        insert into renders (session, model_version, query_hash, object_key, media_type, bytes, last_used_at)
        values (${session}, 1, ${Buffer.alloc(32, i)}, ${key(i)}, 'image/png', 300,
          now() - make_interval(hours => ${i === 1 ? 0 : 10 - i}))`.execute(api.db);
    }
    await tidy();
    // 1000 bytes are allowed: the three newest, of which number 1 was used last.
    expect(await api.deps.objects.list(`sessions/${session}/renders/`)).toEqual([key(1), key(4), key(5)]);
    const rows = await api.db.selectFrom('renders').select('object_key').orderBy('object_key').execute();
    expect(rows.map((r) => r.object_key)).toEqual([key(1), key(4), key(5)]);
    await tidy();
    expect(await api.deps.objects.list(`sessions/${session}/renders/`)).toHaveLength(3);
  });

  test('sessions that were deleted, with all that they have, once nobody holds them', async () => {
    const key = await api.key({ tenant: 'deleted' });
    const session = await trainedSession(key);
    expect((await api.call(key, 'DELETE', `/v1/sessions/${session}`)).status).toBe(204);
    const hold = (until: string) =>
      sql`update sessions set lease_owner = 'somebody', lease_expires = now() + ${until}::interval
        where id = ${session}`.execute(api.db);
    await hold('1 minute');
    await tidy();
    expect(await api.deps.objects.list(`sessions/${session}/`)).not.toEqual([]);
    await hold('-1 second');
    await tidy();
    expect(await api.deps.objects.list(`sessions/${session}/`)).toEqual([]);
    expect(await api.db.selectFrom('sessions').select('id').where('id', '=', session).execute()).toEqual([]);
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    api.call(undefined, 'OPTIONS', '/v1/sessions', {
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    });

  test('may call where they were named, and nobody else', async () => {
    const allowed = await preflight('https://app.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization.*idempotency-key/i);
    expect(allowed.headers.get('access-control-allow-methods')).toMatch(/POST/);
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    for (const origin of ['https://app.example.evil', 'http://app.example', 'null']) {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('see answers and refusals alike, with the headers that they need', async () => {
    const headers = { origin: 'https://app.example' };
    const key = await api.key();
    for (const [who, status] of [
      [key, 200],
      [undefined, 401],
    ] as const) {
      const answer = await api.call(who, 'GET', '/v1/sessions', { headers });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(answer.headers.get('access-control-expose-headers')).toMatch(/Retry-After/);
      expect(answer.headers.get('vary')).toMatch(/Origin/);
    }
    const other = await api.call(key, 'GET', '/v1/sessions', {
      headers: { origin: 'https://other.example' },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('strict transport security', () => {
  const hsts = async (url: string, headers = {}) =>
    (await api.app.request(url, { headers })).headers.get('strict-transport-security');

  test('is told where the client came by TLS, and only there', async () => {
    expect(await hsts('http://api.example/healthz')).toBeNull();
    expect(await hsts('http://api.example/healthz', { 'x-forwarded-proto': 'http' })).toBeNull();
    expect(await hsts('http://api.example/healthz', { 'x-forwarded-proto': 'https' })).toMatch(/max-age=\d+/);
    expect(await hsts('https://api.example/healthz')).toMatch(/max-age=\d+/);
    expect(await hsts('https://api.example/v1/sessions')).toMatch(/max-age=\d+/);
  });
});
