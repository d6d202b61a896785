import type { ObjectStore } from '../../store/objects.js';
import { checkStore, openStore } from '../../store/open.js';
import { type StoreFlags, storeLocation } from './folders.js';

/** The object store that flags or the environment name. @throws ImplicamError where it cannot be used, saying why */
export async function openObjects(flags: StoreFlags = {}): Promise<ObjectStore> {
  const store = openStore(storeLocation(flags));
  await checkStore(store);
  return store;
}
