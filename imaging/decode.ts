import sharp, { type Metadata, type Sharp } from 'sharp';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { encodeSrgbArray } from '../model/render/display-curves.js';
import { viewAs } from './bytes.js';
import { identifyFormat } from './format.js';
import { type FrameFormat, frameFormats } from './frame-formats.js';
import { type ImagingLimits, requireSize } from './limits.js';
import { readCameraSettings, readOrigin } from './metadata/exif.js';
import { judgeProfile } from './metadata/icc.js';
import type { NamedBytes } from './source.js';

/** A size in pixels, of the picture as it is looked at: after its EXIF orientation. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
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
  const { data, channels } = await decodeSamples(file, header, limits);
  // sharp hands out EXIF of every format but TIFF, which is an EXIF structure itself.
  const exif = header.format === 'tiff' ? file.bytes : metadata.exif;
  const camera = readCameraSettings(exif, metadata.xmp);
  const encoded = data instanceof Float32Array ? quantiseLinear(data, channels === 1 ? 3 : 1) : data;
  const mask = await decodeMask(file, header, limits);
  const origin = readOrigin(exif, metadata.xmp);
  return { name: file.name, width, height, data: encoded, camera, origin, ...(mask ? { mask } : {}) };
}

/** From this share on a pixel is more opaque than transparent: what was photographed outweighs what was blended in. */
const OPAQUE = 0.5;

/** One byte a pixel, 0 where the file is transparent; undefined where it is opaque throughout. */
async function decodeMask(
  file: NamedBytes,
  { format, width, height, samples, metadata }: FrameHeader,
  limits: ImagingLimits,
): Promise<Uint8Array | undefined> {
  if (!metadata.hasAlpha) return undefined;
  const wide = samples !== 'uint8';
  const bytes = await guarded(file, format, () =>
    sharp(file.bytes, { limitInputPixels: limits.maxPixels })
      .timeout({ seconds: limits.maxDecodeSeconds })
      .autoOrient()
      .extractChannel('alpha')
      .toColourspace(wide ? 'grey16' : 'b-w')
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer(),
  );
  const alpha = wide ? viewAs(Uint16Array, bytes) : viewAs(Uint8Array, bytes);
  const least = OPAQUE * (wide ? 65535 : 255);
  if (alpha.length !== width * height) {
    throw corrupt(file.name, format, `${alpha.length} samples of alpha in place of ${width * height}`);
  }
  if (alpha.every((a) => a >= least)) return undefined;
  return Uint8Array.from(alpha, (a) => (a >= least ? 1 : 0));
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

/** Decoded samples: display-encoded RGB integers, or linear light as floats, grey or RGB. */
export interface DecodedSamples {
  readonly data: Uint8Array | Uint16Array | Float32Array;
  readonly channels: 1 | 3;
}

/** Decodes the samples of a photograph whose header was judged, upright. @throws ImplicamError `file-corrupt`. */
export async function decodeSamples(
  file: NamedBytes,
  header: FrameHeader,
  limits: ImagingLimits,
): Promise<DecodedSamples> {
  const { format, width, height, samples, metadata } = header;
  const channels = samples === 'linear' && metadata.space === 'b-w' ? 1 : 3;
  const data = await guarded(file, format, () => runDecoder(file.bytes, header, limits));
  if (data.length !== width * height * channels) {
    throw corrupt(file.name, format, `${data.length} samples in place of ${width * height * channels}`);
  }
  return { data, channels };
}

async function runDecoder(
  bytes: Uint8Array,
  header: FrameHeader,
  limits: ImagingLimits,
): Promise<DecodedSamples['data']> {
  const { samples, metadata } = header;
  const convert = needsConversion(header);
  const upright = sharp(bytes, { limitInputPixels: limits.maxPixels, ignoreIcc: !convert })
    .timeout({ seconds: limits.maxDecodeSeconds })
    .autoOrient()
    .removeAlpha();
  if (samples === 'uint8') return viewAs(Uint8Array, await upright.toColourspace('srgb').raw().toBuffer());
  if (samples === 'linear') {
    const space = metadata.space === 'b-w' ? 'b-w' : 'scrgb';
    return viewAs(Float32Array, await upright.toColourspace(space).raw({ depth: 'float' }).toBuffer());
  }
  // sharp takes 16-bit RGB with a profile to Display P3, not to sRGB, and leaves it there unless told where to go.
  const converted = convert ? upright.withIccProfile('srgb') : upright;
  return viewAs(Uint16Array, await converted.toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer());
}

/** Whether samples pass through a colour profile, which moves even sRGB ones a little. */
function needsConversion({ samples, metadata }: FrameHeader): boolean {
  if (metadata.space === 'cmyk') return true;
  if (samples === 'linear' || metadata.space === 'grey16' || metadata.icc === undefined) return false;
  return judgeProfile(metadata.icc) === 'other';
}

/** Linear samples as 16-bit sRGB, each written `copies` times. */
function quantiseLinear(linear: Float32Array, copies: number): Uint16Array {
  const encoded = encodeSrgbArray(linear, linear);
  const out = new Uint16Array(encoded.length * copies);
  for (let i = 0, o = 0; i < encoded.length; i++) {
    const value = Math.round(encoded[i] * 65535);
    for (let copy = 0; copy < copies; copy++) out[o++] = value;
  }
  return out;
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

function corrupt(name: string, format: FrameFormat, reason: string, cause?: unknown): ImplicamError {
  const line = reason.trim().split('\n', 1)[0].slice(0, 120);
  return new ImplicamError(
    'file-corrupt',
    `${name} is a damaged or incomplete ${frameFormats[format].label} file (${line}): copy it again from the camera`,
    { status: 422, cause },
  );
}
