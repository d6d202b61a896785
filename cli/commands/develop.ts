import { type Command, Option } from 'commander';
import { trainSchema } from '../../model/config.js';
import { PRESETS, QUALITIES } from '../../runner/develop-options.js';
import {
  deviceOption,
  engineOption,
  jsonOption,
  schemaOption,
  seedOption,
  threadsOption,
  wholeNumber,
} from '../options.js';

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
      const { runDevelop } = await import('../develop.js');
      await runDevelop(photos, options);
    });
}

const AFTER = `
preview.jpg, small, is there before training: the classical picture that it begins with.

Results: all-in-focus.png (to look at), .exr (linear radiance) and .jpg (UltraHDR), defocus.exr, refocus-near.png and
refocus-far.png (focus stacks), response.json, model.safetensors (for "implicam render"), report.json.

Ctrl-C saves a snapshot in the results folder; the same command with --resume goes on from it to the same result.`;
