import { describe, expect, test } from 'vitest';
import { info, running, SchedulerFixture, snapshot, spec } from './scheduler.fixture.js';
import type { DeviceLink, RunnerInfo, TrainingSpec } from './types.js';

describe('a training', () => {
  test('waits for runners with the reason, and starts when one joins', () => {
    const scheduler = new SchedulerFixture();
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
    expect(scheduler.of('waiting')).toMatchObject([{ reason: 'no-runners' }]);
    scheduler.join(info('a'));
    expect(scheduler.of('host')).toMatchObject([{ runner: 'a', step: 0, shards: { first: 0, count: 4 } }]);
    scheduler.host('s');
    expect(scheduler.of('advance')).toMatchObject([{ until: 20, snapshots: [10, 20] }]);
  });

  test('of no steps is finished as soon as it is submitted, without a runner', () => {
    const scheduler = new SchedulerFixture();
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', { steps: 0 }) });
    expect(scheduler.last).toEqual([{ type: 'finished', training: 's', step: 0 }]);
    expect(scheduler.state.trainings).toEqual({});
    scheduler.join(info('a'));
    expect(scheduler.of('host')).toEqual([]);
  });

  test('reports how much memory it lacks', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a', { memoryBytes: 200 }));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
    expect(scheduler.of('waiting')).toMatchObject([{ reason: 'memory' }]);
    scheduler.join(info('b', { memoryBytes: 400 }));
    expect(scheduler.of('host').map(({ shards }) => shards.count)).toEqual([1, 3]);
  });

  test('gets two windows beyond the newest safe snapshot, and no more', () => {
    const scheduler = running(info('a'), info('b'));
    scheduler.train('s', 10);
    expect(scheduler.of('advance')).toMatchObject([{ until: 30 }, { until: 30 }]);
    const at = scheduler.at('s');
    scheduler.dispatch({
      type: 'snapshotTaken',
      runner: 'a',
      ...at,
      step: 20,
      milliseconds: 0,
      computeMs: 0,
    });
    expect(scheduler.of('advance')).toEqual([]);
  });

  test('has windows as long as large snapshots need, so that their copies take a share of the time', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a'), info('b'));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', { steps: 1000 }) });
    scheduler.host('s');
    scheduler.train('s', 10);
    const taken = (runner: string, milliseconds: number) =>
      scheduler.dispatch({
        type: 'snapshotTaken',
        runner,
        ...scheduler.at('s'),
        step: 20,
        milliseconds,
        computeMs: 0,
      });
    taken('a', 100);
    // A window of 2.5 s has ten steps here; 6 s are a quarter of 24 s.
    taken('b', 6_000);
    expect(scheduler.of('advance').map(({ until }) => until)).toEqual([126, 126]);
  });

  test('has longer deadlines to restore and store large shards', () => {
    const host = (memoryBytes: number) => {
      const scheduler = new SchedulerFixture();
      scheduler.join(info('a', { memoryBytes: 1e12 }));
      const shards = spec('s').shards.map((shard) => ({ ...shard, memoryBytes }));
      scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', { shards }) });
      return scheduler.of('timer').find(({ id }) => scheduler.state.timers[id].kind === 'host')!.ms;
    };
    // Four shards of 5 GB at 20 MB/s.
    expect(host(5e9) - host(100)).toBeCloseTo(1_000_000, -2);
  });

  test('is stored every few windows, and finished once its last snapshot is durable', () => {
    const scheduler = running(info('a'));
    for (let to = 10; to <= 90; to += 10) scheduler.train('s', to);
    expect(scheduler.of('store')).toEqual([]);
    scheduler.train('s', 100);
    expect(scheduler.of('store')).toMatchObject([{ step: 100 }]);
    const at = scheduler.at('s');
    scheduler.dispatch({ type: 'stored', runner: 'a', ...at, step: 100, pieces: [] });
    expect(scheduler.of('commit')).toMatchObject([{ step: 100, engine: 'native' }]);
    scheduler.dispatch({ type: 'committed', ...at, step: 100 });
    expect(scheduler.last.map(({ type }) => type)).toContain('finished');
    expect(scheduler.of('release')).toHaveLength(1);
    expect(scheduler.state.trainings).toEqual({});
    expect(scheduler.state.timers).toEqual({});
  });

  test('goes on from the buddies when a runner dies', () => {
    const scheduler = running(info('a'), info('b'));
    scheduler.train('s', 10);
    scheduler.dispatch({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    expect(scheduler.of('host')).toMatchObject([
      { runner: 'a', step: 10, sources: [{ holder: 'a', shards: { first: 0, count: 4 } }] },
    ]);
  });

  test('waits in the queue with its position, the oldest first', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a'));
    for (const id of ['s1', 's2', 's3', 's4'])
      scheduler.dispatch({ type: 'trainingSubmitted', spec: spec(id) });
    expect(scheduler.of('waiting')).toMatchObject([{ training: 's4', reason: 'queue', position: 2 }]);
    scheduler.dispatch({ type: 'trainingCancelled', training: 's1' });
    expect(scheduler.of('placed')).toMatchObject([{ training: 's3' }]);
    expect(scheduler.of('waiting')).toMatchObject([{ training: 's4', position: 1 }]);
  });

  test('keeps its last snapshot when it is cancelled', () => {
    const scheduler = running(info('a'), info('b'));
    scheduler.train('s', 10);
    scheduler.dispatch({ type: 'trainingCancelled', training: 's' });
    expect(scheduler.of('store')).toMatchObject([{ step: 10 }, { step: 10 }]);
    const at = scheduler.at('s');
    for (const runner of ['a', 'b'])
      scheduler.dispatch({ type: 'stored', runner, ...at, step: 10, pieces: [] });
    scheduler.dispatch({ type: 'committed', ...at, step: 10 });
    expect(scheduler.of('cancelled')).toMatchObject([{ step: 10 }]);
  });

  test('is dropped without a write when its lease is lost', () => {
    const scheduler = running(info('a'), info('b'));
    scheduler.train('s', 10);
    scheduler.dispatch({ type: 'leaseLost', training: 's', lease: 2 });
    expect(scheduler.last.map(({ type }) => type).filter((type) => type !== 'cancelTimer')).toEqual([
      'release',
      'release',
      'dropped',
    ]);
  });

  test('never mixes engines, and stays with the one that its snapshot came from', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a', { stepRate: 10 }), info('b', { engine: 'tfjs' }));
    scheduler.dispatch({
      type: 'trainingSubmitted',
      spec: spec('s', { stored: [snapshot(5), snapshot(0)], engine: 'native' }),
    });
    expect(scheduler.members('s')).toEqual(['a']);
    scheduler.dispatch({ type: 'runnerLost', runner: 'a', reason: 'silent' });
    expect(scheduler.of('waiting')).toMatchObject([{ reason: 'engine' }]);
  });
});

describe('failures', () => {
  test('bad data fails the training at once, with the message', () => {
    const scheduler = running(info('a'));
    scheduler.dispatch({
      type: 'failed',
      runner: 'a',
      ...scheduler.at('s'),
      code: 'data',
      message: 'frame 3 is gone',
    });
    expect(scheduler.of('failed')).toMatchObject([{ code: 'data', message: 'frame 3 is gone' }]);
  });

  test('the same failure again and again fails it, after longer and longer waits', () => {
    const scheduler = running(info('a'));
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      scheduler.dispatch({
        type: 'failed',
        runner: 'a',
        ...scheduler.at('s'),
        code: 'store',
        message: 'away',
      });
      const timer = scheduler.of('timer').find(({ id }) => id.startsWith('retry'));
      waits.push(timer?.ms ?? 0);
      if (timer !== undefined) scheduler.fire('retry');
    }
    expect(waits).toEqual([0, 2_000, 4_000, 8_000]);
    scheduler.dispatch({ type: 'failed', runner: 'a', ...scheduler.at('s'), code: 'store', message: 'away' });
    expect(scheduler.of('failed')).toMatchObject([{ code: 'store', message: 'away' }]);
  });

  test('a runner that ran out of memory is asked for less', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a', { stepRate: 300 }), info('b'));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
    expect(scheduler.of('host').map(({ shards }) => shards.count)).toEqual([3, 1]);
    scheduler.dispatch({ type: 'failed', runner: 'a', ...scheduler.at('s'), code: 'memory', message: '' });
    expect(scheduler.of('host').map(({ shards }) => shards.count)).toEqual([2, 2]);
  });

  test('equal devices get equal shares, whatever disturbed one while it measured itself', () => {
    const shares = (...runners: RunnerInfo[]) => {
      const scheduler = new SchedulerFixture();
      scheduler.join(...runners);
      const shards = Array.from({ length: 6 }, () => ({ memoryBytes: 100, cost: 10 }));
      scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', { shards }) });
      return scheduler.of('host').map((order) => order.shards.count);
    };
    expect(shares(info('a', { stepRate: 140 }), info('b'))).toEqual([3, 3]);
    expect(shares(info('a', { stepRate: 140, device: 'another' }), info('b'))).toEqual([4, 2]);
    expect(shares(info('a', { stepRate: 200 }), info('b'))).toEqual([4, 2]);
  });

  test('members with a device each, on one machine and with one NCCL version, exchange between devices', () => {
    const on = (id: string, over: Partial<DeviceLink> = {}) =>
      info(id, { link: { node: 'box', device: `GPU-${id}`, version: 22703, ...over } });
    const shards = Array.from({ length: 6 }, () => ({ memoryBytes: 100, cost: 10 }));
    const told = (...runners: RunnerInfo[]) => {
      const scheduler = new SchedulerFixture();
      scheduler.join(...runners);
      scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', { shards }) });
      return scheduler.of('host').map(({ devices }) => devices);
    };
    expect(told(on('a'), on('b'))).toEqual([true, true]);
    expect(told(on('a'))).toEqual([false]);
    expect(told(info('a'), info('b'))).toEqual([false, false]);
    expect(told(on('a'), info('b'))).toEqual([false, false]);
    expect(told(info('a'), on('b'))).toEqual([false, false]);
    expect(told(on('a'), on('b', { node: 'another' }))).toEqual([false, false]);
    expect(told(on('a'), on('b', { device: 'GPU-a' }))).toEqual([false, false]);
    expect(told(on('a'), on('b', { version: 22800 }))).toEqual([false, false]);
    expect(told(on('a'), on('b'), on('c'))).toEqual([true, true, true]);
    expect(told(on('a'), on('b'), on('c', { node: 'another' }))).toEqual([false, false, false]);
  });

  test('three members that die one after the other fail it', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a'));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
    scheduler.dispatch({ type: 'runnerLost', runner: 'a', reason: 'ended' });
    scheduler.join(info('b'));
    scheduler.dispatch({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    scheduler.join(info('c'));
    expect(scheduler.of('host')).toEqual([]);
    scheduler.fire('retry');
    expect(scheduler.of('host')).toHaveLength(1);
    scheduler.dispatch({ type: 'runnerLost', runner: 'c', reason: 'ended' });
    expect(scheduler.of('failed')).toMatchObject([{ code: 'deadly' }]);
  });

  test('broken connections do not fail it if the processes come back', () => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a'));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
    for (let i = 0; i < 5; i++) {
      scheduler.dispatch({ type: 'runnerLost', runner: 'a', reason: 'ended' });
      expect(scheduler.of('failed')).toEqual([]);
      scheduler.join(info('a'));
    }
  });

  test('of two that cannot reach each other the slower is excluded for a while', () => {
    const scheduler = running(info('a', { stepRate: 80 }), info('b'));
    scheduler.train('s', 10);
    const at = scheduler.at('s');
    scheduler.dispatch({ type: 'peerFailed', runner: 'a', ...at, peer: 'b' });
    scheduler.dispatch({ type: 'peerFailed', runner: 'b', ...at, peer: 'a' });
    scheduler.fire('blame');
    expect(scheduler.of('release')).toMatchObject([{ runner: 'a' }]);
    expect(scheduler.of('host')).toMatchObject([{ runner: 'b', step: 10, buddy: null }]);
    scheduler.host('s');
    scheduler.fire('exclude');
    scheduler.train('s', 10);
    expect(scheduler.of('placed')).toMatchObject([{ why: 'runners changed' }]);
    expect(scheduler.members('s').sort()).toEqual(['a', 'b']);
  });

  test('if nothing moves, the member furthest behind is evicted', () => {
    const scheduler = running(info('a'), info('b'));
    const progress = { ...scheduler.at('s'), loss: 1, psnr: 1, stepsPerSecond: 5 };
    scheduler.dispatch({ type: 'progressed', runner: 'a', ...progress, step: 3 });
    scheduler.dispatch({ type: 'progressed', runner: 'b', ...progress, step: 2 });
    for (let i = 0; i < 3; i++) scheduler.fire('watchdog');
    expect(scheduler.of('release')).toMatchObject([{ runner: 'b' }]);
  });
});

describe('eviction when no other runner can take the training', () => {
  const evict = (scheduler: SchedulerFixture) => {
    scheduler.host('s');
    const evictions = () => scheduler.state.trainings.s.evictions;
    for (const before = evictions(); evictions() === before; ) scheduler.fire('watchdog');
  };
  const pardonMs = (scheduler: SchedulerFixture) =>
    scheduler.of('timer').find(({ id }) => id.startsWith('readmit'))?.ms;

  test('the only runner is readmitted soon, and later each time', () => {
    const scheduler = running(info('a'));
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      evict(scheduler);
      expect(scheduler.of('waiting')).toMatchObject([{ reason: 'excluded' }]);
      waits.push(pardonMs(scheduler));
      scheduler.fire('readmit');
      expect(scheduler.of('host')).toMatchObject([{ runner: 'a', shards: { first: 0, count: 4 } }]);
      expect(Object.values(scheduler.state.timers).map(({ kind }) => kind)).toEqual(['host']);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    scheduler.host('s');
    scheduler.train('s', 10);
    evict(scheduler);
    expect(pardonMs(scheduler)).toBe(2_000);
  });

  test('it is excluded for the whole time if another one takes over', () => {
    const scheduler = running(info('a'), info('b'));
    evict(scheduler);
    expect(scheduler.members('s')).toHaveLength(1);
    expect(pardonMs(scheduler)).toBeUndefined();
  });

  test('one that joins meanwhile is used first', () => {
    const scheduler = running(info('a'));
    evict(scheduler);
    scheduler.join(info('b'));
    expect(scheduler.members('s')).toEqual(['b']);
    const kinds = Object.values(scheduler.state.timers).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['exclude', 'host']);
  });
});

describe('runners', () => {
  test('one that joins gets work at the next snapshot if that pays', () => {
    const scheduler = running(info('a'));
    scheduler.join(info('b'));
    expect(scheduler.of('host')).toEqual([]);
    scheduler.train('s', 10);
    expect(scheduler.of('host')).toMatchObject([
      { runner: 'a', step: 10 },
      { runner: 'b', step: 10 },
    ]);
  });

  test('one that drains hands its shards over, and is released once their state is safe elsewhere', () => {
    const scheduler = running(info('a'), info('b'));
    scheduler.dispatch({ type: 'runnerUpdated', runner: 'a', draining: true });
    expect(scheduler.of('released')).toEqual([]);
    scheduler.train('s', 10);
    expect(scheduler.of('host').map(({ runner }) => runner)).toEqual(['b']);
    expect(scheduler.of('park').map(({ runner }) => runner)).toEqual(['a']);
    scheduler.host('s');
    expect(scheduler.of('released')).toEqual([]);
    scheduler.dispatch({
      type: 'snapshotTaken',
      runner: 'b',
      ...scheduler.at('s'),
      step: 10,
      milliseconds: 0,
      computeMs: 0,
    });
    expect(scheduler.of('released')).toMatchObject([{ runner: 'a' }]);
  });

  test('the last one that drains stores the state first', () => {
    const scheduler = running(info('a'));
    scheduler.dispatch({ type: 'runnerUpdated', runner: 'a', draining: true });
    scheduler.train('s', 10);
    expect(scheduler.of('store')).toMatchObject([{ runner: 'a', step: 10 }]);
    const at = scheduler.at('s');
    scheduler.dispatch({ type: 'stored', runner: 'a', ...at, step: 10, pieces: [] });
    scheduler.dispatch({ type: 'committed', ...at, step: 10 });
    expect(scheduler.of('waiting')).toMatchObject([{ reason: 'no-runners' }]);
    expect(scheduler.of('released')).toMatchObject([{ runner: 'a' }]);
  });

  test('snapshots that a runner reports when it joins are used before those of the store', () => {
    const scheduler = new SchedulerFixture();
    const held = { training: 's', step: 40, shards: { first: 0, count: 4 } };
    scheduler.dispatch({ type: 'runnerJoined', runner: info('a'), snapshots: [held] });
    scheduler.dispatch({
      type: 'trainingSubmitted',
      spec: spec('s', { lease: 2, stored: [snapshot(20), snapshot(0)], engine: 'native' }),
    });
    expect(scheduler.of('host')).toMatchObject([{ step: 40, sources: [{ holder: 'a' }], copy: true }]);
  });
});

describe('bad input', () => {
  test.each([
    ['no shards', { shards: [] }],
    ['no cost', { shards: [{ memoryBytes: 1, cost: 0 }] }],
    ['less than no steps', { steps: -1 }],
    ['half a step', { steps: 0.5 }],
    ['a snapshot from the future', { stored: [snapshot(101), snapshot(0)] }],
    ['snapshots out of order', { stored: [snapshot(10), snapshot(20), snapshot(0)] }],
    ['nothing to begin with', { stored: [] }],
    ['no lease', { lease: 0 }],
    ['no id', { id: '' }],
  ])('a training with %s is refused', (_, over: Partial<TrainingSpec>) => {
    const scheduler = new SchedulerFixture();
    expect(() => scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s', over) })).toThrow(
      /training/,
    );
    expect(scheduler.state.trainings).toEqual({});
  });

  test('a runner without a rate is refused', () => {
    expect(() => new SchedulerFixture().join(info('a', { stepRate: 0 }))).toThrow(/runner a/);
  });
});
