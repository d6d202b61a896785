import { readFileSync } from 'node:fs';

let known: string | undefined;

/** The version of this program, from its package.json: two folders up when built, one from the sources. */
export function programVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'implicam') return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

/** Versions that decide what a run computes, for reports. */
export function versions(): Record<string, string> {
  return {
    implicam: programVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
}
