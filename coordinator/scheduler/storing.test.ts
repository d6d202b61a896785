import { describe, expect, test } from 'vitest';
import { info, SchedulerFixture, snapshot, spec } from './scheduler.fixture.js';

describe('damaged snapshots', () => {
  const claimed = spec('s', {
    lease: 2,
    stored: [snapshot(40), snapshot(20), snapshot(0)],
    engine: 'native',
  });
  const restoring = (stored = claimed.stored) => {
    const scheduler = new SchedulerFixture();
    scheduler.join(info('a'), info('b'));
    scheduler.dispatch({ type: 'trainingSubmitted', spec: { ...claimed, stored } });
    return scheduler;
  };
  const damaged = (scheduler: SchedulerFixture, at: number) =>
    scheduler.dispatch({ type: 'damaged', runner: 'b', ...scheduler.at('s'), step: at, message: 'bad' });

  test('`host` names the pieces of the own shards and of those that all share', () => {
    const scheduler = restoring();
    const told = scheduler.of('host').map(({ sources }) => sources[0].pieces.map(({ key }) => key));
    expect(told).toEqual([
      ['40/0', '40/1'],
      ['40/0', '40/2', '40/3'],
    ]);
  });

  test('the newest is replaced by the one before, that by the initial state, and then none is left', () => {
    const scheduler = restoring();
    damaged(scheduler, 40);
    expect(scheduler.of('damaged')).toMatchObject([{ step: 40, left: 20, message: 'bad' }]);
    expect(scheduler.of('host')).toMatchObject([{ step: 20 }, { step: 20 }]);
    damaged(scheduler, 20);
    expect(scheduler.of('host')).toMatchObject([{ step: 0 }, { step: 0 }]);
    damaged(scheduler, 0);
    expect(scheduler.of('damaged')).toMatchObject([{ step: 0, left: null }]);
    expect(scheduler.of('failed')).toMatchObject([{ code: 'data' }]);
  });

  test('a report of another step than the one that is restored changes nothing', () => {
    const scheduler = restoring();
    expect(damaged(scheduler, 20)).toEqual([]);
    scheduler.host('s');
    expect(damaged(scheduler, 40)).toEqual([]);
  });

  test('a manifest names the newest two, without damaged ones', () => {
    const scheduler = restoring();
    damaged(scheduler, 40);
    scheduler.host('s');
    const at = scheduler.at('s');
    for (let to = 30; to <= 100; to += 10) scheduler.train('s', to);
    for (const runner of scheduler.members('s')) {
      scheduler.dispatch({ type: 'stored', runner, ...at, step: 100, pieces: [] });
    }
    expect(scheduler.of('commit').map(({ snapshots }) => snapshots.map((one) => one.step))).toEqual([
      [100, 20],
    ]);
  });
});
