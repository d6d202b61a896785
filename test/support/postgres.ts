import { inject } from 'vitest';
import { type Db, openDatabase } from '../../database/connection.js';

export interface TestDatabase {
  readonly url: string;
  readonly db: Db;
  close(): Promise<void>;
}

/**
 * A fresh database on the run's Postgres (`postgres-server.ts`), a copy of a migrated template.
 *
 * @param kind `empty`: without any table
 */
export async function testDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const response = await fetch(`${inject('databases')}/${kind}`, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const db = openDatabase(text, { name: 'implicam test' });
  return { url: text, db, close: () => db.destroy() };
}
