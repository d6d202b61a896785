import { randomBytes } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import type { Db } from '../../database/connection.js';
import type { App, Deps } from '../context.js';
import { refusal } from '../http/refusal.js';
import {
  jsonAnswer,
  jsonBody,
  madeWebhookSchema,
  newWebhookSchema,
  refused,
  uuid,
  webhookSchema,
} from '../schemas.js';
import { lockTenant } from '../sessions/sessions.js';

const tags = ['Webhooks'];
const webhookParams = z.object({ webhook: uuid.openapi({ param: { name: 'webhook', in: 'path' } }) });

const createWebhook = createRoute({
  method: 'post',
  path: '/v1/webhooks',
  operationId: 'createWebhook',
  summary: 'Have events sent to a URL',
  description:
    'Each event is a POST of JSON, at least once, with back-off for a day. Check `Implicam-Signature`: `v1=` and the hex ' +
    'HMAC-SHA256, by the secret, of `Implicam-Timestamp`, a dot and the body; refuse old timestamps.',
  tags,
  request: { body: jsonBody(newWebhookSchema) },
  responses: {
    201: jsonAnswer('The webhook and its secret, shown this once', madeWebhookSchema),
    ...refused,
  },
});

const listWebhooks = createRoute({
  method: 'get',
  path: '/v1/webhooks',
  operationId: 'listWebhooks',
  summary: 'List webhooks, and how their deliveries go',
  tags,
  responses: { 200: jsonAnswer('Webhooks', z.array(webhookSchema)), ...refused },
});

const getWebhook = createRoute({
  method: 'get',
  path: '/v1/webhooks/{webhook}',
  operationId: 'getWebhook',
  summary: 'Get a webhook, and how its deliveries go',
  tags,
  request: { params: webhookParams },
  responses: { 200: jsonAnswer('The webhook', webhookSchema), ...refused },
});

const deleteWebhook = createRoute({
  method: 'delete',
  path: '/v1/webhooks/{webhook}',
  operationId: 'deleteWebhook',
  summary: 'Send nothing more to a URL',
  tags,
  request: { params: webhookParams },
  responses: { 204: { description: 'It is gone, with what was still to be sent' }, ...refused },
});

export function addWebhookRoutes(app: App, deps: Deps): void {
  app.openapi(createWebhook, async (c) => {
    const { url, events } = c.req.valid('json');
    const { tenant } = c.get('principal');
    if (!deps.privateWebhooks && !url.startsWith('https:')) {
      throw refusal(422, 'webhook-address', 'webhooks go to https addresses only: give one');
    }
    const secret = `whsec_${randomBytes(32).toString('base64url')}`;
    const id = await c
      .get('db')
      .transaction()
      .execute(async (tx) => {
        await lockTenant(tx, tenant);
        const { count } = await tx
          .selectFrom('webhooks')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('tenant', '=', tenant)
          .executeTakeFirstOrThrow();
        if (count >= deps.limits.webhooks) {
          throw refusal(
            403,
            'quota-webhooks',
            `at most ${deps.limits.webhooks} webhooks are kept: delete one first`,
          );
        }
        const row = await tx
          .insertInto('webhooks')
          .values({ tenant, url, secret, events: [...new Set(events)] })
          .returning('id')
          .executeTakeFirstOrThrow();
        return row.id;
      });
    const [row] = await readWebhooks(c.get('db'), tenant, id);
    return c.json({ ...row, secret }, 201);
  });

  app.openapi(listWebhooks, async (c) =>
    c.json(await readWebhooks(c.get('db'), c.get('principal').tenant), 200),
  );

  app.openapi(getWebhook, async (c) => {
    const { webhook } = c.req.valid('param');
    const [row] = await readWebhooks(c.get('db'), c.get('principal').tenant, webhook);
    if (!row) throw webhookMissing(webhook);
    return c.json(row, 200);
  });

  app.openapi(deleteWebhook, async (c) => {
    const { webhook } = c.req.valid('param');
    const gone = await c
      .get('db')
      .deleteFrom('webhooks')
      .where('id', '=', webhook)
      .where('tenant', '=', c.get('principal').tenant)
      .returning('id')
      .executeTakeFirst();
    if (!gone) throw webhookMissing(webhook);
    return c.body(null, 204);
  });
}

const webhookMissing = (id: string) =>
  refusal(404, 'webhook-missing', `there is no webhook ${id}: see the list of webhooks`);

async function readWebhooks(db: Db, tenant: string, id?: string): Promise<z.infer<typeof webhookSchema>[]> {
  let query = db
    .selectFrom('webhooks as w')
    .selectAll('w')
    .select([
      sql<number>`(select count(*) from webhook_outbox o where o.webhook = w.id
        and o.delivered_at is null and o.failed_at is null)`.as('waiting'),
      sql<number>`(select count(*) from webhook_outbox o where o.webhook = w.id and o.failed_at is not null)`.as(
        'failed',
      ),
      sql<string | null>`(select o.last_result from webhook_outbox o where o.webhook = w.id
        and o.last_result is not null order by o.id desc limit 1)`.as('last_result'),
    ])
    .where('w.tenant', '=', tenant)
    .orderBy('w.created_at');
  if (id !== undefined) query = query.where('w.id', '=', id);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    url: row.url,
    events: row.events,
    active: row.active,
    waiting: row.waiting,
    failed: row.failed,
    lastResult: row.last_result,
    createdAt: row.created_at.toISOString(),
  }));
}
