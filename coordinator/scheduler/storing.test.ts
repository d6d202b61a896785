import { describe, expect, test } from 'vitest';
import { Bench, info, snapshot, spec } from './scheduler-bench.fixture.js';

describe('damaged snapshots', () => {
  const claimed = spec('s', {
    lease: 2,
    stored: [snapshot(40), snapshot(20), snapshot(0)],
    engine: 'native',
  });
  const restoring = (stored = claimed.stored) => {
    const bench = new Bench();
    bench.join(info('a'), info('b'));
    bench.give({ type: 'sessionSubmitted', spec: { ...claimed, stored } });
    return bench;
  };
  const damaged = (bench: Bench, at: number) =>
    bench.give({ type: 'damaged', runner: 'b', ...bench.at('s'), step: at, message: 'bad' });

  test('whoever restores is told what it must find, of its own shards and of those that all share', () => {
    const bench = restoring();
    const told = bench.of('host').map(({ sources }) => sources[0]!.pieces.map(({ key }) => key));
    expect(told).toEqual([
      ['40/0', '40/1'],
      ['40/0', '40/2', '40/3'],
    ]);
  });

  test('the newest gives way to the one before, that to the beginning, and then nothing is left', () => {
    const bench = restoring();
    damaged(bench, 40);
    expect(bench.of('damaged')).toMatchObject([{ step: 40, left: 20, message: 'bad' }]);
    expect(bench.of('host')).toMatchObject([{ step: 20 }, { step: 20 }]);
    damaged(bench, 20);
    expect(bench.of('host')).toMatchObject([{ step: 0 }, { step: 0 }]);
    damaged(bench, 0);
    expect(bench.of('damaged')).toMatchObject([{ step: 0, left: null }]);
    expect(bench.of('failed')).toMatchObject([{ code: 'data' }]);
  });

  test('a report of another step than the one that is restored changes nothing', () => {
    const bench = restoring();
    expect(damaged(bench, 20)).toEqual([]);
    bench.host('s');
    expect(damaged(bench, 40)).toEqual([]);
  });

  test('a manifest keeps the newest two, and what is damaged is not in it', () => {
    const bench = restoring();
    damaged(bench, 40);
    bench.host('s');
    const at = bench.at('s');
    for (let to = 30; to <= 100; to += 10) bench.train('s', to);
    for (const runner of bench.members('s')) {
      bench.give({ type: 'stored', runner, ...at, step: 100, pieces: [] });
    }
    expect(bench.of('commit').map(({ snapshots }) => snapshots.map((one) => one.step))).toEqual([[100, 20]]);
  });
});
