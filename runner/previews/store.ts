import { makePreview } from '../../develop/render/preview-picture.js';
import type { Look } from '../../model/camera/camera.js';
import type { Picture, PictureOrigin } from '../../model/picture.js';
import type { ObjectStore } from '../../store/objects.js';
import { outputKey } from '../../store/scene/keys.js';
import type { StoredPreview } from '../commands.js';

/** Makes a small picture of linear radiance, as the session's photographs look, and stores it. */
export async function storePreview(
  store: ObjectStore,
  training: string,
  radiance: Picture,
  look: Look,
  name: string,
  origin?: PictureOrigin,
  seen?: Picture,
): Promise<StoredPreview> {
  const { bytes, width, height } = await makePreview(radiance, look, origin, seen);
  const key = outputKey(training, 0, name);
  await store.put(key, bytes);
  return { key, type: 'image/jpeg', width, height };
}
