import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { renderCapture } from '../../../bench/samples/capture.js';
import {
  hashOfStored,
  hashOfTraining,
  makeScenario,
  putScenario,
} from '../../../bench/trials/cluster/scene.js';
import { TrainingClient } from '../../../bench/trials/cluster/training-client.js';
import { startCoordinator } from '../../../coordinator/coordinator.js';
import { FolderLedger } from '../../../coordinator/ledgers/folder.js';
import { startRunner } from '../../../runner/runner.js';
import { createFolderStore } from '../../../store/folder.js';
import { testEmulated } from '../../engines.fixture.js';
import { createCudaEngine } from '../cuda-engine.js';

/** A device that runs out of memory, emulated: it is faster and says that it has room, so the training goes to it first. */
testEmulated('a training goes on where it fits', async () => {
  const STEPS = 4;
  const what = makeScenario(
    { steps: STEPS },
    renderCapture({ width: 96, height: 64, focus: 2, exposures: 1 }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'implicam-test-'));
  const store = createFolderStore(folder);
  const coordinator = await startCoordinator({
    listen: '127.0.0.1:0',
    ledger: () => new FolderLedger(store),
    version: 'test',
  });
  const client = new TrainingClient(coordinator.address);
  const add = (device: string, stepRate: number) => {
    const engine = createCudaEngine({ library: 'emulated', device });
    return startRunner({
      coordinator: coordinator.address,
      engine,
      store: folder,
      memoryBytes: 2 ** 30,
      version: 'test',
      stepRate,
    });
  };
  const small = 'forward/1/48/500';
  await expect(
    hashOfTraining(createCudaEngine({ library: 'emulated', device: small }), what),
  ).rejects.toMatchObject({
    code: 'out-of-memory',
  });
  const runners = [await add(small, 1000)];
  try {
    await putScenario(store, 's', what);
    await client.submit('s');
    const reasons: string[] = [];
    const status = await client.follow('s', 60_000, async ({ reason }) => {
      reasons.push(reason);
      // The other runner comes when the first has refused.
      if (/memory/.test(reason) && runners.length === 1) runners.push(await add('forward', 1));
    });
    expect(status).toMatchObject({ phase: 'TRAINING_PHASE_FINISHED', step: STEPS, runners: [runners[1].id] });
    expect(reasons.join()).toMatch(/memory/);
    expect(await hashOfStored(store, 's', what.plan)).toBe(
      await hashOfTraining(createCudaEngine({ library: 'emulated' }), what),
    );
  } finally {
    client.close();
    await Promise.all(runners.map((runner) => runner.stop()));
    await coordinator.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
