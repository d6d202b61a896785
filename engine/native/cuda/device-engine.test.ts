import { describe, expect, test } from 'vitest';
import { ImplicamError } from '../../../model/errors.js';
import { chooseEngine, defaultEngine } from '../../choose.js';
import { randomModel } from '../../conformance/random-models.js';
import { freshState } from '../../engine.js';
import { describeEmulated, testCuda, unless } from '../../engines.fixture.js';
import { createCudaEngine, cudaStatus } from '../cuda-engine.js';
import { nativeIsas } from '../native-engine.js';

/** The device engine as the rest of the program sees it; its numbers are tested by parity, determinism, update, renders. */

const status = cudaStatus();
const testWithoutCuda = unless(status.usable ? 'there is a CUDA device' : undefined, test);
const built = nativeIsas().length > 0;

describe('the CUDA engine', () => {
  test('is the default where it is usable; where it is not, the reason is told', () => {
    const { engine, why } = defaultEngine();
    expect(engine).toBe(status.usable ? 'cuda' : built ? 'native' : 'tfjs');
    if (!status.usable) expect(why).toContain(status.reason);
  });

  testWithoutCuda('is never replaced in silence where it was asked for', async () => {
    for (const choice of [{ engine: 'cuda' as const }, { device: '0' }]) {
      const refused = chooseEngine(choice);
      await expect(refused).rejects.toThrow(ImplicamError);
      await expect(refused).rejects.toThrow(status.reason);
    }
  });

  testCuda('refuses a device that there is not, and names those that there are', () => {
    expect(() => createCudaEngine({ device: '9999' })).toThrow(status.devices[0].uuid);
    expect(createCudaEngine({ device: status.devices[0].uuid }).device).toContain(status.devices[0].name);
  });
});

describeEmulated('a device trainer', () => {
  const engine = createCudaEngine;
  const open = (device = '') => {
    const { plan, data, parameters } = randomModel('hash lens');
    return engine({ library: 'emulated', device }).open(plan, data, freshState(parameters));
  };

  test('is what it was opened with until it is trained', async () => {
    const { parameters } = randomModel('hash lens');
    const trainer = await open();
    expect(await trainer.save()).toEqual(freshState(parameters));
    const first = await trainer.gradient(3);
    expect(await trainer.gradient(3)).toEqual(first);
    expect(await trainer.save()).toEqual(freshState(parameters));
  });

  test('fails with an error of ours where the device does', async () => {
    await expect(open('sideways')).rejects.toMatchObject({ code: 'device-failed' });
  });

  test('that does not fit tells what was asked for, and how much', async () => {
    await expect(open('forward/1/48/100')).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(
        /^out of memory on emulated: \d+ MiB asked for [a-z ]+, \d+ MiB are free/,
      ),
    });
  });

  test('a training that diverged is told of, and can be taken back', async () => {
    const { plan, data, parameters } = randomModel('hash lens');
    const trainer = await engine({ library: 'emulated' }).open(plan, data, freshState(parameters));
    const wild = parameters.slice();
    wild[plan.layout.groups.find((g) => g.name === 'atlas.grid')!.offset] = Number.NaN;
    await trainer.load(freshState(wild.fill(Number.NaN)));
    await expect(trainer.train(1)).rejects.toThrow(/diverged/);
    await trainer.load(freshState(parameters));
    expect((await trainer.train(1)).loss).toSatisfy(Number.isFinite);
  });

  test('stops when asked to', async () => {
    const trainer = await open();
    const stop = new AbortController();
    const last = await trainer.train(100_000, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(last.step).toBeGreaterThan(0);
    expect(last.step).toBeLessThan(100_000);
    expect((await trainer.save()).step).toBe(last.step);
  });

  test('measures what the device reaches', async () => {
    const { flops, bytes } = await engine({ library: 'emulated' }).peak(0.01);
    expect(flops).toBeGreaterThan(1e6);
    expect(bytes).toBeGreaterThan(1e6);
  });

  test('refuses calls after it was closed', async () => {
    const trainer = await open();
    trainer.close();
    await expect(trainer.train(1)).rejects.toThrow(/closed/);
  });
});
