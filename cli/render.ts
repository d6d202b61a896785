import { extname } from 'node:path';
import { type Command, Option } from 'commander';
import { loadModel } from '../develop/model-file/model-file.js';
import { queryForFile, renderFile } from '../develop/render/render-file.js';
import { responseOf } from '../develop/render/response.js';
import { bakeScene } from '../develop/render/scene-renderer.js';
import { chooseEngine } from '../engine/choose.js';
import type { EngineName } from '../engine/engine.js';
import { imageKindOf, writeFileWhole } from '../imaging/write.js';
import { type RenderQueryInput, renderQuerySchema } from '../model/render/query.js';
import { deviceOption, engineOption, numbersBetween, schemaOption, threadsOption } from './shared/options.js';

export function define(command: Command): void {
  const { shape } = renderQuerySchema;
  command
    .argument('<model>', 'model.safetensors of "implicam develop"')
    .addOption(schemaOption('--kind <name>', shape.kind))
    .addOption(schemaOption('--focus <f>', shape.focus))
    .addOption(new Option('--tap <X,Y>', shape.tap.description).argParser(numbersBetween(',', ['X', 'Y'])))
    .addOption(schemaOption('--aperture <a>', shape.aperture))
    .addOption(schemaOption('--ev <stops>', shape.ev))
    .addOption(
      schemaOption(
        '--tone <name>',
        shape.tone,
        'local for brackets, learned for frames of one exposure, linear where the file holds linear light',
      ),
    )
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
      await runRender(model, options);
    });
}

export interface RenderCommand extends Omit<RenderQueryInput, 'tap' | 'region'> {
  readonly output: string;
  readonly tap?: readonly [number, number];
  readonly region?: readonly [number, number, number, number];
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
}

/** `implicam render`: one picture of a developed model. */
export async function runRender(path: string, command: RenderCommand): Promise<void> {
  const { output, tap, region, engine, threads, device, ...rest } = command;
  if (rest.kind === 'response' && extname(output).toLowerCase() === '.json') {
    const response = responseOf(await loadModel(path));
    await writeFileWhole(output, `${JSON.stringify(response, null, 2)}\n`);
    return;
  }
  const input: RenderQueryInput = {
    ...rest,
    ...(tap ? { tap: { x: tap[0], y: tap[1] } } : {}),
    ...(region ? { region: { x: region[0], y: region[1], width: region[2], height: region[3] } } : {}),
  };
  const query = queryForFile(input, rest.format ?? imageKindOf(output), output);
  const model = await loadModel(path);
  const baked = await bakeScene(
    model,
    await chooseEngine({
      ...(engine ? { engine } : {}),
      ...(threads ? { threads } : {}),
      ...(device ? { device } : {}),
    }),
  );
  await writeFileWhole(output, await renderFile(baked, model, query));
}
