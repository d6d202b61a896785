import { type Command, Option } from 'commander';
import { openDatabase } from '../database/connection.js';
import { readPages, servePages } from '../edge-api/page/serve.js';
import { startServer } from '../edge-api/runtime/node.js';
import { migrate } from '../migrations/migrate.js';
import { ImplicamError } from '../model/errors.js';
import { allowedOrigins, openDatabaseServer, openGateway } from './shared/environment.js';
import { interruptible } from './shared/interrupt.js';
import { createLog } from './shared/log.js';
import { openObjects } from './shared/objects.js';
import { storeOption, wholeNumber } from './shared/options.js';
import { programVersion } from './shared/version.js';

export function define(command: Command): void {
  command
    .addOption(
      new Option('--port <n>', 'port to listen on')
        .env('PORT')
        .argParser(wholeNumber(0, 65_535))
        .default(8787),
    )
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .option('--no-migrate', 'leave the schema of the database as it is')
    .option('--private-webhooks', 'send webhooks to addresses of private networks too')
    .addOption(storeOption())
    .addHelpText('after', AFTER)
    .action(async (options) => {
      await runServe(options);
    });
}

const AFTER = `
Environment: DATABASE_URL (else a Postgres from npm), IMPLICAM_DATA (./data), IMPLICAM_STORE, AWS_…
(credentials of an S3 store), IMPLICAM_GATEWAY and IMPLICAM_GATEWAY_SECRET (who renders), IMPLICAM_ORIGINS (pages that may call), IMPLICAM_LOG (info).`;

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
