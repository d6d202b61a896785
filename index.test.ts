import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import exifr from 'exifr';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSample } from './bench/samples/write.js';
import { describeNative } from './engine/engines.fixture.js';
import { readFrame } from './imaging/read.js';
import { imageKinds, writeImage } from './imaging/write.js';
import {
  type DevelopedModel,
  type DevelopOptions,
  develop,
  ImplicamError,
  type Model,
  openModel,
  type Phase,
  type Preview,
  type Progress,
  type RenderQuery,
  render,
  renderPixels,
  writeResults,
} from './index.js';

/** The library as another program uses it: files in, pictures out. */

const WIDTH = 64;
const HEIGHT = 48;

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const sampled = async (name: string, settings: { focus: number; exposures: number }): Promise<string[]> => {
  const { frames } = await writeSample(at(name), { width: WIDTH, height: HEIGHT, ...settings });
  return frames.map(({ file }) => at(name, file));
};
let stack: string[];
let bracket: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'implicam-library-'));
  stack = await sampled('stack', { focus: 2, exposures: 2 });
  bracket = await sampled('bracket', { focus: 1, exposures: 2 });
});
afterAll(() => rm(folder, { recursive: true }));

/** The refusal that a promise must end with. */
async function refusal(of: Promise<unknown>): Promise<ImplicamError> {
  const error = await of.then(
    () => expect.fail('it was not refused'),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ImplicamError);
  return error as ImplicamError;
}
/** Of the differences of 8-bit samples. */
function rootMeanSquare(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length);
}

const codeOf = async (of: Promise<unknown>) => (await refusal(of)).code;

describeNative('a developed model', () => {
  const phases: Phase[] = [];
  const notes: string[] = [];
  const progress: Progress[] = [];
  let preview: Preview;
  let model: DevelopedModel;
  beforeAll(async () => {
    model = await develop(stack, {
      quality: 'draft',
      steps: 10,
      seed: 3,
      results: at('results'),
      onPhase: (phase) => phases.push(phase),
      onNote: (note) => notes.push(note),
      onPreview: (shown) => {
        preview = shown;
      },
      onProgress: (now) => progress.push(now),
    });
  });

  it('tells what it is', () => {
    expect(model).toMatchObject({
      ...{ width: WIDTH, height: HEIGHT, preset: 'focus-exposure', quality: 'draft', seed: 3, steps: 10 },
      kinds: ['all-in-focus', 'refocus', 'depth', 'response'],
    });
    expect(model.loss).toBeGreaterThan(0);
    expect(model.psnr).toBeGreaterThan(15);
    expect(model.notes).toEqual(notes);
    expect(Object.values(model.seconds).every((s) => s >= 0)).toBe(true);
  });

  it('tells of its camera', () => {
    const { frames, response, kappa } = model.camera;
    expect(frames.map(({ file }) => at('stack', file))).toEqual(stack);
    expect(new Set(frames.map(({ focus }) => focus)).size).toBe(2);
    expect(frames[1].ev).not.toBe(frames[0].ev);
    expect(response.green.at(-1)).toBeCloseTo(1, 3);
    expect(response.green).toHaveLength(response.lnExposure.length);
    expect(kappa).toBeGreaterThan(0);
  });

  it('has told how it came about', async () => {
    expect(phases).toEqual(['register', 'start', 'train', 'render']);
    expect(progress.at(-1)).toMatchObject({ step: 10, steps: 10 });
    expect(await sharp(preview.bytes).metadata()).toMatchObject({ format: 'jpeg', width: WIDTH });
    expect(preview).toMatchObject({ width: WIDTH, height: HEIGHT });
  });

  it('has left its results, and writes them again elsewhere', async () => {
    const files = (await readdir(at('results'))).sort();
    expect(files).toContain('preview.jpg');
    expect(files).toContain('all-in-focus.png');
    await writeResults(model, at('again', 'deeper'));
    expect((await readdir(at('again', 'deeper'))).sort()).toEqual(files.filter((f) => f !== 'preview.jpg'));
    for (const file of ['all-in-focus.png', 'defocus.exr', 'model.safetensors']) {
      expect(await readFile(at('again', 'deeper', file))).toEqual(await readFile(at('results', file)));
    }
    const report = JSON.parse(await readFile(at('again', 'deeper', 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      steps: 10,
      loss: model.loss,
      versions: { implicam: expect.stringMatching(/^\d+\./) },
    });
  });

  it.each(Object.keys(imageKinds) as NonNullable<RenderQuery['format']>[])(
    'renders as %s',
    async (format) => {
      const bytes = await render(model, { format, kind: 'refocus', focus: 0.5 });
      expect(bytes.length).toBeGreaterThan(100);
      if (format === 'exr' || format === 'hdr') return;
      expect(await sharp(bytes).metadata()).toMatchObject({ width: WIDTH, height: HEIGHT });
    },
  );

  it('renders by default what the results folder shows', async () => {
    expect(Buffer.from(await render(model))).toEqual(await readFile(at('results', 'all-in-focus.png')));
  });

  it('renders of its file, to the bit, the pixels that the results folder shows', async () => {
    for (const [photographs, results] of [
      [stack, 'results'],
      [bracket, 'bracket-results'],
    ] as const) {
      if (results !== 'results') await develop(photographs, { steps: 5, results: at(results) });
      const shown = await sharp(at(results, 'all-in-focus.png')).raw().toBuffer();
      const opened = await openModel(at(results, 'model.safetensors'));
      expect(
        (
          await sharp(await render(opened))
            .raw()
            .toBuffer()
        ).equals(shown),
      ).toBe(true);
      // UltraHDR shows plain displays the same, as far as JPEG can.
      const base = await sharp(at(results, 'all-in-focus.jpg')).raw().toBuffer();
      expect(rootMeanSquare(base, shown)).toBeLessThan(5);
      opened.close();
    }
  });

  it.each([
    ['several exposures', 2],
    ['one exposure', 1],
  ])('looks in its preview as in its result: %s', async (name, exposures) => {
    const frames = await sampled(name, { focus: 3 - exposures, exposures });
    await develop(frames, { steps: 0, results: at(`${name}-shown`) });
    const [first, last] = await Promise.all(
      ['preview.jpg', 'all-in-focus.png'].map((file) =>
        sharp(at(`${name}-shown`, file))
          .raw()
          .toBuffer(),
      ),
    );
    // The preview comes with its noise, and as a JPEG.
    expect(rootMeanSquare(first, last)).toBeLessThan(8);
  });

  it('renders numbers: light, what a display shows, and the defocus map', async () => {
    const light = await renderPixels(model);
    expect(light).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
    const brighter = await renderPixels(model, { ev: 1 });
    expect(brighter.data[100] / light.data[100]).toBeCloseTo(2, 4);
    const shown = await renderPixels(model, { tone: 'srgb', ev: 20 });
    expect(Math.max(...shown.data)).toBe(1);
    const depth = await renderPixels(model, { kind: 'depth', region: { x: 8, y: 4, width: 16, height: 10 } });
    expect(depth).toMatchObject({ width: 16, height: 10, channels: 1 });
    // They belong to the caller.
    depth.data.fill(7);
    expect((await renderPixels(model, { kind: 'depth' })).data[0]).not.toBe(7);
  });

  it.each<[string, RenderQuery, string, RegExp]>([
    ['a kind that is not there', { kind: 'xray' as never }, 'render-query', /kind/],
    ['an option that is not there', { aperure: 2 } as never, 'render-query', /aperure/],
    ['an aperture out of range', { aperture: -1 }, 'render-query', /aperture/],
    ['a tap beside the picture', { kind: 'refocus', tap: { x: 999, y: 0 } }, 'render-query', /999/],
    ['light in a PNG', { tone: 'linear', format: 'png' }, 'option-invalid', /\.exr/],
  ])('refuses %s', async (_, query, code, message) => {
    const error = await refusal(render(model, query));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is the same from its file', async () => {
    await model.save(at('saved.safetensors'));
    const opened = await openModel(at('saved.safetensors'), { engine: 'native', threads: 1 });
    const { loss, psnr, seconds, save, close, ...facts } = model;
    expect(opened).toMatchObject(facts);
    expect(opened).not.toHaveProperty('loss');
    const query: RenderQuery = { kind: 'refocus', tap: { x: 20, y: 20 }, tone: 'learned' };
    const expected = await render(model, query);
    // Two at once bake once.
    const both = await Promise.all([render(opened, query), render(opened, query)]);
    for (const bytes of both) expect(Buffer.compare(bytes, expected)).toBe(0);
    await writeResults(opened, at('from-file'));
    expect(await readFile(at('from-file', 'all-in-focus.png'))).toEqual(
      await readFile(at('results', 'all-in-focus.png')),
    );
    expect(JSON.parse(await readFile(at('from-file', 'report.json'), 'utf8'))).toMatchObject({ loss: null });
  });

  it('keeps its facts and refuses everything else once it is closed', async () => {
    const opened = await openModel(at('results', 'model.safetensors'));
    opened.close();
    opened.close();
    expect(opened.width).toBe(WIDTH);
    for (const use of [
      render(opened),
      renderPixels(opened),
      opened.save(at('closed.safetensors')),
      writeResults(opened, at('closed')),
    ]) {
      expect(await refusal(use)).toMatchObject({
        code: 'model-closed',
        message: expect.stringMatching(/open its file/),
      });
    }
  });
});

describeNative('photographs of one focus', () => {
  it('have no lens to refocus with', async () => {
    const model = await develop(bracket, { steps: 2 });
    expect(model.kinds).toEqual(['all-in-focus', 'response']);
    expect(model.camera.kappa).toBeNull();
    for (const kind of ['refocus', 'depth'] as const) {
      expect(await codeOf(render(model, { kind }))).toBe('no-defocus-map');
    }
  });
});

describeNative('photographs that say where they were taken', () => {
  const place = { latitude: 48.8582602, longitude: 2.2944991 };
  const taken: string[] = [];
  beforeAll(async () => {
    for (const [i, file] of stack.entries()) {
      const { data, camera, ...size } = await readFrame(file);
      const picture = { ...size, channels: 3, data: Float32Array.from(data, (v) => v / 255) };
      const origin = { ...camera, make: 'Maker', model: 'Model', lens: '50mm f/2', zone: 60, place };
      taken.push(at(`taken-${i}.png`));
      await writeImage(taken[i], picture, { origin });
    }
  });
  const said = async (name: string, options: DevelopOptions) => {
    const previews: Preview[] = [];
    const onPreview = (shown: Preview) => void previews.push(shown);
    const model = await develop(taken, { steps: 2, results: at(name), onPreview, ...options });
    const files = ['preview.jpg', 'all-in-focus.png', 'all-in-focus.jpg', 'refocus-near.png'];
    const opened = await openModel(at(name, 'model.safetensors'));
    return Promise.all([
      ...files.map((file) => exifr.parse(at(name, file))),
      exifr.parse(Buffer.from(previews[0].bytes)),
      exifr.parse(Buffer.from(await render(model, { format: 'jpeg' }))),
      exifr.parse(Buffer.from(await render(opened, { format: 'tiff' })), { tiff: true }),
    ]);
  };

  it('give their camera to every result, and their place to none', async () => {
    for (const exif of await said('placeless', {})) {
      expect(exif).toMatchObject({
        Make: 'Maker',
        Model: 'Model',
        LensModel: '50mm f/2',
        FNumber: expect.any(Number),
      });
      expect(exif.Software).toMatch(/^implicam \d+\.\d+\.\d+/);
      expect(exif.OffsetTimeOriginal).toBe('+01:00');
      for (const name of ['ExposureTime', 'SubjectDistance', 'latitude', 'GPSLatitude']) {
        expect(exif).not.toHaveProperty(name);
      }
    }
    const model = await readFile(at('placeless', 'model.safetensors'), 'latin1');
    expect(model).toContain('50mm f/2');
    expect(model).not.toContain('latitude');
    expect(await readFile(at('placeless', 'all-in-focus.exr'), 'latin1')).not.toContain('latitude');
  });

  it('give it where it is asked for', async () => {
    for (const exif of await said('placed', { gps: true })) {
      expect(exif.latitude).toBeCloseTo(place.latitude, 6);
      expect(exif.longitude).toBeCloseTo(place.longitude, 6);
    }
    expect(await readFile(at('placed', 'all-in-focus.exr'), 'latin1')).toContain('latitude');
  });
});

describeNative('an aborted development', () => {
  it('rejects, and goes on from its snapshot to the same bits', async () => {
    const options: DevelopOptions = { steps: 150, threads: 1, results: at('aborted') };
    const stop = new AbortController();
    const error = await refusal(
      develop(stack, { ...options, signal: stop.signal, onProgress: () => stop.abort('enough') }),
    );
    expect(error).toMatchObject({ code: 'interrupted', cause: 'enough' });
    expect(error.message).toMatch(/after step \d+; .*snapshot\.safetensors holds/);
    const resumed = await develop(stack, { ...options, resume: true });
    const whole = await develop(stack, { ...options, results: at('whole') });
    expect(resumed.steps).toBe(150);
    expect(await render(resumed)).toEqual(await render(whole));
    expect(await readdir(at('aborted'))).not.toContain('snapshot.safetensors');
  });

  it('leaves nothing where it had no folder', async () => {
    const stop = new AbortController();
    const error = await refusal(
      develop(stack, { steps: 150, threads: 1, signal: stop.signal, onPreview: () => stop.abort() }),
    );
    expect(error.message).toMatch(/^stopped after step \d+$/);
  });

  it('does not begin where it is aborted already', async () => {
    const signal = AbortSignal.abort();
    expect(await codeOf(develop(at('gone'), { signal, results: at('never') }))).toBe('interrupted');
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('what the library refuses', () => {
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['a folder that is not there', () => develop(at('gone')), 'file-not-found', /gone/],
    ['no photographs', () => develop([]), 'frames-none', /name files/],
    ['a path without letters', () => develop(''), 'option-invalid', /letter/],
    ['no path', () => develop(undefined as never), 'option-invalid', /path/],
    ['a single photograph', () => develop(stack.slice(0, 1)), 'too-few-frames', /two/],
    [
      'a preset that is not there',
      () => develop(stack, { preset: 'x' as never }),
      'option-invalid',
      /preset/,
    ],
    ['a bad number', () => develop(stack, { threads: 0 }), 'option-invalid', /threads/],
    ['a negative number of steps', () => develop(stack, { steps: -1 }), 'option-invalid', /steps/],
    ['a misspelt option', () => develop(stack, { qualtiy: 'best' } as never), 'option-invalid', /qualtiy/],
    ['no listener', () => develop(stack, { onNote: 'x' as never }), 'option-invalid', /onNote/],
    [
      'results among photographs',
      () => develop(at('stack'), { results: at('stack') }),
      'option-invalid',
      /another/,
    ],
    ['resuming without a folder', () => develop(stack, { resume: true }), 'option-invalid', /results/],
    [
      'resuming nothing',
      () => develop(stack, { resume: true, results: at('nothing') }),
      'snapshot-missing',
      /nothing/,
    ],
    ['a model that is not there', () => openModel(at('gone')), 'file-not-found', /gone/],
    [
      'an engine that is not there',
      () => openModel(at('gone'), { engine: 'abacus' as never }),
      'option-invalid',
      /engine/,
    ],
    ['what is no model', () => render({} as Model), 'option-invalid', /openModel/],
  ])('%s', async (_, use, code, message) => {
    expect(await refusal(use())).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a file that is no model', async () => {
    await writeFile(at('notes.safetensors'), 'these are notes');
    expect(await refusal(openModel(at('notes.safetensors')))).toMatchObject({
      message: expect.stringContaining('notes.safetensors'),
    });
  });
});
