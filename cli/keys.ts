import { type Command, Option } from 'commander';
import { type Db, openDatabase } from '../database/connection.js';
import { createKey, listKeys, type NewKey, revokeKey } from '../edge-api/keys/keys.js';
import { migrate } from '../migrations/migrate.js';
import { ImplicamError } from '../model/errors.js';
import { openDatabaseServer } from './shared/environment.js';
import { jsonOption, wholeNumber } from './shared/options.js';
import { table } from './shared/table.js';

export function define(command: Command): void {
  command
    .command('create')
    .description('make an API key and print it')
    .argument('[name]', 'what it is for', 'made by the command line')
    .option('--tenant <name>', 'whose sessions it sees', 'default')
    .option('--manages-keys', 'it may make, list and revoke keys of its tenant')
    .addOption(limit('--rate-per-minute <n>', 'requests a minute', 1))
    .addOption(limit('--burst <n>', 'requests at once after a pause', 1))
    .addOption(limit('--max-sessions <n>', 'sessions that are kept', 0))
    .addOption(limit('--max-bytes <n>', 'bytes of photographs that are kept', 0))
    .addOption(limit('--max-active <n>', 'sessions that wait or train at a time', 0))
    .addOption(jsonOption())
    .action(async (name: string, { json, ...key }) => {
      await runCreateKey({ name, ...key }, { json });
    });
  command
    .command('list')
    .description('list API keys by how they begin')
    .option('--tenant <name>', 'only those of one tenant')
    .addOption(jsonOption())
    .action(async ({ tenant, json }) => {
      await runListKeys(tenant, { json });
    });
  command
    .command('revoke')
    .description('refuse an API key from now on')
    .argument('<key>', 'how it begins (ik_…), or its id')
    .action(async (key: string) => {
      await runRevokeKey(key);
    });
}

const limit = (flags: string, text: string, least: number) =>
  new Option(flags, text).argParser(wholeNumber(least, Number.MAX_SAFE_INTEGER));

/** `implicam keys create`: prints the key, which cannot be had again. */
export async function runCreateKey(key: NewKey, { json }: { json?: boolean }): Promise<void> {
  await withDatabase(async (db) => {
    const { row, secret } = await createKey(db, key);
    const line = { id: row.id, tenant: row.tenant, name: row.name, key: secret };
    process.stdout.write(json ? `${JSON.stringify(line)}\n` : `${secret}\n`);
    if (!json) process.stderr.write('Keep it: it is shown this once.\n');
  });
}

/** `implicam keys list`. */
export async function runListKeys(tenant: string | undefined, { json }: { json?: boolean }): Promise<void> {
  await withDatabase(async (db) => {
    const keys = (await listKeys(db, tenant)).map((row) => ({
      prefix: row.prefix,
      tenant: row.tenant,
      name: row.name,
      created: row.created_at.toISOString(),
      state: row.revoked_at ? 'revoked' : row.expires_at && row.expires_at < new Date() ? 'expired' : 'valid',
    }));
    if (json) process.stdout.write(`${JSON.stringify(keys)}\n`);
    else {
      const rows = keys.map((k) => [k.prefix, k.tenant, k.name, k.created, k.state]);
      process.stdout.write(table(['key', 'tenant', 'name', 'created', 'state'], rows));
    }
  });
}

/** `implicam keys revoke`. */
export async function runRevokeKey(key: string): Promise<void> {
  await withDatabase(async (db) => {
    if (await revokeKey(db, key)) return;
    throw new ImplicamError('key-missing', `there is no key ${key}: see implicam keys list`, { exitCode: 2 });
  });
}

async function withDatabase(work: (db: Db) => Promise<void>): Promise<void> {
  const database = await openDatabaseServer();
  try {
    const db = openDatabase(database.url, { connections: 1, name: 'implicam keys' });
    try {
      await migrate(db);
      await work(db);
    } finally {
      await db.destroy();
    }
  } finally {
    // One that was running before is left running.
    if (database.embedded?.adopted !== true) await database.close();
  }
}
