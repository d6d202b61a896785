import { createFolderStore } from './folder.js';
import type { ObjectStore } from './objects.js';

/** The object store of a location: a folder's path. */
export function openStore(location: string): ObjectStore {
  return createFolderStore(location);
}
