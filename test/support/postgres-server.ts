import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../database/connection.js';
import { startEmbeddedPostgres } from '../../database/embedded-postgres.js';
import { migrate } from '../../migrations/migrate.js';

/**
 * One Postgres for a whole test run, started by the first file that asks for a database: in a container where an engine
 * answers, else from npm, else the one that DATABASE_URL names. Lives in vitest's main process, because what a worker
 * starts ends with the worker; workers ask for databases over HTTP (`test/support/postgres.ts`).
 */

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where to ask for a database. */
    databases: string;
  }
}

interface Server {
  readonly what: string;
  /** Connection string of a database from which others can be made. */
  readonly url: string;
  stop(): Promise<void>;
}

const TEMPLATE = `implicam_template_${process.pid}`;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<Server> | undefined;
  const made: string[] = [];
  const http = createServer(async (request, response) => {
    try {
      server ??= startServer();
      const { url } = await server;
      const name = `implicam_test_${process.pid}_${made.length}`;
      made.push(name);
      const template = request.url === '/empty' ? 'template0' : TEMPLATE;
      await execute(url, `create database ${name} template ${template} strategy file_copy`);
      response.end(withDatabase(url, name));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  project.provide('databases', `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  return async () => {
    http.close();
    const running = await server?.catch(() => undefined);
    if (!running) return;
    for (const name of [...made, TEMPLATE]) {
      await execute(running.url, `drop database if exists ${name} with (force)`).catch(() => undefined);
    }
    await running.stop();
  };
}

async function startServer(): Promise<Server> {
  const refusals: string[] = [];
  for (const [what, start] of SOURCES) {
    try {
      const server = { what, ...(await start()) };
      const why = refusals.length > 0 ? ` (${refusals.join('; ')})` : '';
      console.log(`tests: Postgres ${what}${why}`);
      await execute(server.url, `create database ${TEMPLATE}`);
      const db = openDatabase(withDatabase(server.url, TEMPLATE), { connections: 1 });
      await migrate(db).finally(() => db.destroy());
      return server;
    } catch (error) {
      refusals.push(`not ${what}: ${String((error as Error).message).split('\n')[0]}`);
    }
  }
  throw new Error(`tests: no Postgres to test with: ${refusals.join('; ')}`);
}

const SOURCES: readonly (readonly [string, () => Promise<Omit<Server, 'what'>>])[] = [
  ['in a container', startContainer],
  ['from npm', startEmbedded],
  ['of DATABASE_URL', useGiven],
];

async function startContainer(): Promise<Omit<Server, 'what'>> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const container = await new PostgreSqlContainer('postgres:18-alpine')
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=200'])
    .withStartupTimeout(120_000)
    .start();
  return {
    url: container.getConnectionUri(),
    stop: async () => void (await container.stop()),
  };
}

async function startEmbedded(): Promise<Omit<Server, 'what'>> {
  const folder = await mkdtemp(join(tmpdir(), 'implicam-test-postgres-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder, durable: false });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function useGiven(): Promise<Omit<Server, 'what'>> {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error('it is not set');
  await execute(url, 'select 1');
  return { url, stop: async () => undefined };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
