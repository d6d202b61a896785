import { type Command, Option } from 'commander';
import {
  deviceOption,
  engineOption,
  memoryOption,
  storeOption,
  threadsOption,
  tlsOptions,
  wholeNumber,
} from '../options.js';

export function define(command: Command): void {
  command
    .requiredOption('--coordinator <host:port>', 'coordinator to work for')
    .option('--listen <host:port>', 'address for peers; port 0: any free one', '127.0.0.1:0')
    .option(
      '--advertise <host:port>',
      'address by which others reach this runner (default: where it listens)',
    )
    .option('--data <dir>', 'folder of everything that is kept (default: IMPLICAM_DATA, else ./data)')
    .addOption(storeOption())
    .option('--metrics <host:port>', 'serve /metrics and /healthz there')
    .addOption(memoryOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--render-threads <n>', 'threads of a render (default: as --threads)').argParser(
        wholeNumber(1, 1024),
      ),
    );
  for (const option of tlsOptions()) command.addOption(option);
  command.action(async (options) => {
    const { runRunner } = await import('../runner.js');
    await runRunner(options);
  });
}
