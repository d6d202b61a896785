import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import sharp from 'sharp';
import { ImplicamError } from '../model/errors.js';
import type { Picture, PictureOrigin } from '../model/picture.js';
import { encodeExr } from './exr/exr.js';
import { floatTiff } from './float-tiff.js';
import { encodeJpeg } from './jpeg/encode.js';
import { colourProfile } from './metadata/icc-profile.js';
import { withSrgbChunks } from './metadata/png-colour.js';
import { withTiffTags } from './metadata/tiff-tags.js';
import { exifFields, exifOf } from './metadata/write-exif.js';
import { encodeHdr } from './radiance-hdr.js';
import { openSamples, quantised } from './samples.js';
import { encodeUltraHdr } from './ultra-hdr/ultra-hdr.js';

/** What a picture can be written as. */
export interface ImageKindInfo {
  /** Extensions of its files, the usual one first. */
  readonly extensions: readonly string[];
  readonly mediaType: string;
  /** What samples are: display-encoded in [0, 1] (others are clipped), or linear light of any size. */
  readonly light: 'display' | 'linear';
  /** Whether it holds transparency. */
  readonly alpha: boolean;
}

/** Every kind of file that is written. An UltraHDR file is a JPEG, so its kind must be asked for by name. */
export const imageKinds = {
  png: { extensions: ['.png'], mediaType: 'image/png', light: 'display', alpha: true },
  jpeg: { extensions: ['.jpg', '.jpeg'], mediaType: 'image/jpeg', light: 'display', alpha: false },
  webp: { extensions: ['.webp'], mediaType: 'image/webp', light: 'display', alpha: true },
  avif: { extensions: ['.avif'], mediaType: 'image/avif', light: 'display', alpha: true },
  ultrahdr: { extensions: [], mediaType: 'image/jpeg', light: 'linear', alpha: false },
  tiff: { extensions: ['.tif', '.tiff'], mediaType: 'image/tiff', light: 'linear', alpha: true },
  exr: { extensions: ['.exr'], mediaType: 'image/x-exr', light: 'linear', alpha: true },
  hdr: { extensions: ['.hdr', '.pic'], mediaType: 'image/vnd.radiance', light: 'linear', alpha: false },
} as const satisfies Record<string, ImageKindInfo>;
export type ImageKind = keyof typeof imageKinds;

export interface EncodeOptions {
  /** Bits a channel of a PNG. @default 8 */
  readonly bits?: 8 | 16;
  /** Quality of JPEG, UltraHDR, WebP and AVIF, 1 to 100. @default 95, of AVIF 80 */
  readonly quality?: number;
  /** Resolution of colour in a JPEG. @default 4:4:4 */
  readonly chroma?: '4:4:4' | '4:2:0';
  /** WebP without loss. @default false */
  readonly lossless?: boolean;
  /** What the file says of its making: EXIF, in EXR and HDR attributes of their own. @default nothing */
  readonly origin?: PictureOrigin | undefined;
  /** What plain displays show of an UltraHDR, display-encoded in [0, 1]. @default the light up to white */
  readonly display?: Picture;
  /** Names of the channels of an EXR; by default Y, or R, G, B. */
  readonly channels?: readonly string[];
  /** Half floats in an EXR. @default false */
  readonly half?: boolean;
}

/**
 * A picture as a file's content. PNG, JPEG, WebP and AVIF take display-encoded samples in [0, 1]; UltraHDR, TIFF
 * (32-bit float), EXR and HDR linear light, where 1 is display white. One channel is grey, the fourth of four is
 * alpha; UltraHDR needs three. Files say what their colours are: the primaries of sRGB, with its curve or linear.
 *
 * @throws ImplicamError `channels-invalid`, `option-invalid`, `camera-invalid`, or `encode-failed` when the format
 * cannot hold the picture (WebP ends at 16383 pixels a side).
 */
export async function encodeImage(
  kind: ImageKind,
  picture: Picture,
  options: EncodeOptions = {},
): Promise<Uint8Array> {
  requireOptions(kind, options);
  if (kind === 'exr') return encodeExr(picture, options);
  if (kind === 'hdr') return encodeHdr(picture, options.origin);
  requireChannels(kind, picture);
  try {
    return await encodeWithSharp(kind, picture, options);
  } catch (cause) {
    if (cause instanceof ImplicamError) throw cause;
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new ImplicamError(
      'encode-failed',
      `a picture of ${picture.width} × ${picture.height} pixels could not be written as ${kind} (${reason}): try png or exr`,
      { status: 500, cause },
    );
  }
}

export interface WriteOptions extends EncodeOptions {
  /** The kind of file, where the extension does not tell. */
  readonly kind?: ImageKind;
}

/**
 * Writes a picture to a file, as what its extension says or as `kind`. The file appears whole or not at all: it is
 * written beside its place and then moved there.
 *
 * @throws ImplicamError as `encodeImage`, and `format-unsupported`, `write-failed`.
 */
export async function writeImage(path: string, picture: Picture, options: WriteOptions = {}): Promise<void> {
  const kind = options.kind ?? imageKindOf(path);
  await writeFileWhole(path, await encodeImage(kind, picture, options));
}

/** The kind of file that a path's extension asks for. @throws ImplicamError `format-unsupported`. */
export function imageKindOf(path: string): ImageKind {
  const extension = extname(path).toLowerCase();
  const kinds = Object.entries(imageKinds) as [ImageKind, ImageKindInfo][];
  const found = kinds.find(([, { extensions }]) => extensions.includes(extension));
  if (found) return found[0];
  const known = kinds.flatMap(([, { extensions }]) => extensions);
  throw new ImplicamError(
    'format-unsupported',
    `${path} ${extension ? `ends in ${extension}` : 'has no extension'}, which names no format that is written: use one of ${known.join(', ')}`,
    { exitCode: 2 },
  );
}

/** Writes a file so that it appears whole or not at all. @throws ImplicamError `write-failed`. */
export async function writeFileWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    const file = await open(partial, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const hint =
      code === 'ENOENT'
        ? `the folder ${dirname(path)} does not exist: make it first`
        : `${code}: check permissions and free space`;
    throw new ImplicamError('write-failed', `${path} could not be written (${hint})`, { status: 500, cause });
  }
}

function requireOptions(kind: ImageKind, { bits, quality }: EncodeOptions): void {
  const refuse = (message: string): never => {
    throw new ImplicamError('option-invalid', message, { exitCode: 2 });
  };
  if (!Object.hasOwn(imageKinds, kind)) {
    refuse(`${String(kind)} is no kind of file: use one of ${Object.keys(imageKinds).join(', ')}`);
  }
  if (quality !== undefined && !(Number.isInteger(quality) && quality >= 1 && quality <= 100)) {
    refuse(`the quality is ${quality}: give a whole number from 1 to 100`);
  }
  if (bits !== undefined && bits !== 8 && !(bits === 16 && kind === 'png')) {
    refuse(`${kind} is not written with ${bits} bits: use png with 8 or 16, or tiff or exr for floats`);
  }
}

/** Readers (libultrahdr) take no smaller sides. */
const SMALLEST_ULTRAHDR = 8;

function requireChannels(kind: ImageKind, { width, height, channels, data }: Picture): void {
  if (kind === 'ultrahdr' && Math.min(width, height) < SMALLEST_ULTRAHDR) {
    throw new ImplicamError(
      'picture-too-small',
      `a picture of ${width} × ${height} pixels cannot be written as ultrahdr: it begins at 8 × 8; use exr`,
    );
  }
  const isGreyAllowed = kind !== 'ultrahdr';
  const allowed = [...(isGreyAllowed ? [1] : []), 3, ...(imageKinds[kind].alpha ? [4] : [])];
  if (!allowed.includes(channels)) {
    throw new ImplicamError(
      'channels-invalid',
      `a picture of ${channels} channels cannot be written as ${kind}: it takes ${allowed.join(' or ')}; use exr`,
    );
  }
  if (data.length !== width * height * channels || data.length === 0) {
    throw new ImplicamError(
      'channels-invalid',
      `a picture of ${width} × ${height} × ${channels} has ${data.length} samples: it is not whole`,
    );
  }
}

async function encodeWithSharp(
  kind: Exclude<ImageKind, 'exr' | 'hdr'>,
  picture: Picture,
  options: EncodeOptions,
): Promise<Uint8Array> {
  const { quality = kind === 'avif' ? 80 : 95, bits = 8, chroma, display, origin } = options;
  if (kind === 'tiff') return encodeFloatTiff(picture, origin);
  if (kind === 'ultrahdr') return encodeUltraHdr(picture, { quality, display, origin });
  const samples = quantised(picture, bits);
  if (kind === 'jpeg') return encodeJpeg(samples, picture, { quality, chroma, origin });
  const image = openSamples(samples, picture);
  const described = origin ? image.withExif(exifOf(origin)) : image;
  if (kind === 'png') return withSrgbChunks(await described.png({ compressionLevel: 6 }).toBuffer());
  // These two have no grey; samples of 8 bits come through a profile of sRGB as they are.
  const profiled = described.withIccProfile('srgb');
  if (kind === 'webp') {
    return profiled.webp(options.lossless ? { lossless: true } : { quality }).toBuffer();
  }
  // Effort 4, sharp's default, takes nine times as long and gives files 8 % smaller.
  return profiled.avif({ quality, chromaSubsampling: '4:4:4', effort: 2 }).toBuffer();
}

/** Grey floats may be anything, a defocus map for one: they say nothing of colour. */
async function encodeFloatTiff(picture: Picture, origin: PictureOrigin | undefined): Promise<Uint8Array> {
  const grey = picture.channels === 1;
  const tiff = await sharp(floatTiff(picture), { limitInputPixels: false })
    .toColourspace(grey ? 'b-w' : 'scrgb')
    .tiff({ compression: 'deflate', predictor: 'float' })
    .toBuffer();
  return withTiffTags(
    tiff,
    origin ? exifFields(origin, 'linear') : [],
    grey ? undefined : colourProfile('linear', 3),
  );
}
