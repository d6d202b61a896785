import { Kysely, PostgresDialect, type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import type { Database } from '../migrations/schema.js';
import { ImplicamError } from '../model/errors.js';

export type Db = Kysely<Database>;

export interface DatabaseOptions {
  /** Connections at most. @default 10 */
  readonly connections?: number;
  /** What the server lists the connections as. */
  readonly name?: string;
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onConnectionLost?: (error: Error) => void;
}

const INT8 = 20;

/** bigint columns as numbers. All of ours count things: one beyond 2⁵³ is a fault, not a value to round. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid !== INT8 || format === 'binary') return pg.types.getTypeParser(oid, format as 'text');
    return (text: string) => {
      const value = Number(text);
      if (Number.isSafeInteger(value)) return value;
      throw new ImplicamError('internal', `internal error: the database holds ${text}`, { status: 500 });
    };
  }) as typeof pg.types.getTypeParser,
};

/**
 * Connections to the database. Every wait has an end: 10 s for a connection, 30 s for a statement.
 * Close with `db.destroy()`.
 */
export function openDatabase(url: string, options: DatabaseOptions = {}): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 10,
    application_name: options.name ?? 'implicam',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types,
  });
  pool.on('error', (error) => options.onConnectionLost?.(error));
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** A value for a jsonb column. */
export function json<T>(value: T): RawBuilder<string> {
  return sql`${JSON.stringify(value)}::jsonb`;
}

/** `now()` of the server, plus seconds: nobody's clock but the server's decides. */
export function secondsFromNow(seconds: number): RawBuilder<Date> {
  return sql`now() + make_interval(secs => ${seconds})`;
}

/** SQLSTATE of an error, where it is one of the database's. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
