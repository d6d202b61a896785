import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeOther } from './format.js';

/** As much as formats are told by. */
const HEAD_BYTES = 64 * 1024;

/**
 * The pictures of a folder that are not read, in words: "c.NEF and 3 more (camera RAW: develop it and …)". Notes, side-cars and
 * the like are passed over: nobody expects them to be developed.
 *
 * @param names files of the folder that are not named as photographs are
 * @returns undefined where there are no such pictures
 */
export async function picturesLeftOut(folder: string, names: readonly string[]): Promise<string | undefined> {
  const kinds = new Map<string, { readonly first: string; readonly remedy: string; count: number }>();
  for (const name of names) {
    const head = await headOf(join(folder, name));
    const other = head && describeOther(name, head);
    if (!other) continue;
    const kind = kinds.get(other.label);
    if (kind) kind.count++;
    else kinds.set(other.label, { first: name, remedy: other.remedy, count: 1 });
  }
  const told = [...kinds].map(([label, { first, remedy, count }]) => {
    const more = count > 1 ? ` and ${count - 1} more` : '';
    return `${first}${more} (${label}: ${remedy})`;
  });
  return told.length > 0 ? told.join(', ') : undefined;
}

/** The beginning of a file; undefined of what is none, is empty, or cannot be read. */
async function headOf(path: string): Promise<Uint8Array | undefined> {
  try {
    // Asked before it is opened: opening a named pipe waits for its writer.
    if (!(await stat(path)).isFile()) return undefined;
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return bytesRead > 0 ? buffer.subarray(0, bytesRead) : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
