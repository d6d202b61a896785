import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKey } from '../../edge-api/keys/keys.js';
import { bundleViewer } from '../../edge-api/page/bundle.mjs';
import { readPages, servePages } from '../../edge-api/page/serve.js';
import type { RenderGateway } from '../../edge-api/renders/gateway.js';
import { startServer } from '../../edge-api/runtime/node.js';
import { chooseEngine } from '../../engine/choose.js';
import { RenderQueue } from '../../runner/renders/queue.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { startDeveloper } from './developer.js';

/** The web page over the real API, a real database and a real engine. */
export interface Studio {
  readonly url: string;
  readonly database: TestDatabase;
  /** What the service logged as an error. */
  readonly errors: string[];
  /** Renders that were made, not taken from the cache. */
  renders(): number;
  key(tenant?: string): Promise<string>;
  /** Keeps trainings from ending until `release` is called. */
  hold(): { release(): void };
  close(): Promise<void>;
}

export async function openStudio(): Promise<Studio> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'implicam-studio-'));
  const objects = createFolderStore(join(folder, 'objects'));
  await bundleViewer(join(folder, 'page'));
  const pages = servePages(await readPages(join(folder, 'page')));
  const { gateway, desk } = await openGateway(objects);
  const errors: string[] = [];
  const server = await startServer({
    databaseUrl: database.url,
    objects,
    gateway,
    pages,
    port: 0,
    version: '0.0.0',
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (fields, message) => errors.push(`${message}: ${String((fields as { err?: unknown }).err)}`),
    },
  });
  let held = Promise.resolve();
  let release = (): void => undefined;
  const developer = startDeveloper(database.db, objects, () => held);
  return {
    url: server.url,
    database,
    errors,
    renders: () => desk.rendered,
    async key(tenant = 'acme') {
      return (await createKey(database.db, { tenant, name: 'browser' })).secret;
    },
    hold() {
      held = new Promise((done) => {
        release = done;
      });
      return { release: () => release() };
    },
    async close() {
      release();
      await server.close();
      await developer.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Renders as a runner does, without the wire between. */
async function openGateway(objects: ObjectStore): Promise<{ gateway: RenderGateway; desk: RenderQueue }> {
  const desk = new RenderQueue(await chooseEngine({}), objects, 2 ** 28);
  const gateway: RenderGateway = {
    render: ({ model, query }, signal) =>
      desk.render({ model, query: JSON.stringify(query) }, () => signal.aborted),
    healthy: () => Promise.resolve(true),
  };
  return { gateway, desk };
}
