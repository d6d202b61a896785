import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt, implicam, type Run } from './support/binary.js';

/** The program where nobody has a compiler or installed TensorFlow.js: a copy without the core, beside packages without it. */

const REMEDY =
  'no engine: install a C++20 compiler (g++ 11 or newer, then npm run build:native), or npm install @tensorflow/tfjs (slow)';

let folder: string;

beforeAll(async () => {
  await ensureBuilt();
  folder = await mkdtemp(join(tmpdir(), 'implicam-without-engines-'));
  await cp('dist', join(folder, 'dist'), { recursive: true });
  await cp('package.json', join(folder, 'package.json'));
  for (const name of await readdir('node_modules')) {
    if (name === '@tensorflow' || name.startsWith('.')) continue;
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(process.cwd(), 'node_modules', name), link);
  }
  const size = ['--size', '48x32', '--focus', '2', '--exposures', '1'];
  expect(await implicam(['sample', join(folder, 'sample'), ...size])).toMatchObject({ code: 0 });
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const bare = (...args: string[]): Promise<Run> =>
  new Promise((done) => {
    const main = join(folder, 'dist', 'cli', 'main.js');
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      done({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });

test('developing fails with one sentence that says what to install', async () => {
  const { code, stdout, stderr } = await bare(
    'develop',
    join(folder, 'sample'),
    '--out',
    join(folder, 'out'),
  );
  expect(stderr).toBe(`2 frames of 48 × 32\nimplicam: ${REMEDY}\n`);
  expect(code).toBe(1);
  expect(stdout).toBe('');
});

test('the reference engine, asked for by name, tells how it is installed', async () => {
  const out = join(folder, 'out');
  const { code, stderr } = await bare('develop', join(folder, 'sample'), '--out', out, '--engine', 'tfjs');
  expect(stderr).toContain('the tfjs engine is not installed: npm install @tensorflow/tfjs\n');
  expect(code).toBe(1);
});

test('doctor tells the same', async () => {
  const { code, stdout } = await bare('doctor');
  expect(code).toBe(0);
  expect(stdout).toContain('tfjs engine: not installed: npm install @tensorflow/tfjs\n');
  expect(stdout).toContain(`default engine: ${REMEDY}\n`);
  const { engines, defaultEngine } = JSON.parse((await bare('doctor', '--json')).stdout);
  expect(engines.tfjs).toEqual({ missing: 'not installed: npm install @tensorflow/tfjs' });
  expect(defaultEngine).toEqual({ missing: REMEDY });
});
