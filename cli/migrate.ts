import type { Command } from 'commander';
import { openDatabase } from '../database/connection.js';
import { migrate } from '../migrations/migrate.js';
import { openDatabaseServer } from './shared/environment.js';
import { jsonOption } from './shared/options.js';

export function define(command: Command): void {
  command
    .option('--down', 'take the newest migration back, with the data that it holds')
    .addOption(jsonOption())
    .addHelpText('after', '\nEnvironment: DATABASE_URL (else the Postgres from npm), IMPLICAM_DATA (./data).')
    .action(async (options) => {
      await runMigrate(options);
    });
}

export interface MigrateOptions {
  readonly down?: boolean;
  readonly json?: boolean;
}

/** `implicam migrate`: the schema of the database, to the newest or one step back. */
export async function runMigrate({ down, json }: MigrateOptions): Promise<void> {
  const database = await openDatabaseServer();
  try {
    const db = openDatabase(database.url, { connections: 1, name: 'implicam migrate' });
    const ran = await migrate(db, down ? 'down' : 'latest').finally(() => db.destroy());
    if (json) process.stdout.write(`${JSON.stringify({ direction: down ? 'down' : 'up', ran })}\n`);
    else process.stdout.write(ran.length === 0 ? 'nothing to do\n' : `${ran.join('\n')}\n`);
  } finally {
    // One that was running before is left running.
    if (database.embedded?.adopted !== true) await database.close();
  }
}
