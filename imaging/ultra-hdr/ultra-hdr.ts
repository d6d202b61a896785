import type { Picture, PictureOrigin } from '../../model/picture.js';
import { encodeSrgbArray } from '../../model/render/display-curves.js';
import { encodeJpeg } from '../jpeg/encode.js';
import { quantised } from '../samples.js';
import { joinUltraHdr } from './container.js';
import { gainMap } from './gain-map.js';

export interface UltraHdrOptions {
  /** Of the picture, 1 to 100. */
  readonly quality: number;
  /** What a plain display shows, display-encoded in [0, 1]. @default the light up to white */
  readonly display?: Picture | undefined;
  readonly origin?: PictureOrigin | undefined;
}

/**
 * Linear light, 1 as bright as white, as a JPEG that plain displays show as `display`, and that brightens where a
 * display can. libultrahdr would compute a base of its own; this one looks as the other results do.
 */
export async function encodeUltraHdr(light: Picture, options: UltraHdrOptions): Promise<Buffer> {
  const { quality, origin } = options;
  const display = options.display ?? upToWhite(light);
  const base = quantised(display, 8) as Uint8Array;
  const map = gainMap(base, light);
  const [picture, gains] = await Promise.all([
    encodeJpeg(base, light, { quality, origin }),
    encodeJpeg(quantised(map.picture, 8), map.picture, { quality: MAP_QUALITY, profile: false }),
  ]);
  return joinUltraHdr(picture, gains, map.range);
}

/** Light as it is up to white; what is brighter darkened to white, in its hue. */
function upToWhite(light: Picture): Picture {
  const data = new Float32Array(light.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const peak = Math.max(1, light.data[i], light.data[i + 1], light.data[i + 2]);
    for (let c = i; c < i + 3; c++) data[c] = light.data[c] / peak;
  }
  return { ...light, data: encodeSrgbArray(data, data) };
}

/** From 75 to 95 the light that comes back is the same to 0.2 dB, in files of one size to three; below, bands may show. */
const MAP_QUALITY = 85;
