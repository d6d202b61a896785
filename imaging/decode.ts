import sharp, { type Metadata } from 'sharp';
import { ImplicamError } from '../model/errors.js';
import type { Frame } from '../model/picture.js';
import { encodeSrgbArray } from '../model/render/display-curves.js';
import { viewAs } from './bytes.js';
import { corrupt, decoderOptions, type FrameHeader, guarded, type SampleKind } from './decoder.js';
import { identifyFormat, notAPhotograph } from './format.js';
import type { FrameFormat } from './frame-formats.js';
import { type ImagingLimits, requireSize } from './limits.js';
import { decodeMask } from './mask.js';
import { readCameraSettings, readOrigin } from './metadata/exif.js';
import { judgeProfile } from './metadata/icc.js';
import type { NamedBytes } from './source.js';

/** Reads and judges the header of a photograph. @throws ImplicamError as `readFrame`. */
export async function inspectFrame(file: NamedBytes, limits: ImagingLimits): Promise<FrameHeader> {
  const { name, bytes } = file;
  const format = identifyFormat(name, bytes);
  if (format === 'exr' || format === 'hdr') throw notAPhotograph(name, format);
  const metadata = await guarded(file, format, () => sharp(bytes, decoderOptions(format, false)).metadata());
  const { width, height } = metadata.autoOrient;
  requireSize(name, width, height, limits);
  await requireSinglePicture(file, format, metadata);
  return { format, width, height, samples: sampleKind(name, metadata), metadata };
}

/**
 * Decodes a photograph that is in memory.
 *
 * @param onNote told what was taken otherwise than one might think
 * @throws ImplicamError as `readFrame`.
 */
export async function decodeFrame(
  file: NamedBytes,
  limits: ImagingLimits,
  onNote?: (note: string) => void,
): Promise<Frame> {
  const header = await inspectFrame(file, limits);
  const { width, height, metadata } = header;
  const { data, channels } = await decodeSamples(file, header, limits);
  // sharp hands out EXIF of every format but TIFF, which is an EXIF structure itself.
  const exif = header.format === 'tiff' ? file.bytes : metadata.exif;
  const camera = readCameraSettings(exif, metadata.xmp);
  const encoded = data instanceof Float32Array ? quantiseLinear(data, channels === 1 ? 3 : 1) : data;
  const mask = await decodeMask(file, header, limits, onNote);
  const origin = readOrigin(exif, metadata.xmp);
  return { name: file.name, width, height, data: encoded, camera, origin, ...(mask ? { mask } : {}) };
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
      sharp(file.bytes, { ...decoderOptions(format, false), page: 1 }).metadata(),
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
  const { format, samples, metadata } = header;
  const convert = needsConversion(header);
  const upright = sharp(bytes, { ...decoderOptions(format, limits.maxPixels), ignoreIcc: !convert })
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
