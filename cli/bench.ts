import { type Command, Option } from 'commander';
import { benchApi } from '../bench/benchmarks/api.js';
import { benchPyTorch, type PyTorchReport } from '../bench/benchmarks/pytorch.js';
import { benchReduce } from '../bench/benchmarks/reduce.js';
import { benchRender } from '../bench/benchmarks/render.js';
import { benchScaling } from '../bench/benchmarks/scaling.js';
import { benchStep } from '../bench/benchmarks/step.js';
import { benchTrain } from '../bench/benchmarks/train.js';
import { WORKLOADS, type Workload } from '../bench/benchmarks/workloads.js';
import { SCENE_NAMES, type SceneName } from '../bench/samples/scenes/index.js';
import type { Quality } from '../develop/options.js';
import { defaultEngine, type EngineChoice } from '../engine/choose.js';
import { ImplicamError } from '../model/errors.js';
import {
  deviceOption,
  engineOption,
  jsonOption,
  qualityOption,
  seedOption,
  threadsOption,
  wholeNumber,
} from './shared/options.js';
import { table } from './shared/table.js';

export function define(command: Command): void {
  command
    .command('step')
    .description("time one training step against this machine's own multiply-add peak")
    .addOption(
      new Option(
        '--workload <name>',
        "what that preset trains; W: the paper's camera on a hash grid, 8192 pixels × 9 taps",
      )
        .choices(WORKLOADS)
        .default('focus-exposure'),
    )
    .addOption(
      new Option('--isa <name>', 'kernels (default: the widest that this processor runs)').choices([
        'avx512',
        'avx2',
        'sse2',
        'neon',
      ]),
    )
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchStep(options);
    });
  command
    .command('train')
    .description('develop a generated capture and score it against its truth as time goes by')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(qualityOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(seedOption())
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchTrain(options);
    });
  command
    .command('render')
    .description('time refocused renders of a one-megapixel model, the first and those that follow')
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchRender(options);
    });
  command
    .command('reduce')
    .description('time the exchange of gradients between 2 and 4 processes beside bare TCP')
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchReduce(options);
    });
  command
    .command('scaling')
    .description('step rate of 1 and 2 single-threaded runners, and what it foretells for more of them')
    .addOption(
      new Option('--turns <n>', 'turns of each number of runners').argParser(wholeNumber(1, 100)).default(2),
    )
    .addOption(new Option('--seconds <n>', 'seconds of each turn').argParser(wholeNumber(1, 600)).default(10))
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchScaling(options);
    });
  command
    .command('api')
    .description('requests a second and their latency of a whole service, and what they take from training')
    .addOption(
      new Option('--seconds <n>', 'seconds of each measurement').argParser(wholeNumber(1, 600)).default(4),
    )
    .addOption(jsonOption())
    .action(async (options) => {
      await runBenchApi(options);
    });
}

interface Output {
  readonly json?: boolean;
}

/** One line of JSON, or words. */
function print(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : words);
}

/** `implicam bench step`. */
export async function runBenchStep(
  command: Output & EngineChoice & { readonly workload: Workload; readonly isa?: string },
): Promise<void> {
  const { workload, json, engine, ...options } = command;
  if (engine !== undefined && engine !== 'native' && engine !== 'cuda') {
    throw new ImplicamError('option-invalid', `the ${engine} engine is not timed: take native or cuda`, {
      exitCode: 2,
    });
  }
  const wanted = engine ?? (options.isa || defaultEngine().engine !== 'cuda' ? 'native' : 'cuda');
  const timed = await benchStep(workload, { ...options, engine: wanted });
  const device = timed.engine === 'cuda' ? 'cuda' : 'cpu';
  const visible = options.device ?? process.env.IMPLICAM_DEVICE;
  const pytorch = await benchPyTorch(workload, { device, visible, threads: timed.threads });
  const report = { ...timed, pytorch };
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const phases = Object.entries(report.phases).map(([name, share]) => [name, percent(share)]);
  print(
    json,
    report,
    `step ${workload} on ${report.isa}, ${report.threads} thread${report.threads === 1 ? '' : 's'}: ` +
      `${(1000 * report.secondsPerStep).toFixed(2)} ms, ${report.gflops.toFixed(1)} of ` +
      `${report.peakGflops.toFixed(1)} GFLOP/s measured peak (${percent(report.ratioToPeak)})\n` +
      (report.peakGigabytes
        ? `networks and grids move ${report.gigabytes?.toFixed(0)} GB/s, copies ${report.peakGigabytes.toFixed(0)} ` +
          `(${percent(report.ratioToCopies ?? 0)})\n`
        : '') +
      describePyTorch(report.pytorch, report.secondsPerStep) +
      (phases.length > 0 ? `\n${table(['phase', 'share of time'], phases)}` : ''),
  );
}

function describePyTorch(report: PyTorchReport, secondsPerStep: number): string {
  if ('skipped' in report) return `PyTorch: skipped, ${report.skipped}\n`;
  const { version, device, secondsPerStep: theirs } = report;
  return (
    `PyTorch ${version} (${device}): ${(1000 * theirs).toFixed(2)} ms for the same step, ` +
    `${(theirs / secondsPerStep).toFixed(1)} times as long\n`
  );
}

/** `implicam bench train`. */
export async function runBenchTrain(
  command: Output &
    EngineChoice & { readonly scene: SceneName; readonly quality: Quality; readonly seed: number },
): Promise<void> {
  const { json, scene, ...options } = command;
  const report = await benchTrain({ ...options, capture: { scene } });
  const rows = report.curve.map(({ seconds, step, muPsnr }) => [
    seconds.toFixed(1),
    String(step),
    muPsnr.toFixed(2),
  ]);
  print(
    json,
    report,
    `${table(['seconds', 'step', 'μ-law PSNR dB'], rows)}\n` +
      `within half a decibel of the last after ${report.secondsToWithinHalfDb.toFixed(1)} s\n`,
  );
}

/** `implicam bench render`. */
export async function runBenchRender({ json, ...choice }: Output & EngineChoice): Promise<void> {
  const report = await benchRender(choice);
  print(
    json,
    report,
    `refocused renders of ${report.megapixels.toFixed(2)} megapixels: the first ${report.firstMs.toFixed(0)} ms ` +
      `(the scene is evaluated once), the others ${report.warmMs.toFixed(0)} ms\n`,
  );
}

/** `implicam bench reduce`. */
export async function runBenchReduce({ json }: Output): Promise<void> {
  const report = await benchReduce();
  const rate = (bytes: number, ms: number) => (bytes / 1e3 / ms).toFixed(0);
  const rows = report.rows.map(({ bytes, runners, ms, tcpMs }) => [
    String(runners),
    `${bytes / 1024} KB`,
    ms.toFixed(2),
    rate(bytes, ms),
    tcpMs.toFixed(2),
    rate(bytes, tcpMs),
  ]);
  print(json, report, table(['runners', 'value', 'ms', 'MB/s', 'TCP ms', 'TCP MB/s'], rows));
}

/** `implicam bench scaling`. */
export async function runBenchScaling({
  json,
  ...options
}: Output & { readonly turns: number; readonly seconds: number }): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const report = await benchScaling({ ...options, ...(json ? {} : { log }) });
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const rows = report.rows.map((r) => [
    r.session,
    String(r.runners),
    r.stepsPerSecond.toFixed(2),
    percent(r.efficiency),
    percent(r.apart),
    percent(r.processorEfficiency),
    percent(r.exchangeShare),
  ]);
  const predicted = report.predicted.map((p) => [
    p.session,
    String(p.runners),
    String(p.shards),
    p.stepMs.toFixed(2),
    percent(p.efficiency),
  ]);
  print(
    json,
    report,
    `${table(['session', 'runners', 'steps/s', 'efficiency', 'each alone', 'by processor time', 'in exchange'], rows)}\n` +
      `load of this machine: ${report.load.toFixed(1)}\n\npredicted for GPU runners:\n` +
      `${table(['session', 'runners', 'shards', 'ms a step', 'efficiency'], predicted)}\n` +
      `${report.assumptions.map((line) => `- ${line}\n`).join('')}`,
  );
}

/** `implicam bench api`. */
export async function runBenchApi({ json, seconds }: Output & { readonly seconds: number }): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const report = await benchApi({ seconds, ...(json ? {} : { log }) });
  const { training, megapixels, firstRenderMs, renderMs } = report;
  const rows = report.rows.map((r) => [
    r.route,
    r.requestsPerSecond.toFixed(1),
    r.p50Ms.toFixed(1),
    r.p99Ms.toFixed(1),
  ]);
  print(
    json,
    report,
    `${table(['route', 'requests/s', 'p50 ms', 'p99 ms'], rows)}\n` +
      `renders of ${megapixels.toFixed(2)} megapixels, one at a time: the first ${firstRenderMs.toFixed(0)} ms, ` +
      `the others ${renderMs.toFixed(0)} ms\n` +
      `training ${training.alone.toFixed(1)} steps/s alone, ${training.loaded.toFixed(1)} beside one client for each ` +
      `route: they take ${(100 * training.share).toFixed(0)} %\nload of this machine before: ${report.load.toFixed(1)}\n`,
  );
}
