import { type Command, Option } from 'commander';
import { SCENE_NAMES } from '../../bench/sample/scenes/index.js';
import { QUALITIES } from '../../runner/develop-options.js';
import { deviceOption, engineOption, numbersBetween, seedOption, threadsOption } from '../options.js';

export function define(command: Command): void {
  command
    .option('-o, --out <dir>', 'folder for the sample and the results', 'demo')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(new Option('--quality <name>', 'how long to train').choices(QUALITIES).default('standard'))
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
      const { runDemo } = await import('../demo.js');
      await runDemo(options);
    });
}
