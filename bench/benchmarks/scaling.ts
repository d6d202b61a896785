import { loadavg } from 'node:os';
import { ImplicamError } from '../../model/errors.js';
import { patchesFor } from '../../model/presets.js';
import { renderCapture } from '../samples/capture.js';
import { Cluster } from '../trials/cluster/cluster.js';
import { readMetrics } from '../trials/cluster/metrics.js';
import { makeScenario, putScenario, type Scenario } from '../trials/cluster/scene.js';
import { fitExchange, type Predicted, predict } from './predict-scaling.js';
import { benchReduce, median, type ReduceRow } from './reduce.js';

export interface ScalingRow {
  readonly session: 'tiled' | 'data-parallel';
  readonly runners: number;
  /** Median over the turns. */
  readonly stepsPerSecond: number;
  /** Rate over that of one runner in the same turn, a runner; median over the turns. */
  readonly efficiency: number;
  /** The same of runners that each train the whole session for themselves: what this machine leaves to so many at once. */
  readonly apart: number;
  /**
   * Processor time of a step on one runner over that on all of these together: what efficiency would be if every process
   * had a processor to itself and messages took no time on their way. A busy machine does not disturb it.
   */
  readonly processorEfficiency: number;
  /** Share of a step's time in the exchange of gradients. */
  readonly exchangeShare: number;
}

export interface ScalingReport {
  readonly rows: readonly ScalingRow[];
  readonly predicted: readonly Predicted[];
  readonly assumptions: readonly string[];
  /** Processes that wanted to run, mean of the last minute: with more than this machine has processors, rates suffer. */
  readonly load: number;
}

export interface ScalingOptions {
  /** Turns of each number of runners. @default 2 */
  readonly turns?: number;
  /** Seconds of each turn that are measured. @default 10 */
  readonly seconds?: number;
  readonly log?: (line: string) => void;
}

interface Turn {
  readonly rate: number;
  readonly processorSeconds: number;
  readonly exchangeShare: number;
}

/** Milliseconds of a turn before its measured part: programs warm up, shards find their runners. */
const WARM_UP = 3000;
/** How much longer than it should a turn may take to start and to end, in milliseconds. */
const PATIENCE = 300_000;
/** More steps than any runner makes in a turn, which ends when it has been measured. */
const ENDLESS = 100_000_000;
/** Patches a step as the presets draw them: the smallest picture of many tiles, the largest of one. */
const PATCHES = { tiled: patchesFor(12_000_000), 'data-parallel': patchesFor(2_000_000) };

/** Step rate of single-threaded runners at the same global batch, in turns on this machine, and what it foretells. */
export async function benchScaling(options: ScalingOptions = {}): Promise<ScalingReport> {
  const { turns = 2, seconds = 10, log = () => undefined } = options;
  const capture = renderCapture({ width: 450, height: 300 });
  const scenario = (session: ScalingRow['session'], tiles: { readonly tilePixels?: number }) => {
    const model = {
      steps: ENDLESS,
      patches: PATCHES[session],
      atlas: { form: 'hash' },
      blur: { form: 'lens' },
      // A share of the steps would be never.
      loss: { sharpnessStart: 0 },
    } as const;
    return [session, makeScenario({ ...model, ...tiles }, capture)] as const;
  };
  const scenarios = [scenario('tiled', { tilePixels: 36_000 }), scenario('data-parallel', {})];
  const clusters: Cluster[] = [];
  const rows: ScalingRow[] = [];
  let patchSeconds = 0;
  try {
    for (const runners of [1, 2, 1]) clusters.push(await Cluster.start({ runners, threads: 1 }));
    const [one, two, other] = clusters as [Cluster, Cluster, Cluster];
    for (const [session, scenario] of scenarios) {
      const turned: Turns = { one: [], two: [], apart: [] };
      for (let turn = 0; turn < turns; turn++) {
        const take = (cluster: Cluster, name: string) =>
          takeTurn(cluster, `${session}-${turn}-${name}`, scenario, seconds);
        turned.one.push(await take(one, 'one'));
        turned.two.push(await take(two, 'two'));
        turned.apart.push(...(await Promise.all([one, other].map((cluster) => take(cluster, 'apart')))));
        log(`${session}, turn ${turn + 1} of ${turns}: ${describe(turned)}`);
      }
      rows.push(...rowsOf(session, turned));
      const stepSeconds = median(turned.one.map((turn) => turn.processorSeconds));
      if (session === 'tiled') patchSeconds = stepSeconds / PATCHES.tiled;
    }
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
  const reduction: readonly ReduceRow[] = (await benchReduce()).rows;
  const exchange = fitExchange(reduction);
  return { rows, ...predict({ patchSeconds, exchange }), load: loadavg()[0] };
}

/** Turns with one runner, with two, and of two that do not know of each other. */
type Turns = Readonly<Record<'one' | 'two' | 'apart', Turn[]>>;

function describe(turned: Turns): string {
  const rate = (key: keyof Turns) => turned[key].at(-1)!.rate.toFixed(2);
  return `one runner ${rate('one')} steps/s, two ${rate('two')}, two apart ${rate('apart')} each`;
}

/** Ratios are of rates within a turn: what else the machine does changes from one turn to the next. */
function rowsOf(session: ScalingRow['session'], { one, two, apart }: Turns): ScalingRow[] {
  const ratio = (turns: readonly Turn[], key: 'rate' | 'processorSeconds') =>
    median(turns.map((turn, i) => turn[key] / one[Math.floor((i * one.length) / turns.length)][key]));
  return [one, two].map((turns, i) => ({
    session,
    runners: i + 1,
    stepsPerSecond: median(turns.map(({ rate }) => rate)),
    efficiency: ratio(turns, 'rate') / (i + 1),
    apart: i === 0 ? 1 : ratio(apart, 'rate'),
    processorEfficiency: 1 / ratio(turns, 'processorSeconds'),
    exchangeShare: median(turns.map(({ exchangeShare }) => exchangeShare)),
  }));
}

interface Mark {
  readonly step: number;
  /** Milliseconds. */
  readonly at: number;
  readonly totals: Promise<Totals>;
}

/** Trains a session until `seconds` of it are measured, after a while in which its runners find their pace. */
async function takeTurn(
  cluster: Cluster,
  session: string,
  scenario: Scenario,
  seconds: number,
): Promise<Turn> {
  const { store, client } = cluster;
  await putScenario(store, session, scenario);
  await client.submit(session);
  const marks: Mark[] = [];
  // The first report of a step, and what comes a while after it.
  const waits = [0, WARM_UP, 1000 * seconds];
  await client.follow(session, WARM_UP + 1000 * seconds + PATIENCE, ({ phase, step }) => {
    const [wait, last, at] = [waits[marks.length], marks.at(-1), performance.now()];
    if (phase !== 'TRAINING_PHASE_TRAINING' || wait === undefined || !(step > (last?.step ?? 0))) return;
    if (last && at < last.at + wait) return;
    marks.push({ step, at, totals: totalsOf(cluster) });
    if (marks.length === waits.length) client.cancel(session).catch(() => undefined);
  });
  await store.deletePrefix(`sessions/${session}/scene/`);
  const [, start, end] = marks;
  if (!start || !end)
    throw new ImplicamError('bench-failed', `session ${session} ended before it was measured`);
  const [before, after] = [await start.totals, await end.totals];
  const done = (after.steps - before.steps) / cluster.runners.length;
  return {
    rate: ((end.step - start.step) * 1000) / (end.at - start.at),
    processorSeconds: (after.processor - before.processor) / done,
    exchangeShare: (after.exchange - before.exchange) / (after.step - before.step),
  };
}

interface Totals {
  readonly steps: number;
  readonly processor: number;
  readonly step: number;
  readonly exchange: number;
}

async function totalsOf(cluster: Cluster): Promise<Totals> {
  const all = await Promise.all(cluster.runners.map((runner) => readMetrics(runner.metrics)));
  const sum = (name: string) => all.reduce((total, metrics) => total + (metrics.get(name) ?? 0), 0);
  return {
    steps: sum('implicam_runner_steps_total'),
    processor: sum('process_cpu_seconds_total'),
    step: sum('implicam_runner_step_seconds_total'),
    exchange: sum('implicam_runner_reduction_seconds_total'),
  };
}
