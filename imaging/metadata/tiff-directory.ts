/**
 * Directories of a TIFF file (TIFF 6.0 §2), which is also what EXIF is made of. A reader for untrusted bytes: nothing
 * throws, whatever does not lie within the bytes is left out, and every loop is bounded.
 */

/** One TIFF structure, all offsets relative to its first byte. */
export interface TiffBytes {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** Offset of the first directory. */
  readonly first: number;
}

/** One entry of a directory: its values lie at `offset`, within the bytes. */
export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly offset: number;
}

export type TiffDirectory = ReadonlyMap<number, TiffEntry>;

/** Bytes of one value by field type; 0: no such type. 1–12 are TIFF 6.0, 13 is IFD. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
/** No camera writes as many; a hostile directory can claim 65535. */
const MOST_ENTRIES = 1024;

/** The header of a TIFF structure; `undefined` when the bytes are none (BigTIFF, 43, included). */
export function openTiff(bytes: Uint8Array): TiffBytes | undefined {
  if (bytes.length < 8) return undefined;
  const littleEndian = bytes[0] === 0x49 && bytes[1] === 0x49;
  if (!littleEndian && !(bytes[0] === 0x4d && bytes[1] === 0x4d)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(2, littleEndian) !== 42) return undefined;
  return { view, littleEndian, first: view.getUint32(4, littleEndian) };
}

/** The directory at `offset`, without the entries that are broken; empty when there is none. */
export function readDirectory(tiff: TiffBytes, offset: number): TiffDirectory {
  const { view, littleEndian } = tiff;
  const entries = new Map<number, TiffEntry>();
  if (!(offset >= 0 && offset + 2 <= view.byteLength)) return entries;
  const claimed = Math.min(view.getUint16(offset, littleEndian), MOST_ENTRIES);
  const there = Math.min(claimed, Math.floor((view.byteLength - offset - 2) / 12));
  for (let i = 0; i < there; i++) {
    const at = offset + 2 + 12 * i;
    const tag = view.getUint16(at, littleEndian);
    const type = view.getUint16(at + 2, littleEndian);
    const count = view.getUint32(at + 4, littleEndian);
    const length = (TYPE_BYTES[type] ?? 0) * count;
    if (length === 0) continue;
    const values = length <= 4 ? at + 8 : view.getUint32(at + 8, littleEndian);
    if (values + length > view.byteLength || entries.has(tag)) continue;
    entries.set(tag, { tag, type, count, offset: values });
  }
  return entries;
}

/** Value `index` of an entry as a number, rationals divided; `undefined` when there is none or it is text. */
export function numberAt(tiff: TiffBytes, entry: TiffEntry | undefined, index = 0): number | undefined {
  if (!entry || index >= entry.count) return undefined;
  const { view, littleEndian } = tiff;
  const at = entry.offset + index * TYPE_BYTES[entry.type];
  switch (entry.type) {
    case 1:
    case 7:
      return view.getUint8(at);
    case 3:
      return view.getUint16(at, littleEndian);
    case 4:
    case 13:
      return view.getUint32(at, littleEndian);
    case 5:
      return view.getUint32(at, littleEndian) / view.getUint32(at + 4, littleEndian);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, littleEndian);
    case 9:
      return view.getInt32(at, littleEndian);
    case 10:
      return view.getInt32(at, littleEndian) / view.getInt32(at + 4, littleEndian);
    case 11:
      return view.getFloat32(at, littleEndian);
    case 12:
      return view.getFloat64(at, littleEndian);
    default:
      return undefined;
  }
}

/** The text of an entry up to its first NUL, printable ASCII only, trimmed; `undefined` when empty. */
export function textOf(tiff: TiffBytes, entry: TiffEntry | undefined, longest = 128): string | undefined {
  if (!entry || TYPE_BYTES[entry.type] !== 1) return undefined;
  let text = '';
  for (let i = 0; i < Math.min(entry.count, longest); i++) {
    const code = tiff.view.getUint8(entry.offset + i);
    if (code === 0) break;
    text += code >= 32 && code < 127 ? String.fromCharCode(code) : ' ';
  }
  return text.trim() || undefined;
}
