import { type Command, Option } from 'commander';
import { SCENE_NAMES } from '../../bench/sample/scenes/index.js';
import { QUALITIES } from '../../runner/develop-options.js';
import {
  deviceOption,
  engineOption,
  jsonOption,
  seedOption,
  threadsOption,
  wholeNumber,
} from '../options.js';

export function define(command: Command): void {
  command
    .command('step')
    .description("time one training step against this machine's own multiply-add peak")
    .addOption(
      new Option(
        '--workload <name>',
        "W: the paper's camera, 8192 pixels × 9 taps; P: the default, by patches",
      )
        .choices(['W', 'P'])
        .default('P'),
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
      const { runBenchStep } = await import('../bench.js');
      await runBenchStep(options);
    });
  command
    .command('train')
    .description('develop a generated capture and score it against its truth as time goes by')
    .addOption(new Option('--scene <name>', 'what is photographed').choices(SCENE_NAMES).default('study'))
    .addOption(new Option('--quality <name>', 'how long to train').choices(QUALITIES).default('standard'))
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(seedOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { runBenchTrain } = await import('../bench.js');
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
      const { runBenchRender } = await import('../bench.js');
      await runBenchRender(options);
    });
  command
    .command('reduce')
    .description('time the exchange of gradients between 2 and 4 processes beside bare TCP')
    .addOption(jsonOption())
    .action(async (options) => {
      const { runBenchReduce } = await import('../bench.js');
      await runBenchReduce(options);
    });
  command
    .command('scaling')
    .description('step rate of 1 and 2 single-threaded runners, and what it foretells for more of them')
    .addOption(
      new Option('--turns <n>', 'turns of each number of runners').argParser(wholeNumber(1, 100)).default(2),
    )
    .addOption(jsonOption())
    .action(async (options) => {
      const { runBenchScaling } = await import('../bench.js');
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
      const { runBenchApi } = await import('../bench.js');
      await runBenchApi(options);
    });
}
