import { setTimeout as sleep } from 'node:timers/promises';
import { createNativeEngine } from '../../../engine/native/native-engine.js';
import { ImplicamError } from '../../../model/errors.js';
import { renderCapture } from '../../samples/capture.js';
import { Cluster } from './cluster.js';
import { FAULTS, makeFault } from './faults.js';
import { Random } from './random.js';
import { hashOfStored, hashOfTraining, makeScenario, putScenario, type Scenario } from './scene.js';
import { type Trace, Watch } from './watch.js';

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  /** @default 3 */
  readonly runners?: number;
  /** Steps of a training. @default 1500 */
  readonly steps?: number;
  /** Kinds of faults. @default all of them */
  readonly faults?: readonly string[];
  /** Most faults of one round. @default 2 */
  readonly faultsPerRound?: number;
  readonly log?: (line: string) => void;
  /** What the processes say. */
  readonly onLine?: (line: string) => void;
}

export interface ChaosRound extends Trace {
  readonly round: number;
  readonly scene: string;
  readonly faults: readonly string[];
  readonly seconds: number;
  /** What went wrong; empty: nothing. */
  readonly trouble: string;
}

export interface ChaosReport {
  readonly seed: number;
  readonly rounds: readonly ChaosRound[];
  readonly failed: number;
  /** Over the rounds with one fault. */
  readonly worstGapMs: number;
  readonly worstRepeatedMs: number;
}

/** A training may take so long under faults, in milliseconds; a training that has not ended by then hangs. */
const TRAINING_DEADLINE = 120_000;

/**
 * Runs one training after the other on real processes while faults strike at random instants, and compares each result
 * with training in this process. What strikes whom for how long, and when, follows from the seed.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { rounds, seed, runners = 3, steps = 1500, log = () => undefined, onLine } = options;
  const capture = renderCapture({ width: 96, height: 64, focus: 3, exposures: 2 });
  const scenes: [string, Scenario][] = [
    ['data-parallel', makeScenario({ steps }, capture)],
    ['tiled', makeScenario({ steps, tilePixels: 1500 }, capture)],
  ];
  const expected: string[] = [];
  for (const [, scene] of scenes) expected.push(await hashOfTraining(createNativeEngine(), scene));
  const cluster = await Cluster.start({ runners, proxied: true, ...(onLine ? { onLine } : {}) });
  const done: ChaosRound[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const which = round % scenes.length;
      const [name, scene] = scenes[which];
      const result = await runRound(cluster, options, round, name, scene, expected[which]);
      done.push(result);
      log(describe(result));
    }
  } finally {
    await cluster.stop();
  }
  const single = done.filter(({ faults }) => faults.length === 1);
  return {
    seed,
    rounds: done,
    failed: done.filter(({ trouble }) => trouble !== '').length,
    worstGapMs: Math.max(0, ...single.map((r) => r.longestGapMs)),
    worstRepeatedMs: Math.max(0, ...single.map((r) => r.repeatedMs)),
  };
}

async function runRound(
  cluster: Cluster,
  { seed, faults: kinds = FAULTS, faultsPerRound = 2, onLine }: ChaosOptions,
  round: number,
  scene: string,
  scenario: Scenario,
  expected: string,
): Promise<ChaosRound> {
  const random = new Random(seed + 7919 * round);
  const training = `chaos-${round}`;
  const watch = new Watch();
  const count = 1 + random.below(faultsPerRound);
  const schedule = Array.from({ length: count }, () => ({
    after: random.between(0, 3000),
    fault: makeFault(random.pick(kinds), cluster, random),
  }));
  const began = performance.now();
  let trouble = '';
  let isOver = false;
  const strike = async () => {
    for (const { after, fault } of schedule) {
      await sleep(after);
      if (isOver) return;
      onLine?.(`chaos: ${fault.name}`);
      await fault.run();
      onLine?.(`chaos: over: ${fault.name}`);
      if (fault.stopsAll) watch.restartGap();
    }
  };
  try {
    await putScenario(cluster.store, training, scenario);
    await cluster.client.submit(training);
    const striking = strike();
    const followed = cluster.client.follow(training, TRAINING_DEADLINE, (status) => watch.onStatus(status));
    const [status] = await Promise.all([
      followed.finally(() => {
        isOver = true;
      }),
      striking,
    ]);
    if (status.phase !== 'TRAINING_PHASE_FINISHED') trouble = `${status.phase}: ${status.reason}`;
    else if ((await hashOfStored(cluster.store, training, scenario.plan)) !== expected) {
      trouble = 'other bits than without faults';
    }
  } catch (error) {
    trouble = error instanceof ImplicamError ? `${error.code}: ${error.message}` : String(error);
  }
  await cluster.store.deletePrefix(`sessions/${training}/scene/`).catch(() => undefined);
  return {
    round,
    scene,
    faults: schedule.map(({ fault }) => fault.name),
    seconds: (performance.now() - began) / 1000,
    trouble,
    ...watch.trace,
  };
}

function describe(r: ChaosRound): string {
  const numbers =
    `${r.seconds.toFixed(1)} s, longest gap ${(r.longestGapMs / 1000).toFixed(1)} s, ` +
    `repeated ${r.repeatedSteps} steps (${(r.repeatedMs / 1000).toFixed(1)} s), placed ${r.placements} times`;
  const end = r.trouble === '' ? 'same bits' : `FAILED: ${r.trouble}`;
  return `round ${r.round} (${r.scene}; ${r.faults.join('; ')}): ${end}; ${numbers}`;
}
