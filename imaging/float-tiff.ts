import type { Picture } from '../model/picture.js';

/**
 * A picture as an uncompressed TIFF of 32-bit floats (TIFF 6.0, sample format 3), little-endian, one strip. It is how
 * floats get into sharp, which takes raw Float32Arrays for 16-bit sRGB but reads this as linear light, exactly.
 *
 * @param picture of one channel (grey), three (RGB) or four (and alpha, unassociated); its data must stay below 4 GB.
 */
export function floatTiff(picture: Picture): Uint8Array {
  const { width, height, channels, data } = picture;
  const entries = channels === 4 ? 12 : 11;
  const wideAt = 8 + 2 + 12 * entries + 4;
  // Two tables of a 16-bit value per channel, then the samples.
  const samplesAt = wideAt + 2 * 4 * channels;
  const head = Buffer.alloc(samplesAt);
  head.write('II', 'latin1');
  head.writeUInt16LE(42, 2);
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries, 8);
  let at = 10;
  const put = (tag: number, value: number, type: 3 | 4 = 4, count = 1): void => {
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    if (type === 3 && count === 1) head.writeUInt16LE(value, at + 8);
    else head.writeUInt32LE(value, at + 8);
    at += 12;
  };
  /** One 16-bit value a channel, in place where they fit. */
  const putEach = (tag: number, value: number, table: number): void => {
    for (let c = 0; c < channels; c++) head.writeUInt16LE(value, table + 2 * c);
    if (channels === 1) put(tag, value, 3);
    else put(tag, table, 3, channels);
  };
  put(256, width); // ImageWidth
  put(257, height); // ImageLength
  putEach(258, 32, wideAt); // BitsPerSample
  put(259, 1, 3); // Compression: none
  put(262, channels === 1 ? 1 : 2, 3); // PhotometricInterpretation: black is zero, or RGB
  put(273, samplesAt); // StripOffsets
  put(277, channels, 3); // SamplesPerPixel
  put(278, height); // RowsPerStrip
  put(279, data.byteLength); // StripByteCounts
  put(284, 1, 3); // PlanarConfiguration: interleaved
  if (channels === 4) put(338, 2, 3); // ExtraSamples: unassociated alpha
  putEach(339, 3, wideAt + 4 * channels); // SampleFormat: IEEE floating point
  return Buffer.concat([head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}
