import { backOff, pause } from './wait.js';

/** A refusal of the service (problem+json), or why it could not be reached. The message is for the person. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds to wait before the next attempt, where the service said so. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get passes(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** The problem that an answer's body tells. */
export function problemOf(status: number, body: string, retryAfter: string | null): Problem {
  const seconds = retryAfter === null ? undefined : Number(retryAfter) || undefined;
  try {
    const { code, detail, title } = JSON.parse(body) as Record<string, unknown>;
    const message = [detail, title].find((text) => typeof text === 'string' && text !== '');
    if (message) return new Problem(status, String(code ?? 'refused'), sentence(message as string), seconds);
  } catch {
    // A proxy between us and the service answered: its page is not for the person.
  }
  return new Problem(status, 'refused', `The service answered with status ${status}. Try again.`, seconds);
}

/** Messages of the service begin small; file names at their beginning stay as they are. */
const sentence = (text: string): string =>
  text.replace(/^[a-z]+(?=[ ,'])/, (word) => word.charAt(0).toUpperCase() + word.slice(1)) +
  (/[.!?]$/.test(text) ? '' : '.');

export const offline = (): Problem =>
  new Problem(0, 'offline', 'The service cannot be reached. Check the connection.');

/** What to tell a person of anything that was thrown. */
export const wordsOf = (error: unknown): string =>
  error instanceof Problem ? error.message : 'Something went wrong in this page. Reload it and try again.';

export const isAbort = (error: unknown): boolean => (error as { name?: string }).name === 'AbortError';

export interface Call {
  readonly method?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Attempts in all, for a request that may be repeated. @default 3 of GET, else 1 */
  readonly attempts?: number;
}

const DEADLINE_SECONDS = 75;

/** The service, as the holder of a key sees it. */
export class Api {
  readonly key: string;
  readonly #onKeyRefused: (problem: Problem) => void;

  constructor(key: string, onKeyRefused: (problem: Problem) => void) {
    this.key = key;
    this.#onKeyRefused = onKeyRefused;
  }

  get authorization(): Record<string, string> {
    return { authorization: `Bearer ${this.key}` };
  }

  /** @throws Problem; AbortError where the caller's signal ended it */
  async call(path: string, options: Call = {}): Promise<Response> {
    const { method = 'GET', attempts = method === 'GET' ? 3 : 1, signal } = options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(path, method, options);
      } catch (error) {
        if (!(error instanceof Problem) || !error.passes || attempt >= attempts) throw error;
        const wait = error.retryAfter === undefined ? backOff(attempt) : 1000 * error.retryAfter;
        await pause(Math.min(wait, 10_000), signal ?? AbortSignal.timeout(20_000));
      }
    }
  }

  /** A file or picture, whole. */
  async blob(path: string, options: Call = {}): Promise<Blob> {
    const response = await this.call(path, options);
    return response.blob().catch((error: unknown) => {
      throw isAbort(error) ? error : offline();
    });
  }

  async json<T>(path: string, options: Call = {}): Promise<T> {
    return (await this.call(path, options)).json() as Promise<T>;
  }

  /** Makes or starts something; asked twice by a bad connection, it happens once. */
  async post<T>(path: string, json: unknown): Promise<T> {
    const headers = { 'idempotency-key': randomId() };
    return this.json<T>(path, { method: 'POST', json, headers, attempts: 4 });
  }

  async #once(path: string, method: string, { json, headers = {}, signal }: Call): Promise<Response> {
    const deadline = AbortSignal.timeout(1000 * DEADLINE_SECONDS);
    const init: RequestInit = {
      method,
      headers: {
        ...this.authorization,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    };
    let response: Response;
    try {
      response = await fetch(path, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw offline();
    }
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    throw this.noted(problemOf(response.status, text, response.headers.get('retry-after')));
  }

  /** Gives a problem back; one with the key is told to the page first. */
  noted(problem: Problem): Problem {
    if (problem.status === 401) this.#onKeyRefused(problem);
    return problem;
  }
}

/** 128 random bits. (crypto.randomUUID exists only on secure origins, and a phone may come over plain HTTP.) */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
