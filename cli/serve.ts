import { openDatabase } from '../database/connection.js';
import { startServer } from '../edge-api/server.js';
import { readPages, servePages } from '../edge-api/viewer/pages.js';
import { migrate } from '../migrations/migrate.js';
import { ImplicamError } from '../model/errors.js';
import { allowedOrigins, openDatabaseServer, openGateway } from './environment.js';
import { interruptible } from './interrupt.js';
import { createLog } from './log.js';
import { openObjects } from './objects.js';
import { programVersion } from './version.js';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly migrate: boolean;
  readonly store?: string;
  readonly privateWebhooks?: boolean;
}

/** `implicam serve`: the HTTP API, until a signal ends it. */
export async function runServe(options: ServeOptions): Promise<void> {
  const log = createLog('implicam-api');
  const { signal, release } = interruptible(() => log.info({}, 'ending'));
  const ended = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  let failed: (error: Error) => void = () => undefined;
  const databaseLost = new Promise<never>((_, reject) => {
    failed = reject;
  });
  databaseLost.catch(() => undefined);
  const database = await openDatabaseServer(process.env, () =>
    failed(
      new ImplicamError('postgres-failed', 'the embedded Postgres ended: start again, nothing is lost', {
        status: 500,
      }),
    ),
  );
  try {
    const objects = await openObjects(options);
    if (options.migrate) await migrateNow(database.url);
    const server = await startServer({
      databaseUrl: database.url,
      objects,
      gateway: openGateway(),
      log,
      version: programVersion(),
      host: options.host,
      port: options.port,
      origins: allowedOrigins(),
      privateWebhooks: options.privateWebhooks ?? false,
      pages: servePages(await readPages()),
    }).catch((error: unknown) => {
      throw explained(error, options);
    });
    log.info({ address: server.url }, 'serving');
    process.stderr.write(
      `implicam: serving the web page and the API at ${server.url}, docs at ${server.url}/docs\n`,
    );
    try {
      await Promise.race([ended, databaseLost]);
    } finally {
      await server.close();
    }
  } finally {
    release();
    await database.close();
  }
}

async function migrateNow(url: string): Promise<void> {
  const db = openDatabase(url, { connections: 1, name: 'implicam migrate' });
  await migrate(db).finally(() => db.destroy());
}

function explained(error: unknown, { host, port }: ServeOptions): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new ImplicamError('port-taken', `port ${port} of ${host} is taken: choose another --port`, {
      exitCode: 2,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new ImplicamError('port-refused', `${host}:${port} cannot be listened on: choose others`, {
      exitCode: 2,
    });
  }
  return error;
}
