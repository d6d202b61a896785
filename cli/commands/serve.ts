import { type Command, Option } from 'commander';
import { storeOption, wholeNumber } from '../options.js';

export function define(command: Command): void {
  command
    .addOption(
      new Option('--port <n>', 'port to listen on')
        .env('PORT')
        .argParser(wholeNumber(0, 65_535))
        .default(8787),
    )
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .option('--no-migrate', 'leave the schema of the database as it is')
    .option('--private-webhooks', 'send webhooks to addresses of private networks too')
    .addOption(storeOption())
    .addHelpText('after', AFTER)
    .action(async (options) => {
      const { runServe } = await import('../serve.js');
      await runServe(options);
    });
}

const AFTER = `
Environment: DATABASE_URL (else a Postgres from npm), IMPLICAM_DATA (./data), IMPLICAM_STORE, AWS_…
(credentials of an S3 store), IMPLICAM_GATEWAY and IMPLICAM_GATEWAY_SECRET (who renders), IMPLICAM_ORIGINS (pages that may call), IMPLICAM_LOG (info).`;
