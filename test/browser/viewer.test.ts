import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSample } from '../../bench/sample/write.js';
import { launchChromium, noChromium, openWindow, type WindowOptions } from './chromium.js';
import { openStudio, type Studio } from './studio.js';

/**
 * A person in a browser: from the key to the downloaded result, in a real Chromium against the real service. With
 * SCREENSHOTS set to a folder, pictures of every stage are left there.
 */

if (noChromium) console.warn(`test/browser is skipped: ${noChromium}`);

describe.skipIf(noChromium)(`the web page${noChromium ? ` (skipped: ${noChromium})` : ''}`, () => {
  let folder: string;
  let photographs: string[];
  let studio: Studio;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-browser-'));
    const sample = join(folder, 'sample');
    const width = process.env.SCREENSHOTS ? 480 : 240;
    await writeSample(sample, { width, height: width / 1.5, focus: 3, exposures: 1 });
    const names = (await readdir(sample)).filter((name) => name.endsWith('.png'));
    photographs = names.map((name) => join(sample, name));
    [studio, browser] = await Promise.all([openStudio(), launchChromium()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A window at the service's address, and what went wrong in it. */
  async function open(options: WindowOptions, address = '/'): Promise<{ page: Page; faults: string[] }> {
    const context = await openWindow(browser, options);
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${studio.url}${address}`);
    return { page, faults };
  }

  async function shoot(page: Page, name: string): Promise<void> {
    const { SCREENSHOTS } = process.env;
    if (!SCREENSHOTS) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** Nothing sticks out of the window sideways. */
  async function expectFits(page: Page): Promise<void> {
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
  }

  const windows: [string, WindowOptions][] = [
    ['phone', { width: 390, height: 844, touch: true, dark: true }],
    ['laptop', { width: 1280, height: 800 }],
  ];
  test.each(windows)('from the key to the result on a %s', { timeout: 300_000 }, async (name, options) => {
    const { page, faults } = await open(options);
    await shoot(page, `${name}-1-key`);
    await expectFits(page);
    await page.getByLabel('API key').fill(await studio.key(name));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Choose photographs').waitFor();
    await shoot(page, `${name}-2-home`);
    await expectFits(page);

    await page.getByLabel('Choose photographs').setInputFiles(photographs);
    await page.getByText('3 photographs', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Develop' }).and(page.locator(':enabled')).waitFor();
    await page.getByRole('radio', { name: 'Draft' }).check();
    await shoot(page, `${name}-3-photographs`);
    await expectFits(page);

    const training = studio.hold();
    await page.getByRole('button', { name: 'Develop' }).click();
    await page.getByRole('img', { name: /Preview/ }).waitFor();
    await page.getByText(/^\d+ of \d+$/).waitFor();
    await page.locator('.curve svg').waitFor();
    await shoot(page, `${name}-4-training`);
    await expectFits(page);

    training.release();
    await page.getByRole('img', { name: 'The scene, all of it in focus' }).waitFor({ timeout: 120_000 });
    await shoot(page, `${name}-5-result`);
    await expectFits(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
