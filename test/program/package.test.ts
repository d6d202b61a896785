import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/binary.js';

/** What npm would pack: another program gets these files and no others. */

const root = fileURLToPath(new URL('../..', import.meta.url));
let packed: Set<string>;
beforeAll(async () => {
  await ensureBuilt();
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  packed = new Set((JSON.parse(text) as [{ files: { path: string }[] }])[0].files.map(({ path }) => path));
}, 300_000);

/** The files of the package that one leads to, itself included. */
function reachable(entry: string, extension: '.js' | '.d.ts'): Set<string> {
  const seen = new Set<string>();
  const left = [entry];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, path] of text.matchAll(/(?:from|import) ?\(?['"](\.[^'"]+)\.js['"]/g)) {
      left.push(normalize(join(dirname(file), `${path}${extension}`)));
    }
  }
  return seen;
}

describe('the package', () => {
  it.each([
    ['dist/index.js', '.js'],
    ['dist/index.d.ts', '.d.ts'],
    ['dist/cli/main.js', '.js'],
  ] as const)('holds everything that %s leads to', (entry, extension) => {
    const files = reachable(entry, extension);
    expect(files.size).toBeGreaterThan(1);
    expect([...files].filter((file) => !packed.has(file))).toEqual([]);
  });

  it('holds the examples and no tests', () => {
    expect(packed).toContain('examples/focus-sweep.mjs');
    expect([...packed].filter((file) => /[.](test|fixture)[.]|^dist\/test\//.test(file))).toEqual([]);
  });

  it('shows of itself what index.ts exports, and nothing that is behind it', async () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(Object.keys(exports)).toEqual(['.', './package.json']);
    const { default: main } = exports['.'];
    const library = await import(join(root, main));
    expect(Object.keys(library).sort()).toEqual([
      ...['ImplicamError', 'develop', 'openModel', 'render', 'renderPixels', 'writeResults'],
    ]);
  });
});
