import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChaos } from '../../bench/trials/cluster/chaos.js';
import { Cluster } from '../../bench/trials/cluster/cluster.js';
import { readMetrics } from '../../bench/trials/cluster/metrics.js';
import { hashOfStored, hashOfTraining, makeScenario, putScenario } from '../../bench/trials/cluster/scene.js';
import type { Status } from '../../bench/trials/cluster/training-client.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { ensureBuilt } from '../support/binary.js';

/** Real processes that come, go, freeze and lose each other: the result is that of a run without faults. */

const MINUTES = 60_000;
/** `CHAOS_SEED=7 npx vitest run test/cluster/faults.test.ts` tries others. */
const SEED = Number(process.env.CHAOS_SEED ?? 1);

beforeAll(() => ensureBuilt(), 2 * MINUTES);

describeNative('faults', () => {
  test(`rounds of seed ${SEED} end with the same bits`, { timeout: 4 * MINUTES }, async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const report = await runChaos({ rounds: 3, seed: SEED, steps: 500, log });
    expect(report.failed, lines.join('\n')).toBe(0);
    expect(report.rounds).toHaveLength(3);
  });

  describe('a training', () => {
    // More steps than will ever be done: it is cancelled in the end, whatever the machine's speed.
    const scenario = makeScenario({ steps: 1_000_000, tilePixels: 1500 });
    let cluster: Cluster;
    let latest: Status | undefined;
    const lines: string[] = [];
    const seen: Status[] = [];
    let followed: Promise<Status>;

    beforeAll(async () => {
      cluster = await Cluster.start({ runners: 1, onLine: (line) => lines.push(line) });
      await putScenario(cluster.store, 'long', scenario);
      await cluster.client.submit('long');
      followed = cluster.client.follow('long', 5 * MINUTES, (status) => {
        latest = status;
        seen.push(status);
      });
    }, 2 * MINUTES);
    afterAll(() => cluster?.stop());

    const until = (what: string, is: (status: Status) => boolean) =>
      expect
        .poll(() => latest !== undefined && is(latest), {
          timeout: MINUTES,
          message: `${what}\n${lines.join('\n')}`,
        })
        .toBe(true);
    const training = ({ phase }: Status) => phase === 'TRAINING_PHASE_TRAINING';
    const onwards = async () => {
      const from = latest!.step;
      await until('training goes on', (status) => training(status) && status.step > from);
    };

    test('gives work to a runner that joins late', { timeout: 2 * MINUTES }, async () => {
      await until('it trains', training);
      await cluster.addRunner();
      await until('both train', (status) => training(status) && status.runners.length === 2);
    });

    test('moves off a draining runner, and repeats nothing', {
      timeout: 2 * MINUTES,
    }, async () => {
      const [first] = cluster.runners;
      const before = seen.length;
      const steps = latest!.step;
      await cluster.removeRunner(first);
      expect(await first.program.ended).toBe('exit code 0');
      await until('one trains', (status) => training(status) && status.runners.length === 1);
      expect(Math.min(...seen.slice(before).map(({ step }) => step))).toBeGreaterThanOrEqual(steps);
    });

    test('waits without runners, with the reason, and continues', { timeout: 2 * MINUTES }, async () => {
      const [only] = cluster.runners;
      await only.program.kill();
      await until('it waits', ({ phase }) => phase === 'TRAINING_PHASE_WAITING');
      expect(latest!.reason).toBe('no runner is connected: start one');
      cluster.restartRunner(only);
      await until('it trains again', training);
    });

    test('goes on after the death of its coordinator, where it was', { timeout: 2 * MINUTES }, async () => {
      await cluster.addRunner();
      await until('both train', (status) => training(status) && status.runners.length === 2);
      await onwards();
      const before = seen.length;
      const runners = [...latest!.runners].sort();
      const { step } = latest!;
      await cluster.coordinator.kill();
      cluster.restartCoordinator();
      await expect.poll(() => seen.length, { timeout: MINUTES }).toBeGreaterThan(before + 2);
      await until('both train', (status) => training(status) && status.runners.length === 2);
      expect([...latest!.runners].sort()).toEqual(runners);
      await until('training gets ahead', (status) => status.step > step);
      // What the runners hold in memory is newer than anything in the object store.
      const placed = seen.slice(before).find(({ phase }) => phase === 'TRAINING_PHASE_PLACING');
      expect(placed?.step ?? 0).toBeGreaterThan(0);
    });

    test('has metrics', async () => {
      const coordinator = await readMetrics(cluster.metrics);
      expect(coordinator.get('implicam_coordinator_runners')).toBe(2);
      expect(coordinator.get('implicam_coordinator_shards')).toBe(scenario.plan.shards.length);
      expect(coordinator.get('implicam_coordinator_steps_total')).toBeGreaterThan(0);
      expect(coordinator.has('implicam_coordinator_recoveries_total')).toBe(true);
      const runners = await Promise.all(cluster.runners.map(({ metrics }) => readMetrics(metrics)));
      const sum = (name: string) => runners.reduce((total, one) => total + (one.get(name) ?? Number.NaN), 0);
      expect(sum('implicam_runner_shards')).toBe(scenario.plan.shards.length);
      for (const name of [
        'steps_total',
        'step_seconds_total',
        'reduction_seconds_total',
        'reduction_sent_bytes_total',
      ]) {
        expect(sum(`implicam_runner_${name}`), name).toBeGreaterThan(0);
      }
      expect(sum('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
    });

    test('has the bits of a run without all that', { timeout: 4 * MINUTES }, async () => {
      await cluster.client.cancel('long');
      const last = await followed;
      expect(last.phase, last.reason).toBe('TRAINING_PHASE_CANCELLED');
      expect(last.durableStep).toBeGreaterThan(0);
      const alone = await hashOfTraining(createNativeEngine(), scenario, last.durableStep);
      expect(await hashOfStored(cluster.store, 'long', scenario.plan)).toBe(alone);
    });
  });
});
