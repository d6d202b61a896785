import type { Command } from 'commander';
import { storeOption, tlsOptions } from '../options.js';

export function define(command: Command): void {
  command
    .option('--listen <host:port>', 'address for runners and clients', '127.0.0.1:7070')
    .option('--data <dir>', 'folder of everything that is kept (default: IMPLICAM_DATA, else ./data)')
    .addOption(storeOption())
    .option(
      '--database',
      'take sessions from the Postgres that DATABASE_URL names, instead of from the folder',
    )
    .option('--gateway <host:port>', 'serve renders over HTTP there (secret: IMPLICAM_GATEWAY_SECRET)')
    .option('--spread', 'use all runners for each session, also where fewer would be faster')
    .option('--metrics <host:port>', 'serve /metrics and /healthz there');
  for (const option of tlsOptions()) command.addOption(option);
  command.action(async (options) => {
    const { runCoordinator } = await import('../coordinator.js');
    await runCoordinator(options);
  });
}
