import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleViewer } from './bundle.mjs';
import { type PageFile, type Pages, readPages, servePages } from './serve.js';

let folder: string;
let files: PageFile[];
let pages: Pages;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'implicam-page-'));
  await bundleViewer(folder);
  files = await readPages(folder);
  pages = servePages(files);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const get = (path: string, headers = {}, method = 'GET') =>
  pages(new Request(`http://host${path}`, { method, headers }));

test('the page names files that are there, each with its type, for ever', async () => {
  const page = (await get('/'))!;
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const html = await page.text();
  const named = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  expect(named).toHaveLength(files.length - 1);
  const types = [];
  for (const path of named) {
    const file = (await get(path))!;
    expect(file.headers.get('cache-control')).toMatch(/immutable/);
    expect(Number(file.headers.get('content-length'))).toBe((await file.arrayBuffer()).byteLength);
    types.push(file.headers.get('content-type'));
  }
  expect(types.sort()).toEqual([
    'image/svg+xml',
    'text/css; charset=utf-8',
    'text/javascript; charset=utf-8',
  ]);
});

test('the page holds to its own policy: nothing inline, nothing from elsewhere', async () => {
  const page = (await get('/'))!;
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  const html = await page.text();
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?:\/\//i);
  const script = files.find(({ name }) => name.endsWith('.js'))!;
  const text = new TextDecoder().decode(script.content);
  expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
});

test('a page that the browser has is not sent again', async () => {
  const etag = (await get('/'))!.headers.get('etag')!;
  const again = (await get('/', { 'if-none-match': `W/${etag}, "other"` }))!;
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect((await get('/', { 'if-none-match': '"other"' }))!.status).toBe(200);
});

test('HEAD has no body; nothing else is answered', async () => {
  const head = (await get('/', {}, 'HEAD'))!;
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
  for (const path of ['/index.html', '/assets/', '/assets/../pages.ts', '/assets/none.js', '/v1/sessions']) {
    expect(await get(path)).toBeUndefined();
  }
  expect(await get('/', {}, 'POST')).toBeUndefined();
});

test('a page that was not built is told, with the remedy', async () => {
  await expect(readPages(join(folder, 'nowhere'))).rejects.toMatchObject({
    code: 'viewer-missing',
    message: expect.stringContaining('npm run build'),
  });
  expect(() => servePages([])).toThrow(/index\.html/);
});
