import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSample } from '../../bench/samples/write.js';
import { Service } from '../../bench/trials/service/service.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { readFrame } from '../../imaging/read.js';
import { ensureBuilt } from '../support/binary.js';
import { runExample } from './example.js';

/** The example of the HTTP API against the whole service, as `npm start` runs it. */

describeNative('submit-by-api', () => {
  let folder: string;
  let service: Service;
  let photographs: string[];
  beforeAll(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'implicam-submit-'));
    const settings = { width: 64, height: 48, focus: 2, exposures: 1 };
    const { frames } = await writeSample(join(folder, 'photographs'), settings);
    photographs = frames.map(({ file }) => join(folder, 'photographs', file));
    service = await Service.start();
  }, 300_000);
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('has the service develop photographs and downloads the results', { timeout: 240_000 }, async () => {
    const results = join(folder, 'results');
    const key = { IMPLICAM_KEY: service.key };
    const run = await runExample('submit-by-api.mjs', [service.url, results, ...photographs], key);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    for (const event of ['created', 'frame', 'queued', 'trained']) {
      expect(run.stdout).toMatch(new RegExp(`^event: ${event}$`, 'm'));
    }
    expect(await readdir(results)).toEqual(expect.arrayContaining(['all-in-focus.png', 'all-in-focus.exr']));
    const picture = await readFrame(join(results, 'all-in-focus.png'));
    expect(picture).toMatchObject({ width: 64, height: 48 });
  });

  it('ends with what the service says', async () => {
    const run = await runExample('submit-by-api.mjs', [service.url, join(folder, 'none')], {
      IMPLICAM_KEY: 'wrong',
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/401 .*key/);
  });
});
