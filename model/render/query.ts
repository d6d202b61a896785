import { z } from 'zod';
import { ImplicamError } from '../errors.js';
import { explainIssues } from '../issues.js';
import { RENDER_KIND_NAMES, renderKindsInWords } from './kinds.js';
import { type BakedScene, focusAt } from './render.js';

/**
 * What to render of a model. This schema is the one place where an option of `render`, its default and its
 * help text are declared, for the command line and for the service alike.
 */

/** What a render can be written as: all but the last four hold display values only. */
const RENDER_FORMATS = ['png', 'jpeg', 'webp', 'avif', 'ultrahdr', 'tiff', 'exr', 'hdr'] as const;

/** Largest side of a render: what the formats and memory allow. */
const MAX_SIDE = 16_384;

/** What holds linear light and nothing else: UltraHDR also holds what a display shows. */
const LINEAR_FORMATS: ReadonlySet<string> = new Set(['tiff', 'exr', 'hdr']);

export const renderQuerySchema = z
  .strictObject({
    kind: z.enum(RENDER_KIND_NAMES).default('all-in-focus').describe(renderKindsInWords),
    focus: z
      .number()
      .min(-100)
      .max(100)
      .optional()
      .describe('plane in focus, in focus units: −1 to 1 over the capture (refocus)'),
    tap: z
      .strictObject({ x: z.number().min(0), y: z.number().min(0) })
      .optional()
      .describe('pixel of the full picture to focus on (refocus)'),
    aperture: z
      .number()
      .min(0)
      .max(16)
      .default(1)
      .describe('relative aperture: 1 as the widest of the capture, 0 a pinhole (refocus)'),
    ev: z.number().min(-20).max(20).default(0).describe('exposure in stops on top of the reference'),
    tone: z
      .enum(['local', 'learned', 'srgb', 'filmic', 'linear'])
      .optional()
      .describe(
        "local: shadows and lights each exposed for themselves; learned: the camera's own response; linear: radiance as it is",
      ),
    width: z
      .int()
      .min(1)
      .max(MAX_SIDE)
      .optional()
      .describe('width of the result in pixels; default: as captured'),
    region: z
      .strictObject({
        x: z.int().min(0),
        y: z.int().min(0),
        width: z.int().min(1).max(MAX_SIDE),
        height: z.int().min(1).max(MAX_SIDE),
      })
      .optional()
      .describe('part of the picture, in its pixels; default: all of it'),
    format: z
      .enum(RENDER_FORMATS)
      .default('png')
      .describe(
        'tiff, exr and hdr hold linear light of any brightness; ultrahdr the picture and its lights above white',
      ),
  })
  .refine((q) => q.focus === undefined || q.tap === undefined, {
    message: 'give focus or tap, not both',
    path: ['tap'],
  })
  .refine((q) => q.kind === 'refocus' || (q.focus === undefined && q.tap === undefined), {
    message: 'focus and tap belong to kind refocus',
    path: ['kind'],
  });

/**
 * A complete render query, every default filled in. Without a tone it asks for what suits the photographs: local for a
 * bracket, learned for frames of one exposure (`localShare`, develop/render/display.ts).
 */
export type RenderQuery = z.output<typeof renderQuerySchema>;
/** What a person or a request writes: anything left out takes its default. */
export type RenderQueryInput = z.input<typeof renderQuerySchema>;

/** Reads a query; an ImplicamError names the first option that is wrong. */
export function parseRenderQuery(input: unknown): RenderQuery {
  const parsed = renderQuerySchema.safeParse(input);
  if (parsed.success) {
    const { tone, format } = parsed.data;
    return tone === undefined && LINEAR_FORMATS.has(format)
      ? { ...parsed.data, tone: 'linear' }
      : parsed.data;
  }
  const why = explainIssues(renderQuerySchema, input, parsed.error.issues);
  throw new ImplicamError('render-query', `cannot render: ${why}`, { exitCode: 2 });
}

/**
 * The focus a refocus query asks for: as given, that of the tapped pixel, or that of the middle of the picture. A tap
 * or region outside the picture is refused.
 */
export function resolveFocus(query: RenderQuery, scene: BakedScene): number {
  if (query.focus !== undefined) return query.focus;
  const { width, height } = scene;
  const tap = query.tap ?? { x: width / 2, y: height / 2 };
  if (tap.x >= width || tap.y >= height) {
    throw new ImplicamError(
      'render-query',
      `cannot focus on pixel (${tap.x}, ${tap.y}): the picture has ${width} × ${height} pixels, counted from 0`,
      { exitCode: 2 },
    );
  }
  return focusAt(scene, tap.x, tap.y);
}

/** The part of the picture that a query asks for: all of it where it names none. Refused where it leaves the picture. */
export function resolveRegion(
  query: RenderQuery,
  scene: { readonly width: number; readonly height: number },
): { x: number; y: number; width: number; height: number } {
  const { width, height } = scene;
  const region = query.region ?? { x: 0, y: 0, width, height };
  if (region.x + region.width > width || region.y + region.height > height) {
    throw new ImplicamError(
      'render-query',
      `cannot render the region ${region.width} × ${region.height} at (${region.x}, ${region.y}): the picture has ${width} × ${height} pixels`,
      { exitCode: 2 },
    );
  }
  return region;
}
