import { lstatSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ImplicamError } from '../model/errors.js';
import { type ImagingLimits, requireFileBytes } from './limits.js';

/** A file to read: its path, or its content with a name for messages. */
export type FileSource = string | { readonly name: string; readonly bytes: Uint8Array };

export interface NamedBytes {
  /** File name without its folders. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The content of a file.
 *
 * @throws ImplicamError `file-not-found`, `file-unreadable`, `file-empty` or `file-too-large`, naming the path.
 */
export async function loadSource(source: FileSource, limits: ImagingLimits): Promise<NamedBytes> {
  if (typeof source !== 'string') {
    requireFileBytes(source.name, source.bytes.length, limits);
    return source;
  }
  // Asked before it is opened: opening a named pipe waits for its writer.
  await requireRegularFile(source);
  try {
    const file = await open(source);
    try {
      const { size } = await file.stat();
      requireFileBytes(source, size, limits);
      const bytes = await file.readFile();
      requireFileBytes(source, bytes.length, limits);
      return { name: basename(source), bytes };
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cause instanceof ImplicamError ? cause : unreadable(source, cause);
  }
}

/** Whether the path names a folder. @throws ImplicamError `file-not-found` or `file-unreadable`. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function requireRegularFile(path: string): Promise<void> {
  if (await isFolder(path)) {
    throw new ImplicamError('file-unreadable', `${path} is a folder: name a file`);
  }
  if (!(await stat(path)).isFile()) {
    throw new ImplicamError(
      'file-unreadable',
      `${path} is not a regular file: copy the photograph to a file`,
    );
  }
}

/** The error for a path that the system would not read. */
export function unreadable(path: string, cause: unknown): ImplicamError {
  const reason = (cause as NodeJS.ErrnoException).code;
  if (reason === 'ENOENT' || reason === 'ENOTDIR') {
    const what = isLink(path)
      ? 'is a link to what does not exist: name the file itself'
      : 'does not exist: check its spelling';
    return new ImplicamError('file-not-found', `${path} ${what}`, { status: 404, cause });
  }
  const hint = REMEDIES[reason ?? ''] ?? 'check the disk';
  return new ImplicamError(
    'file-unreadable',
    `${path} cannot be read (${reason ?? String(cause)}): ${hint}`,
    {
      cause,
    },
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'allow reading it',
  EPERM: 'allow reading it',
  ELOOP: 'it is a link that leads back to itself, name the file itself',
  ENAMETOOLONG: 'no file has so long a name',
};

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}
