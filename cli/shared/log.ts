import { type Logger, pino } from 'pino';

/** What must never stand in a log, wherever it comes up. */
const SECRETS = ['authorization', 'cookie', 'secret', 'password', 'key', 'url', 'databaseUrl'];

/**
 * The log of a long-running process: lines of JSON on standard error, so that standard output is for results. Errors of
 * `pg` carry what they were given; parameters and connection strings are left out.
 */
export function createLog(name: string, level = process.env.IMPLICAM_LOG ?? 'info'): Logger {
  return pino(
    {
      name,
      level,
      redact: { paths: SECRETS.flatMap((field) => [`err.${field}`, `*.headers.${field}`]), remove: true },
      serializers: { err: describe },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}

/** An error as name, code, message and stack: nothing else that somebody may have hung on it. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const why = cause === undefined ? {} : { cause: describe(cause) };
  return { name, message, ...(typeof code === 'string' ? { code } : {}), stack, ...why };
}
