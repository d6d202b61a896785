import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { type Command, Option } from 'commander';
import { openDatabase } from '../database/connection.js';
import { createKey, listKeys } from '../edge-api/keys/keys.js';
import { nativeIsas } from '../engine/native/native-engine.js';
import { INSTALL_TFJS } from '../engine/tfjs/packages.js';
import { migrate } from '../migrations/migrate.js';
import { ImplicamError } from '../model/errors.js';
import { Child, type ChildOptions, lineOf } from './shared/children.js';
import { openDatabaseServer } from './shared/environment.js';
import { dataFolder, storeLocation } from './shared/folders.js';
import { interruptible } from './shared/interrupt.js';
import { openObjects } from './shared/objects.js';
import { storeOption, wholeNumber } from './shared/options.js';

export function define(command: Command): void {
  command
    .addOption(
      new Option('--port <n>', 'port of API and web page')
        .env('PORT')
        .argParser(wholeNumber(1, 65_535))
        .default(8787),
    )
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--runners <n>', 'processes that train and render').argParser(wholeNumber(1, 64)).default(2),
    )
    .option('--private-webhooks', 'send webhooks to addresses of private networks too')
    .addOption(storeOption())
    .addHelpText('after', AFTER)
    .action(async (options) => {
      await runUp(options);
    });
}

const AFTER = `
Environment: DATABASE_URL (else a Postgres from npm), IMPLICAM_DATA (./data), IMPLICAM_STORE.
The first start prints an API key, once.
Ctrl-C ends everything in order; after kill -9 the next start goes on where this one was.`;

export interface UpCommand {
  readonly host: string;
  readonly port: number;
  readonly runners: number;
  readonly privateWebhooks?: boolean;
  readonly store?: string;
}

const START_DEADLINE = 60_000;

/**
 * `implicam up`: the whole service on this machine. Postgres, edge-api, coordinator and runners are processes of their
 * own; one that dies is started again, and nothing is lost.
 */
export async function runUp(command: UpCommand): Promise<void> {
  requireEngine();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const interrupt = interruptible(() => say('ending: what was accepted is safe (Ctrl-C again: at once)'));
  const ended = new Promise<void>((done) =>
    interrupt.signal.addEventListener('abort', () => done(), { once: true }),
  );
  await mkdir(dataFolder(), { recursive: true });
  await openObjects(command);
  const database = await keepDatabase(say);
  const children: Child[] = [];
  try {
    const key = await firstKey(database.url);
    await startProcesses(command, database.url, children, say);
    const url = `http://${command.host}:${command.port}`;
    say(`implicam is at ${url} (API: ${url}/docs)`);
    if (key) {
      say('Your first API key, shown this once:');
      process.stdout.write(`${key}\n`);
      say(`Open ${url}/#key=${key}`);
    }
    await Promise.race([ended, ...children.map((child) => child.failed)]);
  } finally {
    // Those that accept work end first, the database last.
    for (const child of [...children].reverse()) await child.stop();
    await database.close();
    interrupt.release();
  }
}

/** Without an engine for them the runners would end and be started again for ever. */
function requireEngine(): void {
  if (nativeIsas().length > 0) return;
  throw new ImplicamError(
    'engine-missing',
    'the service needs the native engine: install a C++20 compiler (g++ 11 or newer) and run npm run build:native; ' +
      `implicam develop also runs on TensorFlow.js, slowly (${INSTALL_TFJS})`,
  );
}

/** The database; an embedded one that dies is started again on its port. */
async function keepDatabase(say: (line: string) => void) {
  let closing = false;
  let current = await openDatabaseServer(process.env, () => void again());
  async function again(): Promise<void> {
    for (let wait = 250; !closing; wait = Math.min(2 * wait, 5000)) {
      say('Postgres ended: starting it again');
      try {
        current = await openDatabaseServer(process.env, () => void again());
        return;
      } catch (error) {
        say(`Postgres does not start: ${error instanceof Error ? error.message : error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return {
    url: current.url,
    async close() {
      closing = true;
      await current.close();
    },
  };
}

/** Brings the schema up to date; a key for the owner of this machine, where there is none yet. */
async function firstKey(url: string): Promise<string | undefined> {
  const db = openDatabase(url, { connections: 1, name: 'implicam up' });
  try {
    await migrate(db);
    if ((await listKeys(db, undefined)).length > 0) return undefined;
    const { secret } = await createKey(db, { tenant: 'local', name: 'first key', managesKeys: true });
    return secret;
  } finally {
    await db.destroy();
  }
}

async function startProcesses(
  { host, port, runners, privateWebhooks, store }: UpCommand,
  databaseUrl: string,
  children: Child[],
  say: (line: string) => void,
): Promise<void> {
  const [hub, gateway] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const env = {
    DATABASE_URL: databaseUrl,
    IMPLICAM_DATA: dataFolder(),
    IMPLICAM_STORE: storeLocation({ ...(store ? { store } : {}) }),
    IMPLICAM_GATEWAY: `http://${gateway}`,
    IMPLICAM_GATEWAY_SECRET: randomBytes(24).toString('base64url'),
  };
  const options = (name: string, args: string[]): ChildOptions => ({
    args,
    env,
    tireless: true,
    onLine: (line) => say(`${name}: ${line}`),
  });
  const coordinator = ['coordinator', '--database', '--listen', hub, '--gateway', gateway];
  const started = await lineOf(options('coordinator', coordinator), /^coordinator on /, START_DEADLINE);
  children.push(started.child);
  const processors = availableParallelism();
  const threads = Math.max(1, Math.floor(processors / runners));
  const memory = (totalmem() / 2 / 2 ** 30 / runners).toFixed(3);
  // Runners share the processors in training; a render is short, somebody waits for it, and takes all.
  const work = ['--threads', `${threads}`, '--render-threads', `${processors}`, '--memory', memory];
  for (let i = 1; i <= runners; i++) {
    children.push(new Child(options(`runner ${i}`, ['runner', '--coordinator', hub, ...work])));
  }
  const serve = ['serve', '--host', host, '--port', `${port}`, '--no-migrate'];
  if (privateWebhooks) serve.push('--private-webhooks');
  const api = await lineOf(options('edge-api', serve), /^implicam: serving /, START_DEADLINE);
  children.push(api.child);
}

/** A port that is free now; the processes keep it over their restarts. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
