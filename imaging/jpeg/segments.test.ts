import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flipBits, fromSamples, random, samples8 } from '../test-support.js';
import {
  appSegment,
  isApp,
  JpegMarker,
  type JpegParts,
  joinJpeg,
  splitJpeg,
  withSegments,
} from './segments.js';

/** Any parts that a JPEG file may have: markers of segments, and samples that begin with a start of scan. */
const anyParts: fc.Arbitrary<JpegParts> = fc.record({
  segments: fc.array(
    fc.record({
      marker: fc.integer({ min: 0xc0, max: 0xfe }).filter((m) => m < 0xd0 || m > 0xda),
      content: fc.uint8Array({ maxLength: 300 }),
    }),
    { maxLength: 8 },
  ),
  samples: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.concat([Buffer.of(0xff, 0xda), bytes])),
});

const plain = ({ segments, samples }: JpegParts) => ({
  segments: segments.map(({ marker, content }) => [marker, [...content]]),
  samples: [...samples],
});

describe('segments of a JPEG', () => {
  it('come apart as they were put together', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const padded = parts.samples.length < 4 ? { ...parts, samples: Buffer.of(0xff, 0xda, 0, 2) } : parts;
        expect(plain(splitJpeg(joinJpeg(padded))!)).toEqual(plain(padded));
      }),
    );
  });

  it('are added behind those of JFIF and EXIF, and none is lost', () => {
    const added = [appSegment(JpegMarker.app2, 'test', Buffer.of(1, 2, 3))];
    fc.assert(
      fc.property(anyParts, (parts) => {
        const { segments } = withSegments(parts, added);
        const at = segments.indexOf(added[0]);
        const early = (marker: number) => marker === 0xe0 || marker === 0xe1;
        expect(segments.slice(0, at).every(({ marker }) => early(marker))).toBe(true);
        expect(segments.slice(at + 1).some(({ marker }) => early(marker))).toBe(false);
        expect(segments).toHaveLength(parts.segments.length + 1);
      }),
    );
    expect(isApp(added[0], JpegMarker.app2, 'test')).toBe(true);
    expect(isApp(added[0], JpegMarker.app1, 'test')).toBe(false);
    expect(isApp(added[0], JpegMarker.app2, 'tes')).toBe(false);
  });

  it('of a real file make the same file again', async () => {
    const bytes = await fromSamples(samples8(20, 12)).jpeg().toBuffer();
    expect(joinJpeg(splitJpeg(bytes)!).equals(bytes)).toBe(true);
  });

  it('of bytes that are no JPEG are none, and nothing throws', async () => {
    const bytes = await fromSamples(samples8(20, 12)).jpeg().toBuffer();
    const next = random(3);
    for (let trial = 0; trial < 2000; trial++) {
      splitJpeg(flipBits(bytes, next).subarray(0, Math.ceil(next() * 700)));
    }
    for (const none of [new Uint8Array(0), Buffer.of(0xff, 0xd8), Buffer.from('not a picture at all')]) {
      expect(splitJpeg(none)).toBeUndefined();
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => void splitJpeg(any)));
  });
});
