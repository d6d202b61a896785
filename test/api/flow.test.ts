import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import createClient, { type Client } from 'openapi-fetch';
import sharp from 'sharp';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CapturedFrame, renderCapture } from '../../bench/samples/capture.js';
import { decodeModel } from '../../develop/model-file/model-file.js';
import { renderFile } from '../../develop/render/render-file.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import { createKey } from '../../edge-api/keys/keys.js';
import { createHttpGateway } from '../../edge-api/renders/gateway.js';
import { type RunningServer, startServer } from '../../edge-api/runtime/node.js';
import { chooseEngine } from '../../engine/choose.js';
import { decodeExr } from '../../imaging/exr/exr.js';
import { limitsWith } from '../../imaging/limits.js';
import { parseRenderQuery } from '../../model/render/query.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import type { paths } from './openapi-types.js';
import { startGateway, type TestGateway, trainNext } from './renderer.js';

/**
 * The whole way of an app: a client generated from the OpenAPI document against a running server, over HTTP; training
 * and rendering by the real engine.
 */

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let gateway: TestGateway;
let server: RunningServer;
let client: Client<paths>;
let key: string;
let session: string;
let frames: Uint8Array[];
const deliveries: Delivery[] = [];
const complaints: string[] = [];
const complain = (fields: object, message: string) => {
  complaints.push(`${message}: ${JSON.stringify(fields)}`);
};
/** Refuses the first delivery: it must come again. */
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  deliveries.push({ headers: request.headers, body });
  response.writeHead(deliveries.length === 1 ? 500 : 204).end();
});

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'implicam-flow-'));
  objects = createFolderStore(folder);
  gateway = await startGateway(objects);
  server = await startServer({
    databaseUrl: database.url,
    objects,
    gateway: createHttpGateway(gateway.url, gateway.secret),
    log: { info: () => undefined, warn: complain, error: complain },
    version: '0.0.0',
    port: 0,
    privateWebhooks: true,
    maintenanceSeconds: 1,
  });
  key = (await createKey(database.db, { tenant: 'acme', name: 'flow' })).secret;
  client = createClient<paths>({ baseUrl: server.url, headers: { authorization: `Bearer ${key}` } });
  const capture = renderCapture({ width: 96, height: 64, focus: 2, exposures: 1 });
  frames = await Promise.all(capture.frames.map(encode));
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  await server.close();
  await gateway.close();
  receiver.close();
  receiver.closeAllConnections();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const encode = async ({ pixels }: CapturedFrame): Promise<Uint8Array> =>
  sharp(pixels, { raw: { width: 96, height: 64, channels: 3 } })
    .png()
    .toBuffer();

/** Reads events of a stream until one of the type. */
async function follow(last: number, until: string): Promise<{ id: number; event: string; data: string }[]> {
  const response = await fetch(`${server.url}/v1/sessions/${session}/events`, {
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'text/event-stream',
      'last-event-id': String(last),
    },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const seen = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body!) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
      ) as Record<string, string>;
      text = text.slice(end + 2);
      if (!fields.event) continue;
      seen.push({ id: Number(fields.id), event: fields.event, data: fields.data });
      // Leaving the loop ends the stream.
      if (fields.event === until) return seen;
    }
  }
  return seen;
}

test('an app has a scene learned and looks at it, from first to last', { timeout: 240_000 }, async () => {
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const webhook = await client.POST('/v1/webhooks', { body: { url: hook, events: ['created', 'trained'] } });
  expect(webhook.response.status).toBe(201);

  const idempotency = { 'idempotency-key': randomUUID() };
  const made = await client.POST('/v1/sessions', {
    params: { header: idempotency },
    body: { quality: 'draft', notes: 'two focus distances' },
  });
  session = made.data!.id;
  const params = { path: { session } };

  const put = await client.PUT('/v1/sessions/{session}/frames/{frame}', {
    params: {
      path: { session, frame: 0 },
      query: { name: 'near.png', focusDistance: 0.5 },
      header: { 'content-digest': `sha-256=:${createHash('sha256').update(frames[0]).digest('base64')}:` },
    },
    body: frames[0] as never,
    bodySerializer: (bytes: unknown) => bytes as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect(put.data).toMatchObject({ number: 0, name: 'near.png', width: 96, height: 64 });

  await uploadWithTus(1, frames[1]);
  const listed = await client.GET('/v1/sessions/{session}/frames', { params });
  expect(listed.data!.map((f) => [f.number, f.name, f.camera.focusDistance])).toEqual([
    [0, 'near.png', 0.5],
    [1, 'far.png', 4],
  ]);

  const started = await client.POST('/v1/sessions/{session}/training', { params, body: { steps: 12 } });
  expect(started.data).toMatchObject({ state: 'queued', position: 1 });
  const live = follow(0, 'trained');
  expect(await trainNext(database.db, objects)).toBe(session);
  const seen = await live;
  expect(seen.map(({ id }) => id)).toEqual(seen.map((_, i) => i + 1));
  expect(seen.map(({ event }) => event)).toEqual([
    ...['created', 'frame', 'frame', 'queued', 'started', 'phase', 'phase', 'progress', 'trained'],
  ]);
  // Who comes back gets what is behind the last event that it had, and nothing twice.
  expect(await follow(seen[5].id, 'trained')).toEqual(seen.slice(6));

  const state = await client.GET('/v1/sessions/{session}', { params });
  expect(state.data).toMatchObject({ state: 'trained', model: 1, training: { step: 12, stepsTotal: 12 } });

  await looksAtIt();
  await downloads();
  await hears();
  await isDeleted();
  expect(complaints.filter((text) => !text.startsWith('webhook not taken'))).toEqual([]);
});

async function uploadWithTus(number: number, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    new Upload(Buffer.from(bytes), {
      endpoint: `${server.url}/v1/sessions/${session}/uploads`,
      headers: { authorization: `Bearer ${key}` },
      chunkSize: 4096,
      retryDelays: null as unknown as number[],
      metadata: {
        frame: String(number),
        filename: 'far.png',
        focusDistance: '4',
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
      onSuccess: () => resolve(),
      onError: reject,
    }).start();
  });
}

async function looksAtIt(): Promise<void> {
  const render = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/v1/sessions/${session}/render?${query}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const first = await render('kind=refocus&tap=10,10&format=png');
  expect(first.response.status).toBe(200);
  expect(await sharp(first.bytes).metadata()).toMatchObject({ format: 'png', width: 96, height: 64 });
  const asked = gateway.count();
  const again = await render('format=png&tap=10,10&kind=refocus&aperture=1');
  expect(again.bytes.equals(first.bytes)).toBe(true);
  expect(gateway.count()).toBe(asked);
  const etag = first.response.headers.get('etag')!;
  expect(again.response.headers.get('etag')).toBe(etag);
  const known = await render('kind=refocus&tap=10,10&format=png', { 'if-none-match': etag });
  expect([known.response.status, known.bytes.length]).toEqual([304, 0]);
  const brighter = await render('kind=refocus&tap=10,10&format=png&ev=2');
  expect(brighter.response.headers.get('etag')).not.toBe(etag);
  expect((await sharp(brighter.bytes).stats()).channels[1].mean).toBeGreaterThan(
    (await sharp(first.bytes).stats()).channels[1].mean,
  );
  const chosen = await render('width=48', { accept: 'image/avif;q=0.5, image/webp' });
  expect(chosen.response.headers.get('vary')).toMatch(/accept/i);
  expect(await sharp(chosen.bytes).metadata()).toMatchObject({ format: 'webp', width: 48 });
  const exr = await render('format=exr&tone=linear&region=8,8,32,16');
  const linear = await decodeExr(exr.bytes, { name: 'region', limits: limitsWith() });
  expect([linear.width, linear.height, linear.channels]).toEqual([32, 16, 3]);
  const many = await Promise.all(Array.from({ length: 6 }, () => render('kind=depth&format=png')));
  expect(new Set(many.map(({ bytes }) => bytes.toString('base64'))).size).toBe(1);
  expect(gateway.count()).toBe(asked + 4);
  for (const [query, status] of [
    ['focus=1&tap=1,1', 400],
    ['kind=refocus&tap=5000,1&format=png', 400],
    ['kind=nonsense', 400],
    ['model=7', 404],
  ] as const) {
    const { response, bytes } = await render(query);
    expect([query, response.status]).toEqual([query, status]);
    expect(JSON.parse(bytes.toString())).toHaveProperty('detail');
  }
  expect((await render('', { accept: 'text/html' })).response.status).toBe(406);
}

/** What `implicam develop` writes as all-in-focus.png of a model. */
async function defaultPictureOf(file: Buffer): Promise<Buffer> {
  const model = decodeModel(file, 'model');
  const scene = await bakeScene(model, await chooseEngine({}));
  return Buffer.from(await renderFile(scene, model, parseRenderQuery({})));
}

async function downloads(): Promise<void> {
  const params = { path: { session, version: 'latest' } };
  const { data: model } = await client.GET('/v1/sessions/{session}/models/{version}', { params });
  expect(model!.outputs.map(({ name }) => name)).toEqual([
    ...['all-in-focus.exr', 'defocus.exr', 'response.json'],
  ]);
  const url = `${server.url}/v1/sessions/${session}/models/latest`;
  const get = async (path: string, headers = {}) => {
    const response = await fetch(`${url}/${path}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), response };
  };
  const whole = await get('file');
  expect(createHash('sha256').update(whole.bytes).digest('hex')).toBe(model!.sha256);
  const shown = await fetch(`${server.url}/v1/sessions/${session}/render?format=png`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(Buffer.from(await shown.arrayBuffer())).toEqual(await defaultPictureOf(whole.bytes));
  const etag = whole.response.headers.get('etag')!;
  const rest = await get('file', { range: 'bytes=100-', 'if-range': etag });
  expect([rest.status, rest.bytes.equals(whole.bytes.subarray(100))]).toEqual([206, true]);
  expect((await get('file', { range: 'bytes=100-', 'if-range': '"old"' })).status).toBe(200);
  expect((await get('file', { range: `bytes=${whole.bytes.length}-` })).status).toBe(416);
  const { bytes } = await get('outputs/response.json');
  expect(JSON.parse(bytes.toString())).toHaveProperty('frames');
  expect((await get('outputs/..%2fmodel')).status).toBe(404);
}

/** The webhook heard both events; what it did not take came again. */
async function hears(): Promise<void> {
  const { data } = await client.GET('/v1/webhooks');
  expect(data).toHaveLength(1);
  // The back-off of the refused one is shortened: the test does not wait for it.
  await database.db
    .updateTable('webhook_outbox')
    .set({ next_at: new Date(0) })
    .where('delivered_at', 'is', null)
    .execute();
  await sql`select pg_notify('implicam_webhooks', '')`.execute(database.db);
  await expect.poll(() => deliveries.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
  const types = deliveries.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  expect(new Set(types)).toEqual(new Set(['created', 'trained']));
  const secret = await database.db.selectFrom('webhooks').select('secret').executeTakeFirstOrThrow();
  for (const { headers, body } of deliveries) {
    const signed = `${headers['implicam-timestamp']}.${body}`;
    const expected = createHmac('sha256', secret.secret).update(signed).digest('hex');
    expect(headers['implicam-signature']).toBe(`v1=${expected}`);
  }
  expect(deliveries[0].headers['implicam-delivery']).toBe(
    deliveries.slice(1).find(({ body }) => body === deliveries[0].body)?.headers['implicam-delivery'],
  );
}

async function isDeleted(): Promise<void> {
  const params = { path: { session } };
  expect((await client.DELETE('/v1/sessions/{session}', { params })).response.status).toBe(204);
  expect((await client.GET('/v1/sessions/{session}', { params })).response.status).toBe(404);
  await expect.poll(() => objects.list(''), { timeout: 20_000 }).toEqual([]);
  await expect
    .poll(() => database.db.selectFrom('sessions').select('id').execute(), { timeout: 20_000 })
    .toEqual([]);
}
