import { ImplicamError } from '../../model/errors.js';

/**
 * What a person is told of a failure, and the exit code it becomes. Stack traces are for IMPLICAM_DEBUG only: the
 * message of an ImplicamError names file and remedy by itself, and anything else is a fault of this program.
 */
export function describeFailure(
  error: unknown,
  debug = process.env.IMPLICAM_DEBUG !== undefined,
): { message: string; exitCode: 1 | 2 } {
  const stack = debug && error instanceof Error ? `\n${stackOf(error)}` : '';
  if (error instanceof ImplicamError && error.code !== 'internal') {
    return { message: error.message + stack, exitCode: error.exitCode };
  }
  const what = error instanceof Error ? error.message : String(error);
  const remedy = debug ? '' : '; run again with IMPLICAM_DEBUG=1 for the details, and please report it';
  return { message: `something went wrong inside (${what})${remedy}${stack}`, exitCode: 1 };
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
