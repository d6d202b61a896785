import { createHash, randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimNext } from '../../database/claims.js';
import { type TestApi, testApi } from './api.js';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await testApi();
  key = await api.key();
});
afterAll(() => api.close());

/** A small photograph of its own. */
async function photograph(seed: number, width = 64, height = 48): Promise<Uint8Array> {
  const data = Buffer.alloc(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = (i * 7 + seed * 31) % 256;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .withExif({ IFD2: { ISOSpeedRatings: '200', ExposureTime: '1/50' } })
    .toBuffer();
}

async function newSession(): Promise<string> {
  const response = await api.call(key, 'POST', '/v1/sessions', { body: {} });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

async function put(session: string, number: number, body: unknown, headers = {}, query = '') {
  return api.call(key, 'PUT', `/v1/sessions/${session}/frames/${number}${query}`, { body, headers });
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const read = async (response: Response): Promise<any> => response.json();

describe('sessions', () => {
  test('are made, read, listed in pages and deleted', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.push(await newSession());
    const listed: string[] = [];
    for (let after = ''; ; ) {
      const page = await read(await api.call(key, 'GET', `/v1/sessions?limit=2${after}`));
      listed.push(...page.sessions.map((s: { id: string }) => s.id));
      if (page.next === null) break;
      after = `&after=${page.next}`;
    }
    expect(listed.slice(0, 5)).toEqual([...made].reverse());
    const [first] = made;
    expect(await read(await api.call(key, 'GET', `/v1/sessions/${first}`))).toMatchObject({
      id: first,
      state: 'draft',
      preset: 'auto',
      quality: 'standard',
      frames: 0,
      model: null,
    });
    expect((await api.call(key, 'DELETE', `/v1/sessions/${first}`)).status).toBe(204);
    expect((await api.call(key, 'GET', `/v1/sessions/${first}`)).status).toBe(404);
  });

  test('say where they were photographed only where that is asked for', async () => {
    const asked = await read(await api.call(key, 'POST', '/v1/sessions', { body: { gps: true } }));
    expect(asked.gps).toBe(true);
    expect((await read(await api.call(key, 'GET', `/v1/sessions/${asked.id}`))).gps).toBe(true);
    const plain = await read(await api.call(key, 'POST', '/v1/sessions', { body: {} }));
    expect(plain.gps).toBe(false);
    const wrong = await api.call(key, 'POST', '/v1/sessions', { body: { gps: 'yes' } });
    expect([wrong.status, (await read(wrong)).detail]).toEqual([400, expect.stringMatching(/gps/)]);
  });

  test('one idempotency key makes one session, however many ask at once', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const ask = () => api.call(key, 'POST', '/v1/sessions', { body: { notes: 'once' }, headers });
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(answers.map((a) => a.status)).toEqual(Array(8).fill(201));
    const ids = new Set((await Promise.all(answers.map(read))).map((s) => s.id));
    expect(ids.size).toBe(1);
    const other = await api.call(key, 'POST', '/v1/sessions', { body: { notes: 'twice' }, headers });
    expect([other.status, (await read(other)).code]).toEqual([422, 'idempotency-conflict']);
  });

  test('many idempotency keys at once make a session each', async () => {
    const keys = Array.from({ length: 16 }, () => randomUUID());
    const make = (idempotencyKey: string) =>
      api.call(key, 'POST', '/v1/sessions', { body: {}, headers: { 'idempotency-key': idempotencyKey } });
    const answers = await Promise.all(keys.map(make));
    expect(answers.map((a) => a.status)).toEqual(keys.map(() => 201));
    const ids = await Promise.all(answers.map(async (a) => (await read(a)).id));
    expect(new Set(ids).size).toBe(keys.length);
  });

  test('bad requests are told what is wrong', async () => {
    const cases: [string, string, unknown, RegExp][] = [
      ['POST', '/v1/sessions', { preset: 'portrait' }, /body: preset/],
      ['POST', '/v1/sessions', { nonsense: 1 }, /nonsense/],
      ['GET', '/v1/sessions?limit=0', undefined, /query: limit/],
      ['GET', '/v1/sessions?after=x', undefined, /after/],
    ];
    for (const [method, path, body, says] of cases) {
      const response = await api.call(key, method, path, body === undefined ? {} : { body });
      expect(response.status, path).toBe(400);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect((await read(response)).detail).toMatch(says);
    }
    const broken = await api.app.request('/v1/sessions', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{',
    });
    expect(broken.status).toBe(400);
    const large = await api.call(key, 'POST', '/v1/sessions', { body: { notes: 'x'.repeat(100_000) } });
    expect([large.status, (await read(large)).code]).toEqual([413, 'body-too-large']);
  });
});

describe('photographs', () => {
  test('are taken in, with what EXIF and the client say', async () => {
    const session = await newSession();
    const bytes = await photograph(1);
    const sha256 = createHash('sha256').update(bytes).digest();
    const headers = { 'content-digest': `sha-256=:${sha256.toString('base64')}:` };
    const response = await put(session, 3, bytes, headers, '?name=../../etc/pass%00wd&fNumber=2.8');
    expect(response.status).toBe(201);
    expect(await read(response)).toMatchObject({
      number: 3,
      name: 'passwd',
      bytes: bytes.length,
      sha256: sha256.toString('hex'),
      format: 'jpeg',
      width: 64,
      height: 48,
      camera: { iso: 200, exposureTime: 0.02, fNumber: 2.8 },
      state: 'checked',
    });
    const content = await api.call(key, 'GET', `/v1/sessions/${session}/frames/3/content`);
    expect(Buffer.from(await content.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
    const preview = await api.call(key, 'GET', `/v1/sessions/${session}/frames/3/preview`);
    expect((await sharp(await preview.arrayBuffer()).metadata()).format).toBe('jpeg');
    const stated = await api.call(key, 'PATCH', `/v1/sessions/${session}/frames/3`, {
      body: { focusDistance: 1.5 },
    });
    expect((await read(stated)).camera).toMatchObject({ fNumber: 2.8, focusDistance: 1.5 });
  });

  test('sent again change nothing; another one in its place replaces it, and its object', async () => {
    const session = await newSession();
    expect((await put(session, 0, await photograph(1))).status).toBe(201);
    expect((await put(session, 0, await photograph(1))).status).toBe(200);
    expect(await api.deps.objects.list(`sessions/${session}/`)).toHaveLength(2);
    expect((await put(session, 0, await photograph(2, 32, 32))).status).toBe(200);
    expect(await api.deps.objects.list(`sessions/${session}/`)).toHaveLength(2);
    const events = await read(await api.call(key, 'GET', `/v1/sessions/${session}/events`));
    expect(events.map((e: { type: string }) => e.type)).toEqual(['created', 'frame', 'frame']);
    expect(await read(await api.call(key, 'GET', `/v1/sessions/${session}`))).toMatchObject({
      frames: 1,
      width: 32,
      height: 32,
    });
  });

  test('that do not fit are refused, and leave nothing', async () => {
    const session = await newSession();
    const bytes = await photograph(1);
    await put(session, 0, bytes);
    const before = await api.deps.objects.list(`sessions/${session}/`);
    const digest = { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
    const refusals: [unknown, object, number, string][] = [
      [bytes, {}, 409, 'frames-duplicate'],
      [await photograph(2, 48, 64), {}, 422, 'frames-mismatched'],
      [bytes.subarray(0, bytes.length / 2), {}, 422, 'file-corrupt'],
      [Buffer.from('hello'), {}, 415, 'format-unsupported'],
      [await photograph(3), digest, 422, 'digest-mismatch'],
      [await photograph(3), { 'content-digest': 'md5=:x:' }, 400, 'invalid-request'],
      [new Uint8Array(0), {}, 422, 'file-empty'],
    ];
    for (const [body, headers, status, code] of refusals) {
      const response = await put(session, 1, body, headers as Record<string, string>);
      expect([response.status, (await read(response)).code]).toEqual([status, code]);
    }
    expect(await api.deps.objects.list(`sessions/${session}/`)).toEqual(before);
    expect((await read(await api.call(key, 'GET', `/v1/sessions/${session}`))).frames).toBe(1);
  });

  test('of two at once that do not fit together one is refused', async () => {
    const session = await newSession();
    const both = await Promise.all([
      put(session, 0, await photograph(1, 64, 48)),
      put(session, 1, await photograph(2, 48, 64)),
    ]);
    expect(both.map((r) => r.status).sort()).toEqual([201, 422]);
  });
});

describe('requests that do not fit', () => {
  test('are told field, value and range', async () => {
    const session = await newSession();
    const detail = async (method: string, path: string, body?: unknown) => {
      const response = await api.call(key, method, path, body === undefined ? {} : { body });
      const { code, detail } = await read(response);
      return [response.status, code, detail];
    };
    const training = `/v1/sessions/${session}/training`;
    expect(await detail('POST', training, { steps: 0 })).toEqual([
      400,
      'invalid-request',
      'body: steps is 0: it must be a whole number from 1 to 1000000',
    ]);
    expect((await detail('POST', training, { quality: 'finest' }))[2]).toMatch(
      /^body: quality is "finest": it must be one of /,
    );
    expect((await detail('POST', training, { step: 1 }))[2]).toMatch(
      /^body: step is not known: there are preset, quality, seed, steps, resume/,
    );
    expect((await detail('GET', '/v1/sessions/seven'))[2]).toBe(
      'path: session is "seven": it must be a UUID',
    );
    const render = `/v1/sessions/${session}/render`;
    expect((await detail('GET', `${render}?width=wide`))[2]).toBe('query: width is "wide": not a number');
    expect(await detail('GET', `${render}?region=0,0,0,0`)).toEqual([
      400,
      'render-query',
      'cannot render: region.width is 0: it must be a whole number from 1 to 16384',
    ]);
  });
});

describe('training', () => {
  test('waits in the queue with its place, is cancelled, and started again', async () => {
    const [a, b] = [await newSession(), await newSession()];
    const none = await api.call(key, 'POST', `/v1/sessions/${a}/training`, { body: {} });
    expect([none.status, (await read(none)).code]).toEqual([422, 'too-few-frames']);
    for (const session of [a, b]) {
      for (const n of [0, 1]) expect((await put(session, n, await photograph(n))).status).toBe(201);
    }
    const headers = { 'idempotency-key': randomUUID() };
    const start = (session: string) => api.call(key, 'POST', `/v1/sessions/${session}/training`, { headers });
    expect(await read(await start(a))).toMatchObject({ state: 'queued', position: 1, run: 1 });
    expect(await read(await start(a))).toMatchObject({ state: 'queued', position: 1, run: 1 });
    const second = await api.call(key, 'POST', `/v1/sessions/${b}/training`, {
      body: { quality: 'draft', seed: 7, steps: 5 },
    });
    expect(await read(second)).toMatchObject({ position: 2 });
    const busy = await put(a, 2, await photograph(2));
    expect([busy.status, (await read(busy)).code]).toEqual([409, 'session-busy']);

    expect((await api.call(key, 'DELETE', `/v1/sessions/${a}/training`)).status).toBe(200);
    expect(await read(await api.call(key, 'GET', `/v1/sessions/${b}/training`))).toMatchObject({
      position: 1,
    });
    const claimed = await claimNext(api.db, 'coordinator', 30);
    expect(claimed).toMatchObject({ lease: { session: b }, quality: 'draft', seed: 7, steps: 5 });
    expect(claimed!.frames.map((f) => f.number)).toEqual([0, 1]);
    expect((await api.call(key, 'DELETE', `/v1/sessions/${b}/training`)).status).toBe(202);

    const resumed = await api.call(key, 'POST', `/v1/sessions/${a}/training`, { body: { resume: true } });
    expect(await read(resumed)).toMatchObject({ state: 'queued', run: 1 });
  });
});
