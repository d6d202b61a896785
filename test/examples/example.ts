import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Run } from '../support/binary.js';

/** Runs a program of `examples/` as its first lines say: plain Node, the package by its name. */
export function runExample(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const program = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } };
    const child = execFile(process.execPath, [program, ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
