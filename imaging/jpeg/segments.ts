/**
 * The segments of a JPEG file (ITU-T T.81, annex B): what stands before the samples. Pure functions on bytes; a reader
 * for files from anywhere, so nothing is read beyond the end.
 */

/** One segment: the second byte of its marker, and its content without marker and length. */
export interface JpegSegment {
  readonly marker: number;
  readonly content: Uint8Array;
}

/** A JPEG file in parts. */
export interface JpegParts {
  /** Those before the samples, in their order. */
  readonly segments: readonly JpegSegment[];
  /** From the first start of scan to the end. */
  readonly samples: Uint8Array;
}

export const JpegMarker = { app0: 0xe0, app1: 0xe1, app2: 0xe2, comment: 0xfe } as const;

const START = 0xd8;
const SCAN = 0xda;

/** Takes a JPEG file apart; undefined where the bytes are none, or end before the samples. */
export function splitJpeg(bytes: Uint8Array): JpegParts | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint16(0) !== 0xff00 + START) return undefined;
  const segments: JpegSegment[] = [];
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    // Any number of bytes 255 may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SCAN) return { segments, samples: bytes.subarray(at) };
    const end = at + 2 + view.getUint16(at + 2);
    if (end < at + 4 || end > bytes.length) return undefined;
    segments.push({ marker, content: bytes.subarray(at + 4, end) });
    at = end;
  }
  return undefined;
}

/** Puts a JPEG file together: what `splitJpeg` would take apart into the same. */
export function joinJpeg({ segments, samples }: JpegParts): Buffer {
  const parts: Uint8Array[] = [Buffer.of(0xff, START)];
  for (const { marker, content } of segments) {
    const head = Buffer.of(0xff, marker, 0, 0);
    head.writeUInt16BE(content.length + 2, 2);
    parts.push(head, content);
  }
  return Buffer.concat([...parts, samples]);
}

/** A segment of an application: its content begins with a name, which ends in a NUL. */
export function appSegment(marker: number, name: string, ...content: Uint8Array[]): JpegSegment {
  return { marker, content: Buffer.concat([Buffer.from(`${name}\0`, 'latin1'), ...content]) };
}

/** Whether a segment is that of an application. */
export function isApp({ marker, content }: JpegSegment, wanted: number, name: string): boolean {
  const length = name.length + 1;
  const begins = Buffer.from(content.buffer, content.byteOffset, Math.min(length, content.length));
  return marker === wanted && begins.toString('latin1') === `${name}\0`;
}

/** Name of the segments that hold a colour profile (ICC.1:2010, annex B.4). */
const ICC_NAME = 'ICC_PROFILE';

/** A colour profile that fits into one segment. */
export function profileSegment(profile: Uint8Array): JpegSegment {
  return appSegment(JpegMarker.app2, ICC_NAME, Buffer.of(1, 1), profile);
}

/** Adds segments to a JPEG file, behind those of JFIF and EXIF, which readers expect first. */
export function withSegments(jpeg: JpegParts, added: readonly JpegSegment[]): JpegParts {
  const isFirst = ({ marker }: JpegSegment) => marker === JpegMarker.app0 || marker === JpegMarker.app1;
  const first = jpeg.segments.filter(isFirst);
  const rest = jpeg.segments.filter((segment) => !isFirst(segment));
  return { ...jpeg, segments: [...first, ...added, ...rest] };
}
