import type { PictureOrigin } from '../../model/picture.js';
import { exifFields, exifText, localTime } from './write-exif.js';

/** An attribute of an OpenEXR header: name, type, and value as it is stored. */
export type ExrAttribute = readonly [
  name: string,
  type: 'string' | 'float' | 'chromaticities',
  value: Buffer,
];

/** Red, green, blue and white of sRGB, x and y: what OpenEXR also takes for granted. */
const CHROMATICITIES = [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329];

/**
 * What an OpenEXR file says of its colours and its making, by OpenEXR's optional standard attributes
 * (ImfStandardAttributes.h of OpenEXR 3.2), and the program's name as many others write it.
 *
 * @param channels names; those of a picture that is no colour, such as a defocus map, get no chromaticities
 * @throws ImplicamError `camera-invalid` as `exifFields`
 */
export function exrAttributes(
  channels: readonly string[],
  origin: PictureOrigin | undefined,
): ExrAttribute[] {
  const attributes: ExrAttribute[] = [];
  if (['R', 'G', 'B'].every((name) => channels.includes(name))) {
    attributes.push(['chromaticities', 'chromaticities', floats(...CHROMATICITIES)]);
  }
  if (!origin) return attributes;
  // What no other format takes is refused here, too.
  exifFields(origin);
  const text = (name: string, words: string | undefined): void => {
    const clean = words === undefined ? '' : exifText(words);
    if (clean !== '') attributes.push([name, 'string', Buffer.from(clean, 'latin1')]);
  };
  const float = (name: string, value: number | undefined): void => {
    if (value !== undefined) attributes.push([name, 'float', floats(value)]);
  };
  const { time, zone, place } = origin;
  text('software', origin.software ?? 'implicam');
  text('cameraMake', origin.make);
  text('cameraModel', origin.model ?? origin.camera);
  text('lensMake', origin.lensMake);
  text('lensModel', origin.lens);
  float('nominalFocalLength', origin.focalLength);
  float('aperture', origin.fNumber);
  float('expTime', origin.exposureTime);
  float('isoSpeed', origin.iso);
  float('focus', origin.focusDistance);
  if (time !== undefined) text('capDate', localTime(time, zone).date);
  // What is to be added to the local time, in seconds.
  if (time !== undefined && zone !== undefined) float('utcOffset', zone === 0 ? 0 : -60 * zone);
  float('latitude', place?.latitude);
  float('longitude', place?.longitude);
  float('altitude', place?.altitude);
  return attributes;
}

function floats(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => void out.writeFloatLE(value, 4 * i));
  return out;
}
