import { expect, test } from 'vitest';
import { createTfjsEngine } from '../engine/tfjs/tfjs-engine.js';
import { startRunner } from './runner.js';

test('an engine that cannot host shards is refused before any training comes to it', async () => {
  const started = startRunner({
    coordinator: '127.0.0.1:1',
    engine: await createTfjsEngine(),
    store: 'nowhere',
    memoryBytes: 2 ** 30,
    version: 'test',
  });
  await expect(started).rejects.toMatchObject({
    code: 'engine-unusable',
    message: expect.stringMatching(/^the tfjs engine .* build the native engine/),
  });
});
