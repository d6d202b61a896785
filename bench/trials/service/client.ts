import { setTimeout as sleep } from 'node:timers/promises';
import { ImplicamError } from '../../../model/errors.js';

/** What a client sees of an event. */
export interface SeenEvent {
  readonly number: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly body?: Uint8Array | object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are an answer too. @default none: anything but 2xx is refused */
  readonly expect?: readonly number[];
}

/** Everything that a client does has an end: one request, a request with its repetitions, a silent stream; in milliseconds. */
const REQUEST_DEADLINE = 30_000;
const INSIST_DEADLINE = 90_000;
const SILENCE_DEADLINE = 40_000;
const RETRY_EVERY = 200;

/** An app that does not give up: it repeats requests whose answer was lost and comes back to streams that broke. */
export class PersistentClient {
  readonly url: string;
  private readonly key: string;
  /** Requests that had to be repeated. */
  repeated = 0;

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  /** One attempt. @throws whatever fetch throws */
  send(method: string, path: string, { body, headers }: Asked = {}, signal?: AbortSignal): Promise<Response> {
    const binary = body instanceof Uint8Array;
    const deadline = AbortSignal.timeout(REQUEST_DEADLINE);
    return fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body && !binary ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: binary ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) } : {}),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  }

  /**
   * Sends a request until it is answered. What is lost on the way and what is "not now" (429, 503) is repeated.
   *
   * @throws ImplicamError `refused` for any other answer, `late` where there was none for too long
   */
  async ask(
    method: string,
    path: string,
    asked: Asked = {},
  ): Promise<{ status: number; bytes: Buffer; headers: Headers }> {
    const end = performance.now() + INSIST_DEADLINE;
    let last = '';
    while (performance.now() < end) {
      try {
        const response = await this.send(method, path, asked);
        const bytes = Buffer.from(await response.arrayBuffer());
        const { status, headers } = response;
        if (response.ok || asked.expect?.includes(status)) return { status, bytes, headers };
        last = `${status} ${bytes.toString().slice(0, 500)}`;
        if (status !== 503 && status !== 429) {
          throw new ImplicamError('refused', `${method} ${path}: ${last}`, { status });
        }
      } catch (error) {
        if (error instanceof ImplicamError) throw error;
        last = String(error);
      }
      this.repeated++;
      await sleep(RETRY_EVERY);
    }
    throw new ImplicamError('late', `${method} ${path}: no answer for ${INSIST_DEADLINE / 1000} s: ${last}`);
  }

  async json<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
    return JSON.parse((await this.ask(method, path, asked)).bytes.toString()) as T;
  }

  /**
   * Events of a session from the first one on until one of type `last`, over as many streams as it takes.
   *
   * @param leaveAfter says after how many events of a stream the client leaves it and comes back
   * @throws ImplicamError `event-gap` where a number is left out or comes twice, `late`
   */
  async follow(
    session: string,
    last: readonly string[],
    deadlineMs: number,
    leaveAfter: () => number,
  ): Promise<SeenEvent[]> {
    const seen: SeenEvent[] = [];
    const end = performance.now() + deadlineMs;
    while (performance.now() < end) {
      const left = Math.min(SILENCE_DEADLINE, end - performance.now());
      try {
        await this.followOnce(session, seen, last, leaveAfter(), left);
        const final = seen.at(-1);
        if (final && last.includes(final.type)) return seen;
      } catch (error) {
        if (error instanceof ImplicamError) throw error;
      }
      await sleep(RETRY_EVERY);
    }
    const at = seen.at(-1);
    throw new ImplicamError(
      'late',
      `session ${session} has not ended after ${deadlineMs / 1000} s; the last event is ${JSON.stringify(at)}`,
    );
  }

  private async followOnce(
    session: string,
    seen: SeenEvent[],
    last: readonly string[],
    most: number,
    deadlineMs: number,
  ): Promise<void> {
    const leaving = new AbortController();
    const timer = setTimeout(() => leaving.abort(), deadlineMs);
    const headers = {
      authorization: `Bearer ${this.key}`,
      accept: 'text/event-stream',
      'last-event-id': String(seen.at(-1)?.number ?? 0),
    };
    try {
      const path = `${this.url}/v1/sessions/${session}/events`;
      const response = await fetch(path, { headers, signal: leaving.signal });
      if (!response.ok || !response.body) {
        const text = await response.text();
        if (response.status === 503 || response.status === 429) return;
        throw new ImplicamError('refused', `events: ${response.status} ${text}`, { status: response.status });
      }
      let count = 0;
      for await (const event of eventsOf(response.body)) {
        const expected = (seen.at(-1)?.number ?? 0) + 1;
        if (event.number !== expected) {
          throw new ImplicamError('event-gap', `event ${event.number} came where ${expected} was next`);
        }
        seen.push(event);
        if (last.includes(event.type) || ++count >= most) return;
      }
    } finally {
      clearTimeout(timer);
      leaving.abort();
    }
  }
}

/** The data of the events of a text/event-stream whose lines end with a line feed. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<SeenEvent> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(bytes, { stream: true });
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const data = lines.filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim());
      if (data.length > 0) yield JSON.parse(data.join('\n')) as SeenEvent;
    }
  }
}
