import { ImplicamError } from '../../model/errors.js';
import {
  appSegment,
  isApp,
  JpegMarker,
  type JpegParts,
  type JpegSegment,
  joinJpeg,
  splitJpeg,
  withSegments,
} from '../jpeg/segments.js';
import type { GainMapRange } from './gain-map.js';

/**
 * Two JPEG files in one: a picture for every display, and behind its end a gain map. There are three ways to find the
 * map and to read its numbers, and readers know one or two of them, so all are written:
 * ISO 21496-1, annex C (libultrahdr of today, browsers, Apple); the XMP of Adobe's "Gain Map" 1.0 with the directory of
 * Google's "Ultra HDR Image Format" 1.1 (Android 14, Chrome, Lightroom); and the index of CIPA DC-007, "Multi-Picture
 * Format", which says where the second picture lies.
 */

const ISO_NAME = 'urn:iso:std:iso:ts:21496:-1';
const XMP_NAME = 'http://ns.adobe.com/xap/1.0/';
const MPF_NAME = 'MPF';

/**
 * Puts a picture and its gain map into one file.
 *
 * @param base a JPEG file; its segments of EXIF and colour stay
 * @param map a JPEG file of the gain map
 */
export function joinUltraHdr(base: Uint8Array, map: Uint8Array, range: GainMapRange): Buffer {
  const second = joinJpeg(
    withSegments(plainParts(map), [
      // Some readers take a second picture's APP1 for EXIF where that is what it begins with.
      appSegment(JpegMarker.app2, ISO_NAME, isoNumbers(range)),
      appSegment(JpegMarker.app1, XMP_NAME, Buffer.from(mapXmp(range), 'utf8')),
    ]),
  );
  const withIndex = (index: Buffer): JpegParts =>
    withSegments(plainParts(base), [
      appSegment(JpegMarker.app1, XMP_NAME, Buffer.from(baseXmp(second.length), 'utf8')),
      appSegment(JpegMarker.app2, ISO_NAME, ISO_VERSION),
      appSegment(JpegMarker.app2, MPF_NAME, index),
    ]);
  // Where the index lies and how long the picture is does not depend on what stands in the index.
  const draft = withIndex(pictureIndex(0, 0, 0));
  const first = joinJpeg(draft).length;
  const index = pictureIndex(first, second.length, first - indexPlace(draft.segments));
  return Buffer.concat([joinJpeg(withIndex(index)), second]);
}

/** A JPEG file in parts, without what an earlier container may have left in it. */
function plainParts(bytes: Uint8Array): JpegParts {
  const parts = splitJpeg(bytes);
  if (!parts) throw new ImplicamError('encode-failed', 'a JPEG was written that is none', { status: 500 });
  const isOurs = (segment: JpegSegment) =>
    isApp(segment, JpegMarker.app1, XMP_NAME) ||
    isApp(segment, JpegMarker.app2, ISO_NAME) ||
    isApp(segment, JpegMarker.app2, MPF_NAME);
  return { ...parts, segments: parts.segments.filter((segment) => !isOurs(segment)) };
}

/** Least version of a reader and version of the writer: both the first. */
const ISO_VERSION = Buffer.alloc(4);
/** The gain is applied in the colour space of the base; one set of numbers stands for all channels. */
const IN_BASE_SPACE = 0x40;
/** Fractions of the numbers: those of `gainMap` are multiples of 1 / this. */
const PARTS = 2 ** 16;

/** The numbers of a gain map (ISO 21496-1, C.2.2), each as a numerator and a denominator of 32 bits. */
function isoNumbers({ minimum, maximum, offset, headroom }: GainMapRange): Buffer {
  // Headroom of base and light, then of the map minimum, maximum, gamma and both offsets.
  const numbers = [0, headroom, minimum, maximum, 1, offset, offset];
  const out = Buffer.alloc(5 + 8 * numbers.length);
  out.writeUInt8(IN_BASE_SPACE, 4);
  numbers.forEach((value, i) => {
    out.writeInt32BE(Math.round(PARTS * value), 5 + 8 * i);
    out.writeUInt32BE(PARTS, 9 + 8 * i);
  });
  return out;
}

function packet(spaces: Readonly<Record<string, string>>, attributes: string, content = ''): string {
  const names = Object.entries(spaces).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  const head = `<rdf:Description rdf:about=""${names.join('')} ${attributes}`;
  return (
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
    `${content ? `${head}>${content}</rdf:Description>` : `${head}/>`}</rdf:RDF></x:xmpmeta>`
  );
}

const HDRGM = { hdrgm: 'http://ns.adobe.com/hdr-gain-map/1.0/' };
const CONTAINER = {
  Container: 'http://ns.google.com/photos/1.0/container/',
  Item: 'http://ns.google.com/photos/1.0/container/item/',
};

/** The directory: the picture itself, and the map, so many bytes long, behind it. */
function baseXmp(mapBytes: number): string {
  const item = (attributes: string) =>
    `<rdf:li rdf:parseType="Resource"><Container:Item ${attributes} Item:Mime="image/jpeg"/></rdf:li>`;
  const items = `${item('Item:Semantic="Primary"')}${item(`Item:Semantic="GainMap" Item:Length="${mapBytes}"`)}`;
  return packet(
    { ...CONTAINER, ...HDRGM },
    'hdrgm:Version="1.0"',
    `<Container:Directory><rdf:Seq>${items}</rdf:Seq></Container:Directory>`,
  );
}

/** The numbers of the map, in stops where the standard has logarithms. */
function mapXmp({ minimum, maximum, offset, headroom }: GainMapRange): string {
  const numbers = {
    Version: '1.0',
    BaseRenditionIsHDR: 'False',
    GainMapMin: decimal(minimum),
    GainMapMax: decimal(maximum),
    Gamma: '1',
    OffsetSDR: decimal(offset),
    OffsetHDR: decimal(offset),
    HDRCapacityMin: '0',
    HDRCapacityMax: decimal(headroom),
  };
  const attributes = Object.entries(numbers).map(([name, value]) => `hdrgm:${name}="${value}"`);
  return packet(HDRGM, attributes.join(' '));
}

/** Without an exponent, which some readers do not take. */
const decimal = (value: number): string => value.toFixed(16).replace(/\.?0+$/, '');

const INDEX_ENTRIES = 3;
const MULTI_PICTURES = 8 + 2 + 12 * INDEX_ENTRIES + 4;
/** A picture of its own, the one to be shown ("baseline MP primary image"). */
const PRIMARY = 0x030000;

/**
 * The index of the pictures (CIPA DC-007 §5.2), a TIFF structure.
 *
 * @param first, second their lengths in bytes
 * @param offset of the second, counted from the beginning of this structure
 */
function pictureIndex(first: number, second: number, offset: number): Buffer {
  const out = Buffer.alloc(MULTI_PICTURES + 32);
  out.write('MM\0*', 'latin1');
  out.writeUInt32BE(8, 4);
  out.writeUInt16BE(INDEX_ENTRIES, 8);
  const entry = (i: number, tag: number, type: number, count: number) => {
    const at = 10 + 12 * i;
    out.writeUInt16BE(tag, at);
    out.writeUInt16BE(type, at + 2);
    out.writeUInt32BE(count, at + 4);
    return at + 8;
  };
  out.write('0100', entry(0, 0xb000, 7, 4), 'latin1');
  out.writeUInt32BE(2, entry(1, 0xb001, 4, 1));
  out.writeUInt32BE(MULTI_PICTURES, entry(2, 0xb002, 7, 32));
  // Attributes, length and offset; that of the first is 0 by definition.
  out.writeUInt32BE(PRIMARY, MULTI_PICTURES);
  out.writeUInt32BE(first, MULTI_PICTURES + 4);
  out.writeUInt32BE(second, MULTI_PICTURES + 20);
  out.writeUInt32BE(offset, MULTI_PICTURES + 24);
  return out;
}

/** Where the structure of the index begins in the file. */
function indexPlace(segments: readonly JpegSegment[]): number {
  let at = 2;
  for (const segment of segments) {
    if (isApp(segment, JpegMarker.app2, MPF_NAME)) return at + 4 + MPF_NAME.length + 1;
    at += 4 + segment.content.length;
  }
  return at;
}
