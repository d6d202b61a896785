import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../../bench/trials/cluster/cluster.js';
import { readMetrics } from '../../bench/trials/cluster/metrics.js';
import { hashOfStored, hashOfTraining, makeScenario, putScenario } from '../../bench/trials/cluster/scene.js';
import type { Status } from '../../bench/trials/cluster/training-client.js';
import { readManifest } from '../../coordinator/ledgers/folder.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { snapshotKeys } from '../../store/scene/keys.js';
import { ensureBuilt } from '../support/binary.js';

/** Files of stored snapshots that are not what was written, and processes that have nothing else to go on from. */

const MINUTES = 60_000;
const TRAINING = 'long';

beforeAll(() => ensureBuilt(), 2 * MINUTES);

describeNative('a training whose stored snapshots are damaged', () => {
  // More steps than will ever be done: it is cancelled in the end, whatever the machine's speed.
  const scenario = makeScenario({ steps: 1_000_000, tilePixels: 1500 });
  let cluster: Cluster;
  let latest: Status | undefined;
  let followed: Promise<Status>;
  const lines: string[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start({ runners: 1, onLine: (line) => lines.push(line) });
    await putScenario(cluster.store, TRAINING, scenario);
    await cluster.client.submit(TRAINING);
    followed = cluster.client.follow(TRAINING, 5 * MINUTES, (status) => {
      latest = status;
    });
  }, 2 * MINUTES);
  afterAll(() => cluster?.stop());

  const trainsBeyond = (step: number) =>
    expect
      .poll(() => latest?.phase === 'TRAINING_PHASE_TRAINING' && latest.step > step, {
        timeout: MINUTES,
        message: `training beyond step ${step}\n${lines.join('\n')}`,
      })
      .toBe(true);
  const steps = async () =>
    ((await readManifest(cluster.store, TRAINING))?.snapshots ?? []).map((s) => s.step);
  const path = (step: number, part: 'shared' | `shard-${number}`) =>
    join(cluster.folder, 'objects', snapshotKeys.part(TRAINING, step, part));

  /** The only runner drains, which stores what it holds; then another process takes its place. */
  async function storeSnapshot(): Promise<void> {
    const [runner] = cluster.runners;
    await runner.program.stop(40_000);
    expect(await runner.program.ended).toBe('exit code 0');
  }

  async function restartAll(): Promise<void> {
    const [runner] = cluster.runners;
    await Promise.all([cluster.coordinator.kill(), runner.program.kill()]);
    latest = undefined;
    cluster.restartCoordinator();
    await cluster.coordinator.line(/^coordinator on /);
    cluster.restartRunner(runner);
  }

  test('goes on from the snapshot before where a bit of the newest is another', {
    timeout: 3 * MINUTES,
  }, async () => {
    await trainsBeyond(0);
    await storeSnapshot();
    const [first] = await steps();
    cluster.restartRunner(cluster.runners[0]);
    await trainsBeyond(first);
    await storeSnapshot();
    const kept = await steps();
    expect(kept).toEqual([expect.any(Number), first]);
    // Nothing else is kept but the state that training begins with.
    const stored = await cluster.store.list(snapshotKeys.all(TRAINING));
    expect(new Set(stored.map((key) => Number(key.split('/')[3])))).toEqual(new Set([0, ...kept]));

    const key = snapshotKeys.part(TRAINING, kept[0], 'shared');
    const bytes = await cluster.store.read(key);
    bytes[bytes.length >> 1] ^= 1;
    await cluster.store.put(key, bytes);
    await restartAll();
    await trainsBeyond(first);
    expect(lines.join('\n')).toContain(`the stored snapshot of step ${kept[0]} is damaged (${key}`);
    expect(lines.join('\n')).toContain(`training ${TRAINING} from step ${first} on`);
    const metrics = await readMetrics(cluster.metrics);
    expect(metrics.get('implicam_coordinator_damaged_snapshots_total')).toBe(1);
  });

  test('starts over where both are damaged', { timeout: 3 * MINUTES }, async () => {
    await storeSnapshot();
    const [newest, older] = await steps();
    await truncate(path(newest, 'shard-1'), 100);
    await rm(path(older, 'shard-0'));
    lines.length = 0;
    await restartAll();
    await trainsBeyond(0);
    expect(lines.join('\n')).toContain(`${newest}/shard-1.raw of the object store has 100 bytes instead of`);
    expect(lines.join('\n')).toContain(`${older}/shard-0.raw of the object store is missing`);
    expect(lines.join('\n')).toContain('training starts over');
    expect(lines.join('\n')).toContain(`training ${TRAINING} from step 0 on`);
  });

  test('has the bits of a run without all that', { timeout: 3 * MINUTES }, async () => {
    await storeSnapshot();
    cluster.restartRunner(cluster.runners[0]);
    await trainsBeyond((await steps())[0]);
    await cluster.client.cancel(TRAINING);
    const last = await followed;
    expect(last.phase, last.reason).toBe('TRAINING_PHASE_CANCELLED');
    expect(last.durableStep).toBeGreaterThan(0);
    const alone = await hashOfTraining(createNativeEngine(), scenario, last.durableStep);
    expect(await hashOfStored(cluster.store, TRAINING, scenario.plan)).toBe(alone);
  });
});
