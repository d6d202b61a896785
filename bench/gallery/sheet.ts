import sharp, { type OverlayOptions } from 'sharp';
import { percentile } from '../../model/percentile.js';
import type { Frame, Picture } from '../../model/picture.js';

/** A picture of the contact sheet: display-encoded in [0, 1], 1 or 3 channels. */
export type Panel = Picture;

/** A row of the contact sheet. */
export interface SheetRow {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const PANEL = 300;
const GAP = 6;
const TITLE = 22;

/** A photograph as a panel. */
export function framePanel({ width, height, data }: Frame): Panel {
  const scale = data instanceof Uint16Array ? 1 / 65535 : 1 / 255;
  return { width, height, channels: 3, data: Float32Array.from(data, (v) => v * scale) };
}

/** A map of any range as grey: low dark, high bright. */
export function mapPanel(map: Picture): Panel {
  const low = percentile(map.data, 1);
  const scale = 1 / Math.max(percentile(map.data, 99) - low, 1e-9);
  return { ...map, data: map.data.map((v) => Math.min(1, Math.max(0, (v - low) * scale))) };
}

/** The contact sheet as a PNG. */
export async function contactSheet(rows: readonly SheetRow[]): Promise<Uint8Array> {
  const columns = Math.max(...rows.map((r) => r.panels.length));
  const width = columns * (PANEL + GAP) + GAP;
  const tiles: OverlayOptions[] = [];
  let top = GAP;
  for (const { title, panels } of rows) {
    tiles.push({ input: titleBar(title, width), left: 0, top });
    top += TITLE;
    const images = await Promise.all(panels.map(thumbnail));
    for (const [i, { data, info }] of images.entries()) {
      tiles.push({ input: data, raw: { ...info, channels: 3 }, left: GAP + i * (PANEL + GAP), top });
    }
    top += Math.max(...images.map(({ info }) => info.height)) + GAP;
  }
  const background = { r: 24, g: 24, b: 24 };
  return sharp({ create: { width, height: top, channels: 3, background }, limitInputPixels: false })
    .composite(tiles)
    .png()
    .toBuffer();
}

function titleBar(title: string, width: number): Buffer {
  const text = title.replace(/[<&>]/g, ' ');
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${TITLE}"><text x="${GAP}" y="16" font-family="sans-serif" font-size="14" fill="#ddd">${text}</text></svg>`,
  );
}

/** A panel as bytes, RGB. */
export function pixelsOf({ width, height, channels, data }: Panel): Uint8Array {
  const bytes = new Uint8Array(3 * width * height);
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) {
      bytes[3 * p + c] = Math.round(
        255 * Math.min(1, Math.max(0, data[channels * p + (channels > 1 ? c : 0)])),
      );
    }
  }
  return bytes;
}

function thumbnail(panel: Panel) {
  return sharp(pixelsOf(panel), { raw: { width: panel.width, height: panel.height, channels: 3 } })
    .resize(PANEL, PANEL, { fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
}
