import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { renderCapture } from '../../bench/samples/capture.js';
import { hashOfStored, hashOfTraining, makeScenario, putScenario } from '../../bench/trials/cluster/scene.js';
import { TrainingClient } from '../../bench/trials/cluster/training-client.js';
import { startCoordinator } from '../../coordinator/coordinator.js';
import { FolderLedger } from '../../coordinator/ledgers/folder.js';
import { testNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { startRunner } from '../../runner/runner.js';
import { createFolderStore } from '../../store/folder.js';

/** Steps: enough for a few windows on any machine. */
const STEPS = 400;

testNative(
  'of two equal runners, the one that measured itself as slow gets its share, and the bits stay the same',
  async () => {
    const capture = renderCapture({ width: 96, height: 64, focus: 3, exposures: 2 });
    const what = makeScenario({ steps: STEPS, tilePixels: 800 }, capture);
    const tiles = what.plan.shards.length;
    const folder = await mkdtemp(join(tmpdir(), 'implicam-test-'));
    const store = createFolderStore(folder);
    /** How many tiles each has, one placement after the other. */
    const shares: number[][] = [];
    const coordinator = await startCoordinator({
      listen: '127.0.0.1:0',
      ledger: () => new FolderLedger(store, { spread: true }),
      version: 'test',
      scheduler: { snapshotMs: 200, rebalanceSavedMs: 1 },
      log: (line) => {
        const dealt = [...line.matchAll(/ \((\d+)\)/g)].map(([, count]) => Number(count));
        if (dealt.length === 2) shares.push(dealt);
      },
    });
    const client = new TrainingClient(coordinator.address);
    const start = (stepRate: number) =>
      startRunner({
        coordinator: coordinator.address,
        engine: createNativeEngine({ threads: 1 }),
        store: folder,
        memoryBytes: 2 ** 30,
        version: 'test',
        stepRate,
      });
    const runners = [await start(100), await start(15)];
    try {
      await putScenario(store, 's', what);
      await client.submit('s');
      const status = await client.follow('s', 60_000, () => undefined);
      expect(status).toMatchObject({ phase: 'TRAINING_PHASE_FINISHED', reason: '', step: STEPS });
      // Told in the order of their names, which are random.
      expect([...shares[0]].sort((a, b) => a - b)).toEqual([1, tiles - 1]);
      // However busy this machine is, they are not seven times apart.
      expect(Math.min(...shares.at(-1)!)).toBeGreaterThan(1);
      const alone = await hashOfTraining(createNativeEngine({ threads: 2 }), what);
      expect(await hashOfStored(store, 's', what.plan)).toBe(alone);
    } finally {
      client.close();
      await Promise.all(runners.map((runner) => runner.stop()));
      await coordinator.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
