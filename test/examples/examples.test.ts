import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSample } from '../../bench/samples/write.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { ensureBuilt } from '../support/binary.js';
import { runExample } from './example.js';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
beforeAll(async () => {
  await ensureBuilt();
  folder = await mkdtemp(join(tmpdir(), 'implicam-examples-'));
  await writeSample(at('photographs'), { width: 64, height: 48, focus: 2, exposures: 1 });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describeNative('the examples', () => {
  it('develop-folder leaves all results and says what it learned', async () => {
    const run = await runExample('develop-folder.mjs', [at('photographs'), at('results'), 'draft']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/focus1-exposure1\.png: -?\d+\.\d\d stops, focus -?\d\.\d\d/);
    expect(run.stdout).toMatch(/64 × 48 pixels, \d+ steps: look into/);
    const files = await readdir(at('results'));
    for (const file of ['all-in-focus.png', 'refocus-near.png', 'model.safetensors', 'report.json']) {
      expect(files).toContain(file);
    }
  });

  it('focus-sweep pulls the focus from near to far', async () => {
    const run = await runExample('focus-sweep.mjs', [at('results', 'model.safetensors'), at('sweep'), '3']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const focuses = [...run.stdout.matchAll(/focus (-?\d\.\d\d)$/gm)].map(([, f]) => Number(f));
    expect(focuses).toHaveLength(3);
    expect(focuses).toEqual([...focuses].sort((a, b) => b - a));
    const files = (await readdir(at('sweep'))).sort();
    expect(files).toEqual(['focus-001.jpg', 'focus-002.jpg', 'focus-003.jpg']);
    const pictures = await Promise.all(files.map((file) => readFile(at('sweep', file))));
    for (const picture of pictures) {
      expect(await sharp(picture).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 48 });
    }
    expect(pictures[0].equals(pictures[2])).toBe(false);
  });

  it('end with what was wrong, not with a stack of calls', async () => {
    const run = await runExample('develop-folder.mjs', [at('gone'), at('nothing')]);
    expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/gone does not exist/) });
    expect(run.stderr).not.toMatch(/^\s+at /m);
  });
});
