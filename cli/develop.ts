import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  type DevelopOptions,
  type DevelopPhase,
  PRESETS,
  type Preset,
  type Quality,
  type TrainFunction,
} from '../develop/options.js';
import { type DevelopReport, OUTPUT_FILES } from '../develop/outputs.js';
import { developPhotographs, readPhotographs, writeResultsFolder } from '../develop/photographs.js';
import { WARNING } from '../develop/register.js';
import type { EngineName } from '../engine/engine.js';
import { trainSchema } from '../model/config.js';
import { ImplicamError } from '../model/errors.js';
import { interruptible } from './shared/interrupt.js';
import {
  deviceOption,
  engineOption,
  jsonOption,
  qualityOption,
  schemaOption,
  seedOption,
  threadsOption,
  wholeNumber,
} from './shared/options.js';
import { duration, type ProgressReport, reportProgress } from './shared/progress.js';

export function define(command: Command): void {
  command
    .argument('<photos...>', 'photographs of one scene, or folders of them')
    .option('-o, --out <dir>', 'folder for the results', 'out')
    .addOption(
      new Option('--preset <name>', 'what the photographs differ in; auto looks at them')
        .choices(PRESETS)
        .default('auto'),
    )
    .addOption(qualityOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(seedOption())
    .addOption(schemaOption('--steps <n>', trainSchema.shape.steps, 'what the quality asks for'))
    .option('--gps', 'let results say where the photographs were taken, where these do')
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
refocus-far.png (focus stacks, not with --quality instant), response.json, model.safetensors (for "implicam render"), report.json.

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
  readonly gps?: boolean;
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
  const { out: results, resume = false } = command;
  const asked = { ...optionsOf(command), results, resume };
  const photographs = await readPhotographs(photos, asked);
  const { frames } = photographs;
  const progress = reportProgress();
  progress.line(
    `${frames.length} frame${frames.length === 1 ? '' : 's'} of ${frames[0].width} × ${frames[0].height}`,
  );
  const warnings: string[] = [];
  const interrupt = interruptible(() =>
    progress.line('interrupted: saving a snapshot after the step in progress (Ctrl-C again: stop at once)'),
  );
  const { development, snapshotFile } = await developPhotographs(photographs, {
    ...asked,
    ...(command.runners ? { train: await cluster(command, command.runners, progress) } : {}),
    signal: interrupt.signal,
    onPhase: (phase) => progress.line(PHASES[phase]),
    onNote: (note) => {
      progress.line(`  ${note}`);
      if (note.startsWith(WARNING)) warnings.push(note);
    },
    onPreview: () => progress.line(`  preview: ${join(results, OUTPUT_FILES.preview)}`),
    onProgress: (state) => progress.progress(state),
  }).finally(() => {
    progress.stop();
    interrupt.release();
  });
  if (development.interrupted) {
    throw new ImplicamError(
      'interrupted',
      `stopped after step ${development.steps}; ${snapshotFile} holds what was learned: ` +
        'give the same command with --resume to go on from there',
    );
  }
  progress.line('writing the results');
  const report = await writeResultsFolder(results, development, photographs);
  const { train: trained, render } = report.seconds;
  const done = report.steps === 0 ? 'nothing trained' : `${report.steps} steps in ${duration(trained)}`;
  progress.line(
    `done: ${done}, results in ${duration(render)}; look at ${join(results, OUTPUT_FILES.picture)}`,
  );
  for (const warning of warnings) progress.line(warning);
  return report;
}

const PHASES: Record<DevelopPhase, string> = {
  register: 'registering the frames',
  start: 'classical start: response, exposures, defocus map',
  train: 'training',
  render: 'rendering',
};

function optionsOf({
  preset,
  quality,
  engine,
  threads,
  device,
  seed,
  steps,
  gps = false,
}: DevelopCommand): DevelopOptions {
  return {
    preset,
    quality,
    seed,
    gps,
    ...(engine ? { engine } : {}),
    ...(threads ? { threads } : {}),
    ...(device ? { device } : {}),
    ...(steps === undefined ? {} : { steps }),
  };
}

/** The processes that train are loaded only where they are asked for. */
async function cluster(
  command: DevelopCommand,
  runners: number,
  progress: ProgressReport,
): Promise<TrainFunction> {
  const { trainOnCluster } = await import('./shared/local-cluster.js');
  const { out: folder, threads } = command;
  const onLine = (line: string) => progress.line(`  ${line}`);
  return trainOnCluster({ runners, folder, onLine, ...(threads ? { threads } : {}) });
}
