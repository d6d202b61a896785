import { crc32 } from 'node:zlib';

/**
 * Chunks that say what the colours of a PNG are (PNG 3rd edition, §11.3.2): sRGB, and for readers that do not know that
 * chunk its gamma and primaries. A colour profile would say the same in more bytes, and 16-bit samples change on their
 * way through one.
 */

/** Length of a PNG up to the end of its header chunk, IHDR. */
const HEADER_BYTES = 33;
/** 1/2.2, in hundred-thousandths, as the standard has it beside sRGB. */
const GAMMA = 45_455;
/** White, red, green and blue, x and y, in hundred-thousandths. */
const PRIMARIES = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6000];

/** A PNG that says that its samples are sRGB; the samples are left alone. */
export function withSrgbChunks(png: Uint8Array): Buffer {
  const chunks = [
    chunk('sRGB', Buffer.of(0)),
    chunk('gAMA', uint32(GAMMA)),
    chunk('cHRM', Buffer.concat(PRIMARIES.map(uint32))),
  ];
  return Buffer.concat([png.subarray(0, HEADER_BYTES), ...chunks, png.subarray(HEADER_BYTES)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
