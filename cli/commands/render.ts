import { type Command, Option } from 'commander';
import { renderQuerySchema } from '../../model/render-query.js';
import { deviceOption, engineOption, numbersBetween, schemaOption, threadsOption } from '../options.js';

export function define(command: Command): void {
  const { shape } = renderQuerySchema;
  command
    .argument('<model>', 'model.safetensors of "implicam develop"')
    .addOption(schemaOption('--kind <name>', shape.kind))
    .addOption(schemaOption('--focus <f>', shape.focus))
    .addOption(new Option('--tap <X,Y>', shape.tap.description).argParser(numbersBetween(',', ['X', 'Y'])))
    .addOption(schemaOption('--aperture <a>', shape.aperture))
    .addOption(schemaOption('--ev <stops>', shape.ev))
    .addOption(schemaOption('--tone <name>', shape.tone, 'srgb, or linear where the file holds linear light'))
    .addOption(schemaOption('--time <seconds>', shape.time))
    .addOption(
      new Option('--region <X,Y,W,H>', shape.region.description).argParser(
        numbersBetween(',', ['X', 'Y', 'W', 'H']),
      ),
    )
    .addOption(schemaOption('--width <pixels>', shape.width))
    .addOption(schemaOption('--format <name>', shape.format, "what the file's ending says"))
    .requiredOption('-o, --output <file>', 'file to write; its ending names the format')
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .action(async (model: string, options) => {
      const { runRender } = await import('../render.js');
      await runRender(model, options);
    });
}
