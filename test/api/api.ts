import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from '../../database/listener.js';
import { createApp } from '../../edge-api/app.js';
import type { App, Deps, Log } from '../../edge-api/context.js';
import { createNotifiedWaker } from '../../edge-api/events/waker.js';
import { createKey, type NewKey } from '../../edge-api/keys/keys.js';
import { defaultLimits, type Limits } from '../../edge-api/limits.js';
import { createDecodingInspector } from '../../edge-api/photographs/inspect-decode.js';
import { noGateway } from '../../edge-api/renders/gateway.js';
import { createFolderStore } from '../../store/folder.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

/** The app over a real database and a real object store, without a socket. */
export interface TestApi extends TestDatabase {
  readonly app: App;
  readonly deps: Deps;
  /** What was logged as a warning or an error. */
  readonly complaints: { readonly message: string; readonly fields: object }[];
  /** Makes a key. */
  key(options?: Partial<NewKey>): Promise<string>;
  /** A request with a key; an object as body is sent as JSON. */
  call(key: string | undefined, method: string, path: string, options?: CallOptions): Promise<Response>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export async function testApi(
  overrides: Partial<Omit<Deps, 'limits'>> & { limits?: Partial<Limits> } = {},
): Promise<TestApi> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'implicam-api-'));
  const limits = { ...defaultLimits, ...overrides.limits };
  const waker = createNotifiedWaker();
  const listener = listen(database.url, {
    channels: ['implicam_events'],
    onWake: (_, payload) => waker.notify(payload?.split(':')[0]),
  });
  const complaints: TestApi['complaints'] = [];
  const complain = (fields: object, message: string): void => {
    complaints.push({ fields, message });
  };
  const log: Log = { info: () => undefined, warn: complain, error: complain };
  const deps: Deps = {
    connect: () => ({ db: database.db, close: () => Promise.resolve() }),
    objects: createFolderStore(folder),
    gateway: noGateway,
    photographs: createDecodingInspector(limits),
    waker,
    log,
    origins: ['https://app.example'],
    version: '0.0.0',
    privateWebhooks: true,
    ...overrides,
    limits,
  };
  const app = createApp(deps);
  return {
    ...database,
    app,
    deps,
    complaints,
    async key(options = {}) {
      const { secret } = await createKey(database.db, { tenant: 'acme', name: 'test', ...options });
      return secret;
    },
    async call(key, method, path, { body, headers = {} } = {}) {
      const json = body !== undefined && !(body instanceof Uint8Array || body instanceof ReadableStream);
      const init = {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        body: json ? JSON.stringify(body) : (body as Uint8Array<ArrayBuffer> | undefined),
        duplex: 'half',
      };
      return app.request(path, init as RequestInit);
    },
    async close() {
      await listener.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
