import { describe, expect, test } from 'vitest';
import { Bench, info, spec } from '../scheduler-bench.fixture.js';
import type { RunnerInfo, SessionSpec } from '../types.js';

const shards = (count: number) => Array.from({ length: count }, () => ({ memoryBytes: 100, cost: 10 }));

/** Windows of so many steps; nothing is stored, which would put moves off. */
const steps = (count: number) => ({ minWindowSteps: count, maxWindowSteps: count, storeMs: 1e9 });

/** A session of six shards in training. */
function training(...runners: RunnerInfo[]): Bench {
  const bench = new Bench(steps(10));
  bench.join(...runners);
  submit(bench, 's');
  return bench;
}

function submit(bench: Bench, id: string, over: Partial<SessionSpec> = {}): void {
  bench.give({ type: 'sessionSubmitted', spec: spec(id, { shards: shards(6), steps: 10_000, ...over }) });
  bench.host(id);
}

/** Windows of ten steps in which runners do so many shards a second; true if the session moved. */
function windows(bench: Bench, count: number, rates: Record<string, number>, id = 's'): boolean {
  const { placement, base } = bench.state.sessions[id]!;
  for (let i = 1; i <= count; i++) {
    const ms = placement.map(({ runner, shards }) => [runner, (1000 * shards.count) / rates[runner]!]);
    bench.train(id, base + 10 * i, Object.fromEntries(ms));
    if (bench.of('placed').length === 0) continue;
    bench.host(id);
    return true;
  }
  return false;
}

function shares(bench: Bench, id = 's'): Record<string, number> {
  const { placement } = bench.state.sessions[id]!;
  return Object.fromEntries(placement.map(({ runner, shards }) => [runner, shards.count]));
}

describe('a runner that measured itself wrongly', () => {
  test('gets its share once two windows have shown it', () => {
    const bench = training(info('a'), info('b', { stepRate: 50 }));
    expect(shares(bench)).toEqual({ a: 4, b: 2 });
    expect(windows(bench, 1, { a: 7, b: 7 })).toBe(false);
    expect(windows(bench, 1, { a: 7, b: 7 })).toBe(true);
    expect(bench.of('host')).toEqual([]);
    expect(shares(bench)).toEqual({ a: 3, b: 3 });
    // It stays so, however long it goes on.
    expect(windows(bench, 20, { a: 7, b: 7.3 })).toBe(false);
  });

  test('has its share in later sessions, too, until it says something else', () => {
    const bench = training(info('a'), info('b', { stepRate: 50 }));
    windows(bench, 2, { a: 7, b: 7 });
    submit(bench, 't');
    expect(shares(bench, 't')).toEqual({ a: 3, b: 3 });
    bench.give({ type: 'sessionCancelled', session: 't' });
    bench.give({ type: 'runnerUpdated', runner: 'b', stepRate: 20 });
    submit(bench, 'u');
    expect(shares(bench, 'u').b ?? 0).toBeLessThan(3);
  });

  test('is compared with others, not with what steps should cost', () => {
    const bench = training(info('a'), info('b'));
    expect(windows(bench, 5, { a: 1, b: 1 })).toBe(false);
    // All steps become heavier.
    expect(windows(bench, 5, { a: 0.2, b: 0.2 })).toBe(false);
    expect(Object.values(bench.state.runners).map(({ observed }) => observed)).toEqual([null, null]);
  });

  test('is not compared with anybody where it trains alone', () => {
    const bench = training(info('a'));
    windows(bench, 5, { a: 7 });
    windows(bench, 5, { a: 1 });
    expect(bench.state.runners.a!.observed).toBeNull();
  });

  test('is known beside those that were not there, by those that were', () => {
    const bench = training(info('a'), info('b', { stepRate: 50 }));
    windows(bench, 2, { a: 7, b: 7 });
    // As fast as they are, but it measured itself while nothing else ran.
    bench.join(info('c'));
    expect(windows(bench, 1, { a: 7, b: 7 })).toBe(true);
    expect(shares(bench).c).toBeGreaterThan(2);
    expect(windows(bench, 2, { a: 7, b: 7, c: 7 })).toBe(true);
    expect(shares(bench)).toEqual({ a: 2, b: 2, c: 2 });
  });
});

describe('what says little', () => {
  test('one slow window changes nothing, nor do windows that contradict each other', () => {
    const bench = training(info('a'), info('b'));
    for (let i = 0; i < 5; i++) {
      expect(windows(bench, 1, { a: 7, b: 1 })).toBe(false);
      expect(windows(bench, 1, { a: 7, b: 7 })).toBe(false);
      expect(windows(bench, 1, { a: 1, b: 7 })).toBe(false);
      expect(windows(bench, 1, { a: 7, b: 1 })).toBe(false);
      expect(windows(bench, 1, { a: 7, b: 7 })).toBe(false);
    }
    expect(shares(bench)).toEqual({ a: 3, b: 3 });
  });

  test('windows of one step count for a quarter', () => {
    const bench = new Bench(steps(1));
    bench.join(info('a'), info('b', { stepRate: 50 }));
    submit(bench, 's');
    for (let to = 1; to <= 7; to++) bench.train('s', to, { a: 400, b: 200 });
    expect(shares(bench)).toEqual({ a: 4, b: 2 });
    bench.train('s', 8, { a: 400, b: 200 });
    expect(shares(bench)).toEqual({ a: 3, b: 3 });
  });

  test('who hosts another session may owe its slowness to that', () => {
    const bench = training(info('a'), info('b'));
    submit(bench, 't', { shards: [{ memoryBytes: 100, cost: 1 }], hopMs: 1000 });
    const [host] = bench.members('t');
    const rates = { a: 7, b: 7, [host!]: 4 };
    expect(windows(bench, 5, rates)).toBe(false);
    expect(bench.state.runners[host!]!.observed).toBeNull();
    // Slower than a half it cannot be for that.
    expect(windows(bench, 5, { ...rates, [host!]: 1 })).toBe(true);
  });
});

describe('a runner that becomes slow', () => {
  const away = (): Bench => {
    const bench = training(info('a'), info('b'));
    windows(bench, 2, { a: 7, b: 7 });
    expect(windows(bench, 2, { a: 7, b: 0.5 })).toBe(true);
    expect(shares(bench)).toEqual({ a: 6 });
    return bench;
  };

  test('loses its work, and is tried again after a while, less and less often', () => {
    const bench = away();
    const doubts: number[] = [];
    for (let i = 0; i < 3; i++) {
      expect(windows(bench, 3, { a: 7 })).toBe(false);
      bench.fire('doubt');
      expect(windows(bench, 1, { a: 7 })).toBe(true);
      expect(shares(bench)).toEqual({ a: 3, b: 3 });
      expect(windows(bench, 2, { a: 7, b: 0.5 })).toBe(true);
      expect(shares(bench)).toEqual({ a: 6 });
      doubts.push(bench.state.runners.b!.doubts);
    }
    expect(doubts).toEqual([1, 2, 3]);
    bench.fire('doubt');
    windows(bench, 1, { a: 7 });
    expect(windows(bench, 10, { a: 7, b: 7 })).toBe(false);
    expect(shares(bench)).toEqual({ a: 3, b: 3 });
  });

  test('nothing is forgotten while nobody trains', () => {
    const bench = away();
    bench.give({ type: 'leaseLost', session: 's', lease: 2 });
    bench.fire('doubt');
    expect(bench.state.runners.b!.observed).not.toBeNull();
    expect(bench.of('timer')).toHaveLength(1);
    bench.give({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    expect(bench.state.timers).toEqual({});
  });

  test('a session that follows its runners to and fro does so less and less often', () => {
    const bench = training(info('a'), info('b'));
    let moves = 0;
    for (let i = 0; i < 100; i++) {
      if (windows(bench, 2, i % 2 === 0 ? { a: 8, b: 2 } : { a: 2, b: 8 })) moves++;
    }
    expect(moves).toBeGreaterThan(2);
    expect(moves).toBeLessThan(9);
  });
});
