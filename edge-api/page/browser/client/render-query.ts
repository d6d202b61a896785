import { apertureOf } from '../ui/format.js';

/** What is looked at. Points are shares of width and height, 0 to 1 from the upper left. */
export interface Look {
  readonly kind: 'all-in-focus' | 'refocus' | 'depth';
  readonly point: { readonly x: number; readonly y: number };
  /** Stops wider (positive) than the widest opening of the capture. */
  readonly opening: number;
  readonly ev: number;
  /** auto: what suits the photographs. */
  readonly tone: 'auto' | 'local' | 'learned' | 'filmic' | 'srgb';
}

export const FIRST_LOOK: Look = {
  kind: 'all-in-focus',
  point: { x: 0.5, y: 0.5 },
  opening: 0,
  ev: 0,
  tone: 'auto',
};

export interface RenderTarget {
  readonly session: string;
  readonly model: number;
  /** Size of the photographs in pixels. */
  readonly width: number;
  readonly height: number;
}

export type RenderFormat = 'jpeg' | 'png' | 'ultrahdr' | 'exr';

/**
 * The address of a render.
 *
 * @param pixels width of the result; undefined: as captured
 */
export function renderPath(target: RenderTarget, look: Look, format: RenderFormat, pixels?: number): string {
  const { session, model, width, height } = target;
  const query = new URLSearchParams({ kind: look.kind, format, model: String(model) });
  if (look.kind === 'refocus') {
    const pixel = (share: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
    query.set('tap', `${pixel(look.point.x, width)},${pixel(look.point.y, height)}`);
    query.set('aperture', String(apertureOf(look.opening)));
  }
  if (look.kind !== 'depth' && look.ev !== 0) query.set('ev', String(look.ev));
  // What holds light of any brightness takes no curve.
  const takesCurve = look.kind !== 'depth' && format !== 'exr' && format !== 'ultrahdr';
  if (takesCurve && look.tone !== 'auto') query.set('tone', look.tone);
  if (pixels !== undefined && pixels < width) query.set('width', String(pixels));
  return `/v1/sessions/${session}/render?${query}`;
}

/** Widths that are asked for, so that windows of all sizes share cached renders. */
const WIDTH_STEP = 320;

/** Pixels that a picture shown `cssWidth` wide needs; undefined where the photographs have no more. */
export function pixelsFor(cssWidth: number, density: number, width: number): number | undefined {
  const needed = Math.ceil((cssWidth * Math.min(2, Math.max(1, density))) / WIDTH_STEP) * WIDTH_STEP;
  return needed > 0 && needed < width ? needed : undefined;
}
