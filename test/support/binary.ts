import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Runs the program as people do: built, in a process of its own. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');

/** Builds the program where its sources are newer. Test files run side by side: one builds, the others wait. */
export async function ensureBuilt(): Promise<void> {
  const lock = join(root, 'build', 'test-build.lock');
  mkdirSync(join(root, 'build'), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      // A builder that was killed leaves its lock behind.
      if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 120_000)
        rmSync(lock, { recursive: true });
      await sleep(200);
    }
  }
  try {
    if (!isFresh()) {
      const now = new Date();
      execFileSync('npm', ['run', 'build:ts'], { cwd: root, stdio: 'pipe' });
      // An incremental build leaves files alone that stay the same.
      utimesSync(main, now, now);
    }
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer };
    throw new Error(`the program could not be built:\n${stdout?.toString() ?? String(error)}`);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

const SOURCES = [
  ...['model', 'imaging', 'store', 'proto', 'migrations', 'database', 'engine', 'develop'],
  ...['coordinator', 'runner', 'edge-api', 'bench', 'cli'],
];

function isFresh(): boolean {
  if (!existsSync(main)) return false;
  const built = statSync(main).mtimeMs;
  if (statSync(join(root, 'index.ts')).mtimeMs >= built) return false;
  return SOURCES.every((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .every((file) => statSync(join(root, folder, file)).mtimeMs < built),
  );
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Sends SIGINT once standard error matches. */
  readonly interruptAt?: RegExp;
}

/** Runs `implicam …` and waits for its end. */
export function implicam(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { IMPLICAM_DEBUG: _, ...inherited } = process.env;
  const spawning: SpawnOptions = {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], spawning);
    let stdout = '';
    let stderr = '';
    let interrupted = false;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (!interrupted && options.interruptAt?.test(stderr)) {
        interrupted = true;
        child.kill('SIGINT');
      }
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
