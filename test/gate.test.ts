import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';

/** What keeps the gate honest: skipped tests tell why, and an engine that it demands is not missed in silence. */

afterEach(() => {
  vi.unstubAllEnvs();
  vi.doUnmock('../engine/native/addon.js');
  vi.resetModules();
});

/** The helpers as they are where the core is not built. */
async function withoutCore(demanded: string) {
  vi.stubEnv('IMPLICAM_REQUIRE_ENGINES', demanded);
  vi.doMock('../engine/native/addon.js', async (original) => ({
    ...(await original<object>()),
    loadAddon: () => null,
    builtFile: () => undefined,
  }));
  vi.resetModules();
  return import('../engine/engines.fixture.js');
}

describe('an engine that is not built', () => {
  test('skips the tests that need it', async () => {
    const { describeNative, describeEmulated } = await withoutCore('');
    expect(describeNative).not.toBe(describe);
    expect(describeEmulated).not.toBe(describe);
  });

  test.each(['native', 'emulated', 'native,emulated'])(
    'fails them where the gate demands %s',
    async (demanded) => {
      await expect(withoutCore(demanded)).rejects.toThrow(
        /IMPLICAM_REQUIRE_ENGINES demands (native|emulated): the native engine is not built/,
      );
    },
  );

  test('a name that no engine has is refused', async () => {
    await expect(withoutCore('natvie')).rejects.toThrow('there is no engine natvie');
  });
});

test('skipped tests are counted by reason, before the counts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'implicam-count-'));
  const report = join(folder, 'results.json');
  const skipped = (title: string, ...ancestorTitles: string[]) => ({
    ancestorTitles,
    title,
    status: 'skipped',
  });
  const assertionResults = [
    { ancestorTitles: [], title: 'works', status: 'passed' },
    skipped('trains', '', 'on a device (skipped: no CUDA device: no driver (or none found))'),
    skipped('renders', '', 'on a device (skipped: no CUDA device: no driver (or none found))'),
    skipped('replays (skipped: no SEED)'),
  ];
  writeFileSync(report, JSON.stringify({ testResults: [{ status: 'passed', assertionResults }] }));
  const said = execFileSync(process.execPath, ['.ci/count.mjs', report], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(said).toBe(
    'ci: 2 skipped: no CUDA device: no driver (or none found); 1 skipped: no SEED\n1 passed, 0 failed, 3 skipped\n',
  );
});
