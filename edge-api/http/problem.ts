import { z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { sqlState } from '../../database/connection.js';
import { ImplicamError } from '../../model/errors.js';
import { explainIssues } from '../../model/issues.js';
import type { AppContext, Log } from '../context.js';
import { refusal, retryAfterOf } from './refusal.js';

/** Errors as RFC 9457 has them. `code` is stable; `detail` is written for the person in front of the app. */
export const problemSchema = z
  .object({
    type: z.string().describe('urn:implicam:problem: and the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('what was wrong, with what, and what to do'),
    code: z.string().describe('stable, for programs'),
    requestId: z.string().describe('to name the request in a report'),
  })
  .openapi('Problem');
export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not understood',
  401: 'No valid API key',
  403: 'Not allowed',
  404: 'Not found',
  408: 'Too slow',
  409: 'Not possible now',
  410: 'Gone',
  412: 'Another version',
  413: 'Too large',
  415: 'Format not read',
  416: 'No such range',
  422: 'Cannot be used',
  429: 'Too many requests',
  500: 'Fault of the service',
  503: 'Not available now',
};

/** The answer that an error becomes. What is not an ImplicamError is a fault: logged in full, told in general. */
export function problemResponse(c: AppContext, error: unknown, log: Log): Response {
  const requestId = c.get('requestId') ?? '';
  const known = asKnown(error);
  if (known.status >= 500) {
    log.error({ requestId, path: c.req.path, code: known.code, err: error }, 'request failed');
  }
  const problem: Problem = {
    type: `urn:implicam:problem:${known.code}`,
    title: TITLES[known.status] ?? 'Refused',
    status: known.status,
    detail: known.message,
    code: known.code,
    requestId,
  };
  const headers = new Headers({ 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' });
  const wait = retryAfterOf(known);
  if (wait !== undefined) headers.set('retry-after', String(wait));
  if (known.status === 401) headers.set('www-authenticate', 'Bearer');
  // What is left of a body that was refused would be taken for the next request of the connection.
  if (hasBody(c.req.raw)) headers.set('connection', 'close');
  return c.body(JSON.stringify(problem), known.status as ContentfulStatusCode, Object.fromEntries(headers));
}

const hasBody = (request: Request) => request.body !== null && !request.bodyUsed;

function asKnown(error: unknown): ImplicamError {
  if (error instanceof ImplicamError && error.code !== 'internal') return error;
  if (error instanceof HTTPException && error.status < 500) {
    return refusal(error.status, 'bad-request', error.message || TITLES[error.status] || 'refused');
  }
  if (isUnreachable(error)) {
    return refusal(503, 'database-unavailable', 'the service cannot reach its database: try again soon', 2);
  }
  return new ImplicamError('internal', 'something went wrong inside the service: try again, and report it', {
    status: 500,
  });
}

/** The database is away, starting or full: nothing is wrong with the request. */
function isUnreachable(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return /^(08|57P0|53)/.test(state);
  const { code, message } = error as { code?: string; message?: string };
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code ?? '')) return true;
  return /Connection terminated|timeout exceeded when trying to connect/.test(message ?? '');
}

/** The refusal of a request whose parameters or body do not fit the schema. */
export function invalid({ target, schema, data, issues }: Invalid): ImplicamError {
  const where = { param: 'path', query: 'query', json: 'body', header: 'header' }[target] ?? target;
  return refusal(400, 'invalid-request', `${where}: ${explainIssues(schema, data, issues)}`);
}

/** A part of a request that does not fit its schema. */
export interface Invalid {
  /** `param`, `query`, `json` or `header`. */
  readonly target: string;
  readonly schema: z.core.$ZodType | undefined;
  /** What came. */
  readonly data: unknown;
  readonly issues: readonly z.core.$ZodIssue[];
}
