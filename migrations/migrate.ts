import { type Kysely, type Migration, type MigrationResult, Migrator } from 'kysely';
import { ImplicamError } from '../model/errors.js';
import * as sessions from './0001-sessions.js';
import * as tidiedRuns from './0002-tidied-runs.js';
import * as gps from './0003-gps.js';

/** All migrations in order: listed here, not found in a folder, so that bundles have them too. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-sessions': sessions,
  '0002-tidied-runs': tidiedRuns,
  '0003-gps': gps,
};

/**
 * Brings the database to the newest schema, or one migration back. Safe to run from several processes at once: Kysely
 * holds a lock. Give it a direct connection, not one through a transaction pooler.
 *
 * @returns the migrations that ran, in order
 * @throws ImplicamError `migration-failed`, naming the migration; what ran before it stays
 */
export async function migrate<T>(db: Kysely<T>, direction: 'latest' | 'down' = 'latest'): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error, results } =
    direction === 'latest' ? await migrator.migrateToLatest() : await migrator.migrateDown();
  if (error !== undefined) throw failure(error, results);
  return (results ?? []).map(({ migrationName }) => migrationName);
}

/** Whether the schema is the newest that this program knows. */
export async function isMigrated<T>(db: Kysely<T>): Promise<boolean> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const migrations = await migrator.getMigrations();
  return migrations.every(({ executedAt }) => executedAt !== undefined);
}

function failure(cause: unknown, results: readonly MigrationResult[] | undefined): ImplicamError {
  const at = results?.find(({ status }) => status === 'Error')?.migrationName;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ImplicamError(
    'migration-failed',
    `the database could not be brought to the schema of this program${at ? ` (migration ${at})` : ''}: ${reason}; ` +
      'check that DATABASE_URL names a database that this program may change',
    { status: 500, cause },
  );
}
