import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import { appendTo } from '../../database/append-events.js';
import type { App } from '../context.js';
import { once } from '../http/idempotency.js';
import { refusal } from '../http/refusal.js';
import {
  idempotencyHeader,
  jsonAnswer,
  jsonBody,
  newSessionSchema,
  refused,
  sessionListSchema,
  sessionParams,
  sessionSchema,
} from '../schemas.js';
import { lockSession, lockTenant, presentSession, readSession, selectSessions } from './sessions.js';

const tags = ['Sessions'];

const createSession = createRoute({
  method: 'post',
  path: '/v1/sessions',
  operationId: 'createSession',
  summary: 'Begin a session',
  tags,
  request: { headers: idempotencyHeader, body: jsonBody(newSessionSchema, false) },
  responses: { 201: jsonAnswer('The session, without photographs yet', sessionSchema), ...refused },
});

const listSessions = createRoute({
  method: 'get',
  path: '/v1/sessions',
  operationId: 'listSessions',
  summary: 'List sessions, the newest first',
  tags,
  request: {
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      after: z.string().max(200).optional().describe('`next` of the list before'),
    }),
  },
  responses: { 200: jsonAnswer('Sessions', sessionListSchema), ...refused },
});

const getSession = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}',
  operationId: 'getSession',
  summary: 'Get a session',
  tags,
  request: { params: sessionParams },
  responses: { 200: jsonAnswer('The session', sessionSchema), ...refused },
});

const deleteSession = createRoute({
  method: 'delete',
  path: '/v1/sessions/{session}',
  operationId: 'deleteSession',
  summary: 'Delete a session',
  description: 'Photographs, models, renders and events go for good; training stops first.',
  tags,
  request: { params: sessionParams },
  responses: { 204: { description: 'It is gone' }, ...refused },
});

export function addSessionRoutes(app: App): void {
  app.openapi(createSession, async (c) => {
    const request = newSessionSchema.parse(c.req.valid('json') ?? {});
    const { tenant, maxSessions } = c.get('principal');
    const { body } = await once(c, request, async (tx) => {
      await lockTenant(tx, tenant);
      const { count } = await tx
        .selectFrom('sessions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant', '=', tenant)
        .where('state', '<>', 'deleting')
        .executeTakeFirstOrThrow();
      if (count >= maxSessions) {
        throw refusal(
          403,
          'quota-sessions',
          `this key keeps at most ${maxSessions} sessions: delete some first`,
        );
      }
      const { preset, quality, notes, gps } = request;
      const { id } = await tx
        .insertInto('sessions')
        .values({ tenant, preset, quality, notes, gps })
        .returning('id')
        .executeTakeFirstOrThrow();
      await appendTo(tx, id, [{ type: 'created', data: {} }]);
      return { status: 201, body: presentSession(await readSession(tx, tenant, id)) };
    });
    c.header('location', `/v1/sessions/${body.id}`);
    return c.json(body, 201);
  });

  app.openapi(listSessions, async (c) => {
    const { limit, after } = c.req.valid('query');
    let query = selectSessions(c.get('db'), c.get('principal').tenant)
      .orderBy('s.created_at', 'desc')
      .orderBy('s.id', 'desc')
      .limit(limit + 1);
    if (after !== undefined) {
      const [at, id] = readCursor(after);
      query = query.where(sql<boolean>`(s.created_at, s.id) < (${at}::timestamptz, ${id}::uuid)`);
    }
    const rows = await query.select(sql<string>`s.created_at::text`.as('exact')).execute();
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const next = last ? Buffer.from(`${last.exact}|${last.id}`).toString('base64url') : null;
    return c.json({ sessions: page.map(presentSession), next }, 200);
  });

  app.openapi(getSession, async (c) => {
    const { session } = c.req.valid('param');
    return c.json(presentSession(await readSession(c.get('db'), c.get('principal').tenant, session)), 200);
  });

  app.openapi(deleteSession, async (c) => {
    const { session } = c.req.valid('param');
    // Its objects are taken away by the maintenance, once nobody holds the session any more.
    await c
      .get('db')
      .transaction()
      .execute(async (tx) => {
        await lockSession(tx, c.get('principal').tenant, session);
        await tx
          .updateTable('sessions')
          .set({ state: 'deleting', updated_at: sql`now()` })
          .where('id', '=', session)
          .execute();
      });
    return c.body(null, 204);
  });
}

function readCursor(text: string): [string, string] {
  const [at, id] = Buffer.from(text, 'base64url').toString().split('|');
  const wellFormed = /^[\d-]{10} [\d:.]+[+-][\d:]+$/.test(at ?? '') && /^[0-9a-f-]{36}$/.test(id ?? '');
  if (!wellFormed)
    throw refusal(400, 'invalid-request', 'query: after: not what a list gave: begin anew without it');
  return [at, id];
}
