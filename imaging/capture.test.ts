import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareNames, readFrames } from './capture.js';
import { fromSamples, plainTiff, samples8, samples16 } from './test-support.js';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

async function put(path: string, seed: number, width = 24, height = 16): Promise<void> {
  const format = path.endsWith('.jpg') ? 'jpeg' : 'png';
  await writeFile(
    at(path),
    await fromSamples(samples8(width, height, 3, seed))
      .toFormat(format)
      .toBuffer(),
  );
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'implicam-capture-'));
  for (const folder of ['stack', 'stack/inner', 'other', 'empty', 'raws']) await mkdir(at(folder));
  for (const n of [1, 2, 10]) await put(`stack/frame${n}.png`, n);
  await put('stack/.hidden.png', 4);
  await put('stack/inner/deeper.png', 5);
  await writeFile(at('stack/notes.txt'), 'exposures');
  await put('other/frame1.png', 20);
  await put('other/wide.png', 21, 30, 16);
  await writeFile(at('raws/IMG_1.CR3'), '\0\0\0\x18ftypcrx \0\0\0\x01crx isom');
  await writeFile(at('empty/readme.md'), 'nothing');
});
afterAll(() => rm(root, { recursive: true, force: true }));

const refusal = (paths: string[], options = {}) => readFrames(paths, options).catch((error) => error);

describe('readFrames', () => {
  it('reads a folder in the natural order of names: files of pictures, not hidden ones, not folders', async () => {
    const seen: [number, number][] = [];
    const frames = await readFrames([at('stack')], {
      concurrency: 2,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(frames.map(({ name }) => name)).toEqual(['frame1.png', 'frame2.png', 'frame10.png']);
    frames.forEach((frame, i) => {
      expect(frame.data).toEqual(samples8(24, 16, 3, [1, 2, 10][i]).data);
    });
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('keeps the order of files that are named, and tells equal names apart', async () => {
    const paths = [at('stack/frame2.png'), at('other/frame1.png'), at('stack/frame1.png')];
    const frames = await readFrames(paths);
    expect(frames.map(({ name }) => name)).toEqual(['frame2.png', paths[1], paths[2]]);
  });

  it('takes frames of different depths', async () => {
    await writeFile(at('deep.png'), await fromSamples(samples16(24, 16)).png().toBuffer());
    const frames = await readFrames([at('stack/frame1.png'), at('deep.png')]);
    expect(frames.map(({ data }) => data.constructor.name)).toEqual(['Uint8Array', 'Uint16Array']);
  });

  it('refuses nothing, empty folders, and folders of files that it does not read', async () => {
    expect(await refusal([])).toMatchObject({ name: 'ImplicamError', code: 'frames-none' });
    expect(await refusal([at('empty')])).toMatchObject({
      code: 'frames-none',
      message: expect.stringContaining(at('empty')),
    });
    expect(await refusal([at('raws')])).toMatchObject({
      code: 'frames-none',
      message: expect.stringMatching(
        /raws holds no photographs that are read, but IMG_1\.CR3 \(camera RAW: .*export/,
      ),
    });
  });

  it('names the pictures of a folder that it leaves out, by kind, and passes over notes', async () => {
    await mkdir(at('mixed'));
    await put('mixed/a.png', 31);
    await put('mixed/misnamed.dat.jpg', 32);
    for (const name of ['b1.exr', 'b2.exr']) await writeFile(at('mixed', name), 'v/1\x01\x02\0\0\0');
    await writeFile(at('mixed/sky.hdr'), '#?RADIANCE\n');
    await writeFile(at('mixed/notes.txt'), 'exposures');
    await writeFile(at('mixed/nothing.bin'), '');
    await put('mixed/c.jpg', 33);
    await rename(at('mixed/c.jpg'), at('mixed/c.orig'));
    await symlink('nowhere', at('mixed/dangling'));
    await symlink(at('other'), at('mixed/folder.jpg'));
    const notes: string[] = [];
    const frames = await readFrames([at('mixed')], { onNote: (note) => notes.push(note) });
    expect(frames.map(({ name }) => name)).toEqual(['a.png', 'misnamed.dat.jpg']);
    expect(notes).toEqual([
      `left out of ${at('mixed')}: b1.exr and 1 more (OpenEXR: export it as 16-bit TIFF or PNG), ` +
        'c.orig (JPEG: give it a name that ends in .jpg), sky.hdr (Radiance: export it as 16-bit TIFF or PNG)',
    ]);
    const quiet: string[] = [];
    await readFrames([at('stack')], { onNote: (note) => quiet.push(note) });
    expect(quiet).toEqual([]);
  });

  it('refuses pictures too small to be developed, before it decodes any', async () => {
    await put('thin.png', 40, 300, 15);
    const progress: number[] = [];
    const paths = [at('stack/frame1.png'), at('thin.png')];
    expect(await refusal(paths, { onProgress: (n: number) => progress.push(n) })).toMatchObject({
      code: 'picture-too-small',
      message: `${at('thin.png')} is 300 × 15 pixels: at least 16 × 16 are needed`,
    });
    expect(progress).toEqual([]);
  });

  it('says of links what is wrong with them', async () => {
    await symlink('loop.png', at('loop.png'));
    await symlink('gone.png', at('dead-link.png'));
    expect((await refusal([at('loop.png')])).message).toMatch(/leads back to itself/);
    expect((await refusal([at('dead-link.png')])).message).toMatch(/is a link to what does not exist/);
    expect((await refusal([at('missing.png')])).message).toMatch(/does not exist: check its spelling/);
  });

  it('says once which frames were taken otherwise', async () => {
    const files = await Promise.all(
      [1, 2, 3, 4].map(async (seed) => {
        const file = at(`infrared-${seed}.tif`);
        await writeFile(file, plainTiff({ ...samples16(16, 16, 4, seed) }));
        return file;
      }),
    );
    const notes: string[] = [];
    await readFrames(files, { onNote: (note) => notes.push(note) });
    expect(notes).toEqual([
      expect.stringMatching(/^4 frames, infrared-1\.tif the first of them: the channel/),
    ]);
  });

  it('names the frame whose size differs, and both sizes', async () => {
    const odd = at('other/wide.png');
    const { code, message } = await refusal([odd, at('stack')]);
    expect(code).toBe('frames-mismatched');
    expect(message).toContain(`${odd} is 30 × 16 pixels`);
    expect(message).toContain(`${at('stack/frame1.png')} and 2 more are 24 × 16`);
  });

  it('refuses the same photograph twice: by path, by link and by content', async () => {
    const one = at('stack/frame1.png');
    expect(await refusal([one, one])).toMatchObject({
      code: 'frames-duplicate',
      message: expect.stringContaining('given twice'),
    });
    await symlink(one, at('link.png'));
    expect(await refusal([one, at('link.png')])).toMatchObject({
      code: 'frames-duplicate',
      message: expect.stringContaining('the same file'),
    });
    await put('copy.png', 1);
    expect(await refusal([at('stack'), at('copy.png')])).toMatchObject({
      code: 'frames-duplicate',
      message: `${at('copy.png')} is a copy of ${one}: leave one of them out`,
    });
  });

  it('refuses missing paths and dangling links', async () => {
    expect(await refusal([at('stack'), at('missing.png')])).toMatchObject({
      code: 'file-not-found',
      message: expect.stringContaining(at('missing.png')),
    });
    await symlink(at('gone.png'), at('dangling.png'));
    expect(await refusal([at('dangling.png')])).toMatchObject({ code: 'file-not-found' });
  });

  it('refuses too many and too much, before decoding', async () => {
    expect(await refusal([at('stack')], { limits: { maxFiles: 2 } })).toMatchObject({
      code: 'frames-too-many',
    });
    const whole = 3 * 24 * 16 * 3;
    expect(await refusal([at('stack')], { limits: { maxCaptureBytes: whole - 1 } })).toMatchObject({
      code: 'capture-too-large',
    });
    expect(await refusal([at('stack')], { limits: { maxCaptureBytes: whole } })).toHaveLength(3);
  });

  it('reports the first bad frame in order, whichever fails first', async () => {
    await mkdir(at('bad'));
    const good = await fromSamples(samples8(24, 16)).png().toBuffer();
    await writeFile(at('bad/a.png'), good);
    await writeFile(at('bad/b.png'), good.subarray(0, good.length / 2));
    await writeFile(at('bad/c.png'), 'GIF89a');
    await writeFile(at('bad/d.png'), '');
    for (const concurrency of [1, 4]) {
      expect(await refusal([at('bad')], { concurrency })).toMatchObject({
        code: 'format-unsupported',
        message: expect.stringContaining('c.png'),
      });
    }
    await rm(at('bad/c.png'));
    await rm(at('bad/d.png'));
    expect(await refusal([at('bad')])).toMatchObject({
      code: 'file-corrupt',
      message: expect.stringContaining('b.png'),
    });
  });
});

describe('compareNames', () => {
  it('orders numbers as numbers, and is total', () => {
    const names = ['b1', 'a10', 'a2', 'A1', 'a1', 'a02'];
    expect(names.sort(compareNames)).toEqual(['a1', 'A1', 'a02', 'a2', 'a10', 'b1']);
  });
});
