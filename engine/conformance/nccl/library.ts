import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * NCCL's functions over sockets (sockets.cpp), compiled: the path of the library. Made once for each state of its source, by
 * whichever test file comes first.
 */
export function ncclOverSockets(): string {
  const source = join(here, 'sockets.cpp');
  const folder = join(here, '..', '..', '..', 'build', 'test');
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(folder, `nccl-sockets-${digest}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  // Beside the place first: another test file may look at it meanwhile.
  const made = `${library}.${process.pid}`;
  execFileSync(process.env.CXX || 'g++', [
    ...['-std=c++20', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-pthread'],
    ...['-o', made, source],
  ]);
  renameSync(made, library);
  return library;
}
