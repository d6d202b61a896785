import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema, type ModelConfigInput } from '../../model/config.js';
import { initialParameters } from '../../model/initial.js';
import { encodeKept } from '../../model/kept.js';
import { mapWidths } from '../../model/layout.js';
import { type Capture, createPlan } from '../../model/plan.js';
import { unseenOf } from '../../model/unseen.js';
import type { TrainedModel } from '../options.js';
import { canContinue, loadModel, parametersSha256, saveModel } from './model-file.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'implicam-'));
});
afterAll(() => rm(folder, { recursive: true }));

const path = () => join(folder, `${randomUUID()}.safetensors`);
const GRID = { levels: 2, base: 3, finest: 1, log2Table: 8, hidden: [8] };
const capture: Capture = {
  width: 7,
  height: 5,
  frames: [
    { focus: 0, exposure: 0, ev: -1.1, aperture: 1 },
    { focus: 1, exposure: 1, ev: 0.1 + 0.2, aperture: 0.5, homography: [1, 0, 1e-17, 0, 1, -1 / 3, 0, 0] },
  ],
  focus: [-1, 1],
  kappa: Math.E,
};

function trained(config: ModelConfigInput, start: boolean, seed = 3, of = capture): TrainedModel {
  const plan = createPlan(of, configSchema.parse(config), seed);
  const parameters = initialParameters(plan);
  const pixels = of.width * of.height;
  const numbers = (n: number, scale: number) =>
    Float32Array.from({ length: n }, (_, i) => scale * Math.sin(i + 1));
  const moments = (scale: number) => {
    const out = new Float32Array(parameters.length);
    for (const g of plan.layout.groups) out.set(numbers(g.size, scale), g.offset);
    return out;
  };
  const planes = {
    radiance: numbers(3 * pixels, 2),
    defocus: numbers((mapWidths(plan.config).at(-1) ?? 0) * pixels, 1),
  };
  return {
    capture: of,
    config: plan.config,
    seed,
    ...(start ? { start: planes } : {}),
    state: { step: 41, parameters, m: moments(1e-3), v: moments(1e-9) },
    framesSha256: 'ab'.repeat(32),
    info: {
      preset: 'focus-exposure',
      quality: 'draft',
      engine: 'native',
      device: 'cpu',
      frames: [{ file: 'ä "1".jpg', ev: -1.1, focus: -1 }],
      notes: ['exposures from the pictures'],
      origin: {
        ...{ make: 'Maker', model: 'Model', lens: '50mm', fNumber: 8, time: 1.7e12, zone: -210 },
        place: { latitude: -33.5, longitude: 151.25 },
      },
    },
  };
}

const LENS = {
  atlas: { form: 'hash', ...GRID },
  blur: { form: 'lens', ...GRID, patch: 4, reach: 2 },
} as const;

describe('the model file', () => {
  it.each<[string, ModelConfigInput, boolean]>([
    ['a lens with a start', LENS, true],
    ['no start', LENS, false],
    ['no lens', { atlas: { form: 'hash', ...GRID }, blur: { form: 'none' } }, true],
    [
      'a SIREN, free blur and the MLP tone mapper',
      {
        atlas: { form: 'siren', width: 8, layers: 2 },
        residual: false,
        blur: { form: 'free', taps: 5, hidden: [8], maxShift: 3 },
        tone: { form: 'mlp', hidden: 8 },
        registration: 'affine',
      },
      false,
    ],
  ])('gives back a model to the bit: %s', async (_, config, start) => {
    const model = trained(config, start);
    const file = path();
    await saveModel(file, model, { training: true });
    const back = await loadModel(file);
    expect(back).toEqual(model);
    expect(canContinue(back)).toBe(true);
    expect(parametersSha256(back)).toBe(parametersSha256(model));
  });

  it('keeps what no photograph shows, which has to fit the picture', async () => {
    const model = trained(LENS, true);
    const masked = { ...model, capture: { ...capture, unseen: [0, 5, 30] } };
    const file = path();
    await saveModel(file, masked, { training: false });
    expect((await loadModel(file)).capture).toEqual(masked.capture);
    await saveModel(file, { ...model, capture: { ...capture, unseen: [0, 5] } }, { training: false });
    await expect(loadModel(file)).rejects.toThrow(/what no frame shows does not fit the picture/);
  });

  it('says what keeps its start, and is refused where that is no base64', async () => {
    const whole = trained(LENS, true);
    const kept = encodeKept(new Float32Array(capture.width * capture.height).fill(1), 7, 5)!;
    const model = { ...whole, capture: { ...whole.capture, kept } };
    const file = path();
    await saveModel(file, model, { training: true });
    expect(await loadModel(file)).toEqual(model);
    await saveModel(file, { ...model, capture: { ...capture, kept: 'no base64!' } }, { training: true });
    await expect(loadModel(file)).rejects.toMatchObject({ code: 'file-corrupt' });
  });

  it('keeps a dithered alpha in less than a bit and a half a pixel, and none of it in the header', async () => {
    const [width, height] = [700, 500];
    let bits = 1;
    const random = () => {
      bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0;
      return bits >>> 31;
    };
    const mask = Uint8Array.from({ length: width * height }, random);
    const { runs } = unseenOf([mask])!;
    const model = trained(LENS, false, 3, { ...capture, width, height, unseen: runs });
    const file = path();
    await saveModel(file, model, { training: false });
    const bytes = await readFile(file);
    expect((await loadModel(file)).capture.unseen).toEqual(runs);
    expect(bytes.readUInt32LE(0)).toBeLessThan(8192);
    const packed = decodeSafetensors(bytes, file).tensors.get('capture/unseen')!;
    expect(packed.data.length * 8).toBeLessThan(1.5 * width * height);
  });

  it('leaves the moments out of a model that is only to be rendered', async () => {
    const model = trained(LENS, true);
    const [small, large] = [path(), path()];
    await saveModel(small, model, { training: false });
    await saveModel(large, model, { training: true });
    const back = await loadModel(small);
    const none = new Float32Array(0);
    expect(back).toEqual({ ...model, state: { ...model.state, m: none, v: none } });
    expect(canContinue(back)).toBe(false);
    expect((await readFile(small)).length).toBeLessThan((await readFile(large)).length);
  });

  it('writes the same bytes for the same model, and nothing beside the file', async () => {
    const [a, b] = [path(), path()];
    await saveModel(a, trained(LENS, true), { training: true });
    await saveModel(b, trained(LENS, true), { training: true });
    expect(await readFile(a)).toEqual(await readFile(b));
    expect((await readdir(folder)).filter((name) => !name.endsWith('.safetensors'))).toEqual([]);
  });

  it('reads what earlier versions wrote', async () => {
    const { config, ...rest } = trained(LENS, true);
    const file = await altered((_, m) => {
      const stored = {
        ...config,
        layers: 1,
        focus: 'learned',
        blur: { ...config.blur, render: 'patches', taps: 16 },
        train: { ...config.train, hold: 0, reduction: 'single' },
      };
      m.set('config', JSON.stringify(stored));
    });
    expect(await loadModel(file)).toEqual({ config, ...rest });
  });

  it('reads a model that knows nothing of its photographs', async () => {
    const { info, ...rest } = trained(LENS, true);
    const { origin: _, ...known } = info;
    const file = await altered((__, m) => m.set('info', JSON.stringify(known)));
    expect(await loadModel(file)).toEqual({ ...rest, info: known });
  });

  it('replaces a model whole', async () => {
    const file = path();
    await saveModel(file, trained(LENS, true), { training: true });
    await saveModel(file, trained(LENS, false, 9), { training: false });
    expect((await loadModel(file)).seed).toBe(9);
  });

  it('names the file and the remedy when there is nothing to read', async () => {
    await expect(loadModel(join(folder, 'gone'))).rejects.toThrow(/gone does not exist: check/);
    await expect(loadModel(folder)).rejects.toThrow(/is a folder: name the model file/);
    const empty = path();
    await writeFile(empty, '');
    await expect(loadModel(empty)).rejects.toThrow(/shorter than a header/);
    await expect(saveModel(join(folder, 'no', 'x'), trained(LENS, true), { training: true })).rejects.toThrow(
      /does not exist: make it first/,
    );
  });

  /** A valid file with something changed. */
  async function altered(change: (tensors: Map<string, Tensor>, metadata: Map<string, string>) => void) {
    const file = path();
    await saveModel(file, trained(LENS, true), { training: true });
    const read = decodeSafetensors(await readFile(file), file);
    const [tensors, metadata] = [new Map(read.tensors), new Map(read.metadata)];
    change(tensors, metadata);
    await writeFile(file, encodeSafetensors(tensors, metadata));
    return file;
  }

  const withOrigin = (metadata: Map<string, string>, origin: object) =>
    metadata.set('info', JSON.stringify({ ...JSON.parse(metadata.get('info')!), origin }));

  it.each<[string, Parameters<typeof altered>[0], RegExp]>([
    ['another program', (_, m) => m.delete('format'), /not written by implicam/],
    ['a later version', (_, m) => m.set('version', '2'), /version 2.*update implicam/],
    ['no JSON', (_, m) => m.set('capture', '{'), /capture is no JSON/],
    ['a missing entry', (_, m) => m.delete('config'), /config/],
    [
      'a form that is no longer there',
      (_, m) => m.set('config', JSON.stringify({ layers: 2 })),
      /trained with layers: 2, a form that is no longer there/,
    ],
    ['another type', (_, m) => m.set('seed', '"1"'), /seed/],
    ['control characters', (_, m) => withOrigin(m, { make: 'a\nb' }), /make/],
    ['endless text', (_, m) => withOrigin(m, { lens: 'a'.repeat(129) }), /lens/],
    [
      'a place beside the earth',
      (_, m) => withOrigin(m, { place: { latitude: 91, longitude: 0 } }),
      /latitude/,
    ],
    ['what no picture says', (_, m) => withOrigin(m, { owner: 'me' }), /owner/],
    ['a negative step', (_, m) => m.set('step', '-1'), /step/],
    [
      'a frame without focus',
      (_, m) => m.set('capture', JSON.stringify({ ...capture, focus: [0] })),
      /focus/,
    ],
    ['no pixels', (_, m) => m.set('capture', JSON.stringify({ ...capture, width: 0 })), /capture\.width/],
    ['another size', (_, m) => m.set('capture', JSON.stringify({ ...capture, width: 8 })), /is F32/],
    [
      'a far larger model',
      (_, m) => m.set('config', JSON.stringify({ atlas: { form: 'hash', levels: 20, log2Table: 22 } })),
      /damaged/,
    ],
    ['a missing group', (t) => t.delete('parameters/tone'), /lacks parameters\/tone/],
    ['missing moments', (t) => t.delete('v/kappa'), /lacks v\/kappa/],
    ['other numbers', (t) => t.set('m/kappa', { dtype: 'I32', shape: [1], data: Int32Array.of(1) }), /I32/],
    [
      'a start of another size',
      (t) => t.set('start/defocus', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }),
      /start\/defocus/,
    ],
  ])('refuses %s', async (_, change, expected) => {
    const file = await altered(change);
    await expect(loadModel(file)).rejects.toThrow(expected);
    await expect(loadModel(file)).rejects.toThrow(file);
  });
});
