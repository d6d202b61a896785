import sharp from 'sharp';
import type { CameraSettings } from '../model/picture.js';
import { inspectFrame } from './decode.js';
import { decoderOptions, guarded } from './decoder.js';
import type { FrameFormat } from './frame-formats.js';
import { type ImagingLimits, limitsWith } from './limits.js';
import { readCameraSettings } from './metadata/exif.js';
import { type FileSource, loadSource } from './source.js';

export interface Inspection {
  readonly format: FrameFormat;
  /** Upright. */
  readonly width: number;
  readonly height: number;
  readonly camera: CameraSettings;
  /** JPEG, upright, sRGB, without metadata. */
  readonly preview: Uint8Array;
}

/**
 * Judges a photograph from its header to its last byte without ever holding all its pixels, and makes a small picture
 * of it on the way.
 *
 * @param side most pixels along the longer side of the preview
 * @throws ImplicamError as `readFrame`
 */
export async function inspectPhotograph(
  source: FileSource,
  overrides: Partial<ImagingLimits>,
  side: number,
): Promise<Inspection> {
  const limits = limitsWith(overrides);
  const file = await loadSource(source, limits);
  const { format, width, height, metadata } = await inspectFrame(file, limits);
  const exif = format === 'tiff' ? file.bytes : metadata.exif;
  const preview = await guarded(file, format, () =>
    sharp(file.bytes, { ...decoderOptions(format, limits.maxPixels), sequentialRead: true })
      .timeout({ seconds: limits.maxDecodeSeconds })
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .jpeg({ quality: 80 })
      .toBuffer(),
  );
  return { format, width, height, camera: readCameraSettings(exif, metadata.xmp), preview };
}
