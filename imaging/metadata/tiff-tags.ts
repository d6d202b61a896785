import { assert } from '../../model/errors.js';
import type { ExifField } from './write-exif.js';

/**
 * Tags for a TIFF that was written without them (TIFF 6.0 §2): its first directory is written again behind its end, with
 * what is added, and the samples stay where they are.
 */

interface Tag {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: Buffer;
}

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
const UNDEFINED = 7;

const EXIF_DIRECTORY = 0x8769;
const GPS_DIRECTORY = 0x8825;
/** Versions that every directory of EXIF has, by their tags. */
const EXIF_VERSIONS = [
  [0x9000, '0232'],
  [0xa000, '0100'],
] as const;
const ICC_PROFILE = 0x8773;

/**
 * @param tiff little-endian, as libvips writes it here
 * @param profile of its colours; none for what is no colour
 * @returns the same picture, with tags; as it came where it is too long for more
 */
export function withTiffTags(
  tiff: Uint8Array,
  fields: readonly ExifField[],
  profile?: Uint8Array,
): Uint8Array {
  const source = Buffer.from(tiff.buffer, tiff.byteOffset, tiff.length);
  assert(source.readUInt32LE(0) === 0x002a4949, 'a little-endian TIFF');
  if (source.length > 2 ** 32 - 2 ** 17) return tiff;
  const parts: Buffer[] = [source, Buffer.alloc(source.length & 1)];
  let end = source.length + (source.length & 1);
  const place = (bytes: Buffer): number => {
    const at = end;
    parts.push(bytes, Buffer.alloc(bytes.length & 1));
    end += bytes.length + (bytes.length & 1);
    return at;
  };
  const of = (directory: ExifField['directory']): Tag[] =>
    fields.filter((field) => field.directory === directory).map(tagOf);
  const main = of('main');
  const detail = of('detail');
  if (detail.length > 0) {
    for (const [tag, version] of EXIF_VERSIONS) {
      detail.push({ tag, type: UNDEFINED, count: 4, bytes: Buffer.from(version, 'latin1') });
    }
    main.push(pointer(EXIF_DIRECTORY, place(directoryOf(detail.map((t) => entry(t, place))))));
  }
  const gps = of('gps');
  if (gps.length > 0) {
    main.push(pointer(GPS_DIRECTORY, place(directoryOf(gps.map((t) => entry(t, place))))));
  }
  if (profile) {
    const bytes = Buffer.from(profile);
    main.push({ tag: ICC_PROFILE, type: UNDEFINED, count: bytes.length, bytes });
  }
  const entries = main.map((t) => entry(t, place));
  const added = new Set(main.map(({ tag }) => tag));
  const first = place(
    directoryOf([...entriesOf(source).filter((e) => !added.has(e.readUInt16LE(0))), ...entries]),
  );
  const out = Buffer.concat(parts);
  out.writeUInt32LE(first, 4);
  return out;
}

/** The entries of the first directory, as they are: offsets in them count from the beginning of the file. */
function entriesOf(source: Buffer): Buffer[] {
  const at = source.readUInt32LE(4);
  const count = source.readUInt16LE(at);
  return Array.from({ length: count }, (_, i) => source.subarray(at + 2 + 12 * i, at + 14 + 12 * i));
}

function directoryOf(entries: readonly Buffer[]): Buffer {
  const sorted = [...entries].sort((a, b) => a.readUInt16LE(0) - b.readUInt16LE(0));
  const count = Buffer.alloc(2);
  count.writeUInt16LE(entries.length);
  return Buffer.concat([count, ...sorted, Buffer.alloc(4)]);
}

/** The twelve bytes of a tag; what does not fit into them is placed elsewhere. */
function entry({ tag, type, count, bytes }: Tag, place: (bytes: Buffer) => number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt16LE(tag, 0);
  out.writeUInt16LE(type, 2);
  out.writeUInt32LE(count, 4);
  if (bytes.length <= 4) bytes.copy(out, 8);
  else out.writeUInt32LE(place(bytes), 8);
  return out;
}

function tagOf({ tag, value }: ExifField): Tag {
  if (value.type === 'text') {
    const bytes = Buffer.from(`${value.text}\0`, 'latin1');
    return { tag, type: ASCII, count: bytes.length, bytes };
  }
  if (value.type === 'rationals') {
    const bytes = Buffer.concat(value.pairs.flat().map(uint32));
    return { tag, type: RATIONAL, count: value.pairs.length, bytes };
  }
  const short = value.type === 'short';
  const bytes = short ? uint32(value.number).subarray(0, 2) : uint32(value.number);
  return { tag, type: short ? SHORT : LONG, count: 1, bytes };
}

const pointer = (tag: number, to: number): Tag => ({ tag, type: LONG, count: 1, bytes: uint32(to) });

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
