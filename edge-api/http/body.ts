import type { Limits } from '../limits.js';
import { refusal } from './refusal.js';

/**
 * The bytes of a request's body as they come. A body that is too long, or comes too slowly to be honest, is refused
 * while it comes.
 *
 * @param maxBytes more than this is refused
 * @throws ImplicamError `body-too-large`, `body-too-slow`, `body-broken` where the client went away
 */
export async function* readBody(
  request: Request,
  maxBytes: number,
  limits: Limits,
): AsyncGenerator<Uint8Array, void> {
  if (!request.body) return;
  const reader = request.body.getReader();
  const began = performance.now();
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await withDeadline(reader.read(), limits.bodyIdleSeconds);
      if (done) return;
      size += value.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      requireRate(size, (performance.now() - began) / 1000, limits);
      if (value.length > 0) yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** The refusal of a body that is longer than allowed. */
export function tooLarge(maxBytes: number) {
  const megabytes = Number((maxBytes / 2 ** 20).toPrecision(3));
  return refusal(413, 'body-too-large', `the body is larger than ${megabytes} MB: send a smaller file`);
}

async function withDeadline<T>(reading: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), 1000 * seconds);
  });
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    if ((error as { code?: string }).code === 'body-too-slow') throw error;
    throw refusal(400, 'body-broken', 'the upload broke off: send it again');
  } finally {
    clearTimeout(timer);
    reading.catch(() => undefined);
  }
}

/** A client that sends a byte now and then would hold its place for ever. */
function requireRate(bytes: number, seconds: number, limits: Limits): void {
  const allowed = seconds - limits.bodyIdleSeconds;
  if (allowed > 0 && bytes < allowed * limits.bodyBytesPerSecond) throw tooSlow();
}

const tooSlow = () => refusal(408, 'body-too-slow', 'the upload comes too slowly: try a better connection');

/** A stream for a Response from anything that gives bytes; gives as fast as it is taken. */
export function toWebStream(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
