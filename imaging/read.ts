import sharp, { type Metadata, type Sharp } from 'sharp';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { encodeSrgbArray } from '../model/tone.js';
import { viewAs } from './bytes.js';
import { readCameraSettings } from './exif.js';
import { identifyFormat } from './format.js';
import { isSrgbProfile } from './icc.js';
import { type FrameFormat, type ImagingLimits, limitsWith, requireSize } from './limits.js';
import { type FileSource, loadSource, type NamedBytes } from './source.js';

export interface ReadOptions {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<ImagingLimits>;
}

/** A size in pixels, of the picture as it is looked at: after its EXIF orientation. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Reads one photograph: upright, in sRGB, three channels. 8-bit sources (CMYK among them) give 8 bits; 16-bit ones,
 * AVIF of 10 or 12 bits and floating-point TIFF, taken as linear light and encoded, give 16. sRGB samples come through
 * exact; other profiles are converted and clipped to sRGB. Grey is expanded, alpha dropped.
 *
 * @throws ImplicamError `file-…` (missing, empty, too large, unreadable, `file-corrupt` when damaged or cut short),
 * `format-unsupported`, `picture-too-small`, `picture-too-large`; each names the file and what to do.
 */
export async function readFrame(source: FileSource, options: ReadOptions = {}): Promise<Frame> {
  const limits = limitsWith(options.limits);
  return decodeFrame(await loadSource(source, limits), limits);
}

/** The size that `readFrame` would give, from the header alone. @throws ImplicamError as `readFrame`. */
export async function readFrameSize(source: FileSource, options: ReadOptions = {}): Promise<FrameSize> {
  const limits = limitsWith(options.limits);
  const { width, height } = await inspectFrame(await loadSource(source, limits), limits);
  return { width, height };
}

/** How samples leave the decoder: display-encoded integers, or floats that are linear light. */
type SampleKind = 'uint8' | 'uint16' | 'linear';

/** What the header of a photograph says, its size upright and within the limits. */
export interface FrameHeader extends FrameSize {
  readonly format: FrameFormat;
  readonly samples: SampleKind;
  readonly metadata: Metadata;
}

/** Reads and judges the header of a photograph. @throws ImplicamError as `readFrame`. */
export async function inspectFrame(file: NamedBytes, limits: ImagingLimits): Promise<FrameHeader> {
  const { name, bytes } = file;
  const format = identifyFormat(name, bytes);
  if (format === 'exr' || format === 'hdr') {
    throw new ImplicamError(
      'format-unsupported',
      `${name} is a linear ${format === 'exr' ? 'OpenEXR' : 'Radiance'} picture, not a photograph: export it as 16-bit TIFF or PNG`,
      { status: 415 },
    );
  }
  const metadata = await guarded(file, format, () => openWithoutLimit(bytes).metadata());
  const { width, height } = metadata.autoOrient;
  requireSize(name, width, height, limits);
  await requireSinglePicture(file, format, metadata);
  return { format, width, height, samples: sampleKind(name, metadata), metadata };
}

/** Decodes a photograph that is in memory. @throws ImplicamError as `readFrame`. */
export async function decodeFrame(file: NamedBytes, limits: ImagingLimits): Promise<Frame> {
  const header = await inspectFrame(file, limits);
  const { width, height, metadata } = header;
  const data = await guarded(file, header.format, () => decodeSamples(file.bytes, header, limits));
  if (data.length !== width * height * 3) {
    throw corrupt(file.name, header.format, `${data.length} samples in place of ${width * height * 3}`);
  }
  // sharp hands out EXIF of every format but TIFF, which is an EXIF structure itself.
  const exif = header.format === 'tiff' ? file.bytes : metadata.exif;
  return { name: file.name, width, height, data, camera: readCameraSettings(exif, metadata.xmp) };
}

/** Sizes are judged by `requireSize`, whose message names them. */
function openWithoutLimit(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: false });
}

const linearSpaces = new Set(['scrgb', 'b-w', 'rgb', 'srgb']);

function sampleKind(name: string, { depth, space }: Metadata): SampleKind {
  if (depth === 'uchar' || space === 'cmyk') return 'uint8';
  if (depth === 'ushort') return 'uint16';
  if (depth === 'float' || depth === 'double') return linearSpaces.has(space) ? 'linear' : 'uint16';
  throw new ImplicamError(
    'format-unsupported',
    `${name} has ${depth} samples, which no photograph has: export it with 8 or 16 bits a channel`,
    { status: 415 },
  );
}

/** Animations and stacks are refused; a TIFF may carry smaller pictures, its thumbnails, beside the first. */
async function requireSinglePicture(
  file: NamedBytes,
  format: FrameFormat,
  metadata: Metadata,
): Promise<void> {
  const pages = metadata.pages ?? 1;
  if (pages === 1) return;
  if (format === 'tiff') {
    const second = await guarded(file, format, () =>
      sharp(file.bytes, { limitInputPixels: false, page: 1 }).metadata(),
    );
    if (second.width !== metadata.width || second.height !== metadata.height) return;
  }
  throw new ImplicamError(
    'format-unsupported',
    `${file.name} holds ${pages} pictures: export each as a file of its own`,
    { status: 415 },
  );
}

async function decodeSamples(
  bytes: Uint8Array,
  header: FrameHeader,
  limits: ImagingLimits,
): Promise<Uint8Array | Uint16Array> {
  const { samples, metadata } = header;
  const convert = needsConversion(header);
  const upright = sharp(bytes, {
    limitInputPixels: limits.maxPixels,
    ignoreIcc: !convert,
  })
    .timeout({ seconds: limits.maxDecodeSeconds })
    .autoOrient()
    .removeAlpha();
  if (samples === 'uint8') return viewAs(Uint8Array, await upright.toColourspace('srgb').raw().toBuffer());
  if (samples === 'linear') {
    const grey = metadata.space === 'b-w';
    const pixels = upright.toColourspace(grey ? 'b-w' : 'scrgb').raw({ depth: 'float' });
    return quantiseLinear(viewAs(Float32Array, await pixels.toBuffer()), grey ? 3 : 1);
  }
  // sharp takes 16-bit RGB with a profile to Display P3, not to sRGB, and leaves it there unless told where to go.
  const converted = convert ? upright.withIccProfile('srgb') : upright;
  return viewAs(Uint16Array, await converted.toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer());
}

/** Whether samples pass through a colour profile, which moves even sRGB ones a little. */
function needsConversion({ samples, metadata }: FrameHeader): boolean {
  if (metadata.space === 'cmyk') return true;
  if (samples === 'linear' || metadata.space === 'grey16' || metadata.icc === undefined) return false;
  return !isSrgbProfile(metadata.icc);
}

/** Linear samples as 16-bit sRGB, each written `copies` times. */
function quantiseLinear(linear: Float32Array, copies: number): Uint16Array {
  const encoded = encodeSrgbArray(linear, linear);
  const out = new Uint16Array(encoded.length * copies);
  for (let i = 0, o = 0; i < encoded.length; i++) {
    const value = Math.round(encoded[i]! * 65535);
    for (let copy = 0; copy < copies; copy++) out[o++] = value;
  }
  return out;
}

/** Runs a step of decoding; whatever the decoder throws becomes `file-corrupt`. */
async function guarded<T>(file: NamedBytes, format: FrameFormat, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof ImplicamError) throw cause;
    throw corrupt(file.name, format, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function corrupt(name: string, format: FrameFormat, reason: string, cause?: unknown): ImplicamError {
  const line = reason.trim().split('\n', 1)[0]!.slice(0, 120);
  return new ImplicamError(
    'file-corrupt',
    `${name} is a damaged or incomplete ${format.toUpperCase()} file (${line}): copy it again from the camera`,
    { status: 422, cause },
  );
}
