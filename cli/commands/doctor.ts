import type { Command } from 'commander';
import { jsonOption } from '../options.js';

export function define(command: Command): void {
  command.addOption(jsonOption()).action(async (options) => {
    const { runDoctor } = await import('../doctor.js');
    await runDoctor(options);
  });
}
