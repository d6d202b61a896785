import { ImplicamError } from '../../model/errors.js';
import type { RenderQuery } from '../../model/render/query.js';
import { refusal } from '../http/refusal.js';

/** What is to be rendered: a model, by its key in the object store (which never changes content), and a query. */
export interface RenderRequest {
  readonly session: string;
  readonly tenant: string;
  /** Object key of the model file. */
  readonly model: string;
  readonly query: RenderQuery;
}

export interface RenderedPicture {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The way to who renders. */
export interface RenderGateway {
  /** @throws ImplicamError as the renderer says, `gateway-unavailable` where it cannot be reached */
  render(request: RenderRequest, signal: AbortSignal): Promise<RenderedPicture>;
  /** Whether renders can be had now. */
  healthy(signal: AbortSignal): Promise<boolean>;
}

/** A render is a picture of at most 16384² pixels; what is larger than this is no answer of ours. */
const MAX_RENDER_BYTES = 2 ** 30;

/**
 * The coordinator's gateway over plain HTTP: `POST /render` with the request as JSON and a shared secret; the answer is
 * the encoded picture, or problem+json whose code, message and status are passed on.
 */
export function createHttpGateway(base: string, secret: string): RenderGateway {
  const url = new URL('render', base.endsWith('/') ? base : `${base}/`);
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  return {
    async render(request, signal) {
      let response: Response;
      try {
        response = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify(request),
          signal,
          // Not followed, and no picture: 'error', which says that, is not known to every runtime.
          redirect: 'manual',
        });
        if (response.ok) {
          const bytes = await readBounded(response);
          return { type: response.headers.get('content-type') ?? 'application/octet-stream', bytes };
        }
      } catch (cause) {
        if (cause instanceof ImplicamError) throw cause;
        if (signal.aborted) throw signal.reason;
        throw unavailable(cause);
      }
      throw await passedOn(response);
    },
    async healthy(signal) {
      try {
        const response = await fetch(new URL('healthz', base.endsWith('/') ? base : `${base}/`), { signal });
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

/** For a service without renderers: everything but renders works. */
export const noGateway: RenderGateway = {
  render: () => Promise.reject(unavailable(undefined)),
  healthy: () => Promise.resolve(false),
};

function unavailable(cause: unknown): ImplicamError {
  const error = refusal(
    503,
    'gateway-unavailable',
    'nobody is there to render now: try again in a moment',
    2,
  );
  error.cause = cause;
  return error;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > MAX_RENDER_BYTES) {
      throw refusal(503, 'gateway-failed', 'the renderer answered with more than a picture: report it');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

async function passedOn(response: Response): Promise<ImplicamError> {
  const problem = (await response.json().catch(() => undefined)) as
    | { code?: unknown; detail?: unknown }
    | undefined;
  const { code, detail } = problem ?? {};
  if (response.status === 401 || response.status === 403 || typeof code !== 'string') {
    return refusal(503, 'gateway-failed', `the renderer answered with status ${response.status}: report it`);
  }
  const retry = Number(response.headers.get('retry-after')) || undefined;
  const message = typeof detail === 'string' ? detail : 'the renderer refused';
  return refusal(response.status, code, message, retry);
}
