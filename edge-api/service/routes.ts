import { createRoute, z } from '@hono/zod-openapi';
import { isMigrated } from '../../migrations/migrate.js';
import type { App, Deps } from '../context.js';
import { refusal } from '../http/refusal.js';
import { jsonAnswer, readySchema, refused } from '../schemas.js';
import { docsPage } from './docs-page.js';

const tags = ['Service'];
const security: [] = [];
/** What readiness waits for a part to answer. */
const PROBE_SECONDS = 3;

const health = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'health',
  summary: 'Whether this process is alive',
  tags,
  security,
  responses: { 200: jsonAnswer('It is', z.object({ status: z.literal('ok'), version: z.string() })) },
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'ready',
  summary: 'Whether this process can serve: database, object store; and who renders',
  tags,
  security,
  responses: {
    200: jsonAnswer('It can', readySchema),
    503: jsonAnswer('It cannot', readySchema),
  },
});

const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'metrics',
  summary: 'Counters in the format of Prometheus',
  tags,
  security,
  responses: {
    200: { description: 'Counters', content: { 'text/plain': { schema: z.string() } } },
    ...refused,
  },
});

export function addServiceRoutes(app: App, deps: Deps): void {
  app.openapi(health, (c) => c.json({ status: 'ok' as const, version: deps.version }, 200));

  app.openapi(ready, async (c) => {
    const parts = {
      database: await probe(() => probeDatabase(deps)),
      objects: await probe(async () => void (await deps.objects.list('readiness-probe/'))),
      renders: await probe(async () => {
        if (!(await deps.gateway.healthy(AbortSignal.timeout(1000 * PROBE_SECONDS)))) throw new Error('away');
      }),
    };
    // Without a renderer everything but renders can be served, training included once it is back.
    const isReady = parts.database === 'ok' && parts.objects === 'ok';
    c.header('cache-control', 'no-store');
    return isReady ? c.json({ ready: true, parts }, 200) : c.json({ ready: false, parts }, 503);
  });

  app.openapi(metrics, async (c) => {
    if (!deps.metrics) throw refusal(404, 'not-found', 'this process keeps no counters');
    const { type, text } = await deps.metrics.expose();
    return c.text(text, 200, { 'content-type': type });
  });

  let page: string | undefined;
  let document: string | undefined;
  const read = (): string => {
    document ??= JSON.stringify(openApiDocument(app, deps.version));
    return document;
  };
  app.get('/openapi.json', (c) => c.body(read(), 200, { 'content-type': 'application/json' }));
  app.get('/docs', (c) => {
    page ??= docsPage(JSON.parse(read()));
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return c.html(page);
  });
}

async function probe(work: () => Promise<void>): Promise<string> {
  try {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), 1000 * PROBE_SECONDS);
    });
    await Promise.race([work(), late]).finally(() => clearTimeout(timer));
    return 'ok';
  } catch {
    return 'away';
  }
}

async function probeDatabase(deps: Deps): Promise<void> {
  const { db, close } = deps.connect();
  try {
    if (!(await isMigrated(db))) throw new Error('not migrated');
  } finally {
    await close();
  }
}

/** The OpenAPI 3.1 document of everything that the app serves. */
export function openApiDocument(app: App, version: string) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'implicam',
      version,
      description:
        'Photographs of one scene in; a scene and a camera learned; then renders that no photograph shows. Begin a ' +
        'session, send its photographs, start the training, follow the events, ask for renders. Every error is ' +
        'application/problem+json with a message for people and a stable code for programs.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ key: [] }],
    tags: [
      { name: 'Sessions', description: 'A scene and all that happens to it' },
      { name: 'Photographs', description: 'Sent in any order, in one piece or resumably' },
      { name: 'Training', description: 'From photographs to a model' },
      { name: 'Events', description: 'What happens, as it happens, and again for who was away' },
      { name: 'Results', description: 'Renders on demand, models and files' },
      { name: 'Webhooks', description: 'Events sent to a server of yours' },
      { name: 'Keys', description: 'Who may call' },
      { name: 'Service', description: 'For those who run it' },
    ],
  });
}
