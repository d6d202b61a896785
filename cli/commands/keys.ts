import { type Command, Option } from 'commander';
import { jsonOption, wholeNumber } from '../options.js';

export function define(command: Command): void {
  command
    .command('create')
    .description('make an API key and print it')
    .argument('[name]', 'what it is for', 'made by the command line')
    .option('--tenant <name>', 'whose sessions it sees', 'default')
    .option('--manages-keys', 'it may make, list and revoke keys of its tenant')
    .addOption(limit('--rate-per-minute <n>', 'requests a minute', 1))
    .addOption(limit('--burst <n>', 'requests at once after a pause', 1))
    .addOption(limit('--max-sessions <n>', 'sessions that are kept', 0))
    .addOption(limit('--max-bytes <n>', 'bytes of photographs that are kept', 0))
    .addOption(limit('--max-active <n>', 'sessions that wait or train at a time', 0))
    .addOption(jsonOption())
    .action(async (name: string, { json, ...key }) => {
      const { runCreateKey } = await import('../keys.js');
      await runCreateKey({ name, ...key }, { json });
    });
  command
    .command('list')
    .description('list API keys by how they begin')
    .option('--tenant <name>', 'only those of one tenant')
    .addOption(jsonOption())
    .action(async ({ tenant, json }) => {
      const { runListKeys } = await import('../keys.js');
      await runListKeys(tenant, { json });
    });
  command
    .command('revoke')
    .description('refuse an API key from now on')
    .argument('<key>', 'how it begins (ik_…), or its id')
    .action(async (key: string) => {
      const { runRevokeKey } = await import('../keys.js');
      await runRevokeKey(key);
    });
}

const limit = (flags: string, text: string, least: number) =>
  new Option(flags, text).argParser(wholeNumber(least, Number.MAX_SAFE_INTEGER));
