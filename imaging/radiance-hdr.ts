import { ImplicamError } from '../model/errors.js';
import { createPicture, type Picture, type PictureOrigin } from '../model/picture.js';
import { type ImagingLimits, limitsWith, requireSize } from './limits.js';
import { exifText, localTime } from './metadata/write-exif.js';

/**
 * Radiance pictures (.hdr, .pic; Ward, "Real Pixels", Graphics Gems II, 1991): three 8-bit mantissas and a shared
 * exponent a pixel, value = mantissa · 2^(exponent − 136). Mantissas are rounded when written and taken as they are
 * when read: a sample is off by at most 1/256 of the largest channel of its pixel.
 */

export interface ReadHdrOptions {
  /** For messages. */
  readonly name?: string;
  readonly limits?: Partial<ImagingLimits>;
}

/**
 * Reads a Radiance picture: linear RGB (XYZ files are converted), upright and unmirrored. Samples are as stored: the
 * EXPOSURE of the header is not divided out, as in other readers.
 *
 * @throws ImplicamError `file-corrupt`, `format-unsupported`, `picture-too-small`, `picture-too-large`.
 */
export function decodeHdr(bytes: Uint8Array, options: ReadHdrOptions = {}): Picture {
  const name = options.name ?? 'the Radiance picture';
  const limits = limitsWith(options.limits);
  const { isXyz, resolution, end } = readHeader(name, bytes);
  const { lines, length, picture } = layOut(name, resolution, limits);
  // A line takes four bytes at least.
  if (bytes.length - end < 4 * lines.count) throw hdrCorrupt(name, 'it is cut short');
  const { data } = createPicture(picture.width, picture.height, 3);
  const line = new Uint8Array(4 * length.count);
  let at = end;
  for (let i = 0; i < lines.count; i++) {
    at = readLine(name, bytes, at, line);
    unpackLine(line, data, lines.start + length.start + i * lines.step, length.step);
  }
  if (isXyz) convertXyz(data);
  return { ...picture, channels: 3, data };
}

interface Header {
  readonly isXyz: boolean;
  /** Such as "-Y 480 +X 640": rows downwards, columns rightwards. */
  readonly resolution: string;
  readonly end: number;
}

/** Headers longer than this are no headers. */
const LONGEST_HEADER = 65536;

function readHeader(name: string, bytes: Uint8Array): Header {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LONGEST_HEADER)).toString(
    'latin1',
  );
  if (!/^#\?(RADIANCE|RGBE)\r?\n/.test(text)) throw hdrCorrupt(name, 'no Radiance header');
  const found = /\n\r?\n([^\n]*)\n/.exec(text);
  if (!found) throw hdrCorrupt(name, 'its header is cut short');
  const variables = text.slice(0, found.index);
  const format = /^FORMAT=\s*(\S+)/m.exec(variables)?.[1] ?? '32-bit_rle_rgbe';
  if (format !== '32-bit_rle_rgbe' && format !== '32-bit_rle_xyze') {
    throw new ImplicamError(
      'format-unsupported',
      `${name} has samples of the format ${format.slice(0, 40)}, which is not read: save it as RGBE`,
      { status: 415 },
    );
  }
  const resolution = found[1].trim();
  return { isXyz: format.endsWith('xyze'), resolution, end: found.index + found[0].length };
}

/** One of the two directions in which samples follow each other in the file. */
interface Direction {
  readonly count: number;
  /** Samples of the result from one to the next, and those before the first. */
  readonly step: number;
  readonly start: number;
}

interface Layout {
  readonly picture: { readonly width: number; readonly height: number };
  /** From line to line of the file, and along a line. */
  readonly lines: Direction;
  readonly length: Direction;
}

/** The first axis of the resolution goes from line to line; +Y points up, +X to the right. */
function layOut(name: string, resolution: string, limits: ImagingLimits): Layout {
  const found = /^([+-])([XY]) (\d{1,9}) ([+-])([XY]) (\d{1,9})$/.exec(resolution);
  if (!found || found[2] === found[5]) throw hdrCorrupt(name, 'its resolution is not understood');
  const counts = { [found[2]]: Number(found[3]), [found[5]]: Number(found[6]) } as { X: number; Y: number };
  requireSize(name, counts.X, counts.Y, limits);
  const direction = (sign: string, axis: string): Direction => {
    const count = axis === 'X' ? counts.X : counts.Y;
    const unit = axis === 'X' ? 3 : 3 * counts.X;
    const forward = (axis === 'X') === (sign === '+');
    return { count, step: forward ? unit : -unit, start: forward ? 0 : unit * (count - 1) };
  };
  return {
    picture: { width: counts.X, height: counts.Y },
    lines: direction(found[1], found[2]),
    length: direction(found[4], found[5]),
  };
}

/** Reads one line of pixels, in any of the three encodings; returns where the next begins. */
function readLine(name: string, bytes: Uint8Array, at: number, line: Uint8Array): number {
  const pixels = line.length / 4;
  if (at + 4 > bytes.length) throw hdrCorrupt(name, 'it is cut short');
  const isNew =
    bytes[at] === 2 && bytes[at + 1] === 2 && bytes[at + 2] < 128 && pixels >= 8 && pixels < 32768;
  if (!isNew) return readOldLine(name, bytes, at, line);
  if (((bytes[at + 2] << 8) | bytes[at + 3]) !== pixels)
    throw hdrCorrupt(name, 'a line has the wrong length');
  let next = at + 4;
  for (let component = 0; component < 4; component++)
    next = readComponent(name, bytes, next, line, component);
  return next;
}

/** Adaptive run lengths: a count above 128 repeats the next byte count − 128 times, another copies count bytes. */
function readComponent(
  name: string,
  bytes: Uint8Array,
  start: number,
  line: Uint8Array,
  component: number,
): number {
  let at = start;
  for (let o = component; o < line.length; ) {
    const code = bytes[at++] ?? 0;
    const isRun = code > 128;
    const count = isRun ? code - 128 : code;
    const end = o + 4 * count;
    if (count === 0 || end > line.length + 3 || at + (isRun ? 1 : count) > bytes.length) {
      throw hdrCorrupt(name, at >= bytes.length ? 'it is cut short' : 'a run leaves its line');
    }
    for (; o < end; o += 4) line[o] = isRun ? bytes[at] : bytes[at++];
    if (isRun) at++;
  }
  return at;
}

/** Plain pixels, where (1, 1, 1, n) repeats the pixel before it n times, shifted by 8 bits a consecutive repeat. */
function readOldLine(name: string, bytes: Uint8Array, start: number, line: Uint8Array): number {
  let at = start;
  let shift = 0;
  for (let o = 0; o < line.length; at += 4) {
    if (at + 4 > bytes.length) throw hdrCorrupt(name, 'it is cut short');
    const isRun = bytes[at] === 1 && bytes[at + 1] === 1 && bytes[at + 2] === 1;
    if (!isRun) {
      line.set(bytes.subarray(at, at + 4), o);
      o += 4;
      shift = 0;
      continue;
    }
    const count = bytes[at + 3] * 2 ** shift;
    if (o === 0 || o + 4 * count > line.length || shift > 16) throw hdrCorrupt(name, 'a run leaves its line');
    for (const end = o + 4 * count; o < end; o += 4) line.copyWithin(o, o - 4, o);
    shift += 8;
  }
  return at;
}

/** Weight of a mantissa by exponent; zero stands for black. */
const exponentScale = Float64Array.from({ length: 256 }, (_, e) => (e === 0 ? 0 : 2 ** (e - 136)));

function unpackLine(line: Uint8Array, data: Float32Array, start: number, step: number): void {
  for (let i = 0, o = start; i < line.length; i += 4, o += step) {
    const scale = exponentScale[line[i + 3]];
    data[o] = line[i] * scale;
    data[o + 1] = line[i + 1] * scale;
    data[o + 2] = line[i + 2] * scale;
  }
}

/** CIE XYZ to linear RGB with the primaries of sRGB (white D65), in place. */
function convertXyz(data: Float32Array): void {
  for (let i = 0; i < data.length; i += 3) {
    const [x, y, z] = [data[i], data[i + 1], data[i + 2]];
    data[i] = 3.2404542 * x - 1.5371385 * y - 0.4985314 * z;
    data[i + 1] = -0.969266 * x + 1.8760108 * y + 0.041556 * z;
    data[i + 2] = 0.0556434 * x - 0.2040259 * y + 1.0572252 * z;
  }
}

/**
 * A Radiance file of a linear picture with one channel (written grey) or three. Negative samples, NaN and
 * those below 6e-39 become 0, those above 1.7e38 that.
 *
 * @param origin of which the format takes program and time
 *
 * @throws ImplicamError `channels-invalid`.
 */
export function encodeHdr(picture: Picture, origin: PictureOrigin = {}): Uint8Array {
  const { width, height, channels, data } = picture;
  if (channels !== 1 && channels !== 3) {
    throw new ImplicamError(
      'channels-invalid',
      `a Radiance picture has 1 or 3 channels, not ${channels}: write it as EXR`,
    );
  }
  const { software = 'implicam', time, zone } = origin;
  const lines = [
    '#?RADIANCE',
    `SOFTWARE=${exifText(software)}`,
    ...(time === undefined ? [] : [`CAPDATE=${localTime(time, zone).date}`]),
    ...(channels === 3 ? [`PRIMARIES=${PRIMARIES}`] : []),
    'FORMAT=32-bit_rle_rgbe',
  ];
  const header = `${lines.join('\n')}\n\n-Y ${height} +X ${width}\n`;
  const parts: Uint8Array[] = [Buffer.from(header, 'latin1')];
  const planes = new Uint8Array(4 * width);
  for (let y = 0; y < height; y++) {
    packPixels(data.subarray(y * width * channels, (y + 1) * width * channels), channels, planes);
    // Only lines of these widths may be run-length coded. A plain pixel is never taken for a run, (1, 1, 1, n): the
    // largest mantissa of a pixel that is not black is 128 or more.
    parts.push(width >= 8 && width < 32768 ? packLine(planes) : interleave(planes));
  }
  return Buffer.concat(parts);
}

/** Of sRGB: red, green, blue and white, x and y. */
const PRIMARIES = '0.64 0.33 0.3 0.6 0.15 0.06 0.3127 0.329';
const LARGEST = 255 * 2 ** 119;
/** Below this the exponent does not fit: black. */
const SMALLEST = 2 ** -127;
/** By exponent + 128: what takes a value below 2^exponent to a mantissa. */
const mantissaScale = Float64Array.from({ length: 256 }, (_, e) => 2 ** (136 - e));
const largest = new Float32Array(1);
const largestBits = new Uint32Array(largest.buffer);

/** A line's mantissas and exponents as four planes: red, green, blue, exponent. */
function packPixels(samples: Float32Array, channels: 1 | 3, planes: Uint8Array): void {
  const width = planes.length / 4;
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  for (let x = 0, i = 0; x < width; x++, i += channels) {
    const r = samples[i] > 0 ? Math.min(samples[i], LARGEST) : 0;
    const g = samples[i + green] > 0 ? Math.min(samples[i + green], LARGEST) : 0;
    const b = samples[i + blue] > 0 ? Math.min(samples[i + blue], LARGEST) : 0;
    largest[0] = Math.max(r, g, b);
    let exponent = 0;
    if (largest[0] >= SMALLEST) {
      // The exponent of the float, 127 + floor(log2), on the scale of this format, 129 + floor(log2).
      exponent = (largestBits[0] >>> 23) + 2;
      // The largest mantissa may round up to 256.
      if (largest[0] * mantissaScale[exponent] >= 255.5) exponent++;
    }
    const scale = exponent === 0 ? 0 : mantissaScale[exponent];
    planes[x] = r * scale + 0.5;
    planes[width + x] = g * scale + 0.5;
    planes[2 * width + x] = b * scale + 0.5;
    planes[3 * width + x] = exponent;
  }
}

function interleave(planes: Uint8Array): Uint8Array {
  const width = planes.length / 4;
  return Uint8Array.from(planes, (_, i) => planes[(i & 3) * width + (i >> 2)]);
}

/** Runs shorter than this cost more than they save. */
const SHORTEST_RUN = 4;

/** A line in adaptive run lengths, plane after plane. */
function packLine(planes: Uint8Array): Uint8Array {
  const width = planes.length / 4;
  // At worst a count for every 128 literals.
  const out = new Uint8Array(4 + 4 * (width + Math.ceil(width / 128)));
  out.set([2, 2, width >> 8, width & 255]);
  let o = 4;
  for (let plane = 0; plane < 4; plane++) {
    const end = (plane + 1) * width;
    for (let at = plane * width; at < end; ) {
      // The next run worth writing, or the end.
      let run = at;
      let runEnd = at;
      for (; run < end; run = runEnd) {
        const value = planes[run];
        const most = Math.min(end, run + 127);
        runEnd = run + 1;
        while (runEnd < most && planes[runEnd] === value) runEnd++;
        if (runEnd - run >= SHORTEST_RUN) break;
      }
      while (at < run) {
        const count = Math.min(128, run - at);
        out[o++] = count;
        for (const stop = at + count; at < stop; at++) out[o++] = planes[at];
      }
      if (run < end) {
        out[o++] = 128 + runEnd - run;
        out[o++] = planes[run];
        at = runEnd;
      }
    }
  }
  return out.subarray(0, o);
}

function hdrCorrupt(name: string, reason: string): ImplicamError {
  return new ImplicamError(
    'file-corrupt',
    `${name} is a damaged or incomplete Radiance file (${reason}): write or copy it again`,
    { status: 422 },
  );
}
