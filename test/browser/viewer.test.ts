import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { writeSample } from '../../bench/samples/write.js';
import { unless } from '../../engine/engines.fixture.js';
import { readPicture } from '../../imaging/read.js';
import { launchChromium, noChromium, openWindow, type WindowOptions } from './chromium.js';
import { openNetwork } from './network.js';
import { openStudio, type Studio } from './studio.js';

/**
 * A person in a browser: from the key to the downloaded result, in a real Chromium against the real service. With
 * SCREENSHOTS set to a folder, pictures of every stage are left there.
 */

unless(noChromium, describe)('the web page', () => {
  const sampleWidth = process.env.SCREENSHOTS ? 480 : 240;
  let folder: string;
  let photographs: string[];
  let studio: Studio;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-browser-'));
    const sample = join(folder, 'sample');
    await writeSample(sample, {
      width: sampleWidth,
      height: sampleWidth / 1.5,
      focus: 3,
      exposures: 1,
    });
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
  async function open(options: WindowOptions, address = '/', url = studio.url) {
    const context = await openWindow(browser, options);
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${url}${address}`);
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

  /** What the stage shows, as a hash of its pixels. */
  const shown = (page: Page): Promise<string> =>
    page.evaluate<string>(`(() => {
      const image = document.querySelector('.frame .layer img');
      const canvas = document.createElement('canvas');
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      canvas.getContext('2d').drawImage(image, 0, 0);
      return canvas.toDataURL();
    })()`);

  /** Waits for another picture than that one. */
  async function changed(page: Page, before: string): Promise<string> {
    await page.locator('.frame[aria-busy="false"]').waitFor();
    await expect.poll(() => shown(page), { timeout: 60_000 }).not.toBe(before);
    return shown(page);
  }

  async function download(page: Page, name: string): Promise<Buffer> {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: new RegExp(`^${name}`) }).click(),
    ]);
    return readFile(await file.path());
  }

  async function develop(page: Page): Promise<void> {
    await page.getByRole('radio', { name: 'Draft' }).check();
    await page.getByRole('button', { name: 'Develop' }).click();
  }

  const allInFocus = (page: Page): Promise<void> =>
    page.getByRole('img', { name: 'The scene, all of it in focus' }).waitFor({ timeout: 120_000 });

  const windows: [string, WindowOptions][] = [
    ['phone', { width: 390, height: 844, touch: true, dark: true }],
    ['laptop', { width: 1280, height: 800 }],
  ];
  describe.each(windows)('on a %s', (name, options) => {
    let page: Page;
    let faults: string[];
    beforeAll(async () => {
      ({ page, faults } = await open(options));
    });
    afterAll(() => page.context().close());
    const stage = async (label: string): Promise<void> => {
      await shoot(page, `${name}-${label}`);
      await expectFits(page);
      expect(faults).toEqual([]);
    };

    test('from the key to the photographs', { timeout: 120_000 }, async () => {
      await stage('1-key');
      await page.getByLabel('API key').fill(await studio.key(name));
      await page.keyboard.press('Enter');
      await page.getByText('Choose photographs').waitFor();
      await stage('2-home');
      await page.getByLabel('Choose photographs').setInputFiles(photographs);
      await page.getByText('3 photographs', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Develop' }).and(page.locator(':enabled')).waitFor();
      await stage('3-photographs');
    });

    test('through the training', { timeout: 180_000 }, async () => {
      const training = studio.hold();
      onTestFinished(training.release);
      await develop(page);
      await page.getByRole('img', { name: /Preview/ }).waitFor();
      await page.getByText(/^\d+ of \d+$/).waitFor();
      await page.locator('.curve svg').waitFor();
      await stage('4-training');
      training.release();
      await allInFocus(page);
      await stage('5-result');
    });

    test('a tap chooses what is in focus', async () => {
      const before = await shown(page);
      const box = (await page.getByRole('application').boundingBox())!;
      const [x, y] = [box.x + 0.2 * box.width, box.y + 0.8 * box.height];
      await (options.touch ? page.touchscreen.tap(x, y) : page.mouse.click(x, y));
      await page.getByRole('img', { name: 'The scene, focused on the chosen point' }).waitFor();
      const near = await changed(page, before);
      expect(await page.getByRole('radio', { name: 'Refocus' }).isChecked()).toBe(true);
      // The arrow keys do the same: far to the upper right, where the scene is deeper.
      await page.getByRole('application').focus();
      for (let i = 0; i < 6; i++) await page.keyboard.press('Shift+ArrowUp');
      for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowRight');
      await changed(page, near);
      await page.getByText('Focus 70 % across, 20 % down').waitFor({ state: 'attached' });
      await stage('6-refocus');
    });

    test('sliders open the lens and brighten, by keyboard too', async () => {
      const aperture = page.getByRole('slider', { name: 'Aperture' });
      const before = await shown(page);
      const fNumber = async () => {
        const text = (await aperture.getAttribute('aria-valuetext')) ?? '';
        expect(text).toMatch(/^f\/\d/);
        return Number(text.slice(2));
      };
      const asPhotographed = await fNumber();
      await aperture.focus();
      await page.keyboard.press('Home');
      expect(await fNumber()).toBeLessThan(asPhotographed);
      const open = await changed(page, before);
      await page.getByRole('slider', { name: 'Exposure' }).focus();
      for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
      await page.getByText('+1 EV').waitFor();
      const bright = await changed(page, open);
      await page.getByLabel('Tone').selectOption('filmic');
      await changed(page, bright);
      await stage('7-opened');
    });

    test('a photograph beside the result', async () => {
      await page.getByLabel('Compare with').selectOption({ index: 1 });
      await page.getByRole('img', { name: 'A source photograph' }).waitFor();
      const split = page.getByRole('slider', { name: 'Where photograph and result meet' });
      await split.focus();
      await page.keyboard.press('ArrowLeft');
      const clip = () =>
        page.evaluate<string>("getComputedStyle(document.querySelector('.source')).clipPath");
      expect(await clip()).toBe('inset(0px 51% 0px 0px)');
      await stage('8-compare');
      await page.getByLabel('Compare with').selectOption({ index: 0 });
    });

    test('what is looked at can be downloaded, and the model', async () => {
      const { width, height, format } = await sharp(await download(page, 'PNG')).metadata();
      expect([width, height, format]).toEqual([sampleWidth, sampleWidth / 1.5, 'png']);
      const linear = await readPicture({ name: 'r.exr', bytes: await download(page, 'EXR, linear light') });
      expect([linear.width, linear.channels]).toEqual([sampleWidth, 3]);
      expect((await sharp(await download(page, 'UltraHDR JPEG')).metadata()).format).toBe('jpeg');
      await page.getByText('Model and files of the training').click();
      const response = await download(page, 'response.json');
      expect(JSON.parse(response.toString())).toHaveProperty('frames');
      await page.getByRole('radio', { name: 'Depth' }).check();
      await page.getByRole('img', { name: /^Depth/ }).waitFor();
      expect(await page.getByRole('button', { name: 'UltraHDR JPEG' }).count()).toBe(0);
      await stage('9-depth');
    });

    test('the session is in the list, and goes when it is deleted', async () => {
      await page.getByRole('link', { name: 'All sessions' }).click();
      await page.getByText('Ready').waitFor();
      await page.locator('.card img').waitFor();
      await stage('10-list');
      const remove = page.getByRole('button', { name: /^Delete/ });
      await remove.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await stage('11-delete');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await page.locator('.card').count()).toBe(1);
      await remove.click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.locator('.card').waitFor({ state: 'detached' });
      expect(studio.errors).toEqual([]);
    });
  });

  /** A window that has a key already. */
  async function signedIn(url = studio.url) {
    return open({ width: 390, height: 844 }, `/#key=${await studio.key(randomUUID())}`, url);
  }

  test('a key in the address is kept, and taken out of the address', async () => {
    const { page } = await signedIn();
    await page.getByText('Choose photographs').waitFor();
    expect(page.url()).toBe(`${studio.url}/#/`);
    await page.reload();
    await page.getByText('Choose photographs').waitFor();
    await page.getByRole('button', { name: 'Change key' }).click();
    await page.getByLabel('API key').fill('ik_wrong');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('The API key is unknown, revoked or expired').waitFor();
    await page.context().close();
  });

  test('what is refused is told in words', async () => {
    const { page } = await signedIn();
    const text = join(folder, 'letter.jpg');
    await writeFile(text, 'Dear Sir or Madam');
    const small = join(folder, 'other-size.png');
    await sharp({ create: { width: 64, height: 48, channels: 3, background: '#456' } }).toFile(small);
    await page.getByLabel('Choose photographs').setInputFiles([photographs[0]]);
    await page.getByText('1 photograph', { exact: true }).waitFor();
    await page.getByText('Two photographs or more are needed.').waitFor();
    await page.getByLabel('Add photographs').setInputFiles([text, small]);
    await page.locator('[data-state="failed"]', { hasText: /letter\.jpg.*(not|no) /s }).waitFor();
    await page.locator('[data-state="failed"]', { hasText: /64 × 48 pixels/ }).waitFor();
    expect(await page.getByRole('button', { name: 'Develop' }).isDisabled()).toBe(true);
    await shoot(page, 'refused');
    await page.getByRole('button', { name: 'Remove other-size.png' }).click();
    await page.getByRole('button', { name: 'Remove letter.jpg' }).click();
    expect(await page.locator('[data-state="failed"]').count()).toBe(0);
    await page.context().close();
  });

  test('an upload goes on where the network broke off', { timeout: 180_000 }, async () => {
    const network = await openNetwork(studio.url);
    const { page } = await signedIn(network.url);
    const noise = join(folder, 'noise.png');
    const pixels = Buffer.from(
      Uint8Array.from({ length: 1200 * 800 * 3 }, (_, i) => (i * 2654435761) >>> 13),
    );
    await sharp(pixels, { raw: { width: 1200, height: 800, channels: 3 } })
      .png({ compressionLevel: 0 })
      .toFile(noise);
    const offsets: number[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
    });
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 };
    await devtools.send('Network.emulateNetworkConditions', slow);
    await page.getByLabel('Choose photographs').setInputFiles(noise);
    await page.getByText(/^(1\.[2-9]|2\.\d) MB of 2\.9 MB$/).waitFor();
    await network.cut();
    await page.getByText('The service cannot be reached').waitFor();
    await shoot(page, 'cut');
    await network.mend();
    await page.getByText('1 photograph', { exact: true }).waitFor();
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(0);
    await page.context().close();
    await network.close();
  });

  test('a training is followed across a lost connection, stopped, and goes on', {
    timeout: 180_000,
  }, async () => {
    const network = await openNetwork(studio.url);
    const { page } = await signedIn(network.url);
    await page.getByLabel('Choose photographs').setInputFiles(photographs);
    await page.getByRole('button', { name: 'Develop' }).and(page.locator(':enabled')).waitFor();
    const training = studio.hold();
    onTestFinished(training.release);
    await develop(page);
    const phase = page.getByRole('heading', { name: 'Writing the results' });
    await phase.waitFor();
    await network.cut();
    await page.getByText('The connection is lost').waitFor();
    await network.mend();
    await page.getByText('The connection is lost').waitFor({ state: 'hidden' });
    await page.reload();
    await phase.waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopping …').waitFor();
    training.release();
    await page.getByText(/The training was stopped/).waitFor();
    await shoot(page, 'stopped');
    await page.getByRole('button', { name: 'Go on' }).click();
    await allInFocus(page);
    await page.context().close();
    await network.close();
  });
});
