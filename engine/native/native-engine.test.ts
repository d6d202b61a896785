import { expect, test } from 'vitest';
import { ImplicamError } from '../../model/errors.js';
import { createPlan } from '../../model/plan.js';
import { chooseEngine } from '../choose.js';
import { gather, openGroup, step } from '../conformance/exchange.js';
import { type RandomModel, randomModel } from '../conformance/random-models.js';
import { hash, SAMPLES } from '../conformance/runs.js';
import { freshState, type SceneData } from '../engine.js';
import { describeNative } from '../engines.fixture.js';
import { PHASES } from './addon.js';
import { createNativeEngine, nativeIsas } from './native-engine.js';

/** The native engine as the rest of the program sees it; its numbers are tested by parity, gradient and update. */

const open = ({ plan, data, parameters }: RandomModel) =>
  createNativeEngine({ threads: 2 }).open(plan, data, freshState(parameters));

describeNative('the native engine', () => {
  test('is chosen where it is asked for, and says where it runs', async () => {
    const engine = await chooseEngine({ engine: 'native', threads: 2 });
    expect(engine).toMatchObject({ name: 'native', device: `cpu ${nativeIsas()[0]}, 2 threads` });
    expect(createNativeEngine({ threads: 1 }).device).toMatch(/, 1 thread$/);
  });

  test('refuses kernels that this processor does not have, and names those it has', () => {
    const refused = () => createNativeEngine({ isa: 'altivec' });
    expect(refused).toThrow(ImplicamError);
    expect(refused).toThrow(nativeIsas().join(', '));
  });

  test('measures the peak of its kernels', async () => {
    const peak = await createNativeEngine({ threads: 1 }).peak(0.02);
    // In FLOP/s, not in any multiple of it.
    expect(peak).toBeGreaterThan(1e8);
    expect(peak).toBeLessThan(1e13);
  });
});

describeNative('a native trainer', () => {
  test('is what it was opened with until it is trained', async () => {
    const model = randomModel('hash lens');
    const trainer = await open(model);
    expect(await trainer.save()).toEqual(freshState(model.parameters));
    const first = await trainer.gradient(3);
    expect(first.step).toBe(3);
    expect(await trainer.gradient(3)).toEqual(first);
    expect(await trainer.save()).toEqual(freshState(model.parameters));
  });

  test('shares steps in double precision too', async () => {
    const run = SAMPLES[0][1]();
    const engine = createNativeEngine({ isa: 'f64', threads: 1 });
    const whole = await engine.open(run.plan, run.data, run.state);
    await whole.train(3);
    const group = await openGroup(engine, run, [0, 1, 2, 0]);
    for (let i = 0; i < 3; i++) await step(group, i, 2);
    expect(hash(await gather(run, group))).toBe(hash(await whole.save()));
  });

  test('what it gives away is a copy', async () => {
    const model = randomModel('hash lens');
    const trainer = await open(model);
    (await trainer.save()).parameters.fill(7);
    const own = model.parameters.slice();
    model.parameters.fill(7);
    expect((await trainer.save()).parameters).toEqual(own);
  });

  test('runs one call after the other', async () => {
    const trainer = await open(randomModel('no blur'));
    const [first, state, second] = await Promise.all([trainer.train(1), trainer.save(), trainer.train(1)]);
    expect([first.step, state.step, second.step]).toEqual([1, 1, 2]);
  });

  test('a failed call does not hold up the next', async () => {
    const model = randomModel('no blur');
    const trainer = await open(model);
    await expect(trainer.load({ ...freshState(model.parameters), m: new Float32Array(1) })).rejects.toThrow();
    expect((await trainer.train(2)).step).toBe(2);
  });

  test('stops when asked to, reports progress, and lets others run meanwhile', async () => {
    const trainer = await open(randomModel('hash lens'));
    const stop = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => {
      ticks++;
    }, 5);
    const reports: number[] = [];
    const last = await trainer.train(1_000_000, {
      signal: stop.signal,
      onProgress: ({ step }) => {
        reports.push(step);
        if (reports.length === 2) stop.abort();
      },
    });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
    expect(reports).toHaveLength(2);
    expect(reports[0]).toBeLessThan(reports[1]);
    expect(last.step).toBe(reports[1]);
    expect((await trainer.save()).step).toBe(last.step);
    expect(await trainer.train(5, { signal: AbortSignal.abort() })).toMatchObject({ step: last.step });
    expect(await trainer.train(0)).toMatchObject({ step: last.step });
  });

  test('plans its schedule ahead without losing its place', async () => {
    // More steps than are planned at once.
    const model = randomModel('one pixel');
    const whole = await open(model);
    await whole.train(600);
    const parts = await open(model);
    for (const steps of [511, 2, 87]) await parts.train(steps);
    expect(await parts.save()).toEqual(await whole.save());
  });

  test('tells where its time went, since it was last asked', async () => {
    const trainer = await open(randomModel('hash lens'));
    await trainer.train(5);
    const ticks = trainer.ticks();
    expect(Object.keys(ticks)).toEqual([...PHASES]);
    // Other processors than those of PCs have no counter that is read here.
    if (process.arch === 'x64') expect(ticks.network).toBeGreaterThan(0);
    expect(Object.values(trainer.ticks()).every((t) => t === 0)).toBe(true);
  });

  test('refuses data and states of another plan, and says what differs', async () => {
    const model = randomModel('hash lens');
    const { data } = model;
    const withData = (other: SceneData) => open({ ...model, data: other });
    const [first, ...rest] = data.frames;
    await expect(withData({ ...data, frames: rest })).rejects.toThrow(/6 frames, the data 5/);
    const short = { data: new Uint8Array(5) };
    await expect(withData({ ...data, frames: [short, ...rest] })).rejects.toThrow(/frame 0 has 5 samples/);
    const masked = { ...first, mask: new Uint8Array(5) };
    await expect(withData({ ...data, frames: [masked, ...rest] })).rejects.toThrow(/mask of frame 0/);
    const radiance = new Float32Array(7);
    await expect(withData({ ...data, start: { ...data.start!, radiance } })).rejects.toThrow(
      /start radiance/,
    );
    await expect(open({ ...model, parameters: new Float32Array(3) })).rejects.toThrow(/parameters have 3/);
    const trainer = await open(model);
    const other = createPlan(model.plan.capture, { ...model.plan.config, registration: 'affine' }, 1);
    await expect(trainer.load(freshState(new Float32Array(other.layout.size)))).rejects.toThrow(
      ImplicamError,
    );
  });

  test('reads any whole number as a seed, by its low 32 bits', async () => {
    const { plan, data, parameters } = randomModel('free, linear light');
    const gradientOf = async (seed: number) => {
      const trainer = await open({
        ...randomModel('free, linear light'),
        plan: { ...plan, seed },
        data,
        parameters,
      });
      return (await trainer.gradient(2)).gradient;
    };
    expect(await gradientOf(2 ** 32 + 5)).toEqual(await gradientOf(5));
    expect(await gradientOf(-1)).toEqual(await gradientOf(2 ** 32 - 1));
    expect(await gradientOf(6)).not.toEqual(await gradientOf(5));
  });

  test('close may be called at any time', async () => {
    const trainer = await open(randomModel('no blur'));
    await trainer.train(1);
    trainer.close();
  });
});
