import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeNative } from '../../engine/engines.fixture.js';
import { ensureBuilt } from '../support/binary.js';
import { type MortalCoordinator, TrainingService } from './training-service.js';

/** Pictures of what is learned so far, by the whole service: API, Postgres, coordinator, a runner process. */

const MINUTES = 60_000;
/** So many that most are still to come when the first picture, after a tenth of them, is made. */
const STEPS = 6000;

let service: TrainingService;
let coordinator: MortalCoordinator;

beforeAll(async () => {
  await ensureBuilt();
  service = await TrainingService.open();
  // Short windows: there is a snapshot to make a picture of every few steps, whatever the machine's speed.
  coordinator = await service.startCoordinator({ scheduler: { maxWindowSteps: 20 } });
}, 3 * MINUTES);
afterAll(async () => {
  await coordinator?.stop();
  await service?.close();
});

interface Preview {
  readonly step: number;
  readonly width: number;
  readonly height: number;
  readonly href: string;
}

describeNative('a training', () => {
  test('shows what is learned while it goes on', { timeout: 3 * MINUTES }, async () => {
    service.startRunner();
    const session = await service.newSession({ width: 96, height: 64, focus: 3, exposures: 1 });
    await service.train(session, { steps: STEPS });
    const previews = () => service.events<Preview>(session, 'preview');
    await expect
      .poll(async () => (await previews()).some(({ step }) => step > 0), {
        timeout: 2 * MINUTES,
        interval: 200,
        message: service.lines.join('\n'),
      })
      .toBe(true);
    const [start, learned] = await previews();
    expect(start).toMatchObject({ step: 0, width: 96, height: 64 });
    expect(learned).toMatchObject({ width: 96, height: 64 });
    expect(learned.step).toBeGreaterThanOrEqual(STEPS / 10);
    expect(learned.step).toBeLessThan(STEPS);

    const pictures = await Promise.all([start, learned].map(({ href }) => picture(href)));
    const [before, after] = pictures as [Buffer, Buffer];
    expect(after.equals(before)).toBe(false);
    // Of the same scene as the one that training began with.
    const difference = before.reduce((sum, v, i) => sum + Math.abs(v - after[i]), 0) / before.length;
    expect(difference).toBeLessThan(25);
    await service.call('DELETE', `/v1/sessions/${session}/training`);
  });
});

/** The pixels of a picture that the API serves. */
async function picture(href: string): Promise<Buffer> {
  const response = await service.api.call(service.key, 'GET', href);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  const { data, info } = await sharp(await response.arrayBuffer())
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 96, height: 64, channels: 3 });
  return data;
}
