import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { commandLinePage } from './docs.js';

it('docs/reference/CLI.md is what the program prints (npm run docs)', async () => {
  expect(await commandLinePage()).toBe(await readFile('docs/reference/CLI.md', 'utf8'));
});
