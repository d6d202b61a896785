import { type Frame, fullScale, type Picture } from '../model/picture.js';
import { srgbSampleTable } from '../model/render/display-curves.js';
import { decodeFrame, decodeSamples, inspectFrame } from './decode.js';
import type { FrameSize } from './decoder.js';
import { decodeExr } from './exr/exr.js';
import { identifyFormat } from './format.js';
import { type ImagingLimits, limitsWith } from './limits.js';
import { decodeHdr } from './radiance-hdr.js';
import { type FileSource, loadSource } from './source.js';

export interface ReadOptions {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<ImagingLimits>;
  /** Told what was taken otherwise than one might think, one sentence at a time. */
  readonly onNote?: (note: string) => void;
}

/**
 * Reads one photograph: upright, in sRGB, three channels. 8-bit sources (CMYK among them) give 8 bits; 16-bit ones,
 * AVIF of 10 or 12 bits and floating-point TIFF, taken as linear light and encoded, give 16. sRGB samples come through
 * exact; other profiles are converted and clipped to sRGB. Grey is expanded; of alpha the mask is left.
 *
 * @throws ImplicamError `file-…` (missing, empty, too large, unreadable, `file-corrupt` when damaged or cut short),
 * `format-unsupported`, `picture-too-small`, `picture-too-large`; each names the file and what to do.
 */
export async function readFrame(source: FileSource, options: ReadOptions = {}): Promise<Frame> {
  const limits = limitsWith(options.limits);
  return decodeFrame(await loadSource(source, limits), limits, options.onNote);
}

/** The size that `readFrame` would give, from the header alone. @throws ImplicamError as `readFrame`. */
export async function readFrameSize(source: FileSource, options: ReadOptions = {}): Promise<FrameSize> {
  const limits = limitsWith(options.limits);
  const { width, height } = await inspectFrame(await loadSource(source, limits), limits);
  return { width, height };
}

export interface ReadPictureOptions extends ReadOptions {
  /** Channels of an OpenEXR file, by name; by default R, G, B, else Y, else the only one there is. */
  readonly channels?: readonly string[];
}

/**
 * Reads a picture of linear light (or depth, …): OpenEXR, Radiance and floating-point TIFF as stored, with as many
 * channels as they have; photographs as the linear light of their sRGB values, three channels, white at 1.
 *
 * @throws ImplicamError as `readFrame`, and `channel-missing`.
 */
export async function readPicture(source: FileSource, options: ReadPictureOptions = {}): Promise<Picture> {
  const limits = limitsWith(options.limits);
  const file = await loadSource(source, limits);
  const { name, bytes } = file;
  const format = identifyFormat(name, bytes);
  if (format === 'exr') return decodeExr(bytes, { name, limits, channels: options.channels });
  if (format === 'hdr') return decodeHdr(bytes, { name, limits });
  const header = await inspectFrame(file, limits);
  const { data, channels } = await decodeSamples(file, header, limits);
  const { width, height } = header;
  if (data instanceof Float32Array) return { width, height, channels, data };
  const table = srgbSampleTable(fullScale({ data }) as 255 | 65535);
  const linear = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) linear[i] = table[data[i]];
  return { width, height, channels, data: linear };
}
