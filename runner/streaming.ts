import type { ServerWritableStream } from '@grpc/grpc-js';
import { ImplicamError } from '../model/errors.js';

/** How long a reader may read nothing before the call fails, in milliseconds. */
const READ_TIMEOUT = 30_000;

/**
 * Answers a call with a series of messages, each made when there is room for it, so that a slow reader has a few pieces
 * waiting and not the whole answer. Returns early if the call was cancelled; the caller ends the call.
 *
 * @param timeoutMs longest time for which the reader may read nothing
 * @throws ImplicamError `reader-stalled` after that
 */
export async function sendAll<T>(
  call: ServerWritableStream<unknown, T>,
  messages: Iterable<T>,
  timeoutMs = READ_TIMEOUT,
): Promise<void> {
  for (const message of messages) {
    if (call.cancelled) return;
    if (!call.write(message)) await untilRead(call, timeoutMs);
  }
}

/** Waits until a full stream has room again. A cancelled one never has: that ends the wait too. */
function untilRead<T>(call: ServerWritableStream<unknown, T>, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (goOn: () => void) => {
      clearTimeout(timer);
      call.off('drain', done).off('cancelled', done);
      goOn();
    };
    const done = () => leave(resolve);
    const timer = setTimeout(() => {
      const message = `the answer was not read for ${timeoutMs / 1000} s: ask again`;
      leave(() => reject(new ImplicamError('reader-stalled', message, { status: 504 })));
    }, timeoutMs);
    call.on('drain', done).on('cancelled', done);
  });
}
