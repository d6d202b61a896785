import { describe, expect, it } from 'vitest';
import type { PictureOrigin } from '../../model/picture.js';
import { readPicture } from '../read.js';
import { countDifferent, smoothPicture } from '../test-support.js';
import { encodeImage } from '../write.js';

const origin: PictureOrigin = {
  make: 'Maker',
  model: 'Model\n1',
  lens: '50mm',
  focalLength: 50,
  fNumber: 2.8,
  iso: 200,
  time: Date.UTC(2024, 6, 1, 20, 30, 5),
  zone: 120,
  place: { latitude: -33.5, longitude: 151.25, altitude: -3 },
  software: 'implicam 1.2.3',
};

/** Attributes of an OpenEXR header, read by the layout of the format alone. */
function attributesOf(file: Uint8Array): Map<string, { type: string; value: Buffer }> {
  const bytes = Buffer.from(file);
  const attributes = new Map<string, { type: string; value: Buffer }>();
  let at = 8;
  const text = () => {
    const end = bytes.indexOf(0, at);
    const read = bytes.toString('latin1', at, end);
    at = end + 1;
    return read;
  };
  for (let name = text(); name !== ''; name = text()) {
    const type = text();
    const length = bytes.readUInt32LE(at);
    attributes.set(name, { type, value: bytes.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return attributes;
}

describe('what linear pictures say of their making', () => {
  it('in OpenEXR, by its standard attributes', async () => {
    const picture = smoothPicture(24, 20);
    const bytes = await encodeImage('exr', picture, { origin });
    const attributes = attributesOf(bytes);
    const text = (name: string) => {
      const { type, value } = attributes.get(name)!;
      expect(type).toBe('string');
      return value.toString('latin1');
    };
    const number = (name: string) => {
      const { type, value } = attributes.get(name)!;
      expect([type, value.length]).toEqual(['float', 4]);
      return value.readFloatLE();
    };
    expect(['software', 'cameraMake', 'cameraModel', 'lensModel', 'capDate'].map(text)).toEqual([
      'implicam 1.2.3',
      'Maker',
      'Model 1',
      '50mm',
      '2024:07:01 22:30:05',
    ]);
    // UTC is two hours behind the clock of the camera.
    expect(number('utcOffset')).toBe(-7200);
    expect(['nominalFocalLength', 'isoSpeed', 'latitude', 'longitude', 'altitude'].map(number)).toEqual([
      50, 200, -33.5, 151.25, -3,
    ]);
    expect(number('aperture')).toBeCloseTo(2.8, 6);
    const { type, value } = attributes.get('chromaticities')!;
    expect([type, value.length]).toEqual(['chromaticities', 32]);
    expect(value.readFloatLE(0)).toBeCloseTo(0.64, 6);
    expect(value.readFloatLE(28)).toBeCloseTo(0.329, 6);
    expect(countDifferent((await readPicture({ name: 'a', bytes })).data, picture.data)).toBe(0);
  });

  it('nothing of colours where there are none', async () => {
    const map = await encodeImage('exr', smoothPicture(24, 20, 2), { channels: ['Y', 'Z'], origin });
    expect(attributesOf(map).has('chromaticities')).toBe(false);
    expect(attributesOf(map).has('cameraMake')).toBe(true);
    expect(attributesOf(await encodeImage('exr', smoothPicture(24, 20))).has('software')).toBe(false);
  });

  it('in Radiance, program, time and primaries', async () => {
    const bytes = await encodeImage('hdr', smoothPicture(24, 20), { origin });
    const header = Buffer.from(bytes).toString('latin1', 0, 200).split('\n\n')[0].split('\n');
    expect(header).toEqual([
      '#?RADIANCE',
      'SOFTWARE=implicam 1.2.3',
      'CAPDATE=2024:07:01 22:30:05',
      'PRIMARIES=0.64 0.33 0.3 0.6 0.15 0.06 0.3127 0.329',
      'FORMAT=32-bit_rle_rgbe',
    ]);
    expect(await readPicture({ name: 'a', bytes })).toMatchObject({ width: 24, height: 20, channels: 3 });
  });

  it('keeps the samples of a TIFF as they are', async () => {
    for (const channels of [1, 3]) {
      const picture = smoothPicture(33, 21, channels, -1, 5000);
      const read = await readPicture({ name: 'a', bytes: await encodeImage('tiff', picture, { origin }) });
      expect(countDifferent(read.data, picture.data)).toBe(0);
    }
  });
});
