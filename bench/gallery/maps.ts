import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { ImplicamError } from '../../model/errors.js';
import { createPicture, type Picture } from '../../model/picture.js';

/** Depth and disparity maps in the formats that data sets come in, one channel. */

/** Portable float map: rows from the bottom up. */
export async function readPfm(path: string): Promise<Picture> {
  const bytes = await readFile(path);
  const lines: string[] = [];
  let at = 0;
  while (lines.length < 3) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw damaged(path, 'it has no header');
    lines.push(bytes.toString('latin1', at, end).trim());
    at = end + 1;
  }
  const [width, height] = lines[1].split(' ').map(Number) as [number, number];
  if (lines[0] !== 'Pf' || !(width > 0 && height > 0)) throw damaged(path, 'it is no one-channel float map');
  if (bytes.length - at < 4 * width * height) throw damaged(path, 'it is cut short');
  const little = Number(lines[2]) < 0;
  const picture = createPicture(width, height, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      picture.data[(height - 1 - y) * width + x] = view.getFloat32(4 * (y * width + x), little);
    }
  }
  return picture;
}

/** The first array of a NumPy archive: float32, two dimensions, C order. */
export async function readNpz(path: string): Promise<Picture> {
  const npy = firstEntry(path, await readFile(path));
  const headerLength = npy.readUInt16LE(8);
  const header = npy.toString('latin1', 10, 10 + headerLength);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!shape || !header.includes("'<f4'") || header.includes("'fortran_order': True")) {
    throw damaged(path, `it is no two-dimensional float32 array: ${header.trim()}`);
  }
  const [height, width] = [Number(shape[1]), Number(shape[2])];
  const data = npy.subarray(10 + headerLength);
  const picture = createPicture(width, height, 1);
  for (let i = 0; i < picture.data.length; i++) picture.data[i] = data.readFloatLE(4 * i);
  return picture;
}

/** Content of the first file of a zip archive, found by the central directory (sizes may be missing before the data). */
function firstEntry(path: string, zip: Buffer): Buffer {
  const directory = zip.indexOf('PK\x01\x02', 0, 'latin1');
  if (directory < 0) throw damaged(path, 'it is no zip archive');
  const method = zip.readUInt16LE(directory + 10);
  const size = zip.readUInt32LE(directory + 20);
  const local = zip.readUInt32LE(directory + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const content = zip.subarray(start, start + size);
  return method === 0 ? content : inflateRawSync(content);
}

function damaged(path: string, why: string): ImplicamError {
  return new ImplicamError('file-corrupt', `${basename(path)} cannot be read: ${why}`);
}

/** Fills what is not finite or not positive from the nearest pixel that is. */
export function fillHoles(map: Picture): Picture {
  const { width, height } = map;
  const data = map.data.slice();
  const queue = new Int32Array(data.length);
  let tail = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] > 0 && data[i] < Number.POSITIVE_INFINITY) queue[tail++] = i;
    else data[i] = 0;
  }
  for (let head = 0; head < tail; head++) {
    const i = queue[head];
    const x = i % width;
    const visit = (j: number) => {
      if (data[j] !== 0) return;
      data[j] = data[i];
      queue[tail++] = j;
    };
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < width * (height - 1)) visit(i + width);
  }
  return { ...map, data };
}
