import { type Api, offline, Problem, problemOf } from './api.js';
import { backOff, pause } from './wait.js';

/**
 * Sends one photograph by the tus protocol 1.0.0: a lost connection, a reload of the page or a restart of the service
 * costs what was on its way, and the rest goes on from there.
 */

export interface Photograph {
  readonly session: string;
  /** Its number in the session. */
  readonly frame: number;
  readonly file: File;
}

export interface Sending {
  readonly signal: AbortSignal;
  /** Bytes that have left so far. */
  onSent(bytes: number): void;
  /** Why it does not go on right now; null once it does. */
  onPause(problem: Problem | null): void;
}

/** Attempts in a row without a byte getting through. */
const MOST_ATTEMPTS = 40;
/** Seconds without progress after which a connection counts as lost; at its end the photograph is decoded. */
const STALL_SECONDS = 40;
const JUDGE_SECONDS = 150;
/** Larger files are sent without their hash: it is taken of the whole file in memory. */
const HASHED_BYTES = 64 * 2 ** 20;

/** @throws Problem where the photograph is refused; the signal's reason */
export async function sendPhotograph(api: Api, photograph: Photograph, sending: Sending): Promise<void> {
  let location = remembered(photograph);
  let reached = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const begun = location === undefined;
      location ??= await create(api, photograph, sending.signal);
      remember(photograph, location);
      const offset = begun ? 0 : await offsetOf(api, location, sending.signal);
      if (offset > reached) attempt = 1;
      reached = Math.max(reached, offset);
      sending.onPause(null);
      await send(api, location, offset, photograph.file, sending);
      remember(photograph, undefined);
      return;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const gone = error.status === 410 || error.code === 'upload-missing';
      if (gone) location = undefined;
      const goesOn = gone || error.code === 'upload-offset' || error.passes;
      if (!goesOn || attempt >= MOST_ATTEMPTS) {
        remember(photograph, undefined);
        throw error;
      }
      sending.onPause(error);
      await pause(
        error.retryAfter === undefined ? backOff(attempt) : 1000 * error.retryAfter,
        sending.signal,
      );
    }
  }
}

const TUS = { 'tus-resumable': '1.0.0' };

async function create(api: Api, { session, frame, file }: Photograph, signal: AbortSignal): Promise<string> {
  const sha256 = await hashOf(file);
  const metadata = { frame: String(frame), filename: file.name, ...(sha256 ? { sha256 } : {}) };
  const response = await api.call(`/v1/sessions/${session}/uploads`, {
    method: 'POST',
    headers: { ...TUS, 'upload-length': String(file.size), 'upload-metadata': encoded(metadata) },
    signal,
  });
  const location = response.headers.get('location');
  if (!location) throw new Problem(502, 'refused', 'The service did not say where to send the photograph.');
  return location;
}

const encoded = (metadata: Record<string, string>): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`)
    .join(',');

/** SHA-256 in hex, where the browser has it (secure origins) and the file is not too large. */
async function hashOf(file: File): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle || file.size > HASHED_BYTES) return undefined;
  const bytes = await file.arrayBuffer().catch(() => {
    throw new Problem(422, 'file-unreadable', `${file.name} can no longer be read. Choose it again.`);
  });
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function offsetOf(api: Api, location: string, signal: AbortSignal): Promise<number> {
  const { received } = await api.json<{ received: number }>(location, { signal, attempts: 1 });
  return received;
}

/** Sends everything from an offset on. (fetch does not tell how far it is.) */
function send(api: Api, location: string, offset: number, file: File, sending: Sending): Promise<void> {
  const { signal, onSent } = sending;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const deadline = (seconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), 1000 * seconds);
    };
    const stop = (): void => request.abort();
    const lost = (): void => reject(signal.aborted ? signal.reason : offline());
    request.upload.onprogress = ({ loaded }) => {
      onSent(offset + loaded);
      deadline(STALL_SECONDS);
    };
    request.upload.onload = () => {
      onSent(file.size);
      deadline(JUDGE_SECONDS);
    };
    request.onload = () => {
      if (request.status === 204) resolve();
      else {
        const retry = request.getResponseHeader('retry-after');
        reject(api.noted(problemOf(request.status, request.responseText, retry)));
      }
    };
    request.onerror = lost;
    request.onabort = lost;
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', stop);
    request.open('PATCH', location);
    const headers = { ...api.authorization, ...TUS, 'upload-offset': String(offset) };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/offset+octet-stream');
    onSent(offset);
    deadline(offset === file.size ? JUDGE_SECONDS : STALL_SECONDS);
    // The type of a body with a type would replace the header.
    request.send(file.slice(offset, file.size, 'application/offset+octet-stream'));
  });
}

/** Under which an unfinished upload is found again after a reload, when the same file is chosen again. */
const nameOf = ({ session, frame, file }: Photograph): string =>
  `implicam.upload ${session} ${frame} ${file.name} ${file.size} ${file.lastModified}`;

function remembered(photograph: Photograph): string | undefined {
  return localStorage.getItem(nameOf(photograph)) ?? undefined;
}

function remember(photograph: Photograph, location: string | undefined): void {
  if (location === undefined) localStorage.removeItem(nameOf(photograph));
  else localStorage.setItem(nameOf(photograph), location);
}

/**
 * The number under which an unfinished upload of this file was begun in the session, if there is one.
 */
export function unfinishedFrame(session: string, file: File): number | undefined {
  const begin = `implicam.upload ${session} `;
  const end = ` ${file.name} ${file.size} ${file.lastModified}`;
  for (let i = 0; i < localStorage.length; i++) {
    const name = localStorage.key(i)!;
    if (!name.startsWith(begin) || !name.endsWith(end)) continue;
    const frame = Number(name.slice(begin.length, name.length - end.length));
    if (Number.isInteger(frame)) return frame;
  }
  return undefined;
}

/** Forgets the unfinished uploads of a session that is gone. */
export function forgetUploads(session: string): void {
  const names = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i)!);
  for (const name of names) {
    if (name.startsWith(`implicam.upload ${session} `)) localStorage.removeItem(name);
  }
}
