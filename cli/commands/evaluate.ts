import type { Command } from 'commander';
import { deviceOption, engineOption, jsonOption, threadsOption } from '../options.js';

export function define(command: Command): void {
  command
    .argument('<model>', 'model.safetensors of "implicam develop"')
    .requiredOption('--truth <dir>', 'folder that "implicam sample" wrote')
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (model: string, options) => {
      const { runEvaluate } = await import('../evaluate.js');
      await runEvaluate(model, options);
    });
}
