import type { Exif } from 'sharp';
import { ImplicamError } from '../../model/errors.js';
import type { PictureOrigin } from '../../model/picture.js';

/**
 * What results say of their making, as EXIF 2.32 (CIPA DC-008). Pictures here are upright, and say so. The
 * fields are listed once; sharp writes them into most formats, `tiff-tags.ts` into TIFF.
 */

/** Directories of an EXIF structure: of the picture, of its exposure, of its place. */
export type ExifDirectory = 'main' | 'detail' | 'gps';

/** One field: its EXIF name and tag, and what it holds; rationals as pairs of a numerator and a denominator. */
export interface ExifField {
  readonly directory: ExifDirectory;
  readonly name: string;
  readonly tag: number;
  readonly value:
    | { readonly type: 'text'; readonly text: string }
    | { readonly type: 'short' | 'long'; readonly number: number }
    | { readonly type: 'rationals'; readonly pairs: readonly (readonly [number, number])[] };
}

/** Longest text that is written. */
const LONGEST_TEXT = 128;

/** Text as EXIF has it: one line of printable ASCII, of bounded length; empty where nothing of that is left. */
export function exifText(text: string): string {
  return text
    .replace(/[^ -~]+/g, ' ')
    .slice(0, LONGEST_TEXT)
    .trim();
}

/**
 * The fields that describe a picture; `readCameraSettings` and `readOrigin` read the same values back (rationals to one
 * part in 2^31, the time to the millisecond).
 *
 * @param colours how the samples of the picture hold light
 * @throws ImplicamError `camera-invalid` when a value is not positive and finite, or the time before 1970.
 */
export function exifFields(origin: PictureOrigin, colours: 'srgb' | 'linear' = 'srgb'): ExifField[] {
  requirePositive(origin);
  const fields: ExifField[] = [];
  const put = (directory: ExifDirectory, name: string, tag: number, value: ExifField['value']): void => {
    fields.push({ directory, name, tag, value });
  };
  const text = (directory: ExifDirectory, name: string, tag: number, words: string | undefined): void => {
    const clean = words === undefined ? '' : exifText(words);
    if (clean !== '') put(directory, name, tag, { type: 'text', text: clean });
  };
  const rational = (name: string, tag: number, value: number | undefined): void => {
    if (value !== undefined) put('detail', name, tag, { type: 'rationals', pairs: [fraction(value)] });
  };
  text('main', 'Make', 0x010f, origin.make);
  text('main', 'Model', 0x0110, origin.model ?? origin.camera);
  put('main', 'Orientation', 0x0112, { type: 'short', number: 1 });
  text('main', 'Software', 0x0131, origin.software ?? 'implicam');
  rational('ExposureTime', 0x829a, origin.exposureTime);
  rational('FNumber', 0x829d, origin.fNumber);
  if (origin.iso !== undefined) {
    const iso = Math.round(origin.iso);
    put('detail', 'ISOSpeedRatings', 0x8827, { type: 'short', number: Math.min(65535, iso) });
    if (iso >= 65535) put('detail', 'ISOSpeed', 0x8833, { type: 'long', number: iso });
  }
  if (origin.time !== undefined) putTime(text, origin.time, origin.zone);
  rational('SubjectDistance', 0x9206, origin.focusDistance);
  rational('FocalLength', 0x920a, origin.focalLength);
  put('detail', 'ColorSpace', 0xa001, { type: 'short', number: colours === 'srgb' ? 1 : UNCALIBRATED });
  text('detail', 'LensMake', 0xa433, origin.lensMake);
  text('detail', 'LensModel', 0xa434, origin.lens);
  if (origin.place) fields.push(...placeFields(origin.place));
  return fields;
}

/** Any colour space but sRGB: a profile says which. */
const UNCALIBRATED = 0xffff;

const MEASURES = ['exposureTime', 'fNumber', 'iso', 'focalLength', 'focusDistance', 'time'] as const;

function requirePositive(origin: PictureOrigin): void {
  for (const name of MEASURES) {
    const value = origin[name];
    if (value === undefined || (name === 'focusDistance' && value === Number.POSITIVE_INFINITY)) continue;
    if (value > 0 && value < (name === 'time' ? 1e14 : 1e9)) continue;
    throw new ImplicamError('camera-invalid', `the camera's ${name} is ${value}: give a positive number`);
  }
}

/** Date and time as the camera's clock showed them, and its zone where that is known. */
export function localTime(time: number, zone = 0): { date: string; fraction: string } {
  const text = new Date(time + 60_000 * zone).toISOString();
  return {
    date: `${text.slice(0, 10).replaceAll('-', ':')} ${text.slice(11, 19)}`,
    fraction: text.slice(20, 23),
  };
}

type PutText = (directory: ExifDirectory, name: string, tag: number, words: string) => void;

function putTime(text: PutText, time: number, zone: number | undefined): void {
  const { date, fraction } = localTime(time, zone);
  text('detail', 'DateTimeOriginal', 0x9003, date);
  if (zone !== undefined) {
    const size = Math.abs(Math.round(zone));
    const two = (n: number) => String(n).padStart(2, '0');
    const sign = zone < 0 ? '-' : '+';
    text('detail', 'OffsetTimeOriginal', 0x9011, `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`);
  }
  text('detail', 'SubSecTimeOriginal', 0x9291, fraction);
}

/** The place; an altitude below the sea is left out: sharp cannot write the byte that would say so. */
function placeFields({ latitude, longitude, altitude }: NonNullable<PictureOrigin['place']>): ExifField[] {
  const field = (name: string, tag: number, value: ExifField['value']): ExifField => {
    return { directory: 'gps', name, tag, value };
  };
  const letter = (text: string) => ({ type: 'text', text }) as const;
  const rationals = (...pairs: (readonly [number, number])[]) => ({ type: 'rationals', pairs }) as const;
  return [
    field('GPSLatitudeRef', 1, letter(latitude < 0 ? 'S' : 'N')),
    field('GPSLatitude', 2, rationals(...sexagesimal(latitude))),
    field('GPSLongitudeRef', 3, letter(longitude < 0 ? 'W' : 'E')),
    field('GPSLongitude', 4, rationals(...sexagesimal(longitude))),
    ...(altitude !== undefined && altitude > 0
      ? [field('GPSAltitude', 6, rationals([Math.round(100 * altitude), 100]))]
      : []),
  ];
}

/** An angle's size in degrees, minutes and seconds, these to a ten-thousandth: 3 mm on the ground. */
function sexagesimal(angle: number): [number, number][] {
  const all = Math.round(Math.abs(angle) * 3600e4);
  return [
    [Math.floor(all / 3600e4), 1],
    [Math.floor(all / 60e4) % 60, 1],
    [all % 60e4, 10_000],
  ];
}

/** The fields as sharp takes them. */
export function exifOf(origin: PictureOrigin): Exif {
  const names = { main: 'IFD0', detail: 'IFD2', gps: 'IFD3' } as const;
  const exif: Record<string, Record<string, string>> = { IFD0: {}, IFD2: {}, IFD3: {} };
  for (const { directory, name, value } of exifFields(origin)) {
    const fields = exif[names[directory]];
    if (value.type === 'text') fields[name] = uncut(value.text);
    else if (value.type === 'rationals') fields[name] = value.pairs.map(([n, d]) => `${n}/${d}`).join(' ');
    else fields[name] = String(value.number);
  }
  return exif;
}

/** libvips takes what follows the last " (" of a text for its own remark, and cuts it off: it is given one to cut. */
const uncut = (text: string): string => (text.includes(' (') ? `${text} ()` : text);

/** libexif parses the parts as signed integers. */
const LARGEST_PART = 2 ** 31 - 1;

/** The simplest fraction that is the number, or the best one of two 31-bit integers (continued fractions). */
function fraction(value: number): readonly [number, number] {
  if (value === Number.POSITIVE_INFINITY) return [4294967295, 1];
  let [n0, d0, n1, d1] = [0, 1, 1, 0];
  for (let rest = value; ; ) {
    const whole = Math.floor(rest);
    const [n2, d2] = [whole * n1 + n0, whole * d1 + d0];
    if (n2 > LARGEST_PART || d2 > LARGEST_PART) break;
    [n0, d0, n1, d1] = [n1, d1, n2, d2];
    if (n1 / d1 === value || rest === whole) break;
    rest = 1 / (rest - whole);
  }
  return [n1, d1];
}
