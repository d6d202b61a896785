import { realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { develop } from '../develop/develop.js';
import { canContinue, loadModel, saveModel } from '../develop/model-file/model-file.js';
import {
  type Development,
  type DevelopOptions,
  type DevelopPhase,
  PRESETS,
  type Preset,
  QUALITIES,
  type Quality,
  type TrainedModel,
  type Trainer,
} from '../develop/options.js';
import {
  type DevelopReport,
  OUTPUT_FILES,
  prepareOutputs,
  SNAPSHOT_FILE,
  writeOutputs,
  writePreview,
} from '../develop/outputs.js';
import type { EngineName } from '../engine/engine.js';
import { readFrames } from '../imaging/capture.js';
import { trainSchema } from '../model/config.js';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { interruptible } from './shared/interrupt.js';
import {
  deviceOption,
  engineOption,
  jsonOption,
  schemaOption,
  seedOption,
  threadsOption,
  wholeNumber,
} from './shared/options.js';
import { duration, type ProgressReport, reportProgress } from './shared/progress.js';
import { versions } from './shared/version.js';

export function define(command: Command): void {
  command
    .argument('<photos...>', 'photographs of one scene, or folders of them')
    .option('-o, --out <dir>', 'folder for the results', 'out')
    .addOption(
      new Option('--preset <name>', 'what the photographs differ in; auto looks at them')
        .choices(PRESETS)
        .default('auto'),
    )
    .addOption(new Option('--quality <name>', 'how long to train').choices(QUALITIES).default('standard'))
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(seedOption())
    .addOption(schemaOption('--steps <n>', trainSchema.shape.steps, 'what the quality asks for'))
    .option('--resume', 'continue an interrupted run from its snapshot in the results folder')
    .addOption(
      new Option(
        '--runners <n>',
        'train on this many processes instead of in this one; the result is the same',
      ).argParser(wholeNumber(1, 64)),
    )
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (photos: string[], options) => {
      await runDevelop(photos, options);
    });
}

const AFTER = `
preview.jpg, small, is there before training: the classical picture that it begins with.

Results: all-in-focus.png (to look at), .exr (linear radiance) and .jpg (UltraHDR), defocus.exr, refocus-near.png and
refocus-far.png (focus stacks), response.json, model.safetensors (for "implicam render"), report.json.

Ctrl-C saves a snapshot in the results folder; the same command with --resume goes on from it to the same result.`;

export interface DevelopCommand {
  readonly out: string;
  readonly preset: Preset;
  readonly quality: Quality;
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
  readonly seed: number;
  readonly steps?: number;
  readonly resume?: boolean;
  readonly runners?: number;
  readonly json?: boolean;
}

/** `implicam develop`: photographs in, results folder out. */
export async function runDevelop(photos: readonly string[], command: DevelopCommand): Promise<void> {
  const report = await developInto(photos, command);
  if (command.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Develops photographs into a results folder, telling a person on standard error how far it is. */
export async function developInto(
  photos: readonly string[],
  command: DevelopCommand,
): Promise<DevelopReport> {
  await requireApart(photos, command.out);
  const snapshot = join(command.out, SNAPSHOT_FILE);
  const resume = command.resume ? await loadSnapshot(snapshot, command) : undefined;
  const began = performance.now();
  const frames = await readFrames(photos);
  const decodeSeconds = (performance.now() - began) / 1000;
  await prepareOutputs(command.out);
  const progress = reportProgress();
  progress.line(
    `${frames.length} frame${frames.length === 1 ? '' : 's'} of ${frames[0]!.width} × ${frames[0]!.height}`,
  );
  const development = await train(frames, command, resume, progress);
  if (development.interrupted) {
    await saveModel(snapshot, development.model, { training: true });
    throw new ImplicamError(
      'interrupted',
      `stopped after step ${development.steps}; ${snapshot} holds what was learned: ` +
        'give the same command with --resume to go on from there',
    );
  }
  progress.line('writing the results');
  const report = await writeOutputs(command.out, development, {
    frames,
    decodeSeconds,
    versions: versions(),
  });
  await rm(snapshot, { force: true });
  const { train: trained, render } = report.seconds;
  progress.line(
    `done: ${report.steps} steps in ${duration(trained)}, results in ${duration(render)}; look at ${join(command.out, OUTPUT_FILES.picture)}`,
  );
  return report;
}

/** Results among the photographs would be taken for photographs the next time. */
async function requireApart(photos: readonly string[], out: string): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => undefined);
  const folder = await real(out);
  if (folder === undefined) return;
  for (const photo of photos) {
    if ((await real(photo)) !== folder) continue;
    throw new ImplicamError(
      'option-invalid',
      `${out} holds the photographs: name another folder for the results with --out`,
      { exitCode: 2 },
    );
  }
}

const PHASES: Record<DevelopPhase, string> = {
  register: 'registering the frames',
  start: 'classical start: response, exposures, defocus map',
  train: 'training',
  render: 'rendering',
};

async function train(
  frames: Frame[],
  command: DevelopCommand,
  resume: TrainedModel | undefined,
  progress: ProgressReport,
): Promise<Development> {
  const { preset, quality, threads, device, seed, steps } = command;
  // The bits of a resumed run are those of the engine that began it.
  const engine = command.engine ?? (resume?.info.engine as DevelopCommand['engine']);
  const interrupt = interruptible(() =>
    progress.line('interrupted: saving a snapshot after the step in progress (Ctrl-C again: stop at once)'),
  );
  const options: DevelopOptions = {
    preset,
    quality,
    seed,
    ...(engine ? { engine } : {}),
    ...(threads ? { threads } : {}),
    ...(device ? { device } : {}),
    ...(steps === undefined ? {} : { steps }),
    ...(resume ? { resume } : {}),
    ...(command.runners ? { trainer: await cluster(command, command.runners, progress) } : {}),
    signal: interrupt.signal,
    onPhase: (phase) => progress.line(PHASES[phase]),
    onNote: (note) => progress.line(`  ${note}`),
    onPreview: async (radiance, look) => {
      progress.line(`  preview: ${await writePreview(command.out, radiance, look)}`);
    },
    onProgress: (state) => progress.progress(state),
  };
  try {
    return await develop(frames, options);
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** The processes that train are loaded only where they are asked for. */
async function cluster(command: DevelopCommand, runners: number, progress: ProgressReport): Promise<Trainer> {
  const { clusterTrainer } = await import('./shared/local-cluster.js');
  const { out: folder, threads } = command;
  const onLine = (line: string) => progress.line(`  ${line}`);
  return clusterTrainer({ runners, folder, onLine, ...(threads ? { threads } : {}) });
}

async function loadSnapshot(path: string, command: DevelopCommand): Promise<TrainedModel> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    throw new ImplicamError(
      'snapshot-missing',
      `there is no ${path} to resume from: leave out --resume, or name the --out of the interrupted run`,
      { exitCode: 2 },
    );
  }
  const model = await loadModel(path);
  if (!canContinue(model)) {
    throw new ImplicamError(
      'snapshot-invalid',
      `${path} is a model to render from, not a snapshot to continue: leave out --resume`,
    );
  }
  requireSameRun(path, model, command);
  return model;
}

/** A snapshot goes on as it began, or its result would be neither run's. */
function requireSameRun(path: string, { info, seed, config }: TrainedModel, command: DevelopCommand): void {
  const { preset } = command;
  const pairs: [string, unknown, unknown][] = [
    ['--preset', preset === 'auto' ? info.preset : preset, info.preset],
    ['--quality', command.quality, info.quality],
    ['--engine', command.engine ?? info.engine, info.engine],
    ['--seed', command.seed, seed],
    ['--steps', command.steps ?? config.train.steps, config.train.steps],
  ];
  const other = pairs.find(([, asked, begun]) => asked !== begun);
  if (!other) return;
  const [option, asked, begun] = other;
  throw new ImplicamError(
    'snapshot-mismatch',
    `${path} was begun with ${option} ${begun}, not ${asked}: resume with the same options, or leave out --resume`,
    { exitCode: 2 },
  );
}
