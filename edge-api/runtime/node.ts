import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { openDatabase } from '../../database/connection.js';
import { listen } from '../../database/listener.js';
import type { ObjectStore } from '../../store/objects.js';
import { createApp } from '../app.js';
import type { Deps, Log } from '../context.js';
import { createNotifiedWaker } from '../events/waker.js';
import { defaultLimits, type Limits } from '../limits.js';
import { createDecodingInspector } from '../photographs/inspect-decode.js';
import type { RenderGateway } from '../renders/gateway.js';
import { maintain } from '../service/maintenance.js';
import { createMetrics } from '../service/metrics.js';
import { deliverWebhooks } from '../webhooks/deliver.js';
import { createWebhookSender } from '../webhooks/send.js';

export interface ServerOptions {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
  readonly gateway: RenderGateway;
  readonly log: Log;
  readonly version: string;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default 8787; 0: any that is free */
  readonly port?: number;
  /** @default 10 */
  readonly connections?: number;
  readonly limits?: Partial<Limits>;
  readonly origins?: readonly string[];
  readonly privateWebhooks?: boolean;
  readonly pages?: Deps['pages'];
  /** Seconds between rounds of maintenance. @default 30 */
  readonly maintenanceSeconds?: number;
}

export interface RunningServer {
  /** Where it answers: http://HOST:PORT */
  readonly url: string;
  /** Takes no more requests, lets those in progress end (10 s at most), and closes everything. */
  close(): Promise<void>;
}

/** Seconds for requests in progress when the server closes; event streams are ended at once, their clients come back. */
const CLOSE_SECONDS = 10;

/** The API on Node: HTTP, the database's announcements, webhooks and maintenance. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { log, objects } = options;
  const limits = { ...defaultLimits, ...options.limits };
  let closing = false;
  const lost = (err: Error): void => {
    if (!closing) log.warn({ err }, 'a connection to the database was lost');
  };
  const db = openDatabase(options.databaseUrl, {
    connections: options.connections ?? 10,
    name: 'implicam api',
    onConnectionLost: lost,
  });
  const waker = createNotifiedWaker();
  const send = createWebhookSender(options.privateWebhooks ?? false);
  const webhooks = inTurn(async () => void (await deliverWebhooks(db, send, log)), log, 'webhooks');
  const tidying = inTurn(() => maintain(db, objects, limits, log), log, 'maintenance');
  const listener = listen(options.databaseUrl, {
    channels: ['implicam_events', 'implicam_webhooks', 'implicam_sessions'],
    onConnectionLost: lost,
    onWake(channel, payload) {
      if (channel === 'implicam_events') waker.notify(payload?.split(':')[0]);
      else if (channel === 'implicam_webhooks') webhooks.run();
      else if (channel === 'implicam_sessions') {
        if (payload?.includes('"deleting"')) tidying.run();
      } else {
        waker.notify();
        webhooks.run();
      }
    },
  });
  const timer = setInterval(() => tidying.run(), 1000 * (options.maintenanceSeconds ?? 30));
  tidying.run();

  const app = createApp({
    connect: () => ({ db, close: () => Promise.resolve() }),
    objects,
    gateway: options.gateway,
    photographs: createDecodingInspector(limits),
    waker,
    limits,
    log,
    metrics: createMetrics(),
    origins: options.origins ?? [],
    version: options.version,
    privateWebhooks: options.privateWebhooks ?? false,
    ...(options.pages ? { pages: options.pages } : {}),
  });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      // Bodies have deadlines of their own (body.ts): a large photograph may take longer than Node's five minutes.
      requestTimeout: 3_600_000,
      headersTimeout: 20_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
    },
  }) as Server;
  server.maxConnections = 4000;
  await new Promise<void>((done, failed) =>
    server.once('error', failed).listen(options.port ?? 8787, options.host ?? '127.0.0.1', done),
  );
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      clearInterval(timer);
      await closeServer(server);
      closing = true;
      await listener.close();
      await Promise.all([webhooks.idle(), tidying.idle()]);
      await db.destroy();
    },
  };
}

/** Runs something once at a time; asked for while it runs, it runs once more. */
function inTurn(work: () => Promise<void>, log: Log, what: string) {
  let running: Promise<void> | undefined;
  let again = false;
  const loop = async (): Promise<void> => {
    do {
      again = false;
      await work().catch((err: unknown) => log.warn({ err }, `${what} failed: tried again later`));
    } while (again);
    running = undefined;
  };
  return {
    run(): void {
      if (running) again = true;
      else running = loop();
    },
    idle: async () => {
      again = false;
      await running;
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 1000 * CLOSE_SECONDS);
  await closed;
  clearTimeout(timer);
}
