import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import type { Selectable } from 'kysely';
import { EVENT_TYPES, eventSchemas } from '../../database/events.js';
import type { EventTable } from '../../migrations/schema.js';
import type { App, AppContext, Deps } from '../context.js';
import { toWebStream } from '../http/body.js';
import type { BusyCounter } from '../http/busy.js';
import { refusal } from '../http/refusal.js';
import { type EventResource, eventSchema, refused, sessionParams } from '../schemas.js';
import { readSession } from '../sessions/sessions.js';

const tags = ['Events'];
/** Events read at a time. */
const PAGE = 200;

const eventList = EVENT_TYPES.map((type) => `- \`${type}\`: ${eventSchemas[type].description}`).join('\n');

const listEvents = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/events',
  operationId: 'listEvents',
  summary: 'Follow what happens to a session',
  description:
    'With `Accept: text/event-stream` a stream of server-sent events that goes on, from the first or from behind ' +
    `Last-Event-ID; else a list of those that there are. Event types:\n\n${eventList}`,
  tags,
  request: {
    params: sessionParams,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0).describe('only events behind this number'),
      limit: z.coerce.number().int().min(1).max(PAGE).default(PAGE),
    }),
    headers: z.object({ 'last-event-id': z.coerce.number().int().min(0).optional() }),
  },
  responses: {
    200: {
      description: 'Events in order',
      content: {
        'application/json': { schema: z.array(eventSchema) },
        'text/event-stream': { schema: z.string().describe('data: an Event as JSON') },
      },
    },
    ...refused,
  },
});

const getPreview = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/events/{event}/preview',
  operationId: 'getPreview',
  summary: 'Get the picture of a preview event',
  tags,
  request: {
    params: sessionParams.extend({
      event: z.coerce
        .number()
        .int()
        .min(1)
        .openapi({ param: { name: 'event', in: 'path' } }),
    }),
  },
  responses: {
    200: {
      description: 'The picture',
      content: { 'image/*': { schema: z.any().openapi({ type: 'string', format: 'binary' }) } },
    },
    ...refused,
  },
});

export function addEventRoutes(app: App, deps: Deps, streams: BusyCounter): void {
  app.openapi(listEvents, async (c) => {
    const { session } = c.req.valid('param');
    const { after, limit } = c.req.valid('query');
    const { tenant } = c.get('principal');
    await readSession(c.get('db'), tenant, session);
    if (/\btext\/event-stream\b/.test(c.req.header('accept') ?? '')) {
      const last = c.req.valid('header')['last-event-id'] ?? after;
      return streamEvents(c, deps, streams, session, last) as never;
    }
    const rows = await readEvents(deps, session, after, limit);
    c.header('cache-control', 'no-store');
    return c.json(rows.map(presentEvent), 200);
  });

  app.openapi(getPreview, async (c) => {
    const { session, event } = c.req.valid('param');
    await readSession(c.get('db'), c.get('principal').tenant, session);
    const row = await c
      .get('db')
      .selectFrom('events')
      .select('data')
      .where('session', '=', session)
      .where('number', '=', event)
      .where('type', '=', 'preview')
      .executeTakeFirst();
    const data = eventSchemas.preview.safeParse(row?.data).data;
    if (!data) throw refusal(404, 'preview-missing', `event ${event} has no picture: see the list of events`);
    return c.body(toWebStream(await deps.objects.stream(data.key)), 200, {
      'content-type': data.type,
      'cache-control': 'private, max-age=31536000, immutable',
    });
  });
}

/** On connections of its own: a stream outlives the request that began it. */
async function readEvents(deps: Deps, session: string, after: number, limit: number) {
  const { db, close } = deps.connect();
  try {
    return await db
      .selectFrom('events')
      .selectAll()
      .where('session', '=', session)
      .where('number', '>', after)
      .orderBy('number')
      .limit(limit)
      .execute();
  } finally {
    await close();
  }
}

/**
 * Events as they come, from behind `last` on: read from the database, whoever wakes us, so that none is lost and none
 * comes twice. Ends after a while; the client comes back with the number of its last event.
 */
function streamEvents(
  c: AppContext,
  deps: Deps,
  streams: BusyCounter,
  session: string,
  last: number,
): Response {
  const { limits, waker, metrics, log } = deps;
  const leave = streams.enter(c.get('principal').tenant);
  const follower = waker.follow(session);
  const requestId = c.get('requestId');
  metrics?.streams(1);
  // Proxies must not hold events back.
  c.header('x-accel-buffering', 'no');
  return streamSSE(
    c,
    async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      const end = performance.now() + 1000 * limits.streamSeconds;
      // For a client that stays connected and reads nothing, whom the loop below waits for.
      const stalled = setTimeout(() => stream.abort(), 1000 * (limits.streamSeconds + 60));
      let at = last;
      try {
        await stream.write(': follow\nretry: 2000\n\n');
        while (!ended.signal.aborted && performance.now() < end) {
          const rows = await readEvents(deps, session, at, PAGE);
          for (const row of rows) {
            await stream.writeSSE({
              id: String(row.number),
              event: row.type,
              data: JSON.stringify(presentEvent(row)),
            });
            at = row.number;
          }
          if (rows.length === PAGE) continue;
          await follower.wait(1000 * limits.heartbeatSeconds, ended.signal);
          if (!ended.signal.aborted) await stream.write(': here\n\n');
        }
      } finally {
        ended.abort();
        clearTimeout(stalled);
        follower.close();
        leave();
        metrics?.streams(-1);
      }
    },
    async (err) => {
      log.warn({ requestId, session, err }, 'an event stream broke off');
    },
  );
}

/** What clients see of an event: where its picture is in place of the key in our store. */
export function presentEvent(row: Selectable<EventTable>): EventResource {
  const { key, ...data } = row.data;
  const preview =
    key === undefined ? {} : { href: `/v1/sessions/${row.session}/events/${row.number}/preview` };
  return {
    number: row.number,
    type: row.type as EventResource['type'],
    at: row.created_at.toISOString(),
    data: { ...data, ...preview },
  };
}
