import { ImplicamError } from '../../model/errors.js';
import { type ImagingLimits, requireSize } from '../limits.js';

/**
 * The header of an OpenEXR file ("OpenEXR File Layout", openexr.com): magic number, version, attributes, and the table
 * of chunk offsets behind them. Read from untrusted bytes: all that follows relies on what is checked here.
 */

export const EXR_MAGIC = 0x01312f76;

/** Sample types of a channel, as the file numbers them. */
export const ExrType = { uint: 0, half: 1, float: 2 } as const;
export type ExrType = (typeof ExrType)[keyof typeof ExrType];

export interface ExrChannel {
  readonly name: string;
  readonly type: ExrType;
}

/** A rectangle of samples, compressed as one. */
export interface ExrBlock {
  readonly width: number;
  readonly rows: number;
  readonly channels: readonly ExrChannel[];
}

/** Compressions by number; those without `lines` are not read. `lines`: rows of a chunk. */
const exrCompressions = [
  { name: 'none', lines: 1 },
  { name: 'rle', lines: 1 },
  { name: 'zips', lines: 1 },
  { name: 'zip', lines: 16 },
  { name: 'piz', lines: 32 },
  { name: 'pxr24', lines: 16 },
  { name: 'b44' },
  { name: 'b44a' },
  { name: 'dwaa' },
  { name: 'dwab' },
] as const;
export type ExrCompression = 'none' | 'rle' | 'zips' | 'zip' | 'piz' | 'pxr24';

export interface ExrHeader {
  /** Size of the data window, the part of the picture that has samples. */
  readonly width: number;
  readonly height: number;
  /** First row of the data window; chunks name rows counted from the display window. */
  readonly top: number;
  /** In the order of the file, which is that of the samples of a row. */
  readonly channels: readonly ExrChannel[];
  readonly compression: ExrCompression;
  /** Size of a tile, or the rows of a chunk and the full width. */
  readonly tiled: boolean;
  readonly chunkWidth: number;
  readonly chunkHeight: number;
  /** Where the table of chunk offsets begins. */
  readonly tableOffset: number;
}

const TILED = 0x200;
const DEEP = 0x800;
const MULTI_PART = 0x1000;
const MOST_CHANNELS = 128;
const LONGEST_NAME = 255;

/** Bytes of one sample of a channel. */
export function sampleBytes({ type }: ExrChannel): number {
  return type === ExrType.half ? 2 : 4;
}

/**
 * Parses and judges the header.
 *
 * @throws ImplicamError `file-corrupt` when it is damaged, `format-unsupported` for deep or multi-part files, B44 and
 * DWA compression and subsampled channels, `picture-too-small`, `picture-too-large`.
 */
export function readExrHeader(name: string, bytes: Uint8Array, limits: ImagingLimits): ExrHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 12 || view.getUint32(0, true) !== EXR_MAGIC) throw exrCorrupt(name, 'no OpenEXR header');
  const version = view.getUint32(4, true);
  if (version & (DEEP | MULTI_PART)) {
    throw unsupported(
      name,
      `has ${version & DEEP ? 'deep data' : 'several parts'}`,
      'save it as one flat picture',
    );
  }
  const { attributes, end } = readAttributes(name, view);
  const { width, height, top } = readDataWindow(name, attributes.get('dataWindow'));
  requireSize(name, width, height, limits);
  const channels = readChannels(name, attributes.get('channels'));
  const { compression, lines } = readCompression(name, attributes.get('compression'));
  const tile = version & TILED ? readTile(name, attributes.get('tiles')) : undefined;
  const chunkWidth = Math.min(width, tile?.width ?? width);
  const chunkHeight = Math.min(height, tile?.height ?? lines);
  const tiled = tile !== undefined;
  // Tiles name their place in units of the declared size, which may exceed the picture: there is one tile then.
  return { width, height, top, channels, compression, tiled, chunkWidth, chunkHeight, tableOffset: end };
}

/** Attribute values by name, and where the header ends. */
function readAttributes(name: string, view: DataView): { attributes: Map<string, DataView>; end: number } {
  const attributes = new Map<string, DataView>();
  let at = 8;
  const text = (): string => {
    const start = at;
    while (at < view.byteLength && view.getUint8(at) !== 0 && at - start <= LONGEST_NAME) at++;
    if (at >= view.byteLength || at - start > LONGEST_NAME) throw exrCorrupt(name, 'its header is cut short');
    const read = readText(view, start, at);
    at++;
    return read;
  };
  for (;;) {
    const attribute = text();
    if (attribute === '') return { attributes, end: at };
    text(); // its type, which the name implies
    if (at + 4 > view.byteLength) throw exrCorrupt(name, 'its header is cut short');
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > view.byteLength) throw exrCorrupt(name, `its attribute ${attribute} is cut short`);
    attributes.set(attribute, new DataView(view.buffer, view.byteOffset + at, length));
    at += length;
  }
}

function readText(view: DataView, start: number, end: number): string {
  return Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('latin1');
}

function readDataWindow(
  name: string,
  value: DataView | undefined,
): { width: number; height: number; top: number } {
  if (value?.byteLength !== 16) throw exrCorrupt(name, 'it has no data window');
  const [left, top, right, bottom] = [0, 4, 8, 12].map((at) => value.getInt32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  return { width: right - left + 1, height: bottom - top + 1, top };
}

function readChannels(name: string, value: DataView | undefined): ExrChannel[] {
  const channels: ExrChannel[] = [];
  let at = 0;
  while (value && at < value.byteLength && value.getUint8(at) !== 0) {
    const start = at;
    while (at < value.byteLength && value.getUint8(at) !== 0) at++;
    if (at + 17 > value.byteLength || channels.length >= MOST_CHANNELS) {
      throw exrCorrupt(name, 'its list of channels is damaged');
    }
    const channel = readText(value, start, at);
    const type = value.getInt32(at + 1, true);
    if (type !== ExrType.uint && type !== ExrType.half && type !== ExrType.float) {
      throw exrCorrupt(name, `its channel ${channel} has samples of unknown type ${type}`);
    }
    if (value.getInt32(at + 9, true) !== 1 || value.getInt32(at + 13, true) !== 1) {
      throw unsupported(name, `has the subsampled channel ${channel}`, 'save it as RGB');
    }
    channels.push({ name: channel, type });
    at += 17;
  }
  if (channels.length === 0) throw exrCorrupt(name, 'it has no channels');
  return channels;
}

function readCompression(
  name: string,
  value: DataView | undefined,
): { compression: ExrCompression; lines: number } {
  const found = exrCompressions[value?.byteLength === 1 ? value.getUint8(0) : -1];
  if (!found) throw exrCorrupt(name, 'its compression is unknown');
  if (!('lines' in found)) {
    throw unsupported(
      name,
      `is compressed with ${found.name.toUpperCase()}`,
      'save it with ZIP or PIZ compression',
    );
  }
  return { compression: found.name, lines: found.lines };
}

function readTile(name: string, value: DataView | undefined): { width: number; height: number } {
  if (value?.byteLength !== 9) throw exrCorrupt(name, 'it does not say how large its tiles are');
  const width = value.getUint32(0, true);
  const height = value.getUint32(4, true);
  if (width < 1 || height < 1) throw exrCorrupt(name, 'its tiles are empty');
  return { width, height };
}

export function exrCorrupt(name: string, reason: string, cause?: unknown): ImplicamError {
  return new ImplicamError(
    'file-corrupt',
    `${name} is a damaged or incomplete OpenEXR file (${reason}): write or copy it again`,
    { status: 422, cause },
  );
}

function unsupported(name: string, what: string, remedy: string): ImplicamError {
  return new ImplicamError('format-unsupported', `${name} ${what}, which is not read: ${remedy}`, {
    status: 415,
  });
}
