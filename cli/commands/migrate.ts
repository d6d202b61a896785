import type { Command } from 'commander';
import { jsonOption } from '../options.js';

export function define(command: Command): void {
  command
    .option('--down', 'take the newest migration back, with the data that it holds')
    .addOption(jsonOption())
    .addHelpText('after', '\nEnvironment: DATABASE_URL (else the Postgres from npm), IMPLICAM_DATA (./data).')
    .action(async (options) => {
      const { runMigrate } = await import('../migrate.js');
      await runMigrate(options);
    });
}
