import { type Command, Option } from 'commander';
import { storeOption, wholeNumber } from '../options.js';

export function define(command: Command): void {
  command
    .addOption(
      new Option('--port <n>', 'port of API and web page')
        .env('PORT')
        .argParser(wholeNumber(1, 65_535))
        .default(8787),
    )
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--runners <n>', 'processes that train and render').argParser(wholeNumber(1, 64)).default(2),
    )
    .option('--private-webhooks', 'send webhooks to addresses of private networks too')
    .addOption(storeOption())
    .addHelpText('after', AFTER)
    .action(async (options) => {
      const { runStart } = await import('../start.js');
      await runStart(options);
    });
}

const AFTER = `
Environment: DATABASE_URL (else a Postgres from npm), IMPLICAM_DATA (./data), IMPLICAM_STORE.
The first start prints an API key, once.
Ctrl-C ends everything in order; after kill -9 the next start goes on where this one was.`;
