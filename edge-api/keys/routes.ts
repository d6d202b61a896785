import { createRoute, z } from '@hono/zod-openapi';
import type { Selectable } from 'kysely';
import type { ApiKeyTable } from '../../migrations/schema.js';
import type { App, Principal } from '../context.js';
import { refusal } from '../http/refusal.js';
import { jsonAnswer, jsonBody, keySchema, madeKeySchema, newKeySchema, refused, uuid } from '../schemas.js';
import { type KeyLimits, listKeys as list, createKey as make, revokeKey as revoke } from './keys.js';

const tags = ['Keys'];

const createKey = createRoute({
  method: 'post',
  path: '/v1/keys',
  operationId: 'createKey',
  summary: 'Make an API key',
  description: "The key sees what the caller's key sees; its limits are the caller's or less.",
  tags,
  request: { body: jsonBody(newKeySchema) },
  responses: { 201: jsonAnswer('The key, shown this once', madeKeySchema), ...refused },
});

const listKeys = createRoute({
  method: 'get',
  path: '/v1/keys',
  operationId: 'listKeys',
  summary: 'List API keys',
  tags,
  responses: { 200: jsonAnswer('Keys, revoked ones too', z.array(keySchema)), ...refused },
});

const revokeKey = createRoute({
  method: 'delete',
  path: '/v1/keys/{key}',
  operationId: 'revokeKey',
  summary: 'Revoke an API key',
  tags,
  request: { params: z.object({ key: uuid.openapi({ param: { name: 'key', in: 'path' } }) }) },
  responses: { 204: { description: 'It is refused from now on' }, ...refused },
});

export function addKeyRoutes(app: App): void {
  app.openapi(createKey, async (c) => {
    const principal = requireManager(c.get('principal'));
    const { name, managesKeys, expiresAt, ...asked } = c.req.valid('json');
    const { row, secret } = await make(c.get('db'), {
      tenant: principal.tenant,
      name,
      managesKeys,
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      ...withinOwn(principal, asked),
    });
    return c.json({ ...presentKey(row), key: secret }, 201);
  });

  app.openapi(listKeys, async (c) => {
    const { tenant } = requireManager(c.get('principal'));
    return c.json((await list(c.get('db'), tenant)).map(presentKey), 200);
  });

  app.openapi(revokeKey, async (c) => {
    const { tenant } = requireManager(c.get('principal'));
    const { key } = c.req.valid('param');
    if (!(await revoke(c.get('db'), key, tenant))) {
      throw refusal(404, 'key-missing', `there is no key ${key}: see the list of keys`);
    }
    return c.body(null, 204);
  });
}

function requireManager(principal: Principal): Principal {
  if (principal.managesKeys) return principal;
  throw refusal(
    403,
    'key-not-manager',
    'this key may not manage keys: use one that was made with managesKeys',
  );
}

/** Limits as asked for; what is not asked for is as the maker's, and nobody gives more than they have. */
function withinOwn(own: Principal, asked: { [K in keyof KeyLimits]?: number | undefined }): KeyLimits {
  const limit = (name: keyof KeyLimits): number => {
    const value = asked[name] ?? own[name];
    if (value <= own[name]) return value;
    throw refusal(403, 'quota-exceeds-own', `${name} can be at most ${own[name]}, as of this key`);
  };
  return {
    ratePerMinute: limit('ratePerMinute'),
    burst: limit('burst'),
    maxSessions: limit('maxSessions'),
    maxBytes: limit('maxBytes'),
    maxActive: limit('maxActive'),
  };
}

function presentKey(row: Selectable<ApiKeyTable>): z.infer<typeof keySchema> {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    managesKeys: row.manages_keys,
    ratePerMinute: row.rate_per_minute,
    burst: row.burst,
    maxSessions: row.max_sessions,
    maxBytes: row.max_bytes,
    maxActive: row.max_active,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
