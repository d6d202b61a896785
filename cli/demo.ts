import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { SCENE_NAMES, type SceneName } from '../bench/samples/scenes/index.js';
import { writeSample } from '../bench/samples/write.js';
import type { Quality } from '../develop/options.js';
import { OUTPUT_FILES } from '../develop/outputs.js';
import type { EngineName } from '../engine/engine.js';
import { developInto } from './develop.js';
import { evaluateModel, scoreTable } from './evaluate.js';
import {
  deviceOption,
  engineOption,
  numbersBetween,
  qualityOption,
  seedOption,
  threadsOption,
} from './shared/options.js';

export function define(command: Command): void {
  command
    .option('-o, --out <dir>', 'folder for the sample and the results', 'demo')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(qualityOption())
    .addOption(
      new Option('--size <WxH>', 'pixels of a photograph')
        .argParser(numbersBetween('x', ['W', 'H']))
        .default([450, 300], '450x300'),
    )
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(seedOption())
    .action(async (options) => {
      await runDemo(options);
    });
}

export interface DemoCommand {
  readonly out: string;
  readonly scene: SceneName;
  readonly quality: Quality;
  readonly size: readonly [number, number];
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
  readonly seed: number;
}

/** `implicam demo`: the whole way on one page. Sample, develop, evaluate. */
export async function runDemo(command: DemoCommand): Promise<void> {
  const { out, scene, seed, size, ...rest } = command;
  const [sample, results] = [join(out, 'sample'), join(out, 'results')];
  const [width, height] = size;
  process.stderr.write(`photographing the generated scene "${scene}" into ${sample}\n`);
  const truth = await writeSample(sample, { scene, seed, width, height });
  // The files by name: the sample's folder also holds what the photographs must not know.
  const photos = truth.frames.map(({ file }) => join(sample, file));
  const report = await developInto(photos, { ...rest, seed, out: results, preset: 'auto' });
  const evaluation = await evaluateModel(join(results, OUTPUT_FILES.model), { ...rest, truth: sample });
  const total = Object.values(report.seconds).reduce((a, b) => a + b, 0);
  process.stdout.write(
    `\n${scoreTable(evaluation)}\n` +
      `${truth.frames.length} photographs of ${width} × ${height}, ${report.steps} steps on ${report.device}, ${total.toFixed(1)} s in all\n` +
      `photographs and truth: ${sample}\npictures: ${results} (begin with ${OUTPUT_FILES.picture})\n`,
  );
}
