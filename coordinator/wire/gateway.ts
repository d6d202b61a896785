import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ImplicamError } from '../../model/errors.js';
import { parseAddress } from '../../proto/channel.js';
import type { RunnerCalls } from './runner-calls.js';

export interface GatewayOptions {
  readonly calls: RunnerCalls;
  /** Known to edge-api too. */
  readonly secret: string;
}

/** A request is a key and a query; this is far more. */
const BODY_BYTES = 64 * 1024;
/** Renders under way over all trainings; more are turned away. */
const MOST = 128;

/**
 * Renders over plain HTTP, for edge-api wherever it runs: `POST /render` with a model's object key and a query, answered
 * with the encoded picture or problem+json.
 */
export function createGateway({ calls, secret }: GatewayOptions): Server {
  let active = 0;
  return createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok\n');
      return;
    }
    if (request.url !== '/render' || request.method !== 'POST') {
      problem(response, new ImplicamError('not-found', 'there is only POST /render', { status: 404 }));
      return;
    }
    if (!isAuthorised(request, secret)) {
      problem(response, new ImplicamError('unauthorised', 'the secret is wrong', { status: 401 }));
      return;
    }
    if (active >= MOST) {
      problem(response, new ImplicamError('busy', 'too many renders are under way', { status: 503 }));
      return;
    }
    active++;
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    answer(request, response, calls, leaving.signal)
      .catch((error) => problem(response, error))
      .finally(() => {
        active--;
      });
  });
}

/** Listens on host:port. */
export async function listenGateway(gateway: Server, address: string): Promise<void> {
  const { host, port } = parseAddress(address);
  await new Promise<void>((resolve, reject) => {
    gateway.once('error', reject);
    gateway.listen(port, host, resolve);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  calls: RunnerCalls,
  signal: AbortSignal,
): Promise<void> {
  const { model, query } = await readBody(request);
  if (typeof model !== 'string' || typeof query !== 'object') {
    throw new ImplicamError('render-query', 'a request has a model and a query');
  }
  const { bytes, type } = await calls.render(model, JSON.stringify(query), signal);
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

async function readBody(request: IncomingMessage): Promise<{ model?: unknown; query?: unknown }> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > BODY_BYTES) throw new ImplicamError('too-large', 'the request is too large', { status: 413 });
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch (cause) {
    throw new ImplicamError('render-query', 'the request is no JSON', { cause });
  }
}

function isAuthorised(request: IncomingMessage, secret: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${secret}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function problem(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const known = error instanceof ImplicamError;
  const status = known ? error.status : 500;
  const code = known ? error.code : 'internal';
  const detail = error instanceof Error ? error.message : String(error);
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (status === 503) headers['retry-after'] = '2';
  response.writeHead(status, headers).end(JSON.stringify({ code, status, title: code, detail }));
}
