import { extname } from 'node:path';
import { type ImageKind, imageKindOf, imageKinds, writeFileWhole, writeImage } from '../imaging/write.js';
import { ImplicamError } from '../model/errors.js';
import { percentile } from '../model/percentile.js';
import type { Picture } from '../model/picture.js';
import { parseRenderQuery, type RenderQueryInput } from '../model/render-query.js';
import { chooseEngine } from '../runner/engines/choose.js';
import { loadModel } from '../runner/model-file.js';
import { responseOf } from '../runner/response.js';
import { bakeScene, renderScene } from '../runner/scene-renderer.js';

export interface RenderCommand extends Omit<RenderQueryInput, 'tap' | 'region'> {
  readonly output: string;
  readonly tap?: readonly [number, number];
  readonly region?: readonly [number, number, number, number];
  readonly engine?: 'native' | 'tfjs';
  readonly threads?: number;
}

/** `implicam render`: one picture of a developed model. */
export async function runRender(path: string, command: RenderCommand): Promise<void> {
  const { output, tap, region, engine, threads, ...rest } = command;
  if (rest.kind === 'response' && extname(output).toLowerCase() === '.json') {
    const response = responseOf(await loadModel(path));
    await writeFileWhole(output, `${JSON.stringify(response, null, 2)}\n`);
    return;
  }
  const format: ImageKind = rest.format ?? imageKindOf(output);
  const query = parseRenderQuery({
    ...rest,
    format,
    tone: toneFor(output, format, rest.tone),
    ...(tap ? { tap: { x: tap[0], y: tap[1] } } : {}),
    ...(region ? { region: { x: region[0], y: region[1], width: region[2], height: region[3] } } : {}),
  });
  if (query.time !== undefined) {
    throw new ImplicamError('option-invalid', `${path} is the model of a still scene: leave out --time`, {
      exitCode: 2,
    });
  }
  const model = await loadModel(path);
  const baked = await bakeScene(
    model,
    await chooseEngine({ ...(engine ? { engine } : {}), ...(threads ? { threads } : {}) }),
  );
  const picture = renderScene(baked, model, query);
  const shown = query.kind === 'depth' && imageKinds[format].light === 'display' ? asGrey(picture) : picture;
  await writeImage(output, shown, { kind: format });
}

/** What the file can hold decides the tone where none was asked for; one that it cannot hold is refused. */
function toneFor(output: string, format: ImageKind, asked: RenderCommand['tone']): RenderCommand['tone'] {
  const linear = imageKinds[format].light === 'linear';
  if (asked === undefined) return linear ? 'linear' : 'srgb';
  if ((asked === 'linear') === linear) return asked;
  const remedy = linear ? 'leave out --tone, or write a .png' : 'write an .exr, .hdr or .tif';
  throw new ImplicamError(
    'option-invalid',
    `${output} holds ${linear ? 'linear light' : 'what a display shows'}, not --tone ${asked}: ${remedy}`,
    { exitCode: 2 },
  );
}

/** A map of any range as grey: the nearest hundredth of the picture white, the farthest black. */
function asGrey(map: Picture): Picture {
  const low = percentile(map.data, 1);
  const scale = 1 / Math.max(percentile(map.data, 99) - low, 1e-9);
  return { ...map, data: map.data.map((v) => Math.min(1, Math.max(0, (v - low) * scale))) };
}
