import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { isMigrated, migrate } from '../../migrations/migrate.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

const opened: TestDatabase[] = [];
async function open(): Promise<TestDatabase> {
  const database = await testDatabase('empty');
  opened.push(database);
  return database;
}
afterAll(() => Promise.all(opened.map((database) => database.close())));

/** Everything that a migration could leave behind. */
async function objects({ db }: TestDatabase): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relname not like 'kysely_%'
    union all
    select proname from pg_proc where pronamespace = 'public'::regnamespace`.execute(db);
  return rows.map(({ name }) => name).sort();
}

test('up makes the schema, down takes all of it away, up makes the same again', async () => {
  const database = await open();
  expect(await isMigrated(database.db)).toBe(false);
  expect(await migrate(database.db)).toContain('0001-sessions');
  expect(await isMigrated(database.db)).toBe(true);
  const once = await objects(database);
  expect(once).toContain('sessions');
  expect(await migrate(database.db)).toEqual([]);

  while ((await migrate(database.db, 'down')).length > 0);
  expect(await objects(database)).toEqual([]);
  await migrate(database.db);
  expect(await objects(database)).toEqual(once);
});

test('many processes may migrate at once', async () => {
  const database = await open();
  const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(database.db)));
  expect(runs.filter((ran) => ran.length > 0)).toHaveLength(1);
});
