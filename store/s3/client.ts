import { AwsV4Signer } from 'aws4fetch';
import { ImplicamError } from '../../model/errors.js';
import type { S3Place } from './location.js';
import { Slots } from './slots.js';
import { textOf } from './xml.js';

/** Talks to a bucket: signed requests with deadlines, tried again where that helps, a bounded number at a time. */

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without the place's prefix; undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Statuses beside those of success that are an answer too, and no error. */
  readonly accept?: readonly number[];
}

export interface S3Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly bytes: Buffer;
}

export interface S3ClientOptions {
  /** Requests at a time. @default 16 */
  readonly requests?: number;
  /** How often a request is tried. @default 6 */
  readonly attempts?: number;
  /** Wait before the second attempt, in milliseconds; twice as long before each further one. @default 200 */
  readonly backOff?: number;
  /** How long an answer may not move on, in milliseconds. @default 30 000 */
  readonly patience?: number;
}

/** What a request that is being sent gets beside its patience: a slow line's time for its bytes. */
const SLOWEST_BYTES_PER_MS = 64;
/** Requests that wait for their turn, at most. */
const WAITING = 10_000;
/** An answer that is not an object: listings of 1000 keys. */
const TEXT_BYTES = 16 * 2 ** 20;

/** What passes: worth another attempt. */
class Passing extends Error {
  readonly waitMs: number;

  constructor(message: string, cause?: unknown, waitMs = 0) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

export class S3Client {
  readonly place: S3Place;
  readonly #options: Required<S3ClientOptions>;
  readonly #slots: Slots;
  /** Signing keys of the day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  constructor(place: S3Place, options: S3ClientOptions = {}) {
    this.place = place;
    this.#options = { requests: 16, attempts: 6, backOff: 200, patience: 30_000, ...options };
    this.#slots = new Slots(this.#options.requests, WAITING);
  }

  /**
   * Asks until there is an answer.
   *
   * @param limit as many bytes of the answer as are wanted; the rest is not waited for
   * @throws ImplicamError `object-missing` for a key that is not there (unless accepted), else `store-failed`
   */
  async ask(request: S3Request, limit = TEXT_BYTES): Promise<S3Answer> {
    const { attempts, backOff } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#slots.use(() => this.#once(request, limit));
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        if (attempt === attempts) throw this.#failure(request, error.message, error.cause);
        // Half of it by chance, so that many who failed together do not come back together.
        const wait = backOff * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
        await new Promise((resolve) => setTimeout(resolve, Math.max(wait, error.waitMs)));
      }
    }
  }

  async #once(request: S3Request, limit: number): Promise<S3Answer> {
    const watch = new Watch(this.#options.patience);
    try {
      watch.allow((request.body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
      const { url, method, headers, body } = await this.#sign(request);
      const init = { method, headers, body, redirect: 'manual', signal: watch.signal } as RequestInit;
      const response = await fetch(url, init);
      watch.allow();
      // A head's length is that of a body that does not come.
      const bytes = method === 'HEAD' ? Buffer.alloc(0) : await readBody(response, limit, watch);
      this.#judge(request, response, bytes);
      return { status: response.status, headers: response.headers, bytes };
    } catch (error) {
      if (error instanceof ImplicamError || error instanceof Passing) throw error;
      throw new Passing(watch.signal.aborted ? 'it does not answer in time' : reasonOf(error), error);
    } finally {
      watch.end();
    }
  }

  async #sign({ method, key, query, headers, body }: S3Request) {
    const { url: base, prefix, region, credentials } = this.place;
    const path = key === undefined ? '' : `/${encodeURIComponent(prefix + key).replaceAll('%2F', '/')}`;
    const url = new URL(base + path);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': await sha256(body) },
      ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      ...credentials,
      service: 's3',
      region,
      cache: this.#signingKeys,
    });
    return signer.sign();
  }

  /** @throws Passing, ImplicamError; returns where it is an answer */
  #judge(request: S3Request, response: Response, bytes: Buffer): void {
    const { status } = response;
    const text = response.ok && request.method !== 'POST' ? '' : bytes.toString();
    // Work that takes long is answered with 200 before it is done, and with an error where it was not.
    const late = response.ok && /^\s*(<\?xml[^>]*>)?\s*<Error>/.test(text);
    if (response.ok && !late) return;
    const code = textOf(text, 'Code') ?? '';
    if (request.accept?.includes(status) && code !== 'NoSuchBucket') return;
    const words = [late ? 500 : status, code, textOf(text, 'Message')].filter(Boolean).join(' ');
    if (late || status >= 500 || status === 429 || status === 408 || code === 'RequestTimeout') {
      const retryAfter = Number(response.headers.get('retry-after')) || 0;
      throw new Passing(`it answers ${words}`, undefined, 1000 * Math.min(10, retryAfter));
    }
    throw this.#refusal(request, status, code, words);
  }

  #refusal(request: S3Request, status: number, code: string, words: string): ImplicamError {
    const { bucket, url } = this.place;
    if (code === 'NoSuchBucket') {
      return this.#failure(request, `there is no bucket ${bucket} at ${url}: make it, or name another`);
    }
    if (status === 404) {
      return new ImplicamError('object-missing', `the object store has no ${request.key}`, { status: 404 });
    }
    if (status === 412) return this.#failure(request, 'it was replaced while it was read');
    if (status === 401 || status === 403) {
      const may =
        'give a key that may list, read, write and delete there (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)';
      return this.#failure(request, `it refuses these credentials (${words}): ${may}`);
    }
    if (status >= 300 && status < 400) {
      return this.#failure(request, `the bucket is elsewhere (${words}): give its region or endpoint`);
    }
    return this.#failure(request, `it answers ${words}`);
  }

  #failure({ method, key }: S3Request, why: string, cause?: unknown): ImplicamError {
    const what = key === undefined ? this.place.name : `${key} in ${this.place.name}`;
    const does = method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'delete' : 'write';
    return new ImplicamError('store-failed', `the object store cannot ${does} ${what}: ${why}`, {
      status: 503,
      cause,
    });
  }
}

/** Ends what does not move on. */
class Watch {
  readonly #controller = new AbortController();
  readonly #patience: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(patience: number) {
    this.#patience = patience;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** It has moved on; it may take its patience, and `more` milliseconds, until it does so again. */
  allow(more = 0): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.#patience + more);
  }

  /** Ends it in any case; what was read stays read. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

/** The first `limit` bytes of a body. What comes short of its stated length has broken off. */
async function readBody(response: Response, limit: number, watch: Watch): Promise<Buffer> {
  if (!response.body) return Buffer.alloc(0);
  const packed = response.headers.get('content-encoding') !== null;
  const stated = packed ? null : response.headers.get('content-length');
  const wanted = stated === null ? undefined : Math.min(limit, Number(stated));
  const whole = wanted === undefined ? undefined : Buffer.allocUnsafe(wanted);
  const pieces: Uint8Array[] = [];
  const reader = response.body.getReader();
  let size = 0;
  try {
    while (size < (wanted ?? limit)) {
      const { done, value } = await reader.read();
      if (done) break;
      watch.allow();
      const piece = value.subarray(0, (wanted ?? limit) - size);
      if (whole) whole.set(piece, size);
      else pieces.push(piece);
      size += piece.length;
    }
  } finally {
    // Of a body that was read to its end this frees the connection for the next request.
    if (wanted !== undefined && size === Number(stated)) await reader.read().catch(() => undefined);
    else reader.cancel().catch(() => undefined);
  }
  if (wanted !== undefined && size < wanted) throw new Passing('its answer broke off');
  return whole ?? Buffer.concat(pieces);
}

async function sha256(body: Uint8Array = new Uint8Array(0)): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', body as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

/** What a failed fetch says of why is in its cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return `it cannot be reached (${cause?.code || cause?.message || message || error})`;
}
