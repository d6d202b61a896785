import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Latest } from './latest.js';

/** Loads that the test ends by hand. */
function desk() {
  const begun: { query: number; signal: AbortSignal; end(): void; fail(error: Error): void }[] = [];
  const results: number[] = [];
  const errors: unknown[] = [];
  const busy: boolean[] = [];
  const latest = new Latest<number, number>({
    debounce: 50,
    patience: 1000,
    load: (query, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        begun.push({ query, signal, end: () => resolve(10 * query), fail: reject });
      }),
    onResult: (result) => void results.push(result),
    onError: (error) => errors.push(error),
    onBusy: (is) => busy.push(is),
  });
  return { latest, begun, results, errors, busy };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('of queries in quick succession only the last is asked', async () => {
  const { latest, begun, results, busy } = desk();
  for (let i = 1; i <= 5; i++) latest.ask(i);
  await vi.advanceTimersByTimeAsync(50);
  expect(begun.map(({ query }) => query)).toEqual([5]);
  begun[0].end();
  await vi.advanceTimersByTimeAsync(0);
  expect(results).toEqual([50]);
  expect(busy.at(-1)).toBe(false);
});

test('one is under way at a time; the newest comes next, those between never', async () => {
  const { latest, begun, results } = desk();
  latest.ask(1);
  await vi.advanceTimersByTimeAsync(60);
  for (let i = 2; i <= 6; i++) {
    latest.ask(i);
    await vi.advanceTimersByTimeAsync(60);
  }
  expect(begun).toHaveLength(1);
  begun[0].end();
  await vi.advanceTimersByTimeAsync(0);
  expect(begun.map(({ query }) => query)).toEqual([1, 6]);
  begun[1].end();
  await vi.advanceTimersByTimeAsync(0);
  expect(results).toEqual([10, 60]);
});

test('one that takes too long is given up for a newer one, without a word', async () => {
  const { latest, begun, results, errors } = desk();
  latest.ask(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(begun[0].signal.aborted).toBe(false);
  latest.ask(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(begun[0].signal.aborted).toBe(true);
  expect(begun[1].query).toBe(2);
  begun[1].end();
  await vi.advanceTimersByTimeAsync(0);
  expect([results, errors]).toEqual([[20], []]);
});

test('an error is told and the next query is asked all the same', async () => {
  const { latest, begun, results, errors } = desk();
  latest.ask(1);
  await vi.advanceTimersByTimeAsync(50);
  begun[0].fail(new Error('no'));
  latest.ask(2);
  await vi.advanceTimersByTimeAsync(50);
  begun[1].end();
  await vi.advanceTimersByTimeAsync(0);
  expect(errors).toHaveLength(1);
  expect(results).toEqual([20]);
});

test('once closed nothing comes any more', async () => {
  const { latest, begun, results, errors } = desk();
  latest.ask(1);
  await vi.advanceTimersByTimeAsync(50);
  latest.close();
  latest.ask(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(begun[0].signal.aborted).toBe(true);
  expect([begun.length, results, errors]).toEqual([1, [], []]);
});
