import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { App, AppContext, AppEnv, Deps } from './context.js';
import { addEventRoutes } from './events/routes.js';
import { readBody } from './http/body.js';
import { BusyCounter } from './http/busy.js';
import { invalid, problemResponse } from './http/problem.js';
import { refusal } from './http/refusal.js';
import { authenticate } from './keys/authenticate.js';
import { addKeyRoutes } from './keys/routes.js';
import { addFrameRoutes } from './photographs/routes.js';
import { addRenderRoutes } from './renders/routes.js';
import { addResultRoutes } from './results/routes.js';
import { addServiceRoutes } from './service/routes.js';
import { addSessionRoutes } from './sessions/routes.js';
import { addTrainingRoutes } from './training/routes.js';
import { addUploadRoutes, tusOptions } from './uploads/routes.js';
import { addWebhookRoutes } from './webhooks/routes.js';

/**
 * The whole HTTP API. It keeps no state of its own but counters of what goes on in this process: any number of
 * processes may serve one database.
 *
 * @example
 * const app = createApp(deps);
 * const response = await app.request('/v1/sessions', { headers: { authorization: `Bearer ${key}` } });
 */
export function createApp(deps: Deps): App {
  const app: App = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      if (result.success) return;
      const { target, error } = result;
      const { data } = result as { data?: unknown };
      throw invalid({ target, schema: schemaOf(app, c, target), data, issues: error.issues });
    },
  });
  app.onError((error, c) => problemResponse(c, error, deps.log));
  app.notFound(async (c) => {
    const page = c.req.path.startsWith('/v1/') ? undefined : await deps.pages?.(c.req.raw);
    if (page) return page;
    throw refusal(404, 'not-found', `there is nothing at ${c.req.path}: see /docs`);
  });

  app.use(requestId(), observe(deps), secureHeaders(SECURE_HEADERS), strictTransport);
  app.options('/v1/sessions/:session/uploads/:upload?', async (c, next) => {
    for (const [name, value] of Object.entries(tusOptions(deps))) c.header(name, value);
    if (c.req.header('access-control-request-method') === undefined) return c.body(null, 204);
    await next();
  });
  app.use('/v1/*', cors(corsOptions(deps)), withDatabase(deps), authenticate, boundedBody(deps));

  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: `implicam keys create`, or createKey.',
  });
  const uploads = new BusyCounter('uploads', deps.limits.uploadsPerTenant);
  const streams = new BusyCounter('event streams', deps.limits.streamsPerTenant, deps.limits.streams);
  addSessionRoutes(app);
  addFrameRoutes(app, deps, uploads);
  addUploadRoutes(app, deps, uploads);
  addTrainingRoutes(app);
  addEventRoutes(app, deps, streams);
  addRenderRoutes(app, deps);
  addResultRoutes(app, deps);
  addWebhookRoutes(app, deps);
  addKeyRoutes(app);
  addServiceRoutes(app, deps);
  return app;
}

/** What a route declares of one part of its requests. */
function schemaOf(app: App, c: AppContext, target: string): z.core.$ZodType | undefined {
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path, request } = definition.route;
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    if (method !== c.req.method.toLowerCase() || pattern !== routePath(c, -1)) continue;
    const body = request?.body?.content['application/json'];
    const json = body && 'schema' in body ? body.schema : undefined;
    const { params: param, query, headers: header } = request ?? {};
    const declared = { param, query, header, json }[target];
    return declared && '_zod' in declared ? (declared as unknown as z.core.$ZodType) : undefined;
  }
  return undefined;
}

const SECURE_HEADERS = {
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
  strictTransportSecurity: false,
} as const;

/** HSTS where the client came by TLS, here or at a proxy (RFC 6797 §7.2: never over plain HTTP). */
const strictTransport: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const scheme = c.req.header('x-forwarded-proto') ?? new URL(c.req.url).protocol.slice(0, -1);
  if (scheme === 'https') c.header('strict-transport-security', 'max-age=15552000; includeSubDomains');
};

/** What pages of other origins may send and see. Keys travel in a header, never in cookies. */
function corsOptions(deps: Deps) {
  return {
    origin: deps.origins.includes('*') ? '*' : [...deps.origins],
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: [
      ...['Authorization', 'Content-Type', 'Content-Digest', 'Idempotency-Key', 'Last-Event-ID'],
      ...['If-None-Match', 'Range', 'Tus-Resumable', 'Upload-Length', 'Upload-Metadata', 'Upload-Offset'],
    ],
    exposeHeaders: [
      ...['Location', 'ETag', 'Retry-After', 'X-Request-Id', 'RateLimit-Remaining', 'Content-Range'],
      ...['Implicam-Model', 'Tus-Resumable', 'Upload-Offset', 'Upload-Length', 'Upload-Expires'],
    ],
    maxAge: 3600,
  };
}

/** One line and one count for each request; never headers, queries or bodies, which may hold secrets. */
function observe({ log, metrics }: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const began = performance.now();
    await next();
    const seconds = (performance.now() - began) / 1000;
    const { method, path } = c.req;
    const { status } = c.res;
    metrics?.request(routePath(c, -1), method, status, seconds);
    const principal = c.get('principal');
    const who = principal ? { tenant: principal.tenant, key: principal.key } : {};
    const milliseconds = Math.round(1000 * seconds);
    log.info({ requestId: c.get('requestId'), method, path, status, milliseconds, ...who }, 'request');
  };
}

/** Connections for the request, given back at its end. */
function withDatabase(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { db, close } = deps.connect();
    c.set('db', db);
    try {
      await next();
    } finally {
      await close();
    }
  };
}

const BINARY = /^\/v1\/sessions\/[^/]+\/(frames\/[^/]+|uploads\/[^/]+)$/;

/**
 * Reads bodies that are not photographs whole before anything looks at them, within bounds of size and time. (Hono's
 * body-limit bounds the size alone.)
 */
function boundedBody({ limits }: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { method, raw } = c.req;
    const photograph =
      BINARY.test(c.req.path) &&
      (method === 'PUT' || (method === 'PATCH' && c.req.path.includes('/uploads/')));
    if (raw.body && !photograph) {
      const pieces: Uint8Array[] = [];
      for await (const piece of readBody(raw, limits.jsonBytes, limits)) pieces.push(piece);
      const { url, headers, signal } = raw;
      c.req.raw = new Request(url, { method, headers, signal, body: Buffer.concat(pieces) });
    }
    await next();
  };
}
