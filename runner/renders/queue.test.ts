import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveModel } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import { createTfjsEngine } from '../../engine/tfjs/tfjs-engine.js';
import { configSchema } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { createPlan } from '../../model/plan.js';
import { createFolderStore } from '../../store/folder.js';
import { RenderQueue } from './queue.js';

const WIDTH = 12;
const HEIGHT = 8;
/** Radiance of the baked scene; without a lens there is no map. */
const SCENE_BYTES = 3 * WIDTH * HEIGHT * 4;

function smallModel(): TrainedModel {
  const frames = [{ focus: 0, exposure: 0, ev: 0, aperture: 1 }];
  const capture = { width: WIDTH, height: HEIGHT, frames, focus: [0], kappa: 1 };
  const grid = { form: 'hash' as const, levels: 2, base: 4, finest: 1, log2Table: 8, hidden: [8] };
  const config = configSchema.parse({ atlas: grid, residual: false, blur: { form: 'none' } });
  const none = new Float32Array(0);
  const parameters = initialParameters(createPlan(capture, config, 1));
  return {
    capture,
    config,
    seed: 1,
    state: { step: 0, parameters, m: none, v: none },
    framesSha256: '0'.repeat(64),
    info: { preset: 'exposure', quality: 'draft', engine: '', device: '', frames: [], notes: [] },
  };
}

describe('renders of stored models', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const put = (name: string) => saveModel(join(folder, name), smallModel(), { training: false });
  const queueOf = async (scenes: number) =>
    new RenderQueue(await createTfjsEngine(), createFolderStore(folder), scenes * SCENE_BYTES);
  const render = (renders: RenderQueue, model: string) =>
    renders.render({ model, query: '{"kind":"all-in-focus"}' });

  test('a model that could not be opened is tried again, and takes no memory from others', async () => {
    const renders = await queueOf(2);
    await put('a');
    await put('b');
    await render(renders, 'a');
    await expect(render(renders, 'c')).rejects.toMatchObject({ code: 'object-missing' });
    await render(renders, 'b');
    await rm(join(folder, 'a'));
    await render(renders, 'a');
    await put('c');
    expect((await render(renders, 'c')).type).toBe('image/png');
  });

  test('the scene that was used longest ago makes room', async () => {
    const renders = await queueOf(2);
    for (const name of ['a', 'b', 'c']) await put(name);
    for (const name of ['a', 'b', 'a', 'c']) await render(renders, name);
    for (const name of ['a', 'b', 'c']) await rm(join(folder, name));
    await render(renders, 'a');
    await render(renders, 'c');
    await expect(render(renders, 'b')).rejects.toMatchObject({ code: 'object-missing' });
  });
});
