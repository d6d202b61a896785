import { extname } from 'node:path';
import { imageKindOf, writeFileWhole } from '../imaging/write.js';
import type { RenderQueryInput } from '../model/render-query.js';
import { chooseEngine } from '../runner/engines/choose.js';
import type { EngineName } from '../runner/engines/engine.js';
import { loadModel } from '../runner/model-file.js';
import { queryForFile, renderFile } from '../runner/render-file.js';
import { responseOf } from '../runner/response.js';
import { bakeScene } from '../runner/scene-renderer.js';

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
