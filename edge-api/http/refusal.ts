import { ImplicamError } from '../../model/errors.js';

/** Seconds after which a client may try again, carried to the Retry-After header. */
const retryAfter = new WeakMap<ImplicamError, number>();

/** A refusal with a status; `retry` in seconds where trying again later helps. */
export function refusal(status: number, code: string, message: string, retry?: number): ImplicamError {
  const error = new ImplicamError(code, message, { status });
  if (retry !== undefined) retryAfter.set(error, Math.max(1, Math.ceil(retry)));
  return error;
}

/** What Retry-After says of a refusal, in seconds. */
export function retryAfterOf(error: ImplicamError): number | undefined {
  return retryAfter.get(error);
}
