import sharp from 'sharp';
import { viewAs } from './bytes.js';
import { corrupt, decoderOptions, type FrameHeader, guarded } from './decoder.js';
import type { ImagingLimits } from './limits.js';
import { numberAt, openTiff, readDirectory } from './metadata/tiff-directory.js';
import type { NamedBytes } from './source.js';

/**
 * Which pixels of a photograph were measured, told by its alpha. A pixel that is transparent in part is none: it was mixed
 * with what lies behind it, or with pixels outside the picture when it was resampled, and whether its colour is weighted by
 * its alpha already is not always declared.
 */

/** From this share of the most opaque pixel on a pixel counts as opaque: rounding, and a mixture of less than a code. */
const OPAQUE = 0.996;

/** What else a file without a declaration may hold beside colours is not almost everywhere full or nothing. */
const LIKE_ALPHA = 0.9;

/** TIFF 6.0, section 18. */
const EXTRA_SAMPLES = 338;

/** One byte a pixel, 0 where nothing was measured; undefined where the file is opaque throughout or has no alpha. */
export async function decodeMask(
  file: NamedBytes,
  header: FrameHeader,
  limits: ImagingLimits,
  onNote?: (note: string) => void,
): Promise<Uint8Array | undefined> {
  if (!header.metadata.hasAlpha) return undefined;
  const alpha = await decodeAlpha(file, header, limits);
  const full = alpha instanceof Uint16Array ? 65535 : 255;
  if (header.format === 'tiff' && !declaresAlpha(file.bytes)) {
    const like = looksLikeAlpha(alpha, full);
    if (!like) {
      onNote?.(
        'the channel beside the colours is not declared, and does not look like transparency: left out',
      );
      return undefined;
    }
    if (alpha.some((a) => a < full)) {
      onNote?.('the channel beside the colours is not declared: taken for transparency, as it looks like it');
    }
  }
  let most = 0;
  for (const a of alpha) most = Math.max(most, a);
  // Opaque in its own terms; where all of it is transparent, alpha says nothing.
  const least = OPAQUE * most;
  if (alpha.every((a) => a >= least)) return undefined;
  return Uint8Array.from(alpha, (a) => (a >= least ? 1 : 0));
}

async function decodeAlpha(
  file: NamedBytes,
  { format, width, height, samples }: FrameHeader,
  limits: ImagingLimits,
): Promise<Uint8Array | Uint16Array> {
  const wide = samples !== 'uint8';
  const bytes = await guarded(file, format, () =>
    sharp(file.bytes, decoderOptions(format, limits.maxPixels))
      .timeout({ seconds: limits.maxDecodeSeconds })
      .autoOrient()
      .extractChannel('alpha')
      .toColourspace(wide ? 'grey16' : 'b-w')
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer(),
  );
  const alpha = wide ? viewAs(Uint16Array, bytes) : viewAs(Uint8Array, bytes);
  if (alpha.length === width * height) return alpha;
  throw corrupt(file.name, format, `${alpha.length} samples of alpha in place of ${width * height}`);
}

/** Whether a TIFF says that its further channel is alpha: associated (1) or not (2). BigTIFF is taken at libtiff's word. */
function declaresAlpha(bytes: Uint8Array): boolean {
  const tiff = openTiff(bytes);
  if (!tiff) return true;
  const kind = numberAt(tiff, readDirectory(tiff, tiff.first).get(EXTRA_SAMPLES));
  return kind === 1 || kind === 2;
}

/** Alpha is full or nothing but at edges; the infrared of a scanner or a depth map is not. Zero throughout is padding. */
function looksLikeAlpha(alpha: Uint8Array | Uint16Array, full: number): boolean {
  let [clear, opaque] = [0, 0];
  for (const a of alpha) {
    if (a === 0) clear++;
    else if (a === full) opaque++;
  }
  return opaque > 0 && clear + opaque >= LIKE_ALPHA * alpha.length;
}
