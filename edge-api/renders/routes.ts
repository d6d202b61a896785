import { createRoute, z } from '@hono/zod-openapi';
import type { Selectable } from 'kysely';
import type { Db } from '../../database/connection.js';
import type { ModelTable } from '../../migrations/schema.js';
import type { App, AppContext, Deps } from '../context.js';
import { toWebStream } from '../http/body.js';
import { refusal } from '../http/refusal.js';
import { refused, sessionParams } from '../schemas.js';
import { readSession } from '../sessions/sessions.js';
import { queryHash, RENDER_TYPES, readRenderQuery, renderUrlQuery } from './query.js';
import { Renders } from './renders.js';

const binary = z.any().openapi({ type: 'string', format: 'binary' });

const render = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/render',
  operationId: 'render',
  summary: 'Render a trained session',
  description:
    'A model version and a query make one picture for ever: it has a strong ETag and may be kept. Without `format` the ' +
    'Accept header decides.',
  tags: ['Results'],
  request: { params: sessionParams, query: renderUrlQuery },
  responses: {
    200: {
      description: 'The picture',
      content: Object.fromEntries(
        [...new Set(Object.values(RENDER_TYPES))].map((type) => [type, { schema: binary }]),
      ),
    },
    304: { description: 'The one that the client has' },
    ...refused,
  },
});

export function addRenderRoutes(app: App, deps: Deps): void {
  const renders = new Renders(deps);
  app.openapi(render, async (c) => {
    const { session } = c.req.valid('param');
    const url = c.req.valid('query');
    const { tenant } = c.get('principal');
    const db = c.get('db');
    await readSession(db, tenant, session);
    const { query, negotiated } = readRenderQuery(url, c.req.header('accept'));
    const model = await readModel(db, session, url.model === undefined ? undefined : Number(url.model));
    const hash = queryHash(query);
    const etag = `"${model.parameters_sha256.slice(0, 22)}-${hash.toString('base64url').slice(0, 22)}"`;
    // Without a version the next training changes the answer, so it is asked for again; with one it never changes.
    const lasting = url.model === undefined ? 'private, no-cache' : 'private, max-age=31536000, immutable';
    const headers: Record<string, string> = { etag, 'cache-control': lasting };
    headers['implicam-model'] = String(model.version);
    if (negotiated) headers.vary = 'Accept';
    if (matches(c, etag)) return c.body(null, 304, headers);
    const { type, bytes, content } = await renders.get(db, { tenant, session, model, query, hash });
    const body = content instanceof Uint8Array ? content : toWebStream(content);
    return c.body(body, 200, { ...headers, 'content-type': type, 'content-length': String(bytes) });
  });
}

/** Whether the client has it (RFC 9110 §13.1.2). */
export function matches(c: AppContext, etag: string): boolean {
  const field = c.req.header('if-none-match');
  if (field === undefined) return false;
  return field.trim() === '*' || field.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** A model of a session. @throws ImplicamError `model-missing` */
export async function readModel(
  db: Db,
  session: string,
  version: number | undefined,
): Promise<Selectable<ModelTable>> {
  let query = db.selectFrom('models').selectAll().where('session', '=', session);
  if (version !== undefined) query = query.where('version', '=', version);
  const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
  if (row) return row;
  const what = version === undefined ? 'no trained model yet' : `no model of version ${version}`;
  throw refusal(404, 'model-missing', `the session has ${what}: train it first, and wait for its end`);
}
