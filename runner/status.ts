import { status } from '@grpc/grpc-js';
import { ImplicamError } from '../model/errors.js';

/** An error as a gRPC status; the project's own code and HTTP status travel in its details, as JSON. */
export function asStatus(error: unknown): { code: number; details: string } {
  const known = error instanceof ImplicamError;
  const http = known ? error.status : 500;
  const code = known ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  const details = JSON.stringify({ code, message, status: http });
  if (http === 404) return { code: status.NOT_FOUND, details };
  if (http === 503) return { code: status.RESOURCE_EXHAUSTED, details };
  return { code: http >= 500 ? status.INTERNAL : status.INVALID_ARGUMENT, details };
}
