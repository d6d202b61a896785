import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../database/embedded-postgres.js';
import { createHttpGateway, noGateway, type RenderGateway } from '../../edge-api/renders/gateway.js';
import { ImplicamError } from '../../model/errors.js';
import { dataFolder } from './folders.js';

/** What the processes of the service read from the environment, in one place: DATABASE_URL, IMPLICAM_… */

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenedDatabase {
  readonly url: string;
  /** The server that was started for it, where none was named. */
  readonly embedded?: EmbeddedPostgres;
  close(): Promise<void>;
}

/** The database that DATABASE_URL names; without it a Postgres from npm, its data in the data folder. */
export async function openDatabaseServer(
  env: Environment = process.env,
  onExit?: () => void,
): Promise<OpenedDatabase> {
  const url = env.DATABASE_URL;
  if (url) {
    if (!/^postgres(ql)?:\/\//.test(url)) {
      throw new ImplicamError(
        'invalid-environment',
        'DATABASE_URL is no address of a Postgres: write postgres://USER:PASSWORD@HOST:PORT/DATABASE',
        { exitCode: 2 },
      );
    }
    return { url, close: () => Promise.resolve() };
  }
  const embedded = await startEmbeddedPostgres({
    folder: join(dataFolder(env), 'postgres'),
    ...(onExit ? { onExit } : {}),
  });
  return { url: embedded.url, embedded, close: () => embedded.stop() };
}

/** The way to who renders: IMPLICAM_GATEWAY, with the secret that both sides know. */
export function openGateway(env: Environment = process.env): RenderGateway {
  const { IMPLICAM_GATEWAY: base, IMPLICAM_GATEWAY_SECRET: secret } = env;
  if (!base) return noGateway;
  if (secret) return createHttpGateway(base, secret);
  throw new ImplicamError(
    'invalid-environment',
    'IMPLICAM_GATEWAY is set without IMPLICAM_GATEWAY_SECRET: set the secret that the coordinator was given',
    { exitCode: 2 },
  );
}

/** Origins whose pages may call the API: IMPLICAM_ORIGINS, separated by commas. */
export function allowedOrigins(env: Environment = process.env): string[] {
  return (env.IMPLICAM_ORIGINS ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
}
