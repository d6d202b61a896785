import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bestFrame } from '../../bench/baselines/best-frame.js';
import { framesOf } from '../../bench/benchmarks/frames.js';
import { type Capture, type CaptureOptions, renderCapture } from '../../bench/samples/capture.js';
import { recover } from '../../bench/scores/recover.js';
import { correlation, type RadianceScores, scoreRadiance } from '../../bench/scores/scores.js';
import { develop } from '../../develop/develop.js';
import { loadModel, parametersSha256, saveModel } from '../../develop/model-file/model-file.js';
import type { Development, DevelopOptions } from '../../develop/options.js';
import { chooseDisplay, showRadiance } from '../../develop/render/display.js';
import { lookOf, makePreview } from '../../develop/render/preview-picture.js';
import { bakeScene, renderScene } from '../../develop/render/scene-renderer.js';
import { chooseEngine, defaultEngine } from '../../engine/choose.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { readFrame } from '../../imaging/read.js';
import type { Frame, Picture } from '../../model/picture.js';
import { parseRenderQuery } from '../../model/render/query.js';

/** Photographs of a known scene, developed from end to end. */

const photograph = (options: CaptureOptions = {}) => renderCapture({ width: 96, height: 64, ...options });

const scoresOf = (radiance: Picture, { truth }: Capture) => scoreRadiance(radiance, truth.radiance);

const developedScores = ({ model, baked }: Development, capture: Capture) =>
  scoresOf(recover(model, baked).radiance, capture);

/** The best that choosing a single photograph could do. */
function bestFrameScores(capture: Capture): RadianceScores {
  const { width, height, focus } = capture.options;
  const brackets = Array.from({ length: focus }, (_, k) => {
    const members = capture.frames.filter((f) => f.focusIndex === k);
    return { pixels: members.map((f) => f.pixels), evs: members.map((f) => f.ev) };
  });
  return scoresOf(bestFrame({ width, height, brackets }, capture.truth.radiance).picture, capture);
}

/** The code of the error of a development that must not succeed. */
async function refusalOf(frames: readonly Frame[], options?: DevelopOptions): Promise<string> {
  const error = await develop(frames, options).then(
    () => expect.fail('it was developed'),
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ name: 'ImplicamError', exitCode: 2 });
  return (error as { code: string }).code;
}

describeNative('a stack of three focus distances and three exposures', () => {
  const capture = photograph();
  const frames = framesOf(capture);
  const before = frames.map((f) => f.data.slice());
  const events: string[] = [];
  const notes: string[] = [];
  let preview: Picture;
  let shown: Uint8Array;
  let developed: Development;
  beforeAll(async () => {
    developed = await develop(frames, {
      steps: 20,
      onPhase: (phase) => events.push(phase),
      onNote: (note) => notes.push(note),
      onPreview: async (radiance, look) => {
        preview = radiance;
        shown = (await makePreview(radiance, look)).bytes;
        events.push('preview');
      },
      onProgress: ({ step, steps, stepsPerSecond, secondsLeft, loss, psnr }) => {
        if (events.at(-1) !== 'progress') events.push('progress');
        expect(step).toBeGreaterThan(0);
        expect(step).toBeLessThanOrEqual(steps);
        for (const v of [stepsPerSecond, secondsLeft, loss, psnr]) expect(v).toSatisfy(Number.isFinite);
      },
    });
  });

  test('beats the best of its photographs by far', () => {
    const best = bestFrameScores(capture);
    expect(best.muPsnr).toBeGreaterThan(20);
    const { muPsnr, ssim } = developedScores(developed, capture);
    expect(muPsnr).toBeGreaterThan(best.muPsnr + 6);
    expect(ssim).toBeGreaterThan(best.ssim + 0.06);
  });

  test('is at least about as good as the classical start, which is shown first', () => {
    expect(preview).toMatchObject({ width: 96, height: 64, channels: 3 });
    const start = scoresOf(preview, capture);
    expect(developedScores(developed, capture).muPsnr).toBeGreaterThan(start.muPsnr - 1);
  });

  test('the start looks as the result does', async () => {
    const { data } = await readFrame({ name: 'preview.jpg', bytes: shown });
    const { radiance } = recover(developed.model, developed.baked);
    const look = lookOf(developed.model);
    const result = showRadiance(radiance, chooseDisplay(radiance, look), look);
    const difference = result.data.reduce((sum, v, i) => sum + Math.abs(255 * v - data[i]), 0);
    expect(difference / data.length).toBeLessThan(8);
  });

  test('finds the depth', () => {
    const { defocus } = recover(developed.model, developed.baked);
    const inverse = { ...capture.truth.depth, data: capture.truth.depth.data.map((v) => 1 / v) };
    expect(correlation(defocus!, inverse)).toBeGreaterThan(0.9);
  });

  test('explains its photographs', () => {
    expect(developed.framePsnr).toBeGreaterThan(28);
    expect(developed.loss).toBeGreaterThan(0);
    expect(developed.loss).toBeLessThan(0.01);
  });

  test('says what it does, in order', () => {
    expect(events).toEqual(['register', 'start', 'preview', 'train', 'progress', 'render']);
    expect(notes.length).toBeGreaterThan(2);
    expect(developed.model.info.notes).toEqual(notes);
    for (const s of Object.values(developed.seconds)) expect(s).toBeGreaterThanOrEqual(0);
  });

  test('tells what it chose and learned', () => {
    const { model } = developed;
    expect(developed).toMatchObject({ interrupted: false, steps: 20 });
    expect(model.state.step).toBe(20);
    expect(model.seed).toBe(1);
    expect(model.info).toMatchObject({
      preset: 'focus-exposure',
      quality: 'standard',
      engine: defaultEngine().engine,
    });
    expect(model.info.frames.map((f) => f.file)).toEqual(frames.map((f) => f.name));
    const evs = model.info.frames.map((f) => f.ev);
    const mean = evs.reduce((a, v) => a + v, 0) / evs.length;
    for (const [i, f] of capture.frames.entries()) expect(evs[i] - mean).toBeCloseTo(f.ev, 1);
    const near = model.info.frames.find((_, i) => capture.frames[i].focusIndex === 0)!;
    const far = model.info.frames.find((_, i) => capture.frames[i].focusIndex === 2)!;
    const distances = [0, 2].map((k) => capture.frames.find((f) => f.focusIndex === k)!.focusDistance);
    expect(Math.sign(near.focus - far.focus)).toBe(Math.sign(distances[1] - distances[0]));
  });

  test('leaves the photographs as they are', () => {
    for (const [i, f] of frames.entries())
      expect(Buffer.compare(f.data as Buffer, before[i] as Buffer)).toBe(0);
  });

  test('its scene is ready to be rendered, and as good baked again from the model', async () => {
    const { model, baked } = developed;
    const query = parseRenderQuery({ kind: 'refocus', focus: 0.5 });
    const again = await bakeScene(model, await chooseEngine({ engine: 'native' }));
    expect(renderScene(again, model, query)).toEqual(renderScene(baked, model, query));
  });

  test('gives the same bits again, with any number of threads; others with another seed', async () => {
    const hashOf = async (options: DevelopOptions) =>
      parametersSha256((await develop(frames, { steps: 20, ...options })).model);
    const hash = parametersSha256(developed.model);
    expect(await hashOf({ threads: 1 })).toBe(hash);
    expect(await hashOf({ seed: 2 })).not.toBe(hash);
  });
});

describeNative('quality instant', () => {
  const capture = photograph({ exposures: 1 });
  const frames = framesOf(capture);
  const events: string[] = [];
  let developed: Development;
  beforeAll(async () => {
    developed = await develop(frames, {
      quality: 'instant',
      onPhase: (phase) => events.push(phase),
      onProgress: () => events.push('progress'),
      train: () => expect.fail('nothing is to be trained'),
    });
  });

  test('takes no step, and says so by no progress', () => {
    expect(developed).toMatchObject({
      interrupted: false,
      steps: 0,
      loss: Number.NaN,
      framePsnr: Number.NaN,
    });
    expect(developed.model.state.step).toBe(0);
    expect(events).toEqual(['register', 'start', 'render']);
  });

  test('shows the start: its picture and its map', () => {
    const { model, baked } = developed;
    const { radiance, defocus } = model.start!;
    const most = (a: Float32Array, b: Float32Array) =>
      a.reduce((largest, v, p) => Math.max(largest, Math.abs(v - b[p])), 0);
    expect(baked.radiance).toHaveLength(radiance.length);
    expect(most(baked.radiance, radiance)).toBeLessThan(1e-5);
    expect(most(baked.defocus, defocus)).toBeLessThan(1e-5);
    const { allInFocus } = { allInFocus: renderScene(baked, model, parseRenderQuery({})) };
    const started = { ...baked, radiance, defocus };
    const expected = renderScene(started, model, parseRenderQuery({}));
    // To the code of a PNG.
    const codes = ({ data }: Picture) => data.map((v) => Math.round(255 * v));
    expect(most(codes(allInFocus), codes(expected))).toBeLessThanOrEqual(1);
  });

  test('is not resumed: there is nothing to go on with', async () => {
    const options = { quality: 'instant', resume: developed.model } as const;
    expect(await refusalOf(frames, options)).toBe('snapshot-mismatch');
  });

  test('is refused, before the photographs are looked at, for a preset that has no picture yet', async () => {
    expect(await refusalOf(frames, { quality: 'instant', preset: 'neucam' })).toBe('preset-mismatch');
  });
});

describeNative('other captures', () => {
  test('a bracket of exposures', async () => {
    const capture = photograph({ focus: 1 });
    const developed = await develop(framesOf(capture), { steps: 30 });
    expect(developed.model.info.preset).toBe('exposure');
    expect(developed.baked.defocus).toHaveLength(0);
    const best = bestFrameScores(capture);
    expect(developedScores(developed, capture).muPsnr).toBeGreaterThan(best.muPsnr + 8);
  });

  test('a bracket with a white and a black photograph in it is one without them', async () => {
    const frames = framesOf(photograph({ width: 64, height: 48, focus: 1 }));
    const blank = (name: string, code: number) => ({
      ...frames[0],
      name,
      data: new Uint8Array(frames[0].data.length).fill(code),
      camera: {},
    });
    const options = { steps: 1 };
    const without = await develop(frames, options);
    const { model } = await develop([blank('black.png', 0), ...frames, blank('white.png', 255)], options);
    expect(model.info.frames).toEqual(without.model.info.frames);
    expect(model.framesSha256).toBe(without.model.framesSha256);
    expect(model.info.notes[0]).toBe(
      'black.png, white.png are black, white or of one colour throughout: left out',
    );
    expect(model.info.notes.slice(1)).toEqual(without.model.info.notes);
    await expect(develop([blank('a.png', 0), blank('b.png', 255)])).rejects.toThrow(
      /all photographs are black/,
    );
  });

  test('a stack of focus distances alone', async () => {
    const capture = photograph({ exposures: 1 });
    const developed = await develop(framesOf(capture), { steps: 20 });
    expect(developed.model.info.preset).toBe('focus');
    const best = bestFrameScores(capture);
    const { muPsnrAffine, ssim } = developedScores(developed, capture);
    // One exposure says nothing of the response: brightness is as wrong as in a photograph, sharpness is not.
    expect(muPsnrAffine).toBeGreaterThan(best.muPsnrAffine + 1);
    expect(ssim).toBeGreaterThan(best.ssim + 0.04);
    expect(new Set(developed.model.info.frames.map((f) => f.ev)).size).toBe(1);
  });

  test("the paper's model, from photographs to a file and back", async () => {
    const frames = framesOf(photograph({ width: 32, height: 24, focus: 2, exposures: 1 }));
    const reports: number[] = [];
    const { model, loss, steps, baked } = await develop(frames, {
      preset: 'neucam',
      steps: 1,
      onProgress: ({ step }) => reports.push(step),
    });
    expect(steps).toBe(1);
    expect(reports).toEqual([1]);
    expect(loss).toSatisfy(Number.isFinite);
    expect(model.config).toMatchObject({ atlas: { form: 'siren' }, blur: { form: 'free' } });
    const folder = await mkdtemp(join(tmpdir(), 'implicam-neucam-'));
    try {
      const path = join(folder, 'model.safetensors');
      await saveModel(path, model, { training: false });
      const loaded = await loadModel(path);
      const again = await bakeScene(loaded, await chooseEngine({ engine: 'native' }));
      expect(again.radiance).toEqual(baked.radiance);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('without a step of training it is the classical start', async () => {
    const capture = photograph({ focus: 1 });
    let preview: Picture | undefined;
    const developed = await develop(framesOf(capture), {
      steps: 0,
      onPreview: (radiance) => {
        preview = radiance;
      },
    });
    expect(developed).toMatchObject({ interrupted: false, steps: 0 });
    const { radiance } = recover(developed.model, developed.baked);
    for (const [i, v] of radiance.data.entries()) {
      if (!(Math.abs(v / preview!.data[i] - 1) < 1e-3)) expect.fail(`${v}, not ${preview!.data[i]}`);
    }
  });
});

describe('what cannot be developed', () => {
  const stack = framesOf(photograph({ width: 32, height: 24, focus: 2, exposures: 1 }));
  const bracket = framesOf(photograph({ width: 32, height: 24, focus: 1, exposures: 2 }));

  test('no photographs, or one', async () => {
    expect(await refusalOf([])).toBe('too-few-frames');
    expect(await refusalOf(stack.slice(0, 1))).toBe('too-few-frames');
    await expect(develop(stack.slice(1, 2))).rejects.toThrow(stack[1].name);
  });

  test('a preset that does not fit the photographs', async () => {
    expect(await refusalOf(bracket, { preset: 'focus' })).toBe('preset-mismatch');
    expect(await refusalOf(bracket, { preset: 'focus-exposure' })).toBe('preset-mismatch');
  });
});

describeNative('interrupted', () => {
  const frames = framesOf(photograph({ width: 64, height: 48, focus: 2, exposures: 2 }));
  // Long enough not to end before the first report.
  const options: DevelopOptions = { steps: 100, threads: 1 };
  let none: Development;
  beforeAll(async () => {
    none = await develop(frames, { ...options, signal: AbortSignal.abort() });
  });

  test('midway it gives what it has, and goes on to the bits of a run in one piece', async () => {
    const controller = new AbortController();
    const half = await develop(frames, {
      ...options,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(half.interrupted).toBe(true);
    expect(half.steps).toBeGreaterThan(0);
    expect(half.steps).toBeLessThan(100);
    expect(half.model.state.step).toBe(half.steps);
    expect(half.baked.radiance.every(Number.isFinite)).toBe(true);
    const seen: number[] = [];
    const rest = await develop(frames, {
      threads: 2,
      resume: half.model,
      onProgress: ({ step, steps }) => seen.push(step, steps),
    });
    expect(rest).toMatchObject({ interrupted: false, steps: 100 });
    expect(Math.min(...seen)).toBeGreaterThan(half.steps);
    expect(Math.max(...seen)).toBe(100);
    const whole = await develop(frames, { ...options, threads: 2 });
    expect(parametersSha256(rest.model)).toBe(parametersSha256(whole.model));
    expect(rest.model.info).toEqual({ ...whole.model.info, device: half.model.info.device });
  });

  test('before it began it gives the start, and can still be resumed', async () => {
    expect(none).toMatchObject({ interrupted: true, steps: 0 });
    const resumed = await develop(frames, { resume: none.model, signal: AbortSignal.abort() });
    expect(parametersSha256(resumed.model)).toBe(parametersSha256(none.model));
  });

  test('it goes on with its own photographs only', async () => {
    const { model } = none;
    const changed = frames.map((f, i) => (i === 1 ? { ...f, data: f.data.slice() } : f));
    changed[1].data[77] ^= 1;
    for (const others of [changed, frames.slice(1), [...frames].reverse()]) {
      expect(await refusalOf(others, { resume: model })).toBe('snapshot-mismatch');
    }
    // The pixels count, not the files they come from.
    const moved = frames.map((f) => ({ ...f, name: `elsewhere/${f.name}`, data: f.data.slice() }));
    const again = await develop(moved, { resume: model, signal: AbortSignal.abort() });
    expect(again.model.info.frames[0].file).toBe(moved[0].name);
  });

  test('it does not go on from a model that is only meant to be rendered', async () => {
    const { model } = none;
    const empty = new Float32Array(0);
    const bare = { ...model, state: { ...model.state, m: empty, v: empty } };
    expect(await refusalOf(frames, { resume: bare })).toBe('snapshot-mismatch');
  });
});
