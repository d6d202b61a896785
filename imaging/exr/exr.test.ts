import { deflateSync } from 'node:zlib';
import { DataTexture, FloatType, HalfFloatType, RGBAFormat, type TextureDataType } from 'three';
import {
  EXRExporter,
  NO_COMPRESSION,
  PIZ_COMPRESSION,
  RLE_COMPRESSION,
  ZIP_COMPRESSION,
  ZIPS_COMPRESSION,
} from 'three/examples/jsm/exporters/EXRExporter.js';
import { EXRLoader } from 'three/examples/jsm/loaders/EXRLoader.js';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../model/picture.js';
import { countDifferent, flipBits, random, smoothPicture } from '../test-support.js';
import { decodeExr, encodeExr } from './exr.js';
import { floatToHalf, halfTable } from './half.js';

/** A picture in another program's file: three keeps rows bottom up, and always four channels. */
async function writtenByThree(
  picture: Picture,
  type: TextureDataType,
  compression: 0 | 1 | 2 | 3 | 4,
): Promise<Uint8Array> {
  const { width, height, data } = picture;
  const rgba = new Float32Array(width * height * 4).fill(1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        rgba[((height - 1 - y) * width + x) * 4 + c] = data[(y * width + x) * 3 + c];
      }
    }
  }
  const texture = new DataTexture(rgba, width, height, RGBAFormat, FloatType);
  return new EXRExporter().parse(texture, { type, compression });
}

/** What three reads from a file, rows top down, `channels` of the four. */
function readByThree(bytes: Uint8Array, channels: number): Float32Array {
  const loader = new EXRLoader().setDataType(FloatType);
  const { width, height, data } = loader.parse(Uint8Array.from(bytes).buffer) as {
    width: number;
    height: number;
    data: Float32Array;
  };
  const step = data.length / width / height;
  return Float32Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    const y = height - 1 - Math.floor(pixel / width);
    return data[(y * width + (pixel % width)) * step + (i % channels)];
  });
}

/** The picture as half floats hold it. */
function inHalf({ data }: Picture): Float32Array {
  const table = halfTable();
  return data.map((v) => table[floatToHalf(v)]);
}

/** Noise, which no compression makes smaller, beside a flat part, which all do. */
function noisy(width: number, height: number): Picture {
  const next = random(width * 31 + height);
  const picture = smoothPicture(width, height, 3, -2, 2000);
  picture.data.forEach((_, i) => {
    const x = Math.floor(i / 3) % width;
    if (x > width / 2)
      picture.data[i] = x % 3 === 0 ? 0 : Math.fround((next() - 0.3) * 10 ** (6 * next() - 3));
  });
  return picture;
}

const sizes: [number, number][] = [
  [1 + 1, 2],
  [40, 33],
  [67, 16],
  [5, 100],
  // More than 2^14 different words in a block: PIZ then has another wavelet.
  [301, 34],
];

describe('our own files', () => {
  it.each(sizes)('%i × %i: floats are exact', async (width, height) => {
    for (const picture of [noisy(width, height), smoothPicture(width, height, 1, 0, 1e-6)]) {
      const read = await decodeExr(await encodeExr(picture));
      expect([read.width, read.height, read.channels]).toEqual([width, height, picture.channels]);
      expect(countDifferent(read.data, picture.data)).toBe(0);
    }
  });

  it('infinities, NaN and negative zero survive', async () => {
    const data = Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN, -0, 1e-45, -3.4e38, 65504);
    const picture = { width: 2, height: 3, channels: 1, data };
    expect((await decodeExr(await encodeExr(picture))).data).toEqual(data);
  });

  it('halves are the nearest', async () => {
    const picture = noisy(40, 33);
    const { data } = await decodeExr(await encodeExr(picture, { half: true }));
    expect(countDifferent(data, inHalf(picture))).toBe(0);
  });

  it('channels have names, and are found by them', async () => {
    const depth = smoothPicture(20, 18, 1, 1, 30);
    const file = await encodeExr(depth, { channels: ['Z'] });
    expect(await decodeExr(file)).toEqual(depth);
    expect(await decodeExr(file, { channels: ['Z'] })).toEqual(depth);
    const pair = smoothPicture(20, 18, 2);
    const named = await encodeExr(pair, { channels: ['v', 'u'] });
    expect(await decodeExr(named, { channels: ['v', 'u'] })).toEqual(pair);
    const u = await decodeExr(named, { channels: ['u'] });
    expect(u.data).toEqual(pair.data.filter((_, i) => i % 2 === 1));
    await expect(decodeExr(named, { name: 'flow.exr' })).rejects.toMatchObject({
      code: 'channel-missing',
      message: expect.stringMatching(/flow\.exr has no channels R, G, B: it has u, v/),
    });
  });

  it('refuses names that do not fit', async () => {
    const pair = smoothPicture(4, 4, 2);
    for (const channels of [undefined, ['a'], ['a', 'a'], ['a', '']]) {
      const options = channels ? { channels } : {};
      await expect(encodeExr(pair, options)).rejects.toMatchObject({ code: 'channels-invalid' });
    }
  });

  it.each([1, 3])('three reads %i channels as we wrote them', async (channels) => {
    const picture = smoothPicture(37, 35, channels, 0, 50);
    expect(countDifferent(readByThree(await encodeExr(picture), channels), picture.data)).toBe(0);
    const halves = readByThree(await encodeExr(picture, { half: true }), channels);
    expect(countDifferent(halves, inHalf(picture))).toBe(0);
  });
});

describe("three's files", () => {
  const compressions = {
    none: NO_COMPRESSION,
    rle: RLE_COMPRESSION,
    zips: ZIPS_COMPRESSION,
    zip: ZIP_COMPRESSION,
    piz: PIZ_COMPRESSION,
  };

  it.each(Object.entries(compressions))('%s', async (_, compression) => {
    for (const [width, height] of compression === PIZ_COMPRESSION ? sizes : sizes.slice(0, 4)) {
      const picture = noisy(width, height);
      const floats = await writtenByThree(picture, FloatType, compression);
      expect(countDifferent((await decodeExr(floats)).data, picture.data)).toBe(0);
      const halves = await writtenByThree(picture, HalfFloatType, compression);
      expect(countDifferent((await decodeExr(halves)).data, readByThree(halves, 3))).toBe(0);
    }
  });
});

/** An attribute of a header. */
function attribute(name: string, type: string, value: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return Buffer.concat([Buffer.from(`${name}\0${type}\0`, 'latin1'), length, value]);
}

const int32 = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);

interface HandMade {
  readonly flags?: number;
  readonly compression?: number;
  readonly window?: number[];
  readonly channels?: [string, number, number?][];
  readonly extra?: Buffer[];
  /** Chunks, each with its own header. */
  readonly chunks: Buffer[];
}

function handMade({
  flags = 0,
  compression = 0,
  window = [0, 0, 1, 1],
  channels = [['Y', 2]],
  extra = [],
  chunks,
}: HandMade): Buffer {
  const list = channels.map(([name, type, sampling = 1]) =>
    Buffer.concat([Buffer.from(`${name}\0`, 'latin1'), int32(type, 0, sampling, sampling)]),
  );
  const head = Buffer.concat([
    int32(20000630, 2 | flags),
    attribute('channels', 'chlist', Buffer.concat([...list, Buffer.of(0)])),
    attribute('compression', 'compression', Buffer.of(compression)),
    attribute('dataWindow', 'box2i', int32(...window)),
    attribute('comments', 'string', Buffer.from('by hand')),
    ...extra,
    Buffer.of(0),
  ]);
  const table = Buffer.alloc(8 * chunks.length);
  let at = head.length + table.length;
  chunks.forEach((chunk, i) => {
    table.writeBigUInt64LE(BigInt(at), 8 * i);
    at += chunk.length;
  });
  return Buffer.concat([head, table, ...chunks]);
}

const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

describe('files made by hand', () => {
  it('tiles, in any order in the file, of which those at the rim are smaller', async () => {
    const tiles: Buffer[] = [];
    for (const [tx, ty] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const values: number[] = [];
      for (let y = 2 * ty; y < Math.min(3, 2 * ty + 2); y++) {
        for (let x = 2 * tx; x < Math.min(3, 2 * tx + 2); x++) values.push(10 * y + x);
      }
      tiles.push(Buffer.concat([int32(tx, ty, 0, 0, 4 * values.length), floats(...values)]));
    }
    const tile = attribute('tiles', 'tiledesc', Buffer.concat([int32(2, 2), Buffer.of(0)]));
    const file = handMade({ flags: 0x200, window: [5, -7, 7, -5], extra: [tile], chunks: tiles });
    const picture = await decodeExr(file);
    expect([...picture.data]).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22]);
    // Two tiles change places in the table: each says itself where it belongs.
    const at = file.length - Buffer.concat(tiles).length - 32;
    const swapped = Buffer.concat([
      file.subarray(0, at),
      file.subarray(at + 8, at + 16),
      file.subarray(at, at + 8),
      file.subarray(at + 16),
    ]);
    await expect(decodeExr(swapped)).rejects.toMatchObject({ code: 'file-corrupt' });
  });

  it('channels of different types, integers among them', async () => {
    const row = (y: number, float: number, half: number, integer: number): Buffer =>
      Buffer.concat([
        int32(y, 20),
        floats(float, float + 1),
        Buffer.from(Uint16Array.of(floatToHalf(half), floatToHalf(half + 1)).buffer),
        int32(integer, -1),
      ]);
    const file = handMade({
      window: [0, 3, 1, 4],
      channels: [
        ['A', 2],
        ['B', 1],
        ['id', 0],
      ],
      chunks: [row(3, 0.25, 2, 7), row(4, 8, 3, 9)],
    });
    expect((await decodeExr(file, { channels: ['id', 'A', 'B'] })).data).toEqual(
      Float32Array.of(7, 0.25, 2, 4294967295, 1.25, 3, 9, 8, 3, 4294967295, 9, 4),
    );
  });

  it('PXR24: halves and integers exact, floats to 24 bits', async () => {
    const width = 9;
    const next = random(9);
    const half = Array.from({ length: 2 * width }, () => floatToHalf(next() * 100));
    const float = Float32Array.from({ length: 2 * width }, () => next() * 3);
    const bits = new Int32Array(float.buffer).map((v) => v & ~255);
    const integer = Array.from({ length: 2 * width }, () => Math.floor(next() * 2 ** 31));
    const planes: number[] = [];
    for (let y = 0; y < 2; y++) {
      for (const [values, bytes, shift] of [
        [half, 2, 0],
        [bits, 3, 8],
        [integer, 4, 0],
      ] as const) {
        const row = [...values.slice(y * width, (y + 1) * width)];
        const differences = row.map((v, x) => ((v - (x > 0 ? row[x - 1] : 0)) | 0) >>> shift);
        for (let p = bytes - 1; p >= 0; p--) planes.push(...differences.map((d) => (d >>> (8 * p)) & 255));
      }
    }
    const packed = deflateSync(Uint8Array.from(planes));
    const file = handMade({
      compression: 5,
      window: [0, 0, width - 1, 1],
      channels: [
        ['H', 1],
        ['V', 2],
        ['W', 0],
      ],
      chunks: [Buffer.concat([int32(0, packed.length), packed])],
    });
    const table = halfTable();
    expect([...(await decodeExr(file, { channels: ['H'] })).data]).toEqual(half.map((v) => table[v]));
    expect((await decodeExr(file, { channels: ['V'] })).data).toEqual(new Float32Array(bits.buffer));
    expect((await decodeExr(file, { channels: ['W'] })).data).toEqual(Float32Array.from(integer));
  });

  const rows = [0, 1].map((y) => Buffer.concat([int32(y, 8), floats(1, 2)]));
  it.each([
    ['deep data', { flags: 0x800 }, 'format-unsupported'],
    ['several parts', { flags: 0x1000 }, 'format-unsupported'],
    ['DWAA', { compression: 8 }, 'format-unsupported'],
    ['B44', { compression: 6 }, 'format-unsupported'],
    ['unknown compression', { compression: 77 }, 'file-corrupt'],
    ['subsampling', { channels: [['Y', 2, 2]] }, 'format-unsupported'],
    ['no channels', { channels: [] }, 'file-corrupt'],
    ['a channel of unknown type', { channels: [['Y', 9]] }, 'file-corrupt'],
    ['a window inside out', { window: [5, 0, 1, 1] }, 'picture-too-small'],
    ['a window without end', { window: [0, 0, 2147483646, 2147483646] }, 'picture-too-large'],
    ['a window beyond integers', { window: [-2147483648, 0, 2147483647, 1] }, 'picture-too-large'],
    ['more rows than the file could hold', { window: [0, 0, 60_000, 3_000] }, 'file-corrupt'],
    ['more rows than there are', { window: [0, 0, 1, 2] }, 'file-corrupt'],
    [
      'tiles of no size',
      { flags: 0x200, extra: [attribute('tiles', 'tiledesc', Buffer.alloc(9))] },
      'file-corrupt',
    ],
    ['tiles that are not described', { flags: 0x200 }, 'file-corrupt'],
  ] as [string, Partial<HandMade>, string][])('with %s are refused', async (_, change, code) => {
    await expect(decodeExr(handMade({ chunks: rows }))).resolves.toMatchObject({
      data: Float32Array.of(1, 2, 1, 2),
    });
    await expect(decodeExr(handMade({ chunks: rows, ...change }))).rejects.toMatchObject({
      name: 'ImplicamError',
      code,
    });
  });

  it.each([
    ['RLE', RLE_COMPRESSION],
    ['PIZ', PIZ_COMPRESSION],
  ] as const)('%s that is damaged or cut gives a whole picture or a clean error', async (_, compression) => {
    const bytes = await writtenByThree(noisy(40, 70), HalfFloatType, compression);
    const limits = { maxPixels: 10_000 };
    const next = random(17);
    for (let trial = 0; trial < 150; trial++) {
      const damaged = flipBits(bytes, next);
      const length = trial % 3 === 0 ? Math.floor(next() * bytes.length) : bytes.length;
      const result = await decodeExr(damaged.subarray(0, length), { limits }).catch((error) => error);
      if (result instanceof Error)
        expect(result).toMatchObject({ name: 'ImplicamError', status: expect.any(Number) });
      else expect(result.data.length).toBe(result.width * result.height * result.channels);
      if (length < bytes.length) expect(result).toBeInstanceOf(Error);
    }
  });

  it('a block that inflates to more than its rows is refused', async () => {
    const bomb = deflateSync(Buffer.alloc(10_000_000));
    const file = handMade({
      compression: 3,
      window: [0, 0, 9999, 15],
      chunks: [Buffer.concat([int32(0, bomb.length), bomb])],
    });
    await expect(decodeExr(file)).rejects.toMatchObject({
      code: 'file-corrupt',
      message: expect.stringContaining('inflates beyond its size'),
    });
  });
});
