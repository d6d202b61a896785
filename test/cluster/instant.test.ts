import { afterAll, beforeAll, expect, test } from 'vitest';
import { framesOf } from '../../bench/benchmarks/frames.js';
import { renderCapture } from '../../bench/samples/capture.js';
import { develop } from '../../develop/develop.js';
import { decodeModel, parametersSha256 } from '../../develop/model-file/model-file.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { ensureBuilt } from '../support/binary.js';
import { type MortalCoordinator, TrainingService } from './training-service.js';

/** A picture that is wanted at once, by the whole service: a training of no steps has a model and results, too. */

const MINUTES = 60_000;
const CAPTURE = { width: 64, height: 48, focus: 2, exposures: 1 };

let service: TrainingService;
let coordinator: MortalCoordinator;

beforeAll(async () => {
  await ensureBuilt();
  service = await TrainingService.open();
  coordinator = await service.startCoordinator();
  service.startRunner();
}, 3 * MINUTES);
afterAll(async () => {
  await coordinator?.stop();
  await service?.close();
});

describeNative('quality instant', () => {
  let session: string;

  test('ends with a model of no steps', { timeout: 2 * MINUTES }, async () => {
    session = await service.newSession(CAPTURE, 'instant');
    await service.train(session, {});
    await service.trained(session);
    expect(await service.call('GET', `/v1/sessions/${session}`)).toMatchObject({
      state: 'trained',
      quality: 'instant',
      model: 1,
      training: { step: 0, stepsTotal: 0, loss: null, psnr: null },
    });
    const model = await service.call<{ parametersSha256: string; outputs: { name: string }[] }>(
      'GET',
      `/v1/sessions/${session}/models/1`,
    );
    expect(model).toMatchObject({ steps: 0, loss: null, psnr: null });
    const names = model.outputs.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['all-in-focus.png', 'defocus.exr', 'model.safetensors']));
    // What is not made is not offered.
    expect(names.filter((name) => name.startsWith('refocus'))).toEqual([]);
    const frames = framesOf(renderCapture(CAPTURE)).map((frame) => ({ ...frame, camera: {} }));
    const here = await develop(frames, { quality: 'instant' });
    expect(model.parametersSha256).toBe(parametersSha256(here.model));
    const path = `/v1/sessions/${session}/models/1/file`;
    const file = await (await service.api.call(service.key, 'GET', path)).arrayBuffer();
    expect(decodeModel(new Uint8Array(file), 'the model').start).toEqual(here.model.start);
  });

  test('tells of no step and no training on its way', async () => {
    expect(await service.events(session, 'progress')).toEqual([]);
    const phases = await service.events<{ phase: string }>(session, 'phase');
    expect(phases.map(({ phase }) => phase)).toEqual(['decode', 'register', 'start', 'render']);
    expect(await service.events(session, 'preview')).toMatchObject([{ step: 0, width: 64, height: 48 }]);
    expect(await service.events(session, 'trained')).toMatchObject([{ steps: 0, loss: null, psnr: null }]);
  });

  test('is refused at once for a preset that has no picture before training', async () => {
    const path = `/v1/sessions/${session}/training`;
    const response = await service.api.call(service.key, 'POST', path, { body: { preset: 'neucam' } });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'preset-mismatch' });
  });
});
