/** Waiting: always with an end. */

/** Resolves after a time, or at once when the network comes back. @throws the signal's reason */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clear();
      resolve();
    };
    const stop = (): void => {
      clear();
      reject(signal.reason);
    };
    const clear = (): void => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', stop);
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener('online', done);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

/** Milliseconds before the n-th attempt in a row, n from 1: doubling from half a second to 15 seconds. */
export const backOff = (attempt: number): number => Math.min(15_000, 500 * 2 ** Math.max(0, attempt - 1));
