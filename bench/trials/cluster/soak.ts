import { setTimeout as sleep } from 'node:timers/promises';
import { createNativeEngine } from '../../../engine/native/native-engine.js';
import { renderCapture } from '../../samples/capture.js';
import { Cluster } from './cluster.js';
import { readMetrics } from './metrics.js';
import { Random } from './random.js';
import { hashOfStored, hashOfTraining, makeScenario, putScenario } from './scene.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly trainings: number;
  readonly joined: number;
  readonly left: number;
  /** Resident memory in MB of the coordinator and of the runner that stays, in the first and the last third: medians. */
  readonly coordinatorMb: readonly [number, number];
  readonly runnerMb: readonly [number, number];
  /** Live JavaScript heap of the two, likewise. */
  readonly coordinatorHeapMb: readonly [number, number];
  readonly runnerHeapMb: readonly [number, number];
  /** Most that the runner held in snapshots, in MB, and most trainings that it knew of. */
  readonly snapshotMb: number;
  readonly knownTrainings: number;
  readonly trouble: readonly string[];
}

interface Sample {
  readonly coordinator: number;
  readonly runner: number;
  readonly coordinatorHeap: number;
  readonly runnerHeap: number;
  readonly snapshots: number;
  readonly trainings: number;
}

const STEPS = 400;
const SAMPLE_EVERY = 2000;
const TRAINING_DEADLINE = 120_000;
/** Memory may grow by this much from the first third to the last: by a quarter and 16 MB, which warming up takes. */
const allowed = (mb: number) => 1.25 * mb + 16;

/**
 * Short trainings, two at a time, for some minutes. One runner stays, others join and leave by SIGTERM or kill -9. Memory of
 * those that stay is flat, what they hold is bounded, and every training has the bits of one without all that.
 */
export async function runSoak({ minutes, seed, log = () => undefined }: SoakOptions): Promise<SoakReport> {
  const capture = renderCapture({ width: 96, height: 64, focus: 3, exposures: 2 });
  const scenario = makeScenario({ steps: STEPS, tilePixels: 1500 }, capture);
  const expected = await hashOfTraining(createNativeEngine(), scenario);
  const cluster = await Cluster.start({ runners: 1 });
  const until = performance.now() + minutes * 60_000;
  const isOver = () => performance.now() >= until;
  const trouble: string[] = [];
  const counts = { trainings: 0, joined: 0, left: 0 };
  const samples: Sample[] = [];

  const train = async () => {
    while (!isOver()) {
      const training = `soak-${counts.trainings++}`;
      await putScenario(cluster.store, training, scenario);
      await cluster.client.submit(training);
      const { phase, reason } = await cluster.client.follow(training, TRAINING_DEADLINE);
      if (phase !== 'TRAINING_PHASE_FINISHED') trouble.push(`${training}: ${phase}: ${reason}`);
      else if ((await hashOfStored(cluster.store, training, scenario.plan)) !== expected) {
        trouble.push(`${training}: other bits`);
      }
      await cluster.store.deletePrefix(`sessions/${training}/scene/`);
      await cluster.store.deletePrefix(`sessions/${training}/snapshots/`);
    }
  };
  const comeAndGo = async () => {
    const random = new Random(seed);
    while (!isOver()) {
      const runner = await cluster.addRunner();
      await runner.program.line(/^attached to /, TRAINING_DEADLINE);
      counts.joined++;
      await sleep(random.between(2000, 12_000));
      if (random.unit() < 0.5) await runner.program.kill();
      await cluster.removeRunner(runner);
      counts.left++;
      await sleep(random.between(0, 3000));
    }
  };
  const observe = async () => {
    const [stays] = cluster.runners;
    while (!isOver()) {
      samples.push(await takeSample(cluster, stays.metrics));
      await sleep(SAMPLE_EVERY);
    }
  };
  const progress = setInterval(() => log(describe(counts, samples.at(-1))), 30_000);
  try {
    await Promise.all([train(), train(), comeAndGo(), observe()]);
  } catch (error) {
    trouble.push(error instanceof Error ? error.message : String(error));
  } finally {
    clearInterval(progress);
    await cluster.stop();
  }
  return judge({ seed, ...counts }, samples, trouble);
}

async function takeSample(cluster: Cluster, runner: string): Promise<Sample> {
  const [c, r] = await Promise.all([readMetrics(cluster.metrics), readMetrics(runner)]);
  const mb = (of: Map<string, number>, name: string) => (of.get(name) ?? Number.NaN) / 2 ** 20;
  return {
    coordinator: mb(c, 'process_resident_memory_bytes'),
    runner: mb(r, 'process_resident_memory_bytes'),
    coordinatorHeap: mb(c, 'nodejs_heap_size_used_bytes'),
    runnerHeap: mb(r, 'nodejs_heap_size_used_bytes'),
    snapshots: mb(r, 'implicam_runner_snapshot_bytes'),
    trainings: r.get('implicam_runner_sessions') ?? Number.NaN,
  };
}

function judge(
  head: Pick<SoakReport, 'seed' | 'trainings' | 'joined' | 'left'>,
  samples: readonly Sample[],
  found: readonly string[],
): SoakReport {
  const trouble = [...found];
  const third = Math.max(1, Math.floor(samples.length / 3));
  const ends = (key: keyof Sample): [number, number] => {
    const middle = (part: readonly Sample[]) =>
      part.map((s) => s[key]).sort((a, b) => a - b)[part.length >> 1] ?? Number.NaN;
    return [middle(samples.slice(0, third)), middle(samples.slice(-third))];
  };
  const most = (key: keyof Sample) => Math.max(...samples.map((s) => s[key]));
  const memory = {
    coordinatorMb: ends('coordinator'),
    runnerMb: ends('runner'),
    coordinatorHeapMb: ends('coordinatorHeap'),
    runnerHeapMb: ends('runnerHeap'),
  };
  for (const [name, [first, last]] of Object.entries(memory)) {
    if (!(last <= allowed(first)))
      trouble.push(`${name} grew from ${first.toFixed(0)} to ${last.toFixed(0)}`);
  }
  // Two trainings run at a time; commands about the end of others may still be on their way.
  const knownTrainings = most('trainings');
  if (!(knownTrainings <= 8)) trouble.push(`a runner knew ${knownTrainings} trainings of the two that train`);
  return { ...head, ...memory, snapshotMb: most('snapshots'), knownTrainings, trouble };
}

function describe(
  { trainings, joined, left }: { trainings: number; joined: number; left: number },
  now: Sample | undefined,
): string {
  const memory = now
    ? `coordinator ${now.coordinator.toFixed(0)} MB, runner ${now.runner.toFixed(0)} MB`
    : '';
  return `${trainings} trainings begun, ${joined} runners joined, ${left} left; ${memory}`;
}
