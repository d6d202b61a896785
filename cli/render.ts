import { extname } from 'node:path';
import type { Command } from 'commander';
import { loadModel } from '../develop/model-file/model-file.js';
import { queryForFile, renderFile } from '../develop/render/render-file.js';
import { responseOf } from '../develop/render/response.js';
import { bakeScene } from '../develop/render/scene-renderer.js';
import { chooseEngine } from '../engine/choose.js';
import type { EngineName } from '../engine/engine.js';
import { imageKindOf, writeFileWhole } from '../imaging/write.js';
import { type RenderQueryInput, renderQuerySchema } from '../model/render/query.js';
import { deviceOption, engineOption, partsOption, schemaOption, threadsOption } from './shared/options.js';

export function define(command: Command): void {
  const { shape } = renderQuerySchema;
  command
    .argument('<model>', 'model.safetensors of "implicam develop"')
    .addOption(schemaOption('--kind <name>', shape.kind))
    .addOption(schemaOption('--focus <f>', shape.focus))
    .addOption(partsOption('--tap <X,Y>', shape.tap, ['x', 'y']))
    .addOption(schemaOption('--aperture <a>', shape.aperture))
    .addOption(schemaOption('--ev <stops>', shape.ev))
    .addOption(
      schemaOption(
        '--tone <name>',
        shape.tone,
        'local for brackets, learned for frames of one exposure, linear where the file holds linear light',
      ),
    )
    .addOption(partsOption('--region <X,Y,W,H>', shape.region, ['x', 'y', 'width', 'height']))
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

export interface RenderCommand extends RenderQueryInput {
  readonly output: string;
  readonly engine?: EngineName;
  readonly device?: string;
  readonly threads?: number;
}

/** `implicam render`: one picture of a developed model. */
export async function runRender(path: string, command: RenderCommand): Promise<void> {
  const { output, engine, threads, device, ...input } = command;
  if (input.kind === 'response' && extname(output).toLowerCase() === '.json') {
    const response = responseOf(await loadModel(path));
    await writeFileWhole(output, `${JSON.stringify(response, null, 2)}\n`);
    return;
  }
  const query = queryForFile(input, input.format ?? imageKindOf(output), output);
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
