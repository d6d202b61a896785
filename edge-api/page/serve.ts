import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImplicamError } from '../../model/errors.js';

/** The files of the web page, as `bundle.mjs` makes them. */
export interface PageFile {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Answers requests for the web page; undefined for everything else. */
export type Pages = (request: Request) => Promise<Response | undefined>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Scripts and styles of ours alone, no markup made from text, no frames, no forms sent anywhere. Pictures come with a
 * key, so they are fetched and shown as blobs.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/**
 * The web page at `/` and its files below `/assets/`, for `Deps.pages`.
 *
 * @throws ImplicamError `viewer-missing` where there is no index.html among the files
 */
export function servePages(files: readonly PageFile[]): Pages {
  const served = new Map(files.map((file) => [pathOf(file), prepare(file)]));
  if (!served.has('/')) {
    throw new ImplicamError('viewer-missing', 'the web page has no index.html: run `npm run build`', {
      status: 500,
    });
  }
  return async ({ method, url, headers }) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const file = served.get(new URL(url).pathname);
    if (!file) return undefined;
    const known = headers.get('if-none-match') ?? '';
    const isKnown = known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === file.headers.etag);
    if (isKnown) return new Response(null, { status: 304, headers: file.headers });
    const length = { 'content-length': String(file.content.length) };
    const body = method === 'HEAD' ? null : file.content;
    return new Response(body, { headers: { ...file.headers, ...length } });
  };
}

const pathOf = ({ name }: PageFile): string => (name === 'index.html' ? '/' : `/assets/${name}`);

function prepare({ name, content }: PageFile) {
  // Names other than index.html hold the hash of their content.
  const lasts = name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable';
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22);
  const type = TYPES[extname(name)] ?? 'application/octet-stream';
  const headers = { ...HEADERS, 'content-type': type, 'cache-control': lasts, etag: `"${hash}"` };
  return { content, headers };
}

/**
 * Reads the files of the page: by default those that the build made.
 *
 * @throws ImplicamError `viewer-missing`
 */
export async function readPages(
  folder = fileURLToPath(new URL('assets/', import.meta.url)),
): Promise<PageFile[]> {
  try {
    const names = await readdir(folder);
    return await Promise.all(
      names.map(async (name) => ({ name, content: new Uint8Array(await readFile(join(folder, name))) })),
    );
  } catch (cause) {
    throw new ImplicamError('viewer-missing', `the web page is not in ${folder}: run \`npm run build\``, {
      status: 500,
      cause,
    });
  }
}
