import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../develop/model-file/model-file.js';
import { testNative } from '../../engine/engines.fixture.js';
import { nativeIsas } from '../../engine/native/native-engine.js';
import { readFrame, readPicture } from '../../imaging/read.js';
import { ensureBuilt, implicam } from '../support/binary.js';

/** The command line as people use it, on a small generated sample. */

let folder: string;
const at = (...path: string[]) => join(folder, ...path);

const SMALL = ['--size', '96x64', '--focus', '2', '--exposures', '2'];
const STEPS = ['--steps', '12'];

beforeAll(async () => {
  await ensureBuilt();
  folder = await mkdtemp(join(tmpdir(), 'implicam-cli-'));
  const sample = await implicam(['sample', at('sample'), ...SMALL]);
  expect(sample.stderr).toBe('');
  expect(sample.code).toBe(0);
  const developed = await implicam(['develop', at('sample'), '--out', at('out'), ...STEPS]);
  expect(developed.stderr).toMatch(/done: 12 steps/);
  expect(developed.code).toBe(0);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const model = () => at('out', 'model.safetensors');

describe('help and usage', () => {
  it('tells version and help on standard output', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(await implicam(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await implicam(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['develop', 'render', 'sample', 'evaluate', 'demo', 'bench', 'doctor']) {
      expect(help.stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
      expect((await implicam([command, '--help'])).stdout).toContain(`Usage: implicam ${command}`);
    }
  });

  it.each([
    ['no command', [], /Usage/],
    ['an unknown command', ['devlop'], /unknown command 'devlop'/],
    ['an unknown option', ['develop', 'x', '--colour'], /unknown option '--colour'/],
    ['no photographs', ['develop'], /missing required argument/],
    ['a preset that is not there', ['develop', 'x', '--preset', 'magic'], /Allowed choices are auto/],
    ['a bad number', ['develop', 'x', '--threads', '0'], /from 1 to/],
    ['too many steps', ['develop', 'x', '--steps', '-1'], /--steps/],
    ['no output', ['render', 'x'], /--output/],
    ['a file that looks like an option', ['develop', '-f0.jpg'], /if -f0\.jpg is a file, write \.\/-f0\.jpg/],
    [
      'a region of nothing',
      ['render', 'x', '-o', 'y.png', '--region', '0,0,0,0'],
      /--region <X,Y,W,H>.*width is 0: it must be a whole number from 1 to 16384/,
    ],
    [
      'a bad width',
      ['render', 'x', '-o', 'y.png', '--width', '1.5'],
      /must be a whole number from 1 to 16384/,
    ],
    ['a bad tap', ['render', 'x', '-o', 'y.png', '--tap', '3'], /X,Y/],
    ['no truth', ['evaluate', 'x'], /--truth/],
    ['a bad size', ['sample', 'x', '--size', '96'], /WxH/],
    ['resuming nothing', ['develop', 'x', '--resume', '--out', 'nothing-here'], /develop without resuming/],
  ])('exits with 2 for %s', async (_, args, message) => {
    const run = await implicam(args, { cwd: folder });
    expect(run.stderr).toMatch(message);
    expect(run).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('files whose names begin with a dash', () => {
  it('are not taken for options without a word', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'implicam-dash-'));
    try {
      await writeFile(join(folder, '-h1.jpg'), 'x');
      const run = await implicam(['develop', '-h1.jpg', 'b.jpg'], { cwd: folder });
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(run.stderr).toMatch(/-h1\.jpg is a file, and would be taken for an option: write \.\/-h1\.jpg/);
      const behind = await implicam(['develop', '--', '-h1.jpg'], { cwd: folder });
      expect(behind.stderr).toMatch(/-h1\.jpg is in no known picture format/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('develop', () => {
  it('writes all that it promises', async () => {
    expect((await readdir(at('out'))).sort()).toEqual([
      'all-in-focus.exr',
      'all-in-focus.jpg',
      'all-in-focus.png',
      'defocus.exr',
      'model.safetensors',
      'preview.jpg',
      'refocus-far.png',
      'refocus-near.png',
      'report.json',
      'response.json',
    ]);
    for (const file of [
      'preview.jpg',
      'all-in-focus.png',
      'all-in-focus.jpg',
      'refocus-near.png',
      'refocus-far.png',
    ]) {
      expect(await readFrame(at('out', file))).toMatchObject({ width: 96, height: 64 });
    }
    const radiance = await readPicture(at('out', 'all-in-focus.exr'));
    expect(radiance).toMatchObject({ width: 96, height: 64, channels: 3 });
    expect(radiance.data.every((v) => v >= 0 && v < 1e5)).toBe(true);
    const depth = await readPicture(at('out', 'defocus.exr'), { channels: ['Z'] });
    expect(depth.data.every((z) => z > 0 && z <= 1e4 + 1)).toBe(true);
    expect((await readPicture(at('out', 'defocus.exr'))).channels).toBe(1);
    const { response, frames } = JSON.parse(await readFile(at('out', 'response.json'), 'utf8'));
    expect(frames).toHaveLength(4);
    for (const curve of [response.red, response.green, response.blue]) {
      expect(curve).toHaveLength(response.lnExposure.length);
      expect(curve.every((v: number, i: number) => i === 0 || v >= curve[i - 1])).toBe(true);
    }
    const report = JSON.parse(await readFile(at('out', 'report.json'), 'utf8'));
    expect(report).toMatchObject({ steps: 12, seed: 1, quality: 'standard' });
    expect(report.versions.implicam).toMatch(/^\d/);
    expect((await loadModel(model())).state.m).toHaveLength(0);
  });

  it('prints exactly one line with --json, of stable keys', async () => {
    const run = await implicam(['develop', at('sample'), '--out', at('json'), '--steps', '3', '--json']);
    expect(run.code).toBe(0);
    expect(run.stdout.endsWith('\n')).toBe(true);
    expect(run.stdout.trim().split('\n')).toHaveLength(1);
    const line = JSON.parse(run.stdout);
    expect(Object.keys(line).sort()).toEqual(
      [
        'out',
        'engine',
        'device',
        'preset',
        'frames',
        'steps',
        'seconds',
        'loss',
        'framePsnr',
        'parametersSha256',
      ].sort(),
    );
    expect(Object.keys(line.frames[0])).toEqual(['file', 'ev', 'focus']);
    expect(Object.keys(line.seconds).sort()).toEqual(['decode', 'register', 'render', 'train']);
    expect(line).toMatchObject({ out: at('json'), steps: 3, preset: 'focus-exposure' });
    expect(line.parametersSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Number.isFinite(line.loss) && Number.isFinite(line.framePsnr)).toBe(true);
  });

  testNative.each([
    ['quality instant', ['--quality', 'instant']],
    ['no steps', ['--steps', '0']],
    ['quality instant on runners', ['--quality', 'instant', '--runners', '2']],
  ])('writes the picture at once with %s', async (name, args) => {
    const out = at(name);
    const run = await implicam(['develop', at('sample'), '--out', out, '--json', ...args]);
    expect(run.stderr).not.toMatch(/NaN|Infinity|undefined|training$|step \d/m);
    expect(run.stderr).toMatch(/done: nothing trained, results in/);
    expect(JSON.parse(run.stdout)).toMatchObject({ steps: 0, loss: null, framePsnr: null });
    const files = await readdir(out);
    expect(files).toEqual(expect.arrayContaining(['all-in-focus.png', 'defocus.exr', 'model.safetensors']));
    // Examples of blur are not waited for.
    expect(files.includes('refocus-near.png')).toBe(name === 'no steps');
    const again = await implicam(['develop', at('sample'), '--out', out, ...args, '--resume']);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('develop without resuming') });
  });

  it('gives the same bits for any number of threads, and others for another seed', async () => {
    const hash = async (...args: string[]) => {
      const command = ['develop', at('sample'), '--out', at('bits'), '--steps', '8', '--json', ...args];
      return JSON.parse((await implicam(command)).stdout).parametersSha256;
    };
    const one = await hash('--threads', '1');
    expect(await hash('--threads', '3')).toBe(one);
    expect(await hash('--seed', '2')).not.toBe(one);
  });

  it.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'a file that is not there',
      async () => [at('gone.jpg')],
      /gone\.jpg does not exist: check its spelling/,
    ],
    [
      'an empty folder',
      async () => [await mkdtemp(at('empty-'))],
      /empty-\w+ holds no photographs: name a folder/,
    ],
    [
      'a damaged file',
      async () => {
        const file = at('cut.png');
        await writeFile(file, await readFile(at('sample', 'focus1-exposure1.png')));
        await truncate(file, 2000);
        return [file, at('sample', 'focus1-exposure2.png')];
      },
      /cut\.png.*(damaged|cut short)/,
    ],
    [
      'photographs of two sizes',
      async () => {
        await implicam(['sample', at('larger'), '--size', '64x48', '--focus', '1', '--exposures', '1']);
        return [at('larger', 'focus1-exposure1.png'), at('sample')];
      },
      /focus1-exposure1\.png is 64 × 48 pixels but .* 96 × 64.*: give frames of one capture/,
    ],
    [
      'a text file',
      async () => {
        await writeFile(at('notes.txt'), 'no picture');
        return [at('notes.txt')];
      },
      /notes\.txt/,
    ],
    [
      'a result folder that is a file',
      async () => {
        await writeFile(at('taken'), '');
        return [at('sample'), '--out', at('taken')];
      },
      /taken cannot hold the results \(it is a file\): name another folder/,
    ],
  ])('exits with 1 for %s, naming it and the remedy', async (_, args, message) => {
    const run = await implicam(['develop', '--out', at('bad'), ...(await args())], { cwd: folder });
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(run).toMatchObject({ code: 1, stdout: '' });
  });

  it('exits with 2 for a single photograph', async () => {
    const run = await implicam(['develop', at('sample', 'focus1-exposure1.png'), '--out', at('bad')]);
    expect(run.stderr).toMatch(/focus1-exposure1\.png is a single photograph: .*at least two/);
    expect(run).toMatchObject({ code: 2, stdout: '' });
  });

  it('keeps results and photographs apart', async () => {
    const run = await implicam(['develop', '.', '--out', at('sample')], { cwd: at('sample') });
    expect(run.stderr).toMatch(/holds the photographs: name another folder/);
    expect(run).toMatchObject({ code: 2, stdout: '' });
  });

  it('shows where an error comes from only with IMPLICAM_DEBUG', async () => {
    const run = await implicam(['develop', at('gone.jpg'), '--out', at('bad')], {
      env: { IMPLICAM_DEBUG: '1' },
    });
    expect(run.stderr).toMatch(/^\s+at /m);
  });

  testNative(
    'keeps a snapshot when interrupted, and resumes to the same bits',
    async () => {
      const command = ['develop', at('sample'), '--steps', '400', '--json'];
      const whole = await implicam([...command, '--out', at('whole')]);
      // One thread gives the interrupt time to arrive; the bits do not depend on it.
      const slow = [...command, '--out', at('stopped'), '--threads', '1'];
      const stopped = await implicam(slow, { interruptAt: /^step \d+/m });
      expect(stopped.stderr).toMatch(/stopped after step \d+; .*snapshot\.safetensors.*--resume/);
      expect(stopped).toMatchObject({ code: 1, stdout: '' });
      expect(await readdir(at('stopped'))).toEqual(['preview.jpg', 'snapshot.safetensors']);
      const { state } = await loadModel(at('stopped', 'snapshot.safetensors'));
      expect(state.step).toBeGreaterThan(0);
      expect(state.step).toBeLessThan(400);

      const resumed = await implicam([...command, '--out', at('stopped'), '--resume']);
      expect(resumed.stderr).not.toMatch(/step 1\/400/);
      const [a, b] = [JSON.parse(whole.stdout), JSON.parse(resumed.stdout)];
      expect(b).toMatchObject({ steps: 400, parametersSha256: a.parametersSha256 });
      expect(await readdir(at('stopped'))).not.toContain('snapshot.safetensors');
    },
    120_000,
  );

  testNative.each([
    ['in this process', []],
    ['on runners', ['--runners', '2']],
  ])(
    'shows what training begins with before it trains %s',
    async (where, more) => {
      const out = at(`shown ${where}`);
      // Years of steps: whatever is there when it is interrupted was there before them.
      const command = [
        'develop',
        at('sample'),
        '--out',
        out,
        '--steps',
        '100000000',
        '--threads',
        '1',
        ...more,
      ];
      const run = await implicam(command, { interruptAt: /^ {2}preview: .*preview\.jpg$/m });
      expect(run.stderr.indexOf('preview.jpg')).toBeLessThan(run.stderr.indexOf('training'));
      expect(run.code).toBe(1);
      const preview = await readFrame(join(out, 'preview.jpg'));
      expect(preview).toMatchObject({ width: 96, height: 64 });
      // It looks as the result does: of the same scene, as bright.
      const shown = await readFrame(at('out', 'all-in-focus.png'));
      const differences = Array.from(preview.data, (v, i) => Math.abs(v - shown.data[i]));
      expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(8);
    },
    120_000,
  );

  it('resumes only with the photographs and options it began with', async () => {
    const command = ['develop', '--steps', '900', '--out', at('other'), '--threads', '1'];
    await implicam([...command, at('sample')], { interruptAt: /^step \d+/m });
    await implicam(['sample', at('another'), ...SMALL, '--seed', '5']);
    const others = await implicam([...command, at('another'), '--resume']);
    expect(others.stderr).toMatch(/other photographs/);
    expect(others.code).toBe(2);
    const longer = await implicam([
      'develop',
      '--out',
      at('other'),
      at('sample'),
      '--resume',
      '--steps',
      '901',
    ]);
    expect(longer.stderr).toMatch(/begun with steps 900, not 901: resume with the same options/);
    expect(longer.code).toBe(2);
  });
});

describe('render', () => {
  it('renders every kind', async () => {
    const render = async (file: string, ...args: string[]) => {
      const run = await implicam(['render', model(), '-o', at(file), ...args]);
      expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    };
    await render('plain.png');
    expect(await readFrame(at('plain.png'))).toMatchObject({ width: 96, height: 64 });
    expect(await readFile(at('plain.png'))).toEqual(await readFile(at('out', 'all-in-focus.png')));
    await render('small.jpg', '--width', '48', '--tone', 'filmic', '--ev', '1');
    expect(await readFrame(at('small.jpg'))).toMatchObject({ width: 48, height: 32 });
    await render('far.exr', '--kind', 'refocus', '--focus', '-1', '--aperture', '2');
    await render('near.exr', '--kind', 'refocus', '--focus', '1', '--aperture', '2');
    await render('pinhole.exr', '--kind', 'refocus', '--focus', '1', '--aperture', '0');
    const [far, near, pinhole] = await Promise.all(
      ['far', 'near', 'pinhole'].map((name) => readPicture(at(`${name}.exr`))),
    );
    const contrast = ({ data }: { data: Float32Array }) => {
      let sum = 0;
      for (let i = 3; i < data.length; i++) sum += Math.abs(data[i] - data[i - 3]);
      return sum;
    };
    expect(contrast(pinhole)).toBeGreaterThan(contrast(near));
    expect(contrast(pinhole)).toBeGreaterThan(contrast(far));
    await render('tapped.png', '--kind', 'refocus', '--tap', '48,32', '--tone', 'learned');
    await render('depth.exr', '--kind', 'depth');
    expect((await readPicture(at('depth.exr'))).channels).toBe(1);
    await render('depth.png', '--kind', 'depth');
    const { data } = await readFrame(at('depth.png'));
    expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(200);
    await render('response.json', '--kind', 'response');
    expect(JSON.parse(await readFile(at('response.json'), 'utf8')).response.red).toBeDefined();
  });

  it.each([
    ['a model that is not there', 'gone.safetensors', ['-o', 'x.png'], 1, /gone\.safetensors does not exist/],
    [
      'a file that is no model',
      'sample/truth.json',
      ['-o', 'x.png'],
      1,
      /truth\.json is no safetensors file/,
    ],
    ['an unknown format', 'out/model.safetensors', ['-o', 'x.bmp'], 2, /\.bmp.*use one of/],
    ['focus without refocus', 'out/model.safetensors', ['-o', 'x.png', '--focus', '0'], 2, /refocus/],
    [
      'a tap outside',
      'out/model.safetensors',
      ['-o', 'x.png', '--kind', 'refocus', '--tap', '96,0'],
      2,
      /96/,
    ],
    ['linear light in a PNG', 'out/model.safetensors', ['-o', 'x.png', '--tone', 'linear'], 2, /\.exr/],
    ['a display curve in an EXR', 'out/model.safetensors', ['-o', 'x.exr', '--tone', 'srgb'], 2, /\.png/],
    ['no folder', 'out/model.safetensors', ['-o', 'no/x.png'], 1, /make it first/],
  ])('refuses %s', async (_, file, args, code, message) => {
    const run = await implicam(['render', at(file), ...args], { cwd: folder });
    expect(run.stderr).toMatch(message);
    expect(run).toMatchObject({ code, stdout: '' });
  });
});

describe('evaluate', () => {
  it('prints scores, for people and for programs', async () => {
    const words = await implicam(['evaluate', model(), '--truth', at('sample')]);
    expect(words).toMatchObject({ code: 0, stderr: '' });
    expect(words.stdout).toMatch(
      /implicam +\d+\.\d+ +\d+\.\d+(?: +\d\.\d{3}){3} +\d+\.\d+ +\d+\.\d+ \/ \d+\.\d+ +0\.\d+/,
    );
    const run = await implicam(['evaluate', model(), '--truth', at('sample'), '--json']);
    const line = JSON.parse(run.stdout);
    const scores = ['muPsnr', 'muPsnrPerChannel', 'channelGains', 'srgbPsnr', 'deltaE', 'ssim'];
    expect(Object.keys(line)).toEqual([...scores, 'depthCorrelation', 'baselines']);
    expect(Object.keys(line.baselines)).toEqual(['bestFrame', 'classical']);
    expect(Object.keys(line.baselines.classical)).toEqual(scores);
    expect(line.muPsnr).toBeGreaterThan(line.baselines.bestFrame.muPsnr);
  });

  it('names a folder without a truth', async () => {
    const run = await implicam(['evaluate', model(), '--truth', at('out')]);
    expect(run.stderr).toMatch(/truth\.json could not be read.*implicam sample/);
    expect(run.code).toBe(2);
  });
});

describe('the other commands', () => {
  it('doctor tells of engines and versions', async () => {
    const run = await implicam(['doctor', '--json']);
    const { versions, engines, machine } = JSON.parse(run.stdout);
    expect(versions.node).toBe(process.versions.node);
    expect(engines.tfjs.version).toMatch(/^\d/);
    expect(machine.threads).toBeGreaterThan(0);
    if (nativeIsas().length > 0) expect(engines.native.isas).toEqual(nativeIsas());
    expect((await implicam(['doctor'])).stdout).toContain('tfjs engine');
  });

  testNative('bench step prints its line', async () => {
    const run = await implicam(['bench', 'step', '--workload', 'exposure', '--engine', 'native', '--json']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const line = JSON.parse(run.stdout);
    expect(Object.keys(line)).toEqual([
      'workload',
      'engine',
      'isa',
      'threads',
      'secondsPerStep',
      'gflops',
      'peakGflops',
      'ratioToPeak',
      'phases',
      'pytorch',
    ]);
  });

  it('sample refuses a folder that holds something else', async () => {
    const run = await implicam(['sample', at('out'), ...SMALL]);
    expect(run.stderr).toMatch(/name an empty folder/);
    expect(run.code).toBe(2);
  });
});
