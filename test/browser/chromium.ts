import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

/** Where Debian and others put it. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const found = PLACES.find((path) => path !== undefined && existsSync(path));

/** Why tests in a browser are skipped; undefined where there is one. */
export const noChromium =
  found === undefined ? 'no Chromium: apt-get install chromium, or set CHROMIUM to one' : undefined;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: found!,
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
    ],
  });
}

export interface WindowOptions {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  readonly touch?: boolean;
}

/** A window without memory of others. */
export function openWindow(browser: Browser, options: WindowOptions): Promise<BrowserContext> {
  const { width, height, dark = false, touch = false } = options;
  return browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: touch ? 2 : 1,
    hasTouch: touch,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    acceptDownloads: true,
    locale: 'en-GB',
  });
}
