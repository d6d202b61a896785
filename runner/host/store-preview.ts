import { encodeImage } from '../../imaging/write.js';
import { readCamera } from '../../model/camera.js';
import type { Picture } from '../../model/picture.js';
import { createPlan } from '../../model/plan.js';
import { resizedTo } from '../../model/start/resize.js';
import type { ObjectStore } from '../../store/objects.js';
import { outputKey } from '../../store/scene.js';
import type { TrainedModel } from '../develop-options.js';
import { chooseDisplay, showRadiance } from '../display.js';
import type { StoredPreview } from './orders.js';

/** Width of previews, in pixels. */
export const PREVIEW_WIDTH = 960;

/** Makes a small picture of linear radiance, as the session's photographs look, and stores it. */
export async function storePreview(
  store: ObjectStore,
  session: string,
  model: TrainedModel,
  radiance: Picture,
  name: string,
): Promise<StoredPreview> {
  const small = resizedTo(radiance, Math.min(radiance.width, PREVIEW_WIDTH));
  const camera = readCamera(createPlan(model.capture, model.config, model.seed), model.state.parameters);
  const display = chooseDisplay(
    small,
    model.capture.frames.map((f) => f.ev),
  );
  const bytes = await encodeImage('jpeg', showRadiance(small, display, camera), { quality: 85 });
  const key = outputKey(session, 0, name);
  await store.put(key, bytes);
  return { key, type: 'image/jpeg', width: small.width, height: small.height };
}
