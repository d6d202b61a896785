import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { ImplicamError } from '../model/errors.js';
import {
  choosePostgresUser,
  findBinaries,
  type PostgresBinaries,
  type PostgresUser,
} from './postgres-binaries.js';

const run = promisify(execFile);

export interface EmbeddedPostgresOptions {
  /** Folder of the server: data, password and log. Made where it does not exist. */
  readonly folder: string;
  /** Only for tests: trade durability for speed. @default true */
  readonly durable?: boolean;
  /** Called when the server ends without having been asked to. */
  readonly onExit?: () => void;
}

export interface EmbeddedPostgres {
  /** Connection string of the database `implicam`, as its owner. */
  readonly url: string;
  readonly pid: number;
  /** Whether the server was running already, left over from a run that was killed. */
  readonly adopted: boolean;
  /** Shuts the server down in order and waits for its end, 30 s at most. */
  stop(): Promise<void>;
}

/** How to reach the server; kept beside its data, readable by the owner alone. */
interface Access {
  readonly port: number;
  readonly password: string;
}

const START_SECONDS = 60;
const STOP_SECONDS = 30;

/**
 * A real Postgres server from npm on this machine, its data in a folder. It runs in a process group of its own, so that
 * Ctrl-C reaches it last, by `stop`. After kill -9 of its parent it lives on: the next start takes it over.
 *
 * @throws ImplicamError `postgres-unavailable`, `postgres-failed` with the end of the server's log
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder);
  const data = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  const binaries = await findBinaries();
  const user = await choosePostgresUser([binaries.postgres, data]);
  await initialise(folder, data, binaries, user);
  const access = JSON.parse(await readFile(join(folder, 'access.json'), 'utf8')) as Access;

  const running = await readPidFile(data);
  if (running && (await answers({ ...access, port: running.port }, START_SECONDS, running.pid))) {
    const handle = observe(running.pid, options.onExit);
    return finishStart({ ...access, port: running.port }, handle, true);
  }
  const port = (await isFree(access.port)) ? access.port : await freePort();
  for (let attempt = 1; ; attempt++) {
    const child = await launch(folder, data, port, binaries, user, options.durable ?? true);
    if (await answers({ ...access, port }, START_SECONDS, child.pid!)) {
      return finishStart({ ...access, port }, supervise(child, options.onExit), false);
    }
    // After kill -9 of a server alone, its children hold the shared memory for a moment.
    if (attempt >= 10) throw await startFailure(folder);
    await sleep(200 * attempt);
  }
}

interface ServerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

async function finishStart(
  access: Access,
  server: ServerProcess,
  adopted: boolean,
): Promise<EmbeddedPostgres> {
  const admin = new pg.Client({ connectionString: urlOf(access, 'postgres') });
  await admin.connect();
  try {
    const found = await admin.query(`select 1 from pg_database where datname = 'implicam'`);
    if (found.rowCount === 0) await admin.query('create database implicam');
  } finally {
    await admin.end();
  }
  return { url: urlOf(access, 'implicam'), pid: server.pid, adopted, stop: () => server.stop() };
}

const urlOf = ({ port, password }: Access, database: string) =>
  `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;

/** Makes the data folder, whole or not at all: a folder of a first start that was killed is made anew. */
async function initialise(
  folder: string,
  data: string,
  { initdb }: PostgresBinaries,
  { ids, prefix }: PostgresUser,
): Promise<void> {
  if (await readFile(join(data, 'PG_VERSION')).catch(() => undefined)) return;
  const access: Access = { port: await freePort(), password: randomBytes(24).toString('base64url') };
  const work = await mkdtemp(join(tmpdir(), 'implicam-initdb-'));
  const partial = join(folder, `data-${randomUUID()}.part`);
  try {
    const passwordFile = join(work, 'password');
    await writeFile(passwordFile, `${access.password}\n`, { mode: 0o600 });
    await mkdir(partial, { mode: 0o700 });
    if (ids) for (const path of [work, passwordFile, partial]) await chown(path, ids.uid, ids.gid);
    const [program, ...before] = [...prefix, initdb];
    const flags = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale'];
    const args = [...before, `--pgdata=${partial}`, `--pwfile=${passwordFile}`, ...flags];
    await run(program, args, { ...(prefix.length > 0 ? {} : ids), timeout: 120_000 });
    await writeFile(join(folder, 'access.json'), JSON.stringify(access), { mode: 0o600 });
    await rm(data, { recursive: true, force: true });
    await rename(partial, data);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    const { stderr, message } = cause as { stderr?: string; message: string };
    throw new ImplicamError(
      'postgres-failed',
      `the embedded Postgres could not set up ${data} (${stderr?.trim() || message}): check the folder's ` +
        'permissions and free space, or set DATABASE_URL',
      { status: 500, cause },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function launch(
  folder: string,
  data: string,
  port: number,
  { postgres }: PostgresBinaries,
  { ids, prefix }: PostgresUser,
  durable: boolean,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '64MB',
    log_min_messages: 'warning',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const [program, ...before] = [...prefix, postgres];
  const log = await open(join(folder, 'postgres.log'), 'a', 0o600);
  try {
    const child = spawn(program, [...before, '-D', data, '-p', String(port), ...flags], {
      ...(prefix.length > 0 ? {} : ids),
      cwd: dirname(data),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed));
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/** Waits until the server takes our password. @returns false where its process ends, or time runs out. */
async function answers(access: Access, seconds: number, pid: number): Promise<boolean> {
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    if (!isAlive(pid)) return false;
    const client = new pg.Client({
      connectionString: urlOf(access, 'postgres'),
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      // 28P01: another server has the port.
      if ((error as { code?: string }).code === '28P01') return false;
      await sleep(30);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

/** Process and port of the server that has the data folder, as it wrote them itself (lines 1 and 4). */
async function readPidFile(data: string): Promise<{ pid: number; port: number } | undefined> {
  const path = join(data, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!(Number.isInteger(pid) && pid > 1 && isAlive(pid))) return undefined;
  if (!(await isServerOf(pid, data))) {
    // The number went to another process (likely in a container, whose numbers start anew): Postgres would refuse.
    await rm(path, { force: true });
    return undefined;
  }
  return Number.isInteger(port) && port > 0 ? { pid, port } : undefined;
}

/** Whether a process is the server of a data folder, by its command line. */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  const viaProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (viaProc !== undefined) return viaProc.includes(data);
  const viaPs = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => undefined);
  return viaPs?.stdout.includes(data) ?? false;
}

/** A server that this process started. A child that died is a zombie until it is reaped: its exit is what counts. */
function supervise(child: ChildProcess, onExit: (() => void) | undefined): ServerProcess {
  let asked = false;
  const ended = new Promise<void>((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done();
    child.once('exit', () => {
      done();
      if (!asked) onExit?.();
    });
  });
  return {
    pid: child.pid!,
    async stop() {
      asked = true;
      child.ref();
      child.kill('SIGINT');
      await endOr(ended, child.pid!);
    },
  };
}

/** A server that somebody else started: watched from afar. */
function observe(pid: number, onExit: (() => void) | undefined): ServerProcess {
  let asked = false;
  const ended = new Promise<void>((done) => {
    const watch = setInterval(() => {
      if (isAlive(pid)) return;
      clearInterval(watch);
      done();
      if (!asked) onExit?.();
    }, 100);
    watch.unref();
  });
  return {
    pid,
    async stop() {
      asked = true;
      // Keeps this process awake while it waits for the watch.
      const awake = setInterval(() => undefined, 1000);
      try {
        if (isAlive(pid)) process.kill(pid, 'SIGINT');
        await endOr(ended, pid);
      } finally {
        clearInterval(awake);
      }
    },
  };
}

/** SIGINT is Postgres's fast shutdown; after the deadline SIGQUIT: recovery at the next start puts it right. */
async function endOr(ended: Promise<void>, pid: number): Promise<void> {
  const late = Symbol('late');
  const timer = new AbortController();
  const deadline = sleep(1000 * STOP_SECONDS, late, { signal: timer.signal }).catch(() => late);
  if ((await Promise.race([ended, deadline])) === late && isAlive(pid)) process.kill(pid, 'SIGQUIT');
  timer.abort();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

async function startFailure(folder: string): Promise<ImplicamError> {
  const path = join(folder, 'postgres.log');
  const log = await readFile(path, 'utf8').catch(() => '');
  const last = log.trim().split('\n').slice(-3).join(' / ');
  return new ImplicamError(
    'postgres-failed',
    `the embedded Postgres does not start (${last || 'it says nothing'}): see ${path}, or set DATABASE_URL`,
    { status: 500 },
  );
}
