import sharp, { type OverlayOptions } from 'sharp';
import type { Picture } from '../../../model/picture.js';
import { escaped, INK } from '../plot.js';
import { type Panel, pixelsOf } from '../sheet.js';

/** A figure of docs/: the bytes of the file that its name says. */
export type Figure = () => Promise<Uint8Array | string>;

/** A picture and the words below it. */
export interface Captioned {
  readonly panel: Panel;
  readonly caption: string;
}

const WIDTH = 960;
const GAP = 10;
const CAPTION = 26;

/** Rows of pictures on white, each row as wide as the page, as a JPEG. */
export async function captioned(rows: readonly (readonly Captioned[])[]): Promise<Uint8Array> {
  const tiles: OverlayOptions[] = [];
  let top = GAP;
  for (const row of rows) {
    const width = Math.floor((WIDTH - GAP * (row.length + 1)) / row.length);
    let height = 0;
    for (const [i, { panel, caption }] of row.entries()) {
      const left = GAP + i * (width + GAP);
      const { data, info } = await scaled(panel, width);
      tiles.push({ input: data, raw: { ...info, channels: 3 }, left, top });
      tiles.push({ input: words(caption, width), left, top: top + info.height });
      height = Math.max(height, info.height);
    }
    top += height + CAPTION + GAP;
  }
  return sharp({ create: { width: WIDTH, height: top, channels: 3, background: '#ffffff' } })
    .composite(tiles)
    .jpeg({ quality: 86, chromaSubsampling: '4:4:4', mozjpeg: true })
    .toBuffer();
}

/** A part of a picture. */
export function crop(picture: Picture, x: number, y: number, width: number, height: number): Picture {
  const { channels } = picture;
  const data = new Float32Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * channels;
    data.set(picture.data.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, channels, data };
}

/** What is small is enlarged so that its pixels are seen. */
function scaled(panel: Panel, width: number) {
  const kernel = panel.width < width / 2 ? 'nearest' : 'lanczos3';
  return sharp(pixelsOf(panel), { raw: { width: panel.width, height: panel.height, channels: 3 } })
    .resize({ width, kernel })
    .raw()
    .toBuffer({ resolveWithObject: true });
}

function words(caption: string, width: number): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION}"><text x="0" y="18" font-family="Helvetica, Arial, sans-serif" font-size="14" fill="${INK}">${escaped(caption)}</text></svg>`,
  );
}
