import { createRoute, z } from '@hono/zod-openapi';
import type { Selectable } from 'kysely';
import { appendTo } from '../../database/append-events.js';
import { type Db, json } from '../../database/connection.js';
import type { FrameTable } from '../../migrations/schema.js';
import type { App, AppContext, Deps } from '../context.js';
import { readBody, tooLarge, toWebStream } from '../http/body.js';
import type { BusyCounter } from '../http/busy.js';
import { refusal } from '../http/refusal.js';
import {
  frameParams,
  frameSchema,
  frameUploadQuery,
  jsonAnswer,
  jsonBody,
  refused,
  sessionParams,
  statedCameraSchema,
} from '../schemas.js';
import { lockSession, readSession } from '../sessions/sessions.js';
import {
  fileName,
  newFrameKey,
  photographsChanged,
  presentFrame,
  requireCount,
  requireDigest,
  requireOpen,
  requireSpace,
  storeBytes,
  takeFrame,
} from './photographs.js';

const tags = ['Photographs'];
const binary = z.any().openapi({ type: 'string', format: 'binary' });

const putFrame = createRoute({
  method: 'put',
  path: '/v1/sessions/{session}/frames/{frame}',
  operationId: 'putFrame',
  summary: 'Send a photograph',
  description:
    'The body is the file as the camera wrote it: JPEG, PNG, WebP, TIFF or AVIF. Any order; sending it again does no harm. ' +
    'For bad connections: createUpload.',
  tags,
  request: {
    params: frameParams,
    query: frameUploadQuery,
    headers: z.object({
      'content-digest': z
        .string()
        .max(500)
        .optional()
        .describe('RFC 9530, `sha-256=:BASE64:`: the photograph is refused where it does not fit'),
    }),
    body: { content: { 'application/octet-stream': { schema: binary } }, required: true },
  },
  responses: {
    200: jsonAnswer('It was there, or replaces what was there', frameSchema),
    201: jsonAnswer('It was taken in', frameSchema),
    ...refused,
  },
});

const listFrames = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/frames',
  operationId: 'listFrames',
  summary: 'List the photographs of a session',
  tags,
  request: { params: sessionParams },
  responses: { 200: jsonAnswer('Photographs by number', z.array(frameSchema)), ...refused },
});

const getFrame = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/frames/{frame}',
  operationId: 'getFrame',
  summary: 'Get what is known of a photograph',
  tags,
  request: { params: frameParams },
  responses: { 200: jsonAnswer('The photograph', frameSchema), ...refused },
});

const stateCamera = createRoute({
  method: 'patch',
  path: '/v1/sessions/{session}/frames/{frame}',
  operationId: 'stateCamera',
  summary: 'State the camera settings of a photograph',
  tags,
  request: { params: frameParams, body: jsonBody(statedCameraSchema) },
  responses: { 200: jsonAnswer('The photograph', frameSchema), ...refused },
});

const deleteFrame = createRoute({
  method: 'delete',
  path: '/v1/sessions/{session}/frames/{frame}',
  operationId: 'deleteFrame',
  summary: 'Take a photograph out',
  tags,
  request: { params: frameParams },
  responses: { 204: { description: 'It is gone' }, ...refused },
});

const getFrameContent = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/frames/{frame}/content',
  operationId: 'getFrameContent',
  summary: 'Get the file as it was sent',
  tags,
  request: { params: frameParams },
  responses: {
    200: { description: 'The file', content: { 'application/octet-stream': { schema: binary } } },
    ...refused,
  },
});

const getFramePreview = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/frames/{frame}/preview',
  operationId: 'getFramePreview',
  summary: 'Get a small JPEG of a photograph',
  tags,
  request: { params: frameParams },
  responses: { 200: { description: 'JPEG', content: { 'image/jpeg': { schema: binary } } }, ...refused },
});

export function addFrameRoutes(app: App, deps: Deps, uploads: BusyCounter): void {
  app.openapi(putFrame, async (c) => {
    const { session, frame } = c.req.valid('param');
    const { name, ...camera } = c.req.valid('query');
    const digest = readDigest(c.req.header('content-digest'));
    const { row, created } = await receiveFrame(c, deps, uploads, session, frame, name, camera, digest);
    return created ? c.json(presentFrame(row), 201) : c.json(presentFrame(row), 200);
  });

  app.openapi(listFrames, async (c) => {
    const { session } = c.req.valid('param');
    await readSession(c.get('db'), c.get('principal').tenant, session);
    const rows = await c
      .get('db')
      .selectFrom('frames')
      .selectAll()
      .where('session', '=', session)
      .orderBy('number')
      .execute();
    return c.json(rows.map(presentFrame), 200);
  });

  app.openapi(getFrame, async (c) => {
    const { session, frame } = c.req.valid('param');
    return c.json(presentFrame(await readFrameRow(c, session, frame)), 200);
  });

  app.openapi(stateCamera, async (c) => {
    const { session, frame } = c.req.valid('param');
    const stated = c.req.valid('json');
    const row = await changeFrame(c, session, frame, async (tx, old) => {
      const camera = json({ ...old.camera, ...stated });
      await tx
        .updateTable('frames')
        .set({ camera })
        .where('session', '=', session)
        .where('number', '=', frame)
        .execute();
    });
    return c.json(presentFrame({ ...row, camera: { ...row.camera, ...stated } }), 200);
  });

  app.openapi(deleteFrame, async (c) => {
    const { session, frame } = c.req.valid('param');
    const row = await changeFrame(c, session, frame, async (tx) => {
      await tx.deleteFrom('frames').where('session', '=', session).where('number', '=', frame).execute();
      await appendTo(tx, session, [{ type: 'frame-removed', data: { number: frame } }]);
    });
    await deps.objects.delete([row.object_key, ...(row.preview_key ? [row.preview_key] : [])]);
    return c.body(null, 204);
  });

  app.openapi(getFrameContent, async (c) => {
    const { session, frame } = c.req.valid('param');
    const row = await readFrameRow(c, session, frame);
    return sendObject(c, deps, row.object_key, `image/${row.format}`, row.sha256, row.bytes);
  });

  app.openapi(getFramePreview, async (c) => {
    const { session, frame } = c.req.valid('param');
    const row = await readFrameRow(c, session, frame);
    if (!row.preview_key) {
      throw refusal(404, 'preview-missing', 'there is no preview of this photograph: get its content');
    }
    return sendObject(c, deps, row.preview_key, 'image/jpeg', row.sha256);
  });
}

/** Takes the body of a request in as a photograph. */
async function receiveFrame(
  c: AppContext,
  deps: Deps,
  uploads: BusyCounter,
  session: string,
  number: number,
  givenName: string | undefined,
  camera: Record<string, number | undefined>,
  digest: Buffer | undefined,
) {
  const { limits, objects } = deps;
  const principal = c.get('principal');
  const leave = uploads.enter(principal.tenant);
  try {
    const stated = Number(c.req.header('content-length') ?? 0);
    if (stated > limits.frameBytes) throw tooLarge(limits.frameBytes);
    requireOpen((await readSession(c.get('db'), principal.tenant, session)).state);
    await requireCount(c.get('db'), deps, session, number);
    await requireSpace(c.get('db'), principal, stated);
    const body = readBody(c.req.raw, limits.frameBytes, limits);
    const key = newFrameKey(session, number);
    const stored = await storeBytes(objects, key, body);
    deps.metrics?.uploaded(stored.bytes);
    try {
      requireDigest(stored.sha256, digest);
    } catch (error) {
      await objects.delete([key]);
      throw error;
    }
    const claim = { number, name: fileName(givenName, number), camera };
    return await takeFrame(deps, c.get('db'), principal, session, claim, stored);
  } finally {
    leave();
  }
}

/** SHA-256 of a Content-Digest field (RFC 9530). @throws where it is there and not well formed */
function readDigest(field: string | undefined): Buffer | undefined {
  if (field === undefined) return undefined;
  const found = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)/.exec(field);
  if (!found) {
    throw refusal(400, 'invalid-request', 'header: content-digest: send it as sha-256=:BASE64: (RFC 9530)');
  }
  return Buffer.from(found[1], 'base64');
}

async function readFrameRow(c: AppContext, session: string, number: number): Promise<Selectable<FrameTable>> {
  await readSession(c.get('db'), c.get('principal').tenant, session);
  return findFrame(c.get('db'), session, number);
}

async function findFrame(db: Db, session: string, number: number): Promise<Selectable<FrameTable>> {
  const row = await db
    .selectFrom('frames')
    .selectAll()
    .where('session', '=', session)
    .where('number', '=', number)
    .executeTakeFirst();
  if (!row) throw refusal(404, 'frame-missing', `the session has no photograph ${number}: send it first`);
  return row;
}

/** Changes a frame while nobody trains on it. @returns the frame as it was */
async function changeFrame(
  c: AppContext,
  session: string,
  number: number,
  change: (tx: Db, old: Selectable<FrameTable>) => Promise<void>,
): Promise<Selectable<FrameTable>> {
  return c
    .get('db')
    .transaction()
    .execute(async (tx) => {
      requireOpen((await lockSession(tx, c.get('principal').tenant, session)).state);
      const old = await findFrame(tx, session, number);
      await change(tx, old);
      const sized = await tx
        .selectFrom('frames')
        .select(['width', 'height'])
        .where('session', '=', session)
        .where('width', 'is not', null)
        .limit(1)
        .executeTakeFirst();
      await photographsChanged(tx, session, sized ? { width: sized.width!, height: sized.height! } : null);
      return old;
    });
}

/** An object as an answer that never changes: its key never gets another content. */
async function sendObject(
  c: AppContext,
  deps: Deps,
  key: string,
  type: string,
  sha256: Buffer,
  bytes?: number,
): Promise<Response> {
  const etag = `"${sha256.toString('base64url')}"`;
  const headers: Record<string, string> = {
    etag,
    'cache-control': 'private, max-age=3600',
    'content-type': type,
    // What was uploaded is never to run as a page of this origin.
    'content-security-policy': "default-src 'none'; sandbox",
  };
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers);
  if (bytes !== undefined) headers['content-length'] = String(bytes);
  return c.body(toWebStream(await deps.objects.stream(key)), 200, headers);
}
