import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSample } from '../../bench/samples/write.js';
import { Service } from '../../bench/trials/service/service.js';
import { describeNative, unless } from '../../engine/engines.fixture.js';
import { ensureBuilt } from '../support/binary.js';
import { launchChromium, noChromium, openWindow } from './chromium.js';

/** A person with a phone before the service as `npm start` runs it: every process is the real one. */

const MINUTES = 60_000;

unless(noChromium, describeNative)('the web page of npm start', () => {
  let folder: string;
  let photographs: string[];
  let service: Service;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'implicam-browser-service-'));
    const sample = join(folder, 'sample');
    await writeSample(sample, { width: 150, height: 100, focus: 3, exposures: 1 });
    const names = (await readdir(sample)).filter((name) => name.endsWith('.png'));
    photographs = names.map((name) => join(sample, name));
    [service, browser] = await Promise.all([Service.start(), launchChromium()]);
    const context = await openWindow(browser, { width: 390, height: 844, touch: true });
    page = await context.newPage();
    page.setDefaultTimeout(MINUTES);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  }, 4 * MINUTES);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  }, MINUTES);

  async function stage(name: string): Promise<void> {
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(content, name).toBeLessThanOrEqual(window);
    expect(faults).toEqual([]);
    const { SCREENSHOTS } = process.env;
    if (!SCREENSHOTS) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `service-${name}.png`) });
  }

  const source = () => page.locator('.frame .layer img').first().getAttribute('src');

  async function changed(before: string | null): Promise<void> {
    await expect.poll(source, { timeout: MINUTES }).not.toBe(before);
    await page.locator('.frame[aria-busy="false"]').waitFor();
  }

  test('takes photographs, shows the training, and what was learned', { timeout: 8 * MINUTES }, async () => {
    await page.goto(`${service.url}/#key=${service.key}`);
    await page.getByLabel('Choose photographs').setInputFiles(photographs);
    await page.getByText('3 photographs', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Develop' }).and(page.locator(':enabled')).waitFor();
    await page.getByRole('radio', { name: 'Draft' }).check();
    await page.getByRole('button', { name: 'Develop' }).click();
    await page.getByRole('img', { name: /Preview/ }).waitFor();
    await page.getByText(/^\d+ of \d+$/).waitFor();
    await stage('1-training');
    await page.getByRole('img', { name: 'The scene, all of it in focus' }).waitFor({ timeout: 6 * MINUTES });
    await stage('2-result');

    const whole = await source();
    const box = (await page.getByRole('application').boundingBox())!;
    await page.touchscreen.tap(box.x + 0.2 * box.width, box.y + 0.8 * box.height);
    await page.getByRole('img', { name: 'The scene, focused on the chosen point' }).waitFor();
    await changed(whole);
    const focused = await source();
    await page.getByRole('slider', { name: 'Aperture' }).press('Home');
    await changed(focused);
    const opened = await source();
    const exposure = page.getByRole('slider', { name: 'Exposure' });
    for (let i = 0; i < 10; i++) await exposure.press('ArrowRight');
    await page.getByText('+1 EV').waitFor();
    await changed(opened);
    await stage('3-refocused');

    await page.getByLabel('Compare with').selectOption({ index: 1 });
    await page.getByRole('img', { name: 'A source photograph' }).waitFor();
    await stage('4-compared');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /^PNG/ }).click(),
    ]);
    const bytes = await readFile(await file.path());
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  });
});
