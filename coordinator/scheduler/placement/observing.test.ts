import { describe, expect, test } from 'vitest';
import { info, SchedulerFixture, spec } from '../scheduler.fixture.js';
import type { RunnerInfo, TrainingSpec } from '../types.js';

const shards = (count: number) => Array.from({ length: count }, () => ({ memoryBytes: 100, cost: 10 }));

/** Windows of so many steps; nothing is stored, which would put moves off. */
const steps = (count: number) => ({ minWindowSteps: count, maxWindowSteps: count, storeMs: 1e9 });

/** A training of six shards in training. */
function trainingOn(...runners: RunnerInfo[]): SchedulerFixture {
  const scheduler = new SchedulerFixture(steps(10));
  scheduler.join(...runners);
  submit(scheduler, 's');
  return scheduler;
}

function submit(scheduler: SchedulerFixture, id: string, over: Partial<TrainingSpec> = {}): void {
  scheduler.dispatch({
    type: 'trainingSubmitted',
    spec: spec(id, { shards: shards(6), steps: 10_000, ...over }),
  });
  scheduler.host(id);
}

/** Windows of ten steps in which runners do so many shards a second; true if the training moved. */
function windows(
  scheduler: SchedulerFixture,
  count: number,
  rates: Record<string, number>,
  id = 's',
): boolean {
  const { placement, base } = scheduler.state.trainings[id];
  for (let i = 1; i <= count; i++) {
    const ms = placement.map(({ runner, shards }) => [runner, (1000 * shards.count) / rates[runner]]);
    scheduler.train(id, base + 10 * i, Object.fromEntries(ms));
    if (scheduler.of('placed').length === 0) continue;
    scheduler.host(id);
    return true;
  }
  return false;
}

function shares(scheduler: SchedulerFixture, id = 's'): Record<string, number> {
  const { placement } = scheduler.state.trainings[id];
  return Object.fromEntries(placement.map(({ runner, shards }) => [runner, shards.count]));
}

describe('a runner that measured itself wrongly', () => {
  test('gets its share once two windows have shown it', () => {
    const scheduler = trainingOn(info('a'), info('b', { stepRate: 50 }));
    expect(shares(scheduler)).toEqual({ a: 4, b: 2 });
    expect(windows(scheduler, 1, { a: 7, b: 7 })).toBe(false);
    expect(windows(scheduler, 1, { a: 7, b: 7 })).toBe(true);
    expect(scheduler.of('host')).toEqual([]);
    expect(shares(scheduler)).toEqual({ a: 3, b: 3 });
    // It stays so, however long it goes on.
    expect(windows(scheduler, 20, { a: 7, b: 7.3 })).toBe(false);
  });

  test('has its share in later trainings, too, until it reports another rate', () => {
    const scheduler = trainingOn(info('a'), info('b', { stepRate: 50 }));
    windows(scheduler, 2, { a: 7, b: 7 });
    submit(scheduler, 't');
    expect(shares(scheduler, 't')).toEqual({ a: 3, b: 3 });
    scheduler.dispatch({ type: 'trainingCancelled', training: 't' });
    scheduler.dispatch({ type: 'runnerUpdated', runner: 'b', stepRate: 20 });
    submit(scheduler, 'u');
    expect(shares(scheduler, 'u').b ?? 0).toBeLessThan(3);
  });

  test('is compared with others, not with what steps should cost', () => {
    const scheduler = trainingOn(info('a'), info('b'));
    expect(windows(scheduler, 5, { a: 1, b: 1 })).toBe(false);
    // All steps become heavier.
    expect(windows(scheduler, 5, { a: 0.2, b: 0.2 })).toBe(false);
    expect(Object.values(scheduler.state.runners).map(({ observed }) => observed)).toEqual([null, null]);
  });

  test('is not compared with anybody where it trains alone', () => {
    const scheduler = trainingOn(info('a'));
    windows(scheduler, 5, { a: 7 });
    windows(scheduler, 5, { a: 1 });
    expect(scheduler.state.runners.a.observed).toBeNull();
  });

  test('is compared with new members through those that were observed before', () => {
    const scheduler = trainingOn(info('a'), info('b', { stepRate: 50 }));
    windows(scheduler, 2, { a: 7, b: 7 });
    // As fast as they are, but it measured itself while nothing else ran.
    scheduler.join(info('c'));
    expect(windows(scheduler, 1, { a: 7, b: 7 })).toBe(true);
    expect(shares(scheduler).c).toBeGreaterThan(2);
    expect(windows(scheduler, 2, { a: 7, b: 7, c: 7 })).toBe(true);
    expect(shares(scheduler)).toEqual({ a: 2, b: 2, c: 2 });
  });
});

describe('weak evidence', () => {
  test('one slow window changes nothing, nor do windows that contradict each other', () => {
    const scheduler = trainingOn(info('a'), info('b'));
    for (let i = 0; i < 5; i++) {
      expect(windows(scheduler, 1, { a: 7, b: 1 })).toBe(false);
      expect(windows(scheduler, 1, { a: 7, b: 7 })).toBe(false);
      expect(windows(scheduler, 1, { a: 1, b: 7 })).toBe(false);
      expect(windows(scheduler, 1, { a: 7, b: 1 })).toBe(false);
      expect(windows(scheduler, 1, { a: 7, b: 7 })).toBe(false);
    }
    expect(shares(scheduler)).toEqual({ a: 3, b: 3 });
  });

  test('windows of one step count for a quarter', () => {
    const scheduler = new SchedulerFixture(steps(1));
    scheduler.join(info('a'), info('b', { stepRate: 50 }));
    submit(scheduler, 's');
    for (let to = 1; to <= 7; to++) scheduler.train('s', to, { a: 400, b: 200 });
    expect(shares(scheduler)).toEqual({ a: 4, b: 2 });
    scheduler.train('s', 8, { a: 400, b: 200 });
    expect(shares(scheduler)).toEqual({ a: 3, b: 3 });
  });

  test('a member that hosts another training may be slow because of that', () => {
    const scheduler = trainingOn(info('a'), info('b'));
    submit(scheduler, 't', { shards: [{ memoryBytes: 100, cost: 1 }], hopMs: 1000 });
    const [host] = scheduler.members('t');
    const rates = { a: 7, b: 7, [host]: 4 };
    expect(windows(scheduler, 5, rates)).toBe(false);
    expect(scheduler.state.runners[host].observed).toBeNull();
    // Slower than a half it cannot be for that.
    expect(windows(scheduler, 5, { ...rates, [host]: 1 })).toBe(true);
  });
});

describe('a runner that becomes slow', () => {
  const away = (): SchedulerFixture => {
    const scheduler = trainingOn(info('a'), info('b'));
    windows(scheduler, 2, { a: 7, b: 7 });
    expect(windows(scheduler, 2, { a: 7, b: 0.5 })).toBe(true);
    expect(shares(scheduler)).toEqual({ a: 6 });
    return scheduler;
  };

  test('loses its work, and is tried again after a probation, longer each time', () => {
    const scheduler = away();
    const probations: number[] = [];
    for (let i = 0; i < 3; i++) {
      expect(windows(scheduler, 3, { a: 7 })).toBe(false);
      scheduler.fire('probation');
      expect(windows(scheduler, 1, { a: 7 })).toBe(true);
      expect(shares(scheduler)).toEqual({ a: 3, b: 3 });
      expect(windows(scheduler, 2, { a: 7, b: 0.5 })).toBe(true);
      expect(shares(scheduler)).toEqual({ a: 6 });
      probations.push(scheduler.state.runners.b.probations);
    }
    expect(probations).toEqual([1, 2, 3]);
    scheduler.fire('probation');
    windows(scheduler, 1, { a: 7 });
    expect(windows(scheduler, 10, { a: 7, b: 7 })).toBe(false);
    expect(shares(scheduler)).toEqual({ a: 3, b: 3 });
  });

  test('no probation ends while nobody trains', () => {
    const scheduler = away();
    scheduler.dispatch({ type: 'leaseLost', training: 's', lease: 2 });
    scheduler.fire('probation');
    expect(scheduler.state.runners.b.observed).not.toBeNull();
    expect(scheduler.of('timer')).toHaveLength(1);
    scheduler.dispatch({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    expect(scheduler.state.timers).toEqual({});
  });

  test('a training that keeps moving after its runners does so less and less often', () => {
    const scheduler = trainingOn(info('a'), info('b'));
    let moves = 0;
    for (let i = 0; i < 100; i++) {
      if (windows(scheduler, 2, i % 2 === 0 ? { a: 8, b: 2 } : { a: 2, b: 8 })) moves++;
    }
    expect(moves).toBeGreaterThan(2);
    expect(moves).toBeLessThan(9);
  });
});
