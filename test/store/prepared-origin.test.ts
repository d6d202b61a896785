import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import exifr from 'exifr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderCapture } from '../../bench/samples/capture.js';
import { encodeImage } from '../../imaging/write.js';
import type { PictureOrigin } from '../../model/picture.js';
import { readSceneHead } from '../../runner/scenes/bundle.js';
import { prepareScene, type SceneEvent } from '../../runner/scenes/jobs.js';
import { createFolderStore } from '../../store/folder.js';

/** What a prepared scene takes of its photographs for the files of its results. */

const place = { latitude: -33.5, longitude: 151.25 };
const root = mkdtempSync(join(tmpdir(), 'implicam-jobs-'));
const store = createFolderStore(root);
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(async () => {
  const { frames, options } = renderCapture({ width: 48, height: 32, focus: 1, exposures: 2 });
  for (const [i, { pixels }] of frames.entries()) {
    const size = { width: options.width, height: options.height, channels: 3 };
    const picture = { ...size, data: Float32Array.from(pixels, (v) => v / 255) };
    const origin: PictureOrigin = {
      make: 'Maker',
      lens: '50mm',
      fNumber: 4,
      exposureTime: 4 ** i / 100,
      place,
    };
    await store.put(`sessions/s/frames/${i}`, await encodeImage('png', picture, { origin }));
  }
});

async function prepared(gps: boolean) {
  const training = `sessions/s/runs/${gps ? 1 : 2}`;
  const events: SceneEvent[] = [];
  const frames = [0, 1].map((i) => {
    // What the client stated goes before what the file says.
    return { key: `sessions/s/frames/${i}`, name: `${i}.png`, camera: { focalLength: 35 } };
  });
  const engine = { name: 'native', device: 'cpu', threads: 1 } as const;
  const job = {
    kind: 'prepare',
    preset: 'auto',
    quality: 'draft',
    seed: 1,
    steps: 1,
    training,
    frames,
  } as const;
  await prepareScene(store, { ...job, gps, engine }, (event) => events.push(event));
  const preview = events.find((event) => event.kind === 'preview')!;
  const { origin } = (await readSceneHead(store, training)).model.info;
  return { origin, preview: await exifr.parse(Buffer.from(await store.read(preview.key))) };
}

test('the camera, and what the client stated of it; the place only where it is asked for', async () => {
  const said = { make: 'Maker', lens: '50mm', fNumber: 4, focalLength: 35 };
  const silent = await prepared(false);
  expect(silent.origin).toEqual(said);
  expect(silent.preview).toMatchObject({ Make: 'Maker', FocalLength: 35 });
  expect(silent.preview).not.toHaveProperty('latitude');
  const told = await prepared(true);
  expect(told.origin).toEqual({ ...said, place });
  expect(told.preview.latitude).toBeCloseTo(-33.5, 6);
});
