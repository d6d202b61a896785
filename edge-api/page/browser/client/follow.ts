import { type Api, isAbort, offline, Problem, problemOf } from './api.js';
import { EventStreamParser } from './event-stream.js';
import type { SessionEvent } from './resources.js';
import { backOff, pause } from './wait.js';

/** The service gives a sign of life every 15 seconds; after this many without one the connection counts as lost. */
const SILENCE_SECONDS = 40;

export interface Following {
  /** Events behind this number. */
  readonly after: number;
  readonly signal: AbortSignal;
  onEvent(event: SessionEvent): void;
  /** Whether events are coming in. */
  onConnection(connected: boolean): void;
}

/**
 * Follows the events of a session until the signal ends it, across lost connections: none is missed and none comes
 * twice. (EventSource cannot send a key.)
 *
 * @throws Problem where the service refuses for good; the signal's reason
 */
export async function follow(api: Api, session: string, following: Following): Promise<void> {
  const { signal, onConnection } = following;
  let last = following.after;
  let failures = 0;
  for (;;) {
    try {
      await readStream(api, session, last, following, (event) => {
        failures = 0;
        last = event.number;
        following.onEvent(event);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Problem && !error.passes) throw error;
      failures++;
    }
    onConnection(false);
    await pause(failures === 0 ? 100 : backOff(failures), signal);
  }
}

async function readStream(
  api: Api,
  session: string,
  last: number,
  { signal, onConnection }: Following,
  onEvent: (event: SessionEvent) => void,
): Promise<void> {
  const silent = new AbortController();
  let timer = 0;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), 1000 * SILENCE_SECONDS);
  };
  heard();
  try {
    const response = await open(api, session, last, AbortSignal.any([signal, silent.signal]));
    onConnection(true);
    const parser = new EventStreamParser();
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      for (const { data } of parser.push(value)) onEvent(JSON.parse(data) as SessionEvent);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function open(api: Api, session: string, last: number, signal: AbortSignal): Promise<Response> {
  const headers = { ...api.authorization, accept: 'text/event-stream', 'last-event-id': String(last) };
  let response: Response;
  try {
    response = await fetch(`/v1/sessions/${session}/events`, { headers, signal, cache: 'no-store' });
  } catch (error) {
    throw isAbort(error) ? error : offline();
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  throw api.noted(problemOf(response.status, text, response.headers.get('retry-after')));
}
