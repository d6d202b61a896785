import type { Metadata, SharpOptions } from 'sharp';
import { ImplicamError } from '../model/errors.js';
import { type FrameFormat, frameFormats } from './frame-formats.js';
import type { NamedBytes } from './source.js';

/** What the steps of decoding a photograph share. */

/** A size in pixels, of the picture as it is looked at: after its EXIF orientation. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** How samples leave the decoder: display-encoded integers, or floats that are linear light. */
export type SampleKind = 'uint8' | 'uint16' | 'linear';

/** What the header of a photograph says, its size upright and within the limits. */
export interface FrameHeader extends FrameSize {
  readonly format: FrameFormat;
  readonly samples: SampleKind;
  readonly metadata: Metadata;
}

/**
 * How sharp opens a file. Warnings about a JPEG or PNG are of damage. Those about a TIFF are of tags that nobody knows, or that
 * are wrongly typed, as many programs write them: its pixels are whole.
 */
export function decoderOptions(format: FrameFormat, maxPixels: number | false): SharpOptions {
  return { limitInputPixels: maxPixels, failOn: format === 'tiff' ? 'error' : 'warning' };
}

/** Runs a step of decoding; whatever the decoder throws becomes `file-corrupt`. */
export async function guarded<T>(file: NamedBytes, format: FrameFormat, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof ImplicamError) throw cause;
    throw corrupt(file.name, format, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

export function corrupt(name: string, format: FrameFormat, reason: string, cause?: unknown): ImplicamError {
  const line = reason.trim().split('\n', 1)[0].slice(0, 120);
  return new ImplicamError(
    'file-corrupt',
    `${name} is a damaged or incomplete ${frameFormats[format].label} file (${line}): copy it again from the camera`,
    { status: 422, cause },
  );
}
