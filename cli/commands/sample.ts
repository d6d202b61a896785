import { type Command, Option } from 'commander';
import { SCENE_NAMES } from '../../bench/sample/scenes/index.js';
import { jsonOption, numbersBetween, seedOption, wholeNumber } from '../options.js';

export function define(command: Command): void {
  command
    .argument('<dir>', 'folder for the photographs and their truth')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(seedOption())
    .addOption(
      new Option('--size <WxH>', 'pixels of a photograph')
        .argParser(numbersBetween('x', ['W', 'H']))
        .default([450, 300], '450x300'),
    )
    .addOption(new Option('--focus <n>', 'focus planes').argParser(wholeNumber(1, 32)).default(3))
    .addOption(
      new Option('--exposures <n>', 'exposures a focus plane').argParser(wholeNumber(1, 16)).default(3),
    )
    .addOption(
      new Option('--motion <name>', 'what moves between the photographs')
        .choices(['none', 'hand', 'object'])
        .default('none'),
    )
    .addOption(
      new Option('--exif <name>', 'what the files say of their settings')
        .choices(['exact', 'rough', 'none'])
        .default('exact'),
    )
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .action(async (dir: string, options) => {
      const { runSample } = await import('../sample.js');
      await runSample(dir, options);
    });
}

const AFTER = `
The photographs are rendered by physics, not by the model that "develop" fits: layers that cover each other, thin-lens
defocus in linear light, sensor noise, clipping, a camera response that no file tells, 8 bits. Beside them lies the truth
(truth.exr radiance, truth-depth.exr, truth.json camera) that "implicam evaluate" scores against.`;
