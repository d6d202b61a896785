import { describe, expect, test } from 'vitest';
import { Bench, info, running, snapshot, spec } from './scheduler-bench.fixture.js';
import type { DeviceLink, RunnerInfo, SessionSpec } from './types.js';

describe('a session', () => {
  test('waits for runners, says so, and begins when one comes', () => {
    const bench = new Bench();
    bench.give({ type: 'sessionSubmitted', spec: spec('s') });
    expect(bench.of('waiting')).toMatchObject([{ reason: 'no-runners' }]);
    bench.join(info('a'));
    expect(bench.of('host')).toMatchObject([{ runner: 'a', step: 0, shards: { first: 0, count: 4 } }]);
    bench.host('s');
    expect(bench.of('advance')).toMatchObject([{ until: 20, snapshots: [10, 20] }]);
  });

  test('says how much memory it lacks', () => {
    const bench = new Bench();
    bench.join(info('a', { memoryBytes: 200 }));
    bench.give({ type: 'sessionSubmitted', spec: spec('s') });
    expect(bench.of('waiting')).toMatchObject([{ reason: 'memory' }]);
    bench.join(info('b', { memoryBytes: 400 }));
    expect(bench.of('host').map(({ shards }) => shards.count)).toEqual([1, 3]);
  });

  test('gets two windows beyond the newest safe snapshot, and no more', () => {
    const bench = running(info('a'), info('b'));
    bench.train('s', 10);
    expect(bench.of('advance')).toMatchObject([{ until: 30 }, { until: 30 }]);
    const at = bench.at('s');
    bench.give({ type: 'snapshotTaken', runner: 'a', ...at, step: 20, milliseconds: 0, computeMs: 0 });
    expect(bench.of('advance')).toEqual([]);
  });

  test('has windows as long as large snapshots need, so that their copies take a share of the time', () => {
    const bench = new Bench();
    bench.join(info('a'), info('b'));
    bench.give({ type: 'sessionSubmitted', spec: spec('s', { steps: 1000 }) });
    bench.host('s');
    bench.train('s', 10);
    const taken = (runner: string, milliseconds: number) =>
      bench.give({ type: 'snapshotTaken', runner, ...bench.at('s'), step: 20, milliseconds, computeMs: 0 });
    taken('a', 100);
    // A window of 2.5 s has ten steps here; 6 s are a quarter of 24 s.
    taken('b', 6_000);
    expect(bench.of('advance').map(({ until }) => until)).toEqual([126, 126]);
  });

  test('is given longer to restore and to store what is large', () => {
    const host = (memoryBytes: number) => {
      const bench = new Bench();
      bench.join(info('a', { memoryBytes: 1e12 }));
      const shards = spec('s').shards.map((shard) => ({ ...shard, memoryBytes }));
      bench.give({ type: 'sessionSubmitted', spec: spec('s', { shards }) });
      return bench.of('timer').find(({ id }) => bench.state.timers[id]!.kind === 'host')!.ms;
    };
    // Four shards of 5 GB at 20 MB/s.
    expect(host(5e9) - host(100)).toBeCloseTo(1_000_000, -2);
  });

  test('is stored every few windows, and finished once its last snapshot is durable', () => {
    const bench = running(info('a'));
    for (let to = 10; to <= 90; to += 10) bench.train('s', to);
    expect(bench.of('store')).toEqual([]);
    bench.train('s', 100);
    expect(bench.of('store')).toMatchObject([{ step: 100 }]);
    const at = bench.at('s');
    bench.give({ type: 'stored', runner: 'a', ...at, step: 100, pieces: [] });
    expect(bench.of('commit')).toMatchObject([{ step: 100, engine: 'native' }]);
    bench.give({ type: 'committed', ...at, step: 100 });
    expect(bench.last.map(({ type }) => type)).toContain('finished');
    expect(bench.of('release')).toHaveLength(1);
    expect(bench.state.sessions).toEqual({});
    expect(bench.state.timers).toEqual({});
  });

  test('goes on from the buddies when a runner dies', () => {
    const bench = running(info('a'), info('b'));
    bench.train('s', 10);
    bench.give({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    expect(bench.of('host')).toMatchObject([
      { runner: 'a', step: 10, sources: [{ holder: 'a', shards: { first: 0, count: 4 } }] },
    ]);
  });

  test('waits in the queue with its position, the oldest first', () => {
    const bench = new Bench();
    bench.join(info('a'));
    for (const id of ['s1', 's2', 's3', 's4']) bench.give({ type: 'sessionSubmitted', spec: spec(id) });
    expect(bench.of('waiting')).toMatchObject([{ session: 's4', reason: 'queue', position: 2 }]);
    bench.give({ type: 'sessionCancelled', session: 's1' });
    expect(bench.of('placed')).toMatchObject([{ session: 's3' }]);
    expect(bench.of('waiting')).toMatchObject([{ session: 's4', position: 1 }]);
  });

  test('keeps its last snapshot when it is cancelled', () => {
    const bench = running(info('a'), info('b'));
    bench.train('s', 10);
    bench.give({ type: 'sessionCancelled', session: 's' });
    expect(bench.of('store')).toMatchObject([{ step: 10 }, { step: 10 }]);
    const at = bench.at('s');
    for (const runner of ['a', 'b']) bench.give({ type: 'stored', runner, ...at, step: 10, pieces: [] });
    bench.give({ type: 'committed', ...at, step: 10 });
    expect(bench.of('cancelled')).toMatchObject([{ step: 10 }]);
  });

  test('is dropped without a write when its lease is lost', () => {
    const bench = running(info('a'), info('b'));
    bench.train('s', 10);
    bench.give({ type: 'leaseLost', session: 's', lease: 2 });
    expect(bench.last.map(({ type }) => type).filter((type) => type !== 'cancelTimer')).toEqual([
      'release',
      'release',
      'dropped',
    ]);
  });

  test('never mixes engines, and stays with the one that its snapshot came from', () => {
    const bench = new Bench();
    bench.join(info('a', { stepRate: 10 }), info('b', { engine: 'tfjs' }));
    bench.give({
      type: 'sessionSubmitted',
      spec: spec('s', { stored: [snapshot(5), snapshot(0)], engine: 'native' }),
    });
    expect(bench.members('s')).toEqual(['a']);
    bench.give({ type: 'runnerLost', runner: 'a', reason: 'silent' });
    expect(bench.of('waiting')).toMatchObject([{ reason: 'engine' }]);
  });
});

describe('failures', () => {
  test('bad data fails the session at once, with the message', () => {
    const bench = running(info('a'));
    bench.give({ type: 'failed', runner: 'a', ...bench.at('s'), code: 'data', message: 'frame 3 is gone' });
    expect(bench.of('failed')).toMatchObject([{ code: 'data', message: 'frame 3 is gone' }]);
  });

  test('the same failure again and again fails it, after longer and longer waits', () => {
    const bench = running(info('a'));
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      bench.give({ type: 'failed', runner: 'a', ...bench.at('s'), code: 'store', message: 'away' });
      const timer = bench.of('timer').find(({ id }) => id.startsWith('retry'));
      waits.push(timer?.ms ?? 0);
      if (timer !== undefined) bench.fire('retry');
    }
    expect(waits).toEqual([0, 2_000, 4_000, 8_000]);
    bench.give({ type: 'failed', runner: 'a', ...bench.at('s'), code: 'store', message: 'away' });
    expect(bench.of('failed')).toMatchObject([{ code: 'store', message: 'away' }]);
  });

  test('a runner that ran out of memory is asked for less', () => {
    const bench = new Bench();
    bench.join(info('a', { stepRate: 300 }), info('b'));
    bench.give({ type: 'sessionSubmitted', spec: spec('s') });
    expect(bench.of('host').map(({ shards }) => shards.count)).toEqual([3, 1]);
    bench.give({ type: 'failed', runner: 'a', ...bench.at('s'), code: 'memory', message: '' });
    expect(bench.of('host').map(({ shards }) => shards.count)).toEqual([2, 2]);
  });

  test('equal devices get equal shares, whatever disturbed one while it measured itself', () => {
    const shares = (...runners: RunnerInfo[]) => {
      const bench = new Bench();
      bench.join(...runners);
      const shards = Array.from({ length: 6 }, () => ({ memoryBytes: 100, cost: 10 }));
      bench.give({ type: 'sessionSubmitted', spec: spec('s', { shards }) });
      return bench.of('host').map((order) => order.shards.count);
    };
    expect(shares(info('a', { stepRate: 140 }), info('b'))).toEqual([3, 3]);
    expect(shares(info('a', { stepRate: 140, device: 'another' }), info('b'))).toEqual([4, 2]);
    expect(shares(info('a', { stepRate: 200 }), info('b'))).toEqual([4, 2]);
  });

  test('members with a device each, on one machine and with one version of what carries, exchange between devices', () => {
    const on = (id: string, over: Partial<DeviceLink> = {}) =>
      info(id, { link: { node: 'box', device: `GPU-${id}`, version: 22703, ...over } });
    const shards = Array.from({ length: 6 }, () => ({ memoryBytes: 100, cost: 10 }));
    const told = (...runners: RunnerInfo[]) => {
      const bench = new Bench();
      bench.join(...runners);
      bench.give({ type: 'sessionSubmitted', spec: spec('s', { shards }) });
      return bench.of('host').map(({ devices }) => devices);
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

  test('three runners that die with it one after the other fail it', () => {
    const bench = new Bench();
    bench.join(info('a'));
    bench.give({ type: 'sessionSubmitted', spec: spec('s') });
    bench.give({ type: 'runnerLost', runner: 'a', reason: 'ended' });
    bench.join(info('b'));
    bench.give({ type: 'runnerLost', runner: 'b', reason: 'ended' });
    bench.join(info('c'));
    expect(bench.of('host')).toEqual([]);
    bench.fire('retry');
    expect(bench.of('host')).toHaveLength(1);
    bench.give({ type: 'runnerLost', runner: 'c', reason: 'ended' });
    expect(bench.of('failed')).toMatchObject([{ code: 'deadly' }]);
  });

  test('connections that break without deaths do not: the processes come back', () => {
    const bench = new Bench();
    bench.join(info('a'));
    bench.give({ type: 'sessionSubmitted', spec: spec('s') });
    for (let i = 0; i < 5; i++) {
      bench.give({ type: 'runnerLost', runner: 'a', reason: 'ended' });
      expect(bench.of('failed')).toEqual([]);
      bench.join(info('a'));
    }
  });

  test('of two that cannot talk to each other the slower goes, for a while', () => {
    const bench = running(info('a', { stepRate: 80 }), info('b'));
    bench.train('s', 10);
    const at = bench.at('s');
    bench.give({ type: 'peerFailed', runner: 'a', ...at, peer: 'b' });
    bench.give({ type: 'peerFailed', runner: 'b', ...at, peer: 'a' });
    bench.fire('blame');
    expect(bench.of('release')).toMatchObject([{ runner: 'a' }]);
    expect(bench.of('host')).toMatchObject([{ runner: 'b', step: 10, buddy: null }]);
    bench.host('s');
    bench.fire('exclude');
    bench.train('s', 10);
    expect(bench.of('placed')).toMatchObject([{ why: 'runners changed' }]);
    expect(bench.members('s').sort()).toEqual(['a', 'b']);
  });

  test('where nothing moves, whoever is furthest behind goes', () => {
    const bench = running(info('a'), info('b'));
    const progress = { ...bench.at('s'), loss: 1, psnr: 1, stepsPerSecond: 5 };
    bench.give({ type: 'progressed', runner: 'a', ...progress, step: 3 });
    bench.give({ type: 'progressed', runner: 'b', ...progress, step: 2 });
    for (let i = 0; i < 3; i++) bench.fire('watch');
    expect(bench.of('release')).toMatchObject([{ runner: 'b' }]);
  });
});

describe('eviction where nobody else could go on', () => {
  const evict = (bench: Bench) => {
    bench.host('s');
    const evictions = () => bench.state.sessions.s!.evictions;
    for (const before = evictions(); evictions() === before; ) bench.fire('watch');
  };
  const pardonMs = (bench: Bench) => bench.of('timer').find(({ id }) => id.startsWith('pardon'))?.ms;

  test('the only runner is tried again soon, and less soon each time', () => {
    const bench = running(info('a'));
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      evict(bench);
      expect(bench.of('waiting')).toMatchObject([{ reason: 'excluded' }]);
      waits.push(pardonMs(bench));
      bench.fire('pardon');
      expect(bench.of('host')).toMatchObject([{ runner: 'a', shards: { first: 0, count: 4 } }]);
      expect(Object.values(bench.state.timers).map(({ kind }) => kind)).toEqual(['host']);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    bench.host('s');
    bench.train('s', 10);
    evict(bench);
    expect(pardonMs(bench)).toBe(2_000);
  });

  test('where another one goes on, it is kept out for the whole time', () => {
    const bench = running(info('a'), info('b'));
    evict(bench);
    expect(bench.members('s')).toHaveLength(1);
    expect(pardonMs(bench)).toBeUndefined();
  });

  test('one that comes meanwhile is taken first', () => {
    const bench = running(info('a'));
    evict(bench);
    bench.join(info('b'));
    expect(bench.members('s')).toEqual(['b']);
    const kinds = Object.values(bench.state.timers).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['exclude', 'host']);
  });
});

describe('runners', () => {
  test('one that joins gets work at the next snapshot if that pays', () => {
    const bench = running(info('a'));
    bench.join(info('b'));
    expect(bench.of('host')).toEqual([]);
    bench.train('s', 10);
    expect(bench.of('host')).toMatchObject([
      { runner: 'a', step: 10 },
      { runner: 'b', step: 10 },
    ]);
  });

  test('one that drains hands its shards over, and may go once their state is safe elsewhere', () => {
    const bench = running(info('a'), info('b'));
    bench.give({ type: 'runnerUpdated', runner: 'a', draining: true });
    expect(bench.of('released')).toEqual([]);
    bench.train('s', 10);
    expect(bench.of('host').map(({ runner }) => runner)).toEqual(['b']);
    expect(bench.of('park').map(({ runner }) => runner)).toEqual(['a']);
    bench.host('s');
    expect(bench.of('released')).toEqual([]);
    bench.give({
      type: 'snapshotTaken',
      runner: 'b',
      ...bench.at('s'),
      step: 10,
      milliseconds: 0,
      computeMs: 0,
    });
    expect(bench.of('released')).toMatchObject([{ runner: 'a' }]);
  });

  test('the last one that drains stores the state first', () => {
    const bench = running(info('a'));
    bench.give({ type: 'runnerUpdated', runner: 'a', draining: true });
    bench.train('s', 10);
    expect(bench.of('store')).toMatchObject([{ runner: 'a', step: 10 }]);
    const at = bench.at('s');
    bench.give({ type: 'stored', runner: 'a', ...at, step: 10, pieces: [] });
    bench.give({ type: 'committed', ...at, step: 10 });
    expect(bench.of('waiting')).toMatchObject([{ reason: 'no-runners' }]);
    expect(bench.of('released')).toMatchObject([{ runner: 'a' }]);
  });

  test('what a runner brings along spares going back to the store', () => {
    const bench = new Bench();
    const held = { session: 's', step: 40, shards: { first: 0, count: 4 } };
    bench.give({ type: 'runnerJoined', runner: info('a'), snapshots: [held] });
    bench.give({
      type: 'sessionSubmitted',
      spec: spec('s', { lease: 2, stored: [snapshot(20), snapshot(0)], engine: 'native' }),
    });
    expect(bench.of('host')).toMatchObject([{ step: 40, sources: [{ holder: 'a' }], copy: true }]);
  });
});

describe('bad input', () => {
  test.each([
    ['no shards', { shards: [] }],
    ['no cost', { shards: [{ memoryBytes: 1, cost: 0 }] }],
    ['no steps', { steps: 0 }],
    ['a snapshot from the future', { stored: [snapshot(101), snapshot(0)] }],
    ['snapshots out of order', { stored: [snapshot(10), snapshot(20), snapshot(0)] }],
    ['nothing to begin with', { stored: [] }],
    ['no lease', { lease: 0 }],
    ['no id', { id: '' }],
  ])('a session with %s is refused', (_, over: Partial<SessionSpec>) => {
    const bench = new Bench();
    expect(() => bench.give({ type: 'sessionSubmitted', spec: spec('s', over) })).toThrow(/session/);
    expect(bench.state.sessions).toEqual({});
  });

  test('a runner without a rate is refused', () => {
    expect(() => new Bench().join(info('a', { stepRate: 0 }))).toThrow(/runner a/);
  });
});
