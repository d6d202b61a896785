import type { CameraSettings, Origin, Place } from '../../model/picture.js';
import {
  numberAt,
  openTiff,
  readDirectory,
  type TiffBytes,
  type TiffDirectory,
  type TiffEntry,
  textOf,
} from './tiff-directory.js';

/**
 * Camera settings and origin from EXIF 2.32 (CIPA DC-008). Cameras, phones and editors write it in every state of
 * repair: each field is read for itself, and one that is missing, broken or absurd is simply not known.
 */

const MAKE = 0x010f;
const MODEL = 0x0110;
const EXIF_DIRECTORY = 0x8769;
const EXPOSURE_TIME = 0x829a;
const F_NUMBER = 0x829d;
const SENSITIVITY = 0x8827;
/** Standard output sensitivity, recommended exposure index, ISO speed: where an ISO above 65534 goes. */
const LONG_SENSITIVITIES = [0x8833, 0x8832, 0x8831];
const SHUTTER_SPEED = 0x9201;
const APERTURE = 0x9202;
const EXPOSURE_BIAS = 0x9204;
const SUBJECT_DISTANCE = 0x9206;
const FOCAL_LENGTH = 0x920a;
const MAKER_NOTE = 0x927c;
const LENS_MAKE = 0xa433;
const LENS_MODEL = 0xa434;
const GPS_DIRECTORY = 0x8825;
/**
 * Date, its fraction of a second and its time zone: of the exposure, and of digitisation. The third of EXIF's dates,
 * that of the last change, tells in which order an editor exported the frames, not when they were taken.
 */
const DATES = [
  [0x9003, 0x9291, 0x9011],
  [0x9004, 0x9292, 0x9012],
] as const;

/**
 * What the camera wrote down.
 *
 * @param exif a TIFF file, or the content of an EXIF segment with or without its `Exif\0\0`.
 * @param xmp the XMP packet, for the focus distance that Lightroom leaves only there.
 * @returns the settings found; `focusDistance` is `Infinity` where EXIF says so. Dates without a time zone are taken
 * as UTC, so that the same files give the same times everywhere. Never throws.
 */
export function readCameraSettings(exif: Uint8Array | undefined, xmp?: Uint8Array): CameraSettings {
  const tiff = exif && openTiff(startsWithExif(exif) ? exif.subarray(6) : exif);
  const fromXmp = focusFromXmp(xmp);
  if (!tiff) return withoutUndefined({ focusDistance: fromXmp });
  const main = readDirectory(tiff, tiff.first);
  const at = numberAt(tiff, main.get(EXIF_DIRECTORY));
  // TIFF/EP files keep the exposure in the main directory.
  const detail: TiffDirectory = new Map([...main, ...(at === undefined ? [] : readDirectory(tiff, at))]);
  const positive = (tag: number): number | undefined => positiveOf(numberAt(tiff, detail.get(tag)));
  const apex = (tag: number, value: (stops: number) => number): number | undefined => {
    const stops = numberAt(tiff, detail.get(tag));
    return stops !== undefined && Math.abs(stops) < 32 ? value(stops) : undefined;
  };
  return withoutUndefined({
    exposureTime: positive(EXPOSURE_TIME) ?? apex(SHUTTER_SPEED, (tv) => 2 ** -tv),
    fNumber: positive(F_NUMBER) ?? apex(APERTURE, (av) => 2 ** (av / 2)),
    iso: readSensitivity(tiff, detail),
    exposureBias: apex(EXPOSURE_BIAS, (stops) => stops),
    focalLength: positive(FOCAL_LENGTH),
    focusDistance: readFocusDistance(tiff, main, detail) ?? fromXmp,
    time: readTime(tiff, detail)?.time,
    camera: readCamera(tiff, main),
  });
}

/**
 * What the camera wrote down of itself, its lens, its clock and its place. Text is printable ASCII of at most 128
 * letters; maker notes and serial numbers are left where they are.
 *
 * @param exif as for `readCameraSettings`
 * @param xmp the XMP packet, for the lens that Lightroom leaves only there.
 * @returns what was found. Never throws.
 */
export function readOrigin(exif: Uint8Array | undefined, xmp?: Uint8Array): Origin {
  const tiff = exif && openTiff(startsWithExif(exif) ? exif.subarray(6) : exif);
  const fromXmp = lensFromXmp(xmp);
  if (!tiff) return withoutUndefined({ lens: fromXmp });
  const main = readDirectory(tiff, tiff.first);
  const at = (tag: number): TiffDirectory => {
    const offset = numberAt(tiff, main.get(tag));
    return offset === undefined ? new Map() : readDirectory(tiff, offset);
  };
  const detail = new Map([...main, ...at(EXIF_DIRECTORY)]);
  return withoutUndefined({
    make: textOf(tiff, main.get(MAKE)),
    model: textOf(tiff, main.get(MODEL)),
    lensMake: textOf(tiff, detail.get(LENS_MAKE)),
    lens: textOf(tiff, detail.get(LENS_MODEL)) ?? fromXmp,
    zone: readTime(tiff, detail)?.zone,
    place: readPlace(tiff, at(GPS_DIRECTORY)),
  });
}

function readPlace(tiff: TiffBytes, gps: TiffDirectory): Place | undefined {
  const angle = (tag: number, most: number, negative: string): number | undefined => {
    const [degrees, minutes = 0, seconds = 0] = [0, 1, 2].map((i) => numberAt(tiff, gps.get(tag), i));
    const size = degrees === undefined ? Number.NaN : degrees + minutes / 60 + seconds / 3600;
    if (!(size >= 0 && size <= most)) return undefined;
    return textOf(tiff, gps.get(tag - 1))?.toUpperCase() === negative ? -size : size;
  };
  const latitude = angle(2, 90, 'S');
  const longitude = angle(4, 180, 'W');
  if (latitude === undefined || longitude === undefined) return undefined;
  const height = numberAt(tiff, gps.get(6));
  const altitude = height !== undefined && Math.abs(height) < 1e5 ? height : undefined;
  const below = numberAt(tiff, gps.get(5)) === 1;
  return {
    latitude,
    longitude,
    ...(altitude === undefined ? {} : { altitude: below ? -altitude : altitude }),
  };
}

function startsWithExif(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(6, bytes.length)).toString('latin1') === 'Exif\0\0'
  );
}

function withoutUndefined<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const known = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function positiveOf(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 && value < 1e9 ? value : undefined;
}

function readSensitivity(tiff: TiffBytes, detail: TiffDirectory): number | undefined {
  const short = positiveOf(numberAt(tiff, detail.get(SENSITIVITY)));
  if (short !== undefined && short < 65535) return short;
  for (const tag of LONG_SENSITIVITIES) {
    const long = positiveOf(numberAt(tiff, detail.get(tag)));
    if (long !== undefined) return long;
  }
  return short;
}

function readCamera(tiff: TiffBytes, main: TiffDirectory): string | undefined {
  const make = textOf(tiff, main.get(MAKE));
  const model = textOf(tiff, main.get(MODEL));
  if (!make || !model) return model ?? make;
  return model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`;
}

/** When a frame was taken, in milliseconds since the epoch, and how many minutes its clock was ahead of UTC, if it says. */
function readTime(
  tiff: TiffBytes,
  detail: TiffDirectory,
): { readonly time: number; readonly zone: number | undefined } | undefined {
  for (const [date, fraction, zone] of DATES) {
    const text = textOf(tiff, detail.get(date)) ?? '';
    const parts = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text)?.slice(1).map(Number);
    if (!parts) continue;
    const [year, month, day, hour, minute, second] = parts as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) continue;
    const digits = /^\d{1,9}/.exec(textOf(tiff, detail.get(fraction)) ?? '')?.[0] ?? '0';
    const offset = /^([+-])(\d\d):(\d\d)$/.exec(textOf(tiff, detail.get(zone)) ?? '');
    const east = offset ? (offset[1] === '-' ? -1 : 1) * (60 * Number(offset[2]) + Number(offset[3])) : 0;
    const milliseconds = Math.round(1000 * Number(`0.${digits}`));
    const time = Date.UTC(year, month - 1, day, hour, minute - east, second, milliseconds);
    return { time, zone: offset && Math.abs(east) < 1440 ? east : undefined };
  }
  return undefined;
}

function readFocusDistance(tiff: TiffBytes, main: TiffDirectory, detail: TiffDirectory): number | undefined {
  const entry = detail.get(SUBJECT_DISTANCE);
  if (entry?.type === 5) {
    // A numerator of all ones is infinity, one of zero unknown (EXIF 2.32 §4.6.5).
    if (tiff.view.getUint32(entry.offset, tiff.littleEndian) === 0xffffffff) return Number.POSITIVE_INFINITY;
  }
  const distance = positiveOf(numberAt(tiff, entry));
  if (distance !== undefined) return distance;
  const canon = textOf(tiff, main.get(MAKE))?.toLowerCase().startsWith('canon');
  return canon ? readCanonFocus(tiff, detail.get(MAKER_NOTE)) : undefined;
}

/** Where Canon's bodies note the two ends of the range in focus, as 16-bit centimetres: [tag, far, near]. */
const CANON_FOCUS = [
  [0x93, 20, 21],
  [0x04, 19, 20],
] as const;

/** The distance half-way, in dioptres, between the two ends that Canon's maker note gives (after ExifTool). */
function readCanonFocus(tiff: TiffBytes, note: TiffEntry | undefined): number | undefined {
  if (!note) return undefined;
  // Canon's note is a plain directory whose offsets count from the start of the EXIF structure.
  const directory = readDirectory(tiff, note.offset);
  for (const [tag, farIndex, nearIndex] of CANON_FOCUS) {
    const entry = directory.get(tag);
    if (entry?.type !== 3) continue;
    const far = numberAt(tiff, entry, farIndex);
    const near = numberAt(tiff, entry, nearIndex);
    if (!far) continue;
    const dioptres = (centimetres: number): number => (centimetres === 65535 ? 0 : 100 / centimetres);
    return 2 / (dioptres(far) + dioptres(near || far));
  }
  return undefined;
}

/** `aux:ApproximateFocusDistance`, a rational in metres, which Adobe's converters write from the maker note. */
function focusFromXmp(xmp: Uint8Array | undefined): number | undefined {
  if (!xmp || xmp.length > 2 ** 22) return undefined;
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.length).toString('latin1');
  const found = /ApproximateFocusDistance(?:\s*=\s*["']|>)\s*(\d{1,10})\/(\d{1,10})/.exec(text);
  if (!found) return undefined;
  if (found[1] === '4294967295') return Number.POSITIVE_INFINITY;
  return positiveOf(Number(found[1]) / Number(found[2]));
}

/** `aux:Lens`, which Adobe's programs write from the maker note of older cameras. */
function lensFromXmp(xmp: Uint8Array | undefined): string | undefined {
  if (!xmp || xmp.length > 2 ** 22) return undefined;
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.length).toString('latin1');
  return /aux:Lens(?:\s*=\s*["']|>)([ !#-%(-;=?-~]{1,128})["'<]/.exec(text)?.[1].trim() || undefined;
}
