import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { constantsHeader } from './constants.js';

test('engine/native/start/constants.h is what TypeScript says (npm run constants)', async () => {
  expect(await readFile('engine/native/start/constants.h', 'utf8')).toBe(constantsHeader());
});
