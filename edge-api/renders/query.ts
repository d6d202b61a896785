import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { ImplicamError } from '../../model/errors.js';
import { parseRenderQuery, type RenderQuery, renderQuerySchema } from '../../model/render/query.js';
import { refusal } from '../http/refusal.js';

/** Render queries as they stand in a URL, and what makes two of them the same. */

const { shape } = renderQuerySchema;
const number = (of: z.ZodType) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?(e-?\d+)?$/i, 'not a number')
    .optional()
    .describe(of.description ?? '');
const list = (names: string, of: z.ZodType) =>
  z
    .string()
    .regex(/^-?[\d.]+(,-?[\d.]+)+$/, `not ${names}`)
    .optional()
    .describe(`${of.description ?? ''}: ${names}`);

export const renderUrlQuery = z.strictObject({
  kind: shape.kind,
  focus: number(shape.focus),
  tap: list('x,y', shape.tap),
  aperture: number(shape.aperture),
  ev: number(shape.ev),
  tone: shape.tone.describe(
    `${shape.tone.description}; default: linear for tiff, exr and hdr, else what suits the photographs: local for brackets, learned for frames of one exposure`,
  ),
  width: number(shape.width),
  region: list('x,y,width,height', shape.region),
  format: shape.format.unwrap().optional().describe('default: the best that the Accept header takes'),
  model: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional()
    .describe('version of the model; default: the newest'),
});
export type RenderUrlQuery = z.infer<typeof renderUrlQuery>;

type Format = RenderQuery['format'];

/** Media type of each format. */
export const RENDER_TYPES: Readonly<Record<Format, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
  ultrahdr: 'image/jpeg',
  tiff: 'image/tiff',
  exr: 'image/x-exr',
  hdr: 'image/vnd.radiance',
};

/** Formats that negotiation chooses from. JPEG first: it is quickest by far, and everybody reads it. */
const NEGOTIABLE: readonly Format[] = ['jpeg', 'webp', 'png', 'avif', 'exr', 'tiff', 'hdr'];

/**
 * The complete query that a URL asks for.
 *
 * @param accept the Accept header, for a URL without a format
 * @returns the query, and whether its format was negotiated
 * @throws ImplicamError `render-query`; `not-acceptable` (406) where no format of ours is taken
 */
export function readRenderQuery(
  url: RenderUrlQuery,
  accept: string | undefined,
): { readonly query: RenderQuery; readonly negotiated: boolean } {
  const numbers = (text: string | undefined) => text?.split(',').map(Number);
  const [tapX, tapY, ...tapRest] = numbers(url.tap) ?? [];
  const [x, y, width, height, ...regionRest] = numbers(url.region) ?? [];
  if (tapRest.length > 0 || regionRest.length > 0) {
    throw refusal(400, 'render-query', 'cannot render: tap is x,y and region is x,y,width,height');
  }
  const scalar = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const given = {
    kind: url.kind,
    focus: scalar(url.focus),
    tap: url.tap === undefined ? undefined : { x: tapX, y: tapY },
    aperture: scalar(url.aperture),
    ev: scalar(url.ev),
    tone: url.tone,
    width: scalar(url.width),
    region: url.region === undefined ? undefined : { x, y, width, height },
    format: url.format ?? negotiate(accept),
  };
  try {
    return { query: parseRenderQuery(given), negotiated: url.format === undefined };
  } catch (error) {
    if (error instanceof ImplicamError) throw refusal(400, error.code, error.message);
    throw error;
  }
}

/** The format that a client likes best, ties by our own order (RFC 9110 §12.5.1). */
function negotiate(accept: string | undefined): Format {
  if (!accept?.trim()) return 'jpeg';
  const ranges = accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const q = parameters.find((text) => text.startsWith('q='))?.slice(2);
    return { type, weight: q === undefined ? 1 : Number(q) || 0 };
  });
  const weightOf = (type: string): number => {
    const [group] = type.split('/');
    for (const range of [type, `${group}/*`, '*/*']) {
      const found = ranges.find((r) => r.type === range);
      if (found) return found.weight;
    }
    return 0;
  };
  let best: { format: Format; weight: number } | undefined;
  for (const format of NEGOTIABLE) {
    const weight = weightOf(RENDER_TYPES[format]);
    if (weight > 0 && weight > (best?.weight ?? 0)) best = { format, weight };
  }
  if (best) return best.format;
  const types = NEGOTIABLE.map((format) => RENDER_TYPES[format]).join(', ');
  throw refusal(406, 'not-acceptable', `renders come as ${types}: accept one of them, or name a format`);
}

/** SHA-256 of a query, the same for all ways of writing it. */
export function queryHash(query: RenderQuery): Buffer {
  const sorted = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return Object.fromEntries(
      entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, v]) => [key, sorted(v)]),
    );
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(query)))
    .digest();
}
