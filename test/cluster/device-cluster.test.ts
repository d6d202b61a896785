import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../../bench/trials/cluster/cluster.js';
import { readMetrics } from '../../bench/trials/cluster/metrics.js';
import {
  hashOfStored,
  hashOfTraining,
  makeScenario,
  putScenario,
  type Scenario,
} from '../../bench/trials/cluster/scene.js';
import { ncclOverSockets } from '../../engine/conformance/nccl/library.js';
import { describeEmulated } from '../../engine/engines.fixture.js';
import { createCudaEngine } from '../../engine/native/cuda-engine.js';
import { ensureBuilt } from '../support/binary.js';

/**
 * Runner processes that exchange from device to device: real processes with the emulated device and NCCL's functions over
 * sockets. The same bits as one training of this process, whatever they exchange by and whoever dies.
 */

const MINUTE = 60_000;
const STEPS = 12;
/** So many that the end is seconds away when one is struck, however late this process hears of the first steps. */
const LONG = 900;
/** Four shards, which two runners share, and six tiles for three. */
const SCENARIOS: Record<number, [string, Scenario][]> = {
  2: [['data-parallel', makeScenario({ steps: STEPS })]],
  3: [['tiled', makeScenario({ steps: STEPS, tilePixels: 1500 })]],
};
const MESSAGE = /training \S+: gradients go through the processor: .*/;

/** Runners on an emulated device, all with the same environment, or each with its own. */
class DeviceCluster {
  private constructor(
    readonly cluster: Cluster,
    readonly lines: readonly string[],
  ) {}

  static async start(environments: readonly Record<string, string>[]): Promise<DeviceCluster> {
    const lines: string[] = [];
    const cluster = await Cluster.start({ runners: 0, onLine: (line) => lines.push(line) });
    const started = new DeviceCluster(cluster, lines);
    try {
      for (const env of environments) await started.add(env);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return started;
  }

  async add(env: Record<string, string>): Promise<void> {
    const runner = await this.cluster.addRunner(['--engine', 'cuda'], { IMPLICAM_CUDA: 'emulated', ...env });
    await runner.program.line(/^attached to /, MINUTE);
  }

  async train(training: string, scenario: Scenario): Promise<string> {
    const { store, client } = this.cluster;
    await putScenario(store, training, scenario);
    await client.submit(training);
    const status = await client.follow(training, MINUTE, () => undefined);
    expect(status, this.lines.join('\n')).toMatchObject({ phase: 'TRAINING_PHASE_FINISHED', step: STEPS });
    expect(status.runners.length).toBe(this.cluster.runners.length);
    return hashOfStored(store, training, scenario.plan);
  }

  /** Steps that each runner took from device to device. */
  deviceSteps(): Promise<number[]> {
    return Promise.all(
      this.cluster.runners.map(
        async ({ metrics }) => (await readMetrics(metrics)).get('implicam_runner_device_steps_total') ?? -1,
      ),
    );
  }
}

beforeAll(() => ensureBuilt(), 2 * MINUTE);

describeEmulated('runners that exchange from device to device', () => {
  const expected = new Map<string, string>();
  let temporary = '';
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'implicam-test-'));
    for (const [name, scenario] of Object.values(SCENARIOS).flat()) {
      expected.set(name, await hashOfTraining(createCudaEngine({ library: 'emulated' }), scenario));
    }
  });
  afterAll(() => rm(temporary, { recursive: true, force: true }));

  const withNccl = () => ({ IMPLICAM_NCCL: ncclOverSockets(), TMPDIR: temporary });

  test.each([2, 3])('%i of them give the bits of one', { timeout: 2 * MINUTE }, async (count) => {
    const started = await DeviceCluster.start(Array.from({ length: count }, withNccl));
    try {
      for (const [i, [name, scenario]] of SCENARIOS[count].entries()) {
        expect(await started.train(`${name}-on-${count}`, scenario), name).toBe(expected.get(name));
        expect(await started.deviceSteps(), name).toEqual(Array(count).fill(STEPS * (i + 1)));
      }
      expect(started.lines.filter((line) => MESSAGE.test(line))).toEqual([]);
    } finally {
      await started.cluster.stop();
    }
  });

  test('if one lacks the library they exchange bytes, and it logs that', {
    timeout: 2 * MINUTE,
  }, async () => {
    const started = await DeviceCluster.start([withNccl(), { IMPLICAM_NCCL: '/nowhere/libnccl.so' }]);
    const [name, scenario] = SCENARIOS[2][0];
    try {
      expect(await started.train('missing', scenario)).toBe(expected.get(name));
      expect(await started.deviceSteps()).toEqual([0, 0]);
      const messages = started.lines.filter((line) => line.includes('no NCCL'));
      expect(messages).toEqual([expect.stringMatching(/nowhere\/libnccl.so.*No such file/)]);
    } finally {
      await started.cluster.stop();
    }
  });

  test('one that cannot join makes all exchange bytes, and they log the reason', {
    timeout: 2 * MINUTE,
  }, async () => {
    const [name, scenario] = SCENARIOS[3][0];
    const started = await DeviceCluster.start([withNccl(), { ...withNccl(), TEST_NCCL_INIT: 'fail' }]);
    try {
      expect(await started.train('cannot', scenario)).toBe(expected.get(name));
      expect(await started.deviceSteps()).toEqual([0, 0]);
      const messages = started.lines.filter((line) => MESSAGE.test(line));
      expect(messages).toHaveLength(2);
      for (const line of messages) expect(line).toMatch(/a system call failed/);
    } finally {
      await started.cluster.stop();
    }
  });

  test.each([
    ['killed', 'SIGKILL'],
    // Its streams stay open: the coordinator notices after 8 s, and its peers end what they wait for.
    ['frozen', 'SIGSTOP'],
  ] as const)(
    'one is %s in the middle: the others go on to the same bits',
    { timeout: 3 * MINUTE },
    async (_, signal) => {
      const scenario = makeScenario({ steps: LONG, tilePixels: 1500 });
      const started = await DeviceCluster.start([0, 1, 2].map(withNccl));
      const { cluster } = started;
      try {
        await putScenario(cluster.store, 'struck', scenario);
        await cluster.client.submit('struck');
        let struck = false;
        const status = await cluster.client.follow('struck', 2 * MINUTE, ({ step, runners }) => {
          if (struck || step < 1) return;
          expect(runners).toHaveLength(3);
          struck = true;
          cluster.runners[1].program.signal(signal);
        });
        expect(status, started.lines.join('\n')).toMatchObject({
          phase: 'TRAINING_PHASE_FINISHED',
          step: LONG,
        });
        expect(status.recoveries).toBeGreaterThan(0);
        expect(status.runners).toHaveLength(2);
        const alone = await hashOfTraining(createCudaEngine({ library: 'emulated' }), scenario);
        expect(await hashOfStored(cluster.store, 'struck', scenario.plan)).toBe(alone);
        const [first, , third] = cluster.runners;
        for (const { metrics } of [first, third]) {
          const read = await readMetrics(metrics);
          expect(read.get('implicam_runner_device_steps_total')).toBe(
            read.get('implicam_runner_steps_total'),
          );
          expect(read.get('implicam_runner_steps_total')).toBeGreaterThanOrEqual(LONG);
        }
      } finally {
        await cluster.stop();
      }
    },
  );

  test('one dies while it joins: the others do without it', { timeout: 2 * MINUTE }, async () => {
    const [name, scenario] = SCENARIOS[3][0];
    const started = await DeviceCluster.start([
      withNccl(),
      { ...withNccl(), TEST_NCCL_INIT: 'hang' },
      withNccl(),
    ]);
    const { cluster } = started;
    try {
      await putScenario(cluster.store, 'joining', scenario);
      await cluster.client.submit('joining');
      const killed = setTimeout(() => cluster.runners[1].program.signal('SIGKILL'), 2000);
      const status = await cluster.client.follow('joining', MINUTE, () => undefined);
      clearTimeout(killed);
      expect(status, started.lines.join('\n')).toMatchObject({
        phase: 'TRAINING_PHASE_FINISHED',
        step: STEPS,
      });
      expect(await hashOfStored(cluster.store, 'joining', scenario.plan)).toBe(expected.get(name));
      cluster.runners.splice(1, 1);
      expect(await started.deviceSteps()).toEqual([STEPS, STEPS]);
    } finally {
      await cluster.stop();
    }
  });
});
