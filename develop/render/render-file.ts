import { encodeImage, type ImageKind, imageKinds } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import { percentile } from '../../model/percentile.js';
import type { Picture } from '../../model/picture.js';
import { parseRenderQuery, type RenderQuery, type RenderQueryInput } from '../../model/render/query.js';
import type { BakedScene } from '../../model/render/render.js';
import { withAlpha } from '../../model/unseen.js';
import type { TrainedModel } from '../options.js';
import { describeRender } from '../origin.js';
import { alphaOf, renderLight, renderScene } from './scene-renderer.js';

/**
 * Completes a query for a kind of file.
 *
 * @param name of the result, for messages
 * @throws ImplicamError `render-query`, or `option-invalid` for a tone that the file cannot hold
 */
export function queryForFile(input: RenderQueryInput, format: ImageKind, name: string): RenderQuery {
  const query = parseRenderQuery({ ...input, format });
  requireTone(query, name);
  return query;
}

/** A render as the content of a file. */
export async function renderFile(
  scene: BakedScene,
  model: TrainedModel,
  query: RenderQuery,
): Promise<Uint8Array> {
  const origin = describeRender(model);
  const { format } = query;
  if (format === 'ultrahdr') {
    const display = renderScene(scene, model, { ...query, tone: baseTone(query) });
    return encodeImage('ultrahdr', renderLight(scene, model, query), { display, origin });
  }
  const picture = renderScene(scene, model, query);
  const alpha = imageKinds[format].alpha ? alphaOf(scene, model, query) : undefined;
  if (alpha) return encodeImage(format, withAlpha(picture, alpha, format === 'exr'), { origin });
  const grey = picture.channels === 1 && imageKinds[format].light === 'display';
  return encodeImage(format, grey ? asGrey(picture) : picture, { origin });
}

/** What plain displays show of an UltraHDR: the picture of the same query. Of linear light, which none can show, a curve. */
const baseTone = ({ tone }: RenderQuery): RenderQuery['tone'] => (tone === 'linear' ? 'filmic' : tone);

function requireTone({ tone, format }: RenderQuery, name: string): void {
  // UltraHDR holds both.
  if (tone === undefined || (format === 'ultrahdr' && tone === 'local')) return;
  const linear = imageKinds[format].light === 'linear';
  if ((tone === 'linear') === linear) return;
  const remedy = linear ? 'leave out the tone, or ask for a .png' : 'ask for an .exr, .hdr or .tif';
  throw new ImplicamError(
    'option-invalid',
    `${name} holds ${linear ? 'linear light' : 'what a display shows'}, not the tone ${tone}: ${remedy}`,
    { exitCode: 2 },
  );
}

/** A map of any range as grey: the nearest hundredth of the picture white, the farthest black. */
function asGrey(map: Picture): Picture {
  const low = percentile(map.data, 1);
  const scale = 1 / Math.max(percentile(map.data, 99) - low, 1e-9);
  return { ...map, data: map.data.map((v) => Math.min(1, Math.max(0, (v - low) * scale))) };
}
